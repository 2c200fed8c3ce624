"""Facts of container and streams."""

from __future__ import annotations

import contextlib
import os
import resource
import struct
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from klip_assets.errors import UnreadableMediaError
from klip_assets.media.probe import probe
from klip_assets.media.scan import read_timeline
from klip_assets_tests.media.clocked import write_timecoded

Maker = Callable[..., Path]


def test_a_video_is_described_by_both_its_streams(make_media: Maker) -> None:
    info = probe(make_media("stream.mp4", codec="aac", layout="stereo", rate=44_100, seconds=5.0, picture=True))
    assert "mp4" in info.container and info.duration_s == pytest.approx(5.0, abs=0.1)
    assert (info.video_codec, info.width, info.height) == ("h264", 64, 48)
    assert info.fps == pytest.approx(10)
    assert (info.audio_codec, info.sample_rate_hz, info.channels) == ("aac", 44_100, 2)


@pytest.mark.parametrize("suffix", ["mov", "mp4", "mkv", "mxf", "avi"])
@pytest.mark.parametrize("start", ["10:00:00;02", "09:59:59:24"])
def test_the_start_timecode_is_found_wherever_a_container_keeps_it(tmp_path: Path, suffix: str, start: str) -> None:
    path = write_timecoded(tmp_path / f"camera.{suffix}", start)
    assert probe(path).timecode == start


@pytest.mark.parametrize("start", ["garbage", "99:99:99:99", " ", "x" * 4000])
def test_a_malformed_start_timecode_is_passed_on_and_a_blank_one_is_none(tmp_path: Path, start: str) -> None:
    assert probe(write_timecoded(tmp_path / "odd.mkv", start)).timecode == (start.strip()[:40] or None)


def test_a_recording_without_a_start_timecode_has_none(make_media: Maker) -> None:
    assert probe(make_media("stream.mp4", codec="aac", seconds=1.0, picture=True)).timecode is None


def test_an_audio_file_has_no_picture(make_media: Maker) -> None:
    info = probe(make_media("talk.wav", layout="5.1", seconds=2.0))
    assert info.video_codec is None and info.width is None and info.fps is None
    assert info.channels == 6 and info.duration_s == pytest.approx(2.0)


def test_a_cover_is_not_a_picture(make_media: Maker) -> None:
    info = probe(make_media("song.mp3", codec="libmp3lame", cover=True))
    assert info.audio_codec is not None and info.audio_codec.startswith("mp3") and info.video_codec is None


def test_a_silent_movie_has_no_sound(make_media: Maker) -> None:
    info = probe(make_media("movie.mp4", codec=None, picture=True))
    assert info.video_codec == "h264" and info.audio_codec is None


def test_an_empty_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "nothing.mp4"
    path.touch()
    with pytest.raises(UnreadableMediaError, match="empty"):
        probe(path)


def test_subtitles_alone_are_no_recording(tmp_path: Path) -> None:
    path = tmp_path / "captions.mp4"
    path.write_text("1\n00:00:01,000 --> 00:00:02,000\nhello\n")
    with pytest.raises(UnreadableMediaError, match="neither audio nor video"):
        probe(path)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_photo_called_a_video_is_not_a_recording(tmp_path: Path, suffix: str) -> None:
    frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
    path = tmp_path / f"photo.{suffix}"
    frame.save(str(path))
    with pytest.raises(UnreadableMediaError, match="still image"):
        probe(path.rename(tmp_path / "photo.mp4"))


def test_a_real_file_whose_container_states_no_length_gets_that_of_its_packets(shared_data: Path) -> None:
    path = shared_data / "media-moviepy" / "media" / "no_duration.webm"
    assert probe(path).duration_s is None
    assert 0.5 < read_timeline(path).duration_s < 60


def test_a_real_cover_is_not_a_picture(shared_data: Path) -> None:
    info = probe(shared_data / "media-moviepy" / "media" / "with-attached-pic.mp3")
    assert info.video_codec is None and info.audio_codec is not None


def test_a_list_of_other_files_is_not_followed(make_media: Maker) -> None:
    beside = make_media("beside.wav")
    path = beside.with_name("list.mp4")
    path.write_text(f"ffconcat version 1.0\nfile {beside.name}\n")
    with pytest.raises(UnreadableMediaError, match="list of other files"):
        probe(path)


def test_an_index_that_claims_millions_of_entries_takes_no_memory(make_media: Maker) -> None:
    path = make_media("claims.m4a", codec="aac", seconds=10.0)
    data = bytearray(path.read_bytes())
    many = 50_000_000
    struct.pack_into(">II", data, data.find(b"stsz") + 8, 1, many)
    struct.pack_into(">IIII", data, data.find(b"stsc") + 8, 1, 1, many, 1)
    struct.pack_into(">III", data, data.find(b"stts") + 8, 1, many, 1024)
    path.write_bytes(data)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with contextlib.suppress(UnreadableMediaError):
        probe(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB; it was 1.2 GB


def test_an_error_names_a_file_whose_name_is_not_utf8_on_one_line_without_controls(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9\n\x1b[31m.mp4"))
    path.write_bytes(b"no recording")
    with pytest.raises(UnreadableMediaError) as caught:
        probe(path)
    assert str(caught.value).startswith("caf\\xe9\\x0a\\x1b[31m.mp4: ") and caught.value.message.encode()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x1a\x45\xdf\xa3\x01\x00\x00\x00\x00\x00\x00\x23\x42\x86\x81\x01", "header"),
        (b"OggS" + bytes(300), "its header is missing"),
        (b"FLV\x01\x05\x00\x00\x00\x09" + bytes(40), "header"),
    ],
)
def test_a_recording_that_ends_within_its_header_says_what_to_look_for(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "header.bin"
    path.write_bytes(content)
    with pytest.raises(UnreadableMediaError, match=rf"header\.bin: .*{said}"):
        probe(path)
