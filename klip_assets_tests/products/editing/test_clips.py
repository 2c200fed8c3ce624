from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import pytest

from klip_assets.errors import InputError, UnreadableMediaError
from klip_assets.media.probe import probe
from klip_assets.products.editing.clips import clip_stem, make_clip
from klip_assets.products.editing.timecode import source_clock
from klip_assets_tests.media.clocked import write_timecoded
from klip_assets_tests.products.editing.films import click_at, frames_shown, number_shown, write_film

START_S, END_S, PEAK_S = 9.35, 14.2, 12.55


def highlight(rank: int = 1, start_s: float = START_S, end_s: float = END_S, peak_s: float = PEAK_S) -> dict[str, Any]:
    return {"video_id": "stream", "rank": rank, "start_s": start_s, "end_s": end_s, "peak_s": peak_s}


def packets_of(path: Path, kind: str, index: int = 0) -> list[tuple[Fraction, bytes]]:
    """Time stamp and content of the packets of a stream, in the order of the file."""
    with av.open(str(path)) as opened:
        stream = getattr(opened.streams, kind)[index]
        return [(p.pts * p.time_base, bytes(p)) for p in opened.demux(stream) if p.size]


def number_at(path: Path, at_s: float) -> int:
    """Number of the frame that is shown at a time; before the first one, its number."""
    shown = frames_shown(path)
    # Containers count in ticks of their own, the coarsest in milliseconds.
    return max((number for at, number in shown if at <= at_s + 0.001), default=shown[0][1])


def time_of(path: Path, number: int) -> float:
    """Time of a frame."""
    return next(at for at, shown in frames_shown(path) if shown == number)


