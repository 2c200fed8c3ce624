"""What a file says about its length and size, against what is there."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest

from klip_assets.media.claims import claimed_s, differs, missing_bytes, unread_bytes
from klip_assets.media.probe import probe
from klip_assets.media.scan import read_timeline
from klip_assets_tests.media.clocked import FILMS, SOUNDS, joined, write_clocked

INDEX_FIRST = {"options": {"movflags": "faststart"}}
FRAGMENTED = {"options": {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "2000000"}}


def options_of(suffix: str) -> dict[str, Any]:
    own: dict[str, Any] = {**FILMS, **SOUNDS}[suffix]
    return own | (INDEX_FIRST if suffix in ("mp4", "mov", "m4a") else {})


def unread(path: Path) -> int:
    return unread_bytes(path, probe(path), read_timeline(path))


@pytest.mark.parametrize("suffix", [*FILMS, *SOUNDS])
def test_no_byte_of_a_whole_file_is_missing(tmp_path: Path, suffix: str) -> None:
    path = write_clocked(tmp_path / f"whole.{suffix}", 6, burst_s=2, **options_of(suffix))
    assert missing_bytes(path, probe(path)) == 0


# These state no size.
@pytest.mark.parametrize("suffix", sorted({*FILMS, *SOUNDS} - {"ts", "aac", "flac"}))
def test_a_file_without_its_last_bytes_is_noticed_even_where_its_length_may_be_rounded(
    tmp_path: Path, suffix: str
) -> None:
    path = write_clocked(tmp_path / f"cut.{suffix}", 6, burst_s=2, **options_of(suffix))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 95 // 100])
    assert missing_bytes(path, probe(path)) > 64


def test_text_behind_an_mp4_states_no_size(tmp_path: Path) -> None:
    path = write_clocked(tmp_path / "tagged.mp4", 6, burst_s=2, **INDEX_FIRST)
    path.write_bytes(path.read_bytes() + b"TAGA title of some length".ljust(128, b"\0"))
    assert missing_bytes(path, probe(path)) == 0


def test_fragments_of_an_mp4_state_no_length_of_the_whole_but_lack_bytes_once_cut(tmp_path: Path) -> None:
    path = write_clocked(tmp_path / "live.mp4", 10, burst_s=2, **FRAGMENTED)
    assert claimed_s(path, probe(path)) is None and missing_bytes(path, probe(path)) == 0
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    assert missing_bytes(path, probe(path)) > 64 and read_timeline(path).duration_s < 9


@pytest.mark.parametrize("stated", [0, 0x7FFF_FFFF, 0xFFFF_FFFF])
def test_a_wav_written_to_a_pipe_states_no_size(tmp_path: Path, stated: int) -> None:
    path = write_clocked(tmp_path / "pipe.wav", 6, burst_s=2, **SOUNDS["wav"])
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, 4, stated)
    struct.pack_into("<I", data, data.index(b"data") + 4, stated)
    path.write_bytes(data)
    assert missing_bytes(path, probe(path)) == 0 and read_timeline(path).duration_s == pytest.approx(6, abs=0.1)


def test_an_avi_that_was_cut_claims_its_whole_length(tmp_path: Path) -> None:
    path = write_clocked(tmp_path / "cut.avi", 20, burst_s=2, **FILMS["avi"])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    claim = claimed_s(path, probe(path))
    assert claim == pytest.approx(20, abs=0.5) and differs(claim, read_timeline(path))


@pytest.mark.parametrize("second", [{"rate": 48_000}, {"layout": "stereo"}])
def test_the_length_of_the_first_of_joined_mp3s_is_no_claim_for_all(tmp_path: Path, second: dict[str, Any]) -> None:
    parts = [
        write_clocked(tmp_path / f"{number}.mp3", 6, burst_s=2, **{**SOUNDS["mp3"], **options})
        for number, options in enumerate(({}, second))
    ]
    assert claimed_s(parts[0], probe(parts[0])) == pytest.approx(6, abs=0.2)
    path = joined(tmp_path / "both.mp3", *parts)
    assert claimed_s(path, probe(path)) is None and read_timeline(path).duration_s == pytest.approx(12, abs=0.3)


def ape(cover: int) -> bytes:
    item = struct.pack("<II", cover, 2) + b"Cover Art (Front)\0" + bytes(cover)
    ends = [struct.pack("<8sIIIIQ", b"APETAGEX", 2000, len(item) + 32, 1, 1 << 31 | kind, 0) for kind in (1 << 29, 0)]
    return ends[0] + item + ends[1] + b"TAG".ljust(128, b"\0")


@pytest.mark.parametrize("suffix", ["mp3", "aac", "flac", "wav"])
def test_tags_with_a_large_cover_behind_a_recording_are_none_of_its_content(tmp_path: Path, suffix: str) -> None:
    path = write_clocked(tmp_path / f"tagged.{suffix}", 6, burst_s=2, **SOUNDS[suffix])
    path.write_bytes(path.read_bytes() + ape(300_000))
    assert unread(path) == 0
    claim = claimed_s(path, probe(path))
    assert claim is None or claim == pytest.approx(6, abs=0.2)


def test_a_cover_in_a_chunk_behind_the_samples_of_a_wav_is_none_of_its_content(tmp_path: Path) -> None:
    path = write_clocked(tmp_path / "tagged.wav", 6, burst_s=2, **SOUNDS["wav"])
    data = path.read_bytes() + b"id3 " + struct.pack("<I", 300_000) + bytes(300_000)
    path.write_bytes(data[:4] + struct.pack("<I", len(data) - 8) + data[8:])
    assert unread(path) == 0


def test_a_second_recording_behind_a_wav_is_content_that_was_not_read(tmp_path: Path) -> None:
    parts = [write_clocked(tmp_path / f"{n}.wav", 6, burst_s=2, **SOUNDS["wav"]) for n in range(2)]
    assert unread(joined(tmp_path / "both.wav", *parts)) == parts[1].stat().st_size


def test_fragments_behind_other_fragments_are_read(tmp_path: Path) -> None:
    parts = [write_clocked(tmp_path / f"{n}.mp4", 6, burst_s=2, **FRAGMENTED) for n in range(2)]
    assert unread(joined(tmp_path / "both.mp4", *parts)) == 0


def test_the_last_timestamp_before_a_jump_was_closed_is_a_right_claim_too(tmp_path: Path) -> None:
    path = write_clocked(tmp_path / "jump.flv", retime=lambda t: t + (600 if t >= 8 else 0), **FILMS["flv"])
    claim = claimed_s(path, probe(path))
    assert claim == pytest.approx(620, abs=1) and not differs(claim, read_timeline(path))
