"""One clock: a burst and a flash planted together are found together, whatever the timestamps of the recording."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from klip_assets.errors import UnreadableMediaError
from klip_assets.media.claims import claimed_s, differs, unread_bytes
from klip_assets.media.decode import Decoding, decode_sound, has_any_sound
from klip_assets.media.pieces import Run, lay_out
from klip_assets.media.probe import probe
from klip_assets.media.scan import read_timeline
from klip_assets.media.timeline import PICTURE, SOUND, Timeline
from klip_assets_tests.media.clocked import (
    FILMS,
    SOUNDS,
    burst_in,
    flash_in,
    heard,
    joined,
    with_sound_stamped,
    write_clocked,
)

Maker = Callable[..., Path]

BURST_S = 12.0
#: Within this, what was planted has to be found.
NEAR_S = 0.1

TWO_DAYS_S = 172_800.0


def examined(path: Path) -> tuple[Timeline, Decoding, np.ndarray]:
    timeline = Timeline.from_notes(json.loads(json.dumps(read_timeline(path).as_notes())))
    samples, decoding = heard(path, timeline)
    return timeline, decoding, samples


def check(path: Path, at_s: float, *, seconds: float, picture: bool) -> tuple[Timeline, Decoding]:
    timeline, decoding, samples = examined(path)
    assert burst_in(samples) == pytest.approx(at_s, abs=NEAR_S)
    if picture:
        assert flash_in(path, timeline) == pytest.approx(at_s, abs=NEAR_S)
    assert timeline.duration_s == pytest.approx(seconds, abs=0.25)
    return timeline, decoding


@pytest.mark.parametrize("suffix", [*FILMS, *SOUNDS])
def test_every_container_is_found_whole(tmp_path: Path, suffix: str) -> None:
    options = {**FILMS, **SOUNDS}[suffix]
    path = write_clocked(tmp_path / f"plain.{suffix}", **options)
    timeline, decoding = check(path, BURST_S, seconds=20, picture=suffix in FILMS)
    assert decoding.missing_s == 0 and not timeline.jumps and timeline.in_one_piece
    info = probe(path)
    claim = claimed_s(path, info)
    assert claim is None or not differs(claim, timeline)
    assert unread_bytes(path, info, timeline) == 0


@pytest.mark.parametrize("suffix", [suffix for suffix in FILMS if suffix != "avi"])  # AVI has no timestamps.
def test_sound_that_starts_late_moves_nothing(tmp_path: Path, suffix: str) -> None:
    path = write_clocked(tmp_path / f"late.{suffix}", keep_sound=lambda t: t >= 5, **FILMS[suffix])
    _, decoding = check(path, BURST_S, seconds=20, picture=True)
    assert decoding.heard_s is not None and decoding.heard_s[0] == pytest.approx(5, abs=0.15)


@pytest.mark.parametrize("suffix", ["mkv", "ts", "flv", "webm", "mka"])
def test_a_hole_in_the_sound_is_missing_and_moves_nothing(tmp_path: Path, suffix: str) -> None:
    options = {**FILMS, **SOUNDS}[suffix]
    path = write_clocked(tmp_path / f"hole.{suffix}", keep_sound=lambda t: not 4 <= t < 7, **options)
    _, decoding = check(path, BURST_S, seconds=20, picture=suffix in FILMS)
    assert decoding.missing_s == pytest.approx(3, abs=NEAR_S) and len(decoding.missing) == 1


def test_many_small_holes_add_up(tmp_path: Path) -> None:
    path = write_clocked(tmp_path / "lossy.mkv", keep_sound=lambda t: t > 11 or t % 0.9 >= 0.064)
    _, decoding = check(path, BURST_S, seconds=20, picture=True)
    assert 0.5 < decoding.missing_s < 1.2


@pytest.mark.parametrize("suffix", ["ts", "flv", "mkv"])
def test_a_clock_that_begins_anywhere_begins_at_0(tmp_path: Path, suffix: str) -> None:
    options = {"avoid_negative_ts": "disabled"} | ({"flvflags": "no_duration_filesize"} if suffix == "flv" else {})
    path = write_clocked(tmp_path / f"t.{suffix}", retime=lambda t: t + 3600, options=options, **FILMS[suffix])
    timeline, _ = check(path, BURST_S, seconds=20, picture=True)
    assert timeline.origin_s == pytest.approx(3600, abs=0.2)


@pytest.mark.parametrize("suffix", ["ts", "ogg", "mp3", "aac"])
def test_recordings_joined_byte_by_byte_are_one_behind_the_other(tmp_path: Path, suffix: str) -> None:
    # At a high rate, what a codec adds at the seam is short.
    options = {**{**FILMS, **SOUNDS}[suffix], "rate": 48_000}
    first = write_clocked(tmp_path / f"a.{suffix}", 8, burst_s=None, **options)
    second = write_clocked(tmp_path / f"b.{suffix}", 12, burst_s=4, **options)
    check(joined(tmp_path / f"ab.{suffix}", first, second), BURST_S, seconds=20, picture=suffix in FILMS)


@pytest.mark.parametrize("suffix", ["mp4", "flv", "wav", "avi"])
def test_a_recording_appended_where_it_can_not_be_read_is_noticed(tmp_path: Path, suffix: str) -> None:
    options = {**FILMS, **SOUNDS}[suffix]
    first = write_clocked(tmp_path / f"a.{suffix}", 8, burst_s=4, **options)
    second = write_clocked(tmp_path / f"b.{suffix}", 12, burst_s=4, **options)
    both = joined(tmp_path / f"ab.{suffix}", first, second)
    timeline = read_timeline(both)
    assert timeline.duration_s > 15 or unread_bytes(both, probe(both), timeline) > second.stat().st_size / 2


def test_an_encoder_that_restarted_with_another_clock_goes_on(tmp_path: Path) -> None:
    path = write_clocked(tmp_path / "jump.ts", retime=lambda t: t + (600 if t >= 8 else 0))
    timeline, decoding = check(path, BURST_S, seconds=20, picture=True)
    assert [round(jump.at_s) for jump in timeline.jumps] == [8] and timeline.jumps[0].by_s == pytest.approx(600, abs=1)
    assert decoding.missing_s < 0.2


def test_time_that_passes_in_one_track_alone_is_a_hole(tmp_path: Path) -> None:
    path = write_clocked(
        tmp_path / "long.mkv", 100, burst_s=90, keep_sound=lambda t: not 10 <= t < 80, rate=8000, sound="libmp3lame"
    )
    timeline, decoding = check(path, 90, seconds=100, picture=True)
    assert not timeline.jumps and decoding.missing_s == pytest.approx(70, abs=0.2)


def test_an_edit_list_hides_the_start(tmp_path: Path) -> None:
    path = write_clocked(
        tmp_path / "edit.mp4",
        retime=lambda t: t - 4,
        options={"avoid_negative_ts": "disabled", "use_editlist": "1"},
    )
    check(path, BURST_S - 4, seconds=16, picture=True)


def test_frames_that_are_decoded_before_they_are_shown_change_nothing(tmp_path: Path) -> None:
    for suffix in ("mp4", "mkv", "ts"):
        check(write_clocked(tmp_path / f"b.{suffix}", b_frames=3), BURST_S, seconds=20, picture=True)


@pytest.mark.slow
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(suffix="ts", late_s=3.0, hole_s=(8.0, 3.0), start_s=95_000.0, jump_s=5000.0)  # The hole is where the jump is.
@example(suffix="flv", late_s=0.0, hole_s=(4.0, 0.0), start_s=300.0, jump_s=100.0)
@example(suffix="mkv", late_s=4.0, hole_s=(4.0, 3.0), start_s=0.4, jump_s=0.0)
@given(
    suffix=st.sampled_from(["mp4", "mkv", "ts", "flv", "ogg"]),
    late_s=st.floats(0, 4),
    hole_s=st.tuples(st.floats(4, 8), st.floats(0, 3)),
    start_s=st.sampled_from([0.0, 0.4, 300.0, 95_000.0]),
    jump_s=st.sampled_from([0.0, 100.0, 5000.0]),
)
def test_burst_and_flash_are_found_together_whatever_the_clock_does(
    tmp_path: Path, suffix: str, late_s: float, hole_s: tuple[float, float], start_s: float, jump_s: float
) -> None:
    jumps = jump_s if suffix in ("ts", "flv") else 0.0
    moves = suffix in ("ts", "flv", "mkv")
    path = write_clocked(
        tmp_path / f"any.{suffix}",
        keep_sound=lambda t: t >= late_s and not hole_s[0] <= t < sum(hole_s),
        retime=lambda t: t + (start_s if moves else 0.0) + (jumps if t >= 10 else 0.0),
        options={"avoid_negative_ts": "disabled"} if moves else {},
        **{**FILMS, **SOUNDS}[suffix],  # type: ignore[arg-type]
    )
    if suffix in FILMS:
        timeline, _ = check(path, BURST_S, seconds=20, picture=True)
    else:
        # Ogg counts samples: what is not written is not there, and the burst earlier by that.
        timeline, _, samples = examined(path)
        lost_s = late_s + hole_s[1]
        assert BURST_S - lost_s - NEAR_S <= burst_in(samples) <= BURST_S + NEAR_S
    assert len(timeline.jumps) == (1 if jumps else 0)


def claiming(path: Path, seconds: float) -> Path:
    """Write another duration into a Matroska file."""
    data = bytearray(path.read_bytes())
    struct.pack_into(">d", data, data.find(b"\x44\x89\x88") + 3, seconds * 1000)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("seconds", [TWO_DAYS_S, 1e9, 30.0, 5.0])
def test_ten_seconds_are_ten_seconds_whatever_the_header_claims(make_media: Maker, seconds: float) -> None:
    path = claiming(make_media("stream.mkv", codec="libopus", seconds=10.0), seconds)
    timeline = read_timeline(path)
    assert timeline.duration_s == pytest.approx(10.0, abs=0.1)
    claim = claimed_s(path, probe(path))
    assert claim == pytest.approx(seconds) and differs(claim, timeline)


def test_a_silent_movie_that_claims_days_is_as_long_as_its_pictures(make_media: Maker) -> None:
    path = claiming(make_media("movie.mkv", codec=None, picture=True, seconds=10.0), TWO_DAYS_S)
    assert read_timeline(path).duration_s == pytest.approx(10.0, abs=0.2)


def test_a_claim_that_is_nearly_right_is_not_said_to_be_wrong(make_media: Maker) -> None:
    path = claiming(make_media("stream.mkv", codec="libopus", seconds=10.0), 11.0)
    claim = claimed_s(path, probe(path))
    assert claim == pytest.approx(11.0) and not differs(claim, read_timeline(path))


def test_a_guess_from_the_bit_rate_is_no_claim(tmp_path: Path) -> None:
    options = {"write_xing": "0", "id3v2_version": "0"}
    path = write_clocked(tmp_path / "guess.mp3", picture=None, sound="libmp3lame", options=options)
    assert claimed_s(path, probe(path)) is None
    stated = write_clocked(tmp_path / "stated.mp3", picture=None, sound="libmp3lame")
    assert claimed_s(stated, probe(stated)) == pytest.approx(20, abs=0.2)


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "mp3", "flac", "wav"])
def test_a_file_that_was_cut_off_has_the_length_that_is_there(tmp_path: Path, suffix: str) -> None:
    options = {"options": {"movflags": "faststart"}} if suffix == "mp4" else {**FILMS, **SOUNDS}[suffix]
    path = write_clocked(tmp_path / f"cut.{suffix}", burst_s=2, **options)  # type: ignore[arg-type]
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    timeline, _, samples = examined(path)
    assert 6 < timeline.duration_s < 14 and burst_in(samples) == pytest.approx(2, abs=NEAR_S)
    claim = claimed_s(path, probe(path))
    assert claim == pytest.approx(20, abs=0.3) and differs(claim, timeline)


def test_sound_that_is_garbage_at_its_end_ends_before_it(tmp_path: Path) -> None:
    path = write_clocked(
        tmp_path / "tail.mkv", picture=None, spoil=lambda t, content: b"\xff" * len(content) if t >= 14 else content
    )
    assert read_timeline(path).duration_s == pytest.approx(14, abs=0.2)


def test_sound_without_usable_timestamps_is_counted(tmp_path: Path) -> None:
    path = write_clocked(tmp_path / "stuck.flv", picture=None, rate=22_050, retime=lambda t: t / 1000)
    timeline, _, samples = examined(path)
    assert timeline.counted and burst_in(samples) == pytest.approx(BURST_S, abs=NEAR_S)
    assert timeline.duration_s == pytest.approx(20, abs=0.2) and timeline.shifts[SOUND]


@pytest.mark.parametrize("rates", [(22_050, 48_000), (48_000, 22_050), (22_050, 48_000, 22_050)])
def test_raw_aac_whose_sample_rate_changes_is_heard_at_its_own_speed(tmp_path: Path, rates: tuple[int, ...]) -> None:
    each, parts = 24 / len(rates), []
    for number, rate in enumerate(rates):
        at = BURST_S + 1 - number * each
        inside = at if 0 <= at < each else None
        options = {**SOUNDS["aac"], "rate": rate}
        parts.append(write_clocked(tmp_path / f"{number}.aac", each, burst_s=inside, **options))
    check(joined(tmp_path / "all.aac", *parts), BURST_S + 1, seconds=24, picture=False)


def test_a_jump_is_closed_where_the_timestamps_of_the_sound_are_unusable() -> None:
    runs = [Run(0, 0.0, 8.0), Run(90, 0.0, 8.0, backwards=True, others_end_s=8.0, others_run=0)]
    pieces = lay_out({PICTURE: runs}, 0.0)
    assert pieces.shifts[PICTURE] == [0.0, 8.0] and [jump.at_s for jump in pieces.jumps] == [8.0]


@pytest.mark.parametrize("by_s", [600, 40_000])
def test_first_packets_on_an_old_clock_do_not_make_the_recording_longer(tmp_path: Path, by_s: int) -> None:
    path = write_clocked(tmp_path / "old.ts")
    # FFmpeg's transport streams begin at 1.4 s.
    path.write_bytes(with_sound_stamped(path.read_bytes(), lambda t: t + by_s if t < 3 else t))
    timeline, _ = check(path, BURST_S, seconds=20, picture=True)
    assert timeline.sound_s is not None and timeline.sound_s[0] == pytest.approx(0, abs=0.1)


def test_negative_timestamps_that_a_muxer_wrapped_come_first(tmp_path: Path) -> None:
    path = write_clocked(
        tmp_path / "wrapped.flv",
        retime_sound=lambda t: t - 0.7,
        options={"avoid_negative_ts": "disabled"},
        **FILMS["flv"],
    )
    timeline, _, samples = examined(path)
    assert timeline.duration_s == pytest.approx(20.7, abs=0.25)
    assert burst_in(samples) == pytest.approx(BURST_S, abs=NEAR_S)
    assert flash_in(path, timeline) == pytest.approx(BURST_S + 0.7, abs=NEAR_S)


def test_a_recording_longer_than_the_limit_is_refused_with_both_lengths(make_media: Maker) -> None:
    path = make_media("long.wav", seconds=12.0)
    with pytest.raises(UnreadableMediaError, match=r"long\.wav: 12 s long, more than the limit of 0\.0027\d* h"):
        read_timeline(path, longest_s=10.0)


def test_no_sound_is_read_past_the_limit(make_media: Maker) -> None:
    path, decoding = make_media("long.wav", seconds=25.0), Decoding()
    assert sum(map(len, decode_sound(path, decoding, longest_s=12.5))) == 12.5 * 16_000
    assert decoding.errors == 1 and "stopped" in str(decoding.first_error)


def test_a_sample_rate_that_would_make_days_of_a_few_bytes_is_not_sound(make_media: Maker) -> None:
    path = make_media("slow.wav", seconds=2.0)
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, 24, 1)
    path.write_bytes(data)
    decoding = Decoding()
    assert not has_any_sound(path, decoding)
    assert "sample rate of 1 Hz" in str(decoding.first_error)


def test_an_mp4_without_its_index_says_so(tmp_path: Path) -> None:
    path = write_clocked(tmp_path / "unfinished.mp4", 8)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 9 // 10])
    with pytest.raises(UnreadableMediaError, match="index"):
        read_timeline(path)


def test_samples_far_beyond_full_scale_are_missing(make_media: Maker) -> None:
    samples = np.full(48_000 * 6, 0.1, np.float32)
    samples[48_000 * 2 : 48_000 * 3] = 3000.0
    samples[48_000 * 4] = np.nan
    path = make_media("float.wav", codec="pcm_f32le", samples=samples)
    _, decoding, placed = examined(path)
    assert np.abs(placed).max() < 1 and np.isfinite(placed).all()
    assert decoding.beyond_s == pytest.approx(1.2, abs=0.15) and decoding.missing_s == pytest.approx(1.2, abs=0.15)