#: Name of the recording -> how it is made, and the suffix of its clip.
FILMS: dict[str, tuple[dict[str, Any], str]] = {
    "plain.mp4": ({}, ".mp4"),
    "b_frames.mp4": ({"b_frames": 2}, ".mp4"),
    "plain.mkv": ({}, ".mp4"),
    "b_frames.mkv": ({"b_frames": 2}, ".mp4"),
    "plain.flv": ({}, ".mp4"),
    "tracks.mkv": ({"sounds": ("aac", "aac")}, ".mp4"),
    "other.mkv": ({"sounds": ("libopus",), "b_frames": 2}, ".mkv"),
    "old.avi": ({"codec": "mpeg4", "sounds": ("libmp3lame",), "gop": 1}, ".mkv"),
    "silent.mp4": ({"sounds": ()}, ".mp4"),
    "plain.ts": ({}, ".mp4"),
    "late.ts": ({"starts_at_s": 5}, ".mp4"),
}


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a recording by its name, made once: tests only read it."""
    folder = tmp_path_factory.mktemp("films")
    return cache(lambda name: write_film(folder / name, **FILMS[name][0]))


@pytest.mark.parametrize("name", [name for name in FILMS if not name.endswith(".ts")])
def test_a_copied_clip_is_the_packets_of_the_recording_from_the_keyframe_before(
    tmp_path: Path, film: Callable[[str], Path], name: str
) -> None:
    options, suffix = FILMS[name]
    source = film(name)
    made = make_clip(source, highlight(), tmp_path / "out")
    assert made.path.suffix == suffix
    at_start = number_at(source, START_S)
    first = at_start - at_start % options.get("gop", 20)
    assert made.start_s == pytest.approx(time_of(source, first), abs=0.03)
    copied, original = packets_of(made.path, "video"), packets_of(source, "video")
    key = next(n for n, (_, content) in enumerate(original) if content == copied[0][1])
    assert [content for _, content in copied] == [content for _, content in original[key : key + len(copied)]]
    assert copied[0][0] == pytest.approx(0, abs=0.0015)
    shown = frames_shown(made.path)
    assert [number for _, number in shown] == list(range(first, first + len(shown)))
    assert number_at(source, END_S - 0.01) < first + len(shown) <= 142 + options.get("b_frames", 0) + 1
    assert made.length_s == pytest.approx(END_S - made.start_s, abs=0.35)
    for track in range(len(options.get("sounds", ("aac",)))):
        heard, all_heard = packets_of(made.path, "audio", track), packets_of(source, "audio", track)
        contents = [content for _, content in all_heard]
        assert any(
            contents[at : at + len(heard)] == [content for _, content in heard]
            for at in range(len(contents) - len(heard) + 1)
        )
        assert float(heard[-1][0]) == pytest.approx(END_S - made.start_s, abs=0.1)
    if options.get("sounds", ("aac",)):
        assert click_at(made.path) == pytest.approx(12.0 - made.start_s, abs=0.04)


def test_a_clip_of_a_broadcast_stream_that_starts_late_holds_the_same_moment(
    tmp_path: Path, film: Callable[[str], Path]
) -> None:
    source = film("late.ts")
    with av.open(str(source)) as opened:
        assert opened.start_time > 4_900_000
    made = make_clip(source, highlight(), tmp_path)
    assert made.path.suffix == ".mp4" and made.start_s == pytest.approx(8.0, abs=0.05)
    assert next(number for _, number in frames_shown(made.path)) == 80
    assert click_at(made.path) == pytest.approx(4.0, abs=0.05)


def test_with_one_keyframe_alone_a_clip_begins_at_it(tmp_path: Path) -> None:
    made = make_clip(write_film(tmp_path / "one.mp4", gop=999), highlight(), tmp_path)
    assert made.start_s == 0.0 and frames_shown(made.path)[0] == (0.0, 0)


@pytest.mark.parametrize("suffix", ["mov", "mp4", "mkv"])
def test_a_clip_has_the_timecode_of_its_own_first_frame(tmp_path: Path, suffix: str) -> None:
    film = write_timecoded(tmp_path / f"film.{suffix}", "10:00:59;28", 3.0)
    made = make_clip(film, highlight(start_s=1.5, end_s=2.5, peak_s=2.0), tmp_path / "clips")
    clock = source_clock(30_000 / 1001, "10:00:59;28")
    assert made.start_s > 1
    assert probe(made.path).timecode == clock.label(clock.rate.frame_at(made.start_s))


def test_names_of_tracks_are_kept(tmp_path: Path) -> None:
    made = make_clip(write_film(tmp_path / "a.mkv", sounds=("libopus", "libopus")), highlight(), tmp_path / "out")
    with av.open(str(made.path)) as opened:
        assert [stream.metadata.get("title") for stream in opened.streams.audio] == ["track 1", "track 2"]


@pytest.mark.parametrize("name", ["plain.mp4", "b_frames.mkv", "plain.ts", "old.avi", "tracks.mkv"])
@pytest.mark.parametrize("start_s", [9.35, 9.4, 0.0])
def test_an_exact_clip_begins_at_the_frame_that_is_shown_at_its_start(
    tmp_path: Path, film: Callable[[str], Path], name: str, start_s: float
) -> None:
    source = film(name)
    made = make_clip(source, highlight(start_s=start_s), tmp_path / "out", exact=True)
    shown = frames_shown(made.path)
    assert made.start_s == pytest.approx(start_s) and shown[0][0] == pytest.approx(0.0, abs=0 if start_s else 0.03)
    assert shown[0][1] == number_at(source, start_s)
    assert [number for _, number in shown] == list(range(shown[0][1], shown[0][1] + len(shown)))
    assert made.length_s == pytest.approx(END_S - start_s, abs=0.03)
    with av.open(str(made.path)) as opened:
        assert (opened.duration or 0) / av.time_base == pytest.approx(END_S - start_s, abs=0.06)
        assert {s.codec_context.name for s in opened.streams} == {"h264", "aac"}
        assert len(opened.streams.audio) == (2 if name == "tracks.mkv" else 1)
    assert click_at(made.path) == pytest.approx(12.0 - start_s, abs=0.03)
    assert abs(number_at(made.path, 12.0 - start_s) - number_at(source, 12.0)) <= 1


def test_an_exact_clip_of_odd_size_is_encoded(tmp_path: Path) -> None:
    made = make_clip(write_film(tmp_path / "odd.mkv", size=(65, 49)), highlight(), tmp_path / "out", exact=True)
    with av.open(str(made.path)) as opened:
        assert (opened.streams.video[0].width, opened.streams.video[0].height) == (64, 48)


SOUNDS = {
    "a.wav": ("pcm_s16le", ".wav"),
    "a.mp3": ("libmp3lame", ".mp3"),
    "a.m4a": ("aac", ".m4a"),
    "a.ogg": ("libopus", ".ogg"),
    "a.flac": ("flac", ".mka"),
    "a.aac": ("aac", ".mka"),
}


@pytest.mark.parametrize("name", SOUNDS)
@pytest.mark.parametrize("exact", [False, True])
def test_sound_alone_stays_in_a_container_of_its_kind(tmp_path: Path, name: str, exact: bool) -> None:
    codec, suffix = SOUNDS[name]
    source = write_film(tmp_path / name, codec=None, sounds=(codec,))
    made = make_clip(source, highlight(), tmp_path / "out", exact=exact)
    assert (made.path.suffix, made.thumbnail) == (".m4a" if exact else suffix, None)
    assert START_S - 0.2 <= made.start_s <= START_S + 0.001
    with av.open(str(made.path)) as opened:
        assert (opened.duration or 0) / av.time_base == pytest.approx(END_S - made.start_s, abs=0.15)
    assert click_at(made.path) == pytest.approx(12.0 - made.start_s, abs=0.06)
    if not exact:
        heard = [content for _, content in packets_of(made.path, "audio")]
        if suffix != ".wav":  # A WAV is read in blocks from its own start.
            head = 7 if name == "a.aac" else 0  # A raw stream has a header on every packet.
            contents = [content[head:] for _, content in packets_of(source, "audio")]
            assert any(contents[at : at + len(heard)] == heard for at in range(len(contents)))


def test_the_thumbnail_shows_the_peak(tmp_path: Path) -> None:
    made = make_clip(write_film(tmp_path / "a.mp4", b_frames=2), highlight(), tmp_path)
    assert made.thumbnail == made.path.with_suffix(".jpg")
    assert made.thumbnail.read_bytes()[:3] == b"\xff\xd8\xff"
    with av.open(str(made.thumbnail)) as opened:
        assert number_shown(next(opened.decode(video=0))) == 125
    assert make_clip(write_film(tmp_path / "b.mp4"), highlight(2), tmp_path, thumbnail=False).thumbnail is None


@pytest.mark.parametrize(
    ("rank", "start_s", "stem"),
    [(1, 0.0, "stream-01-0h00m00s"), (12, 3725.9, "stream-12-1h02m05s"), (130, 86_400, "stream-130-24h00m00s")],
)
def test_a_clip_is_named_by_video_rank_and_start(rank: int, start_s: float, stem: str) -> None:
    assert clip_stem(highlight(rank, start_s)) == stem


def test_nothing_is_overwritten_unless_told(tmp_path: Path) -> None:
    source, out = write_film(tmp_path / "a.mp4"), tmp_path / "out"
    made = make_clip(source, highlight(), out)
    made.path.write_bytes(b"mine")
    with pytest.raises(InputError, match=r"stream-01-0h00m09s\.mp4 exists"):
        make_clip(source, highlight(), out)
    made.path.unlink()
    with pytest.raises(InputError, match=r"stream-01-0h00m09s\.jpg exists"):
        make_clip(source, highlight(), out)
    assert not made.path.exists()
    made.path.write_bytes(b"mine")
    assert make_clip(source, highlight(), out, force=True).path.stat().st_size > 1000


def test_a_clip_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, out = write_film(tmp_path / "a.mkv", sounds=("aac",)), tmp_path / "out"
    from klip_assets.products.editing import cut

    monkeypatch.setattr(cut, "MP4", cut.Form(".mp3", "mp3", {}))  # It can't hold a picture.
    with pytest.raises(UnreadableMediaError, match=r"highlight 1 of stream can't be cut: .*h264"):
        make_clip(source, highlight(), out)
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("name", ["short.wav", "short.mp4", "short.mkv"])
def test_a_moment_after_the_end_is_an_error(tmp_path: Path, name: str, exact: bool) -> None:
    wav = name.endswith(".wav")
    source = write_film(
        tmp_path / name, 3.0, codec=None if wav else "libx264", sounds=("pcm_s16le" if wav else "aac",), click_s=1.0
    )
    with pytest.raises(
        UnreadableMediaError, match="highlight 1 of stream can't be cut: the recording has no readable data"
    ):
        make_clip(source, highlight(), tmp_path / "out", exact=exact)
    assert not list((tmp_path / "out").glob("*"))


def test_damage_inside_a_highlight_does_not_end_an_exact_clip(tmp_path: Path) -> None:
    source = write_film(tmp_path / "whole.mkv", sounds=("aac",), gop=5)
    content = bytearray(source.read_bytes())
    packets = [packet for at, packet in packets_of(source, "video") if 10.95 < at < 11.35]
    for packet in packets:
        where = bytes(content).index(packet)
        content[where : where + len(packet)] = b"\xff" * len(packet)
    assert len(packets) == 4
    source.write_bytes(bytes(content))
    made = make_clip(source, highlight(), tmp_path / "out", exact=True)
    assert made.length_s == pytest.approx(END_S - START_S, abs=0.03)
    assert frames_shown(made.path)[-1][1] == 141
