"""Which of several audio tracks is listened to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import pytest

from klip_assets.errors import UnreadableMediaError
from klip_assets.media.decode import Decoding, decode_sound, has_any_sound
from klip_assets.media.probe import probe
from klip_assets.media.tracks import Track, choose_track

RATE = 48_000


def write_tracks(
    path: Path,
    sounds: list[np.ndarray],
    *,
    default: Sequence[int] = (),
    rates: Sequence[int] = (),
    titles: Sequence[str] = (),
    codec: str = "",
) -> Path:
    """A file with each sound (-1..1) on a track of its own."""
    with av.open(str(path), "w") as container:
        streams = []
        for index in range(len(sounds)):
            stream = container.add_stream(codec or "pcm_s16le", rate=rates[index] if rates else RATE, layout="mono")
            stream.disposition = av.stream.Disposition.default if index in default else 0
            if titles:
                stream.metadata["title"] = titles[index]
            streams.append(stream)
        packets = []
        for stream, sound in zip(streams, sounds, strict=True):
            samples = np.ascontiguousarray((sound * 32767).astype(np.int16)[None])
            for first in range(0, samples.shape[1], 1024):
                frame = av.AudioFrame.from_ndarray(samples[:, first : first + 1024], format="s16", layout="mono")
                frame.sample_rate, frame.pts = stream.rate, first
                packets += stream.encode(frame)
            packets += stream.encode(None)
        # In the order of time, as a recorder writes them.
        for packet in sorted(packets, key=lambda packet: packet.pts * packet.time_base):
            container.mux(packet)
    return path


def tones(*levels: float, seconds: float = 3.0) -> list[np.ndarray]:
    """Tones of these amplitudes: 200 Hz, 300 Hz ..."""
    t = np.arange(round(seconds * RATE)) / RATE
    return [level * np.sin(2 * np.pi * (200 + 100 * index) * t) for index, level in enumerate(levels)]


def tone_of(path: Path, track: int | None) -> float:
    sound = np.concatenate(list(decode_sound(path, track=track)))
    spectrum = np.abs(np.fft.rfft(sound))
    return float(spectrum.argmax() * 16_000 / len(sound))


@pytest.mark.parametrize(("suffix", "codec"), [(".mkv", "pcm_s16le"), (".mp4", "aac")])
def test_the_only_default_track_is_listened_to_even_if_another_is_louder(
    tmp_path: Path, suffix: str, codec: str
) -> None:
    path = write_tracks(tmp_path / f"stream{suffix}", tones(0.5, 0.1, 0.3), default=[1], codec=codec)
    track = choose_track(path)
    assert track == Track(1, 3, "the default one")
    assert tone_of(path, track.index) == pytest.approx(300, abs=1)


@pytest.mark.parametrize("default", [[], [0, 1, 2]])
def test_without_one_default_the_loudest_track_is_listened_to(tmp_path: Path, default: list[int]) -> None:
    path = write_tracks(tmp_path / "stream.mkv", tones(0.1, 0.3, 0.5), default=default)
    track = choose_track(path)
    assert track == Track(2, 3, "the loudest")
    assert tone_of(path, track.index) == pytest.approx(400, abs=1)


def test_a_default_track_with_nothing_on_it_is_passed_over(tmp_path: Path) -> None:
    path = write_tracks(tmp_path / "stream.mkv", tones(0.0, 0.2), default=[0])
    assert choose_track(path) == Track(1, 2, "the loudest; the default one is inaudible")
    assert not has_any_sound(path, Decoding(), track=0) and has_any_sound(path, Decoding(), track=1)


def hiss(peak_dbfs: float, *, click_dbfs: float | None = None, seconds: float = 3.0) -> np.ndarray:
    sound = 10 ** (peak_dbfs / 20) * np.random.default_rng(1).uniform(-1, 1, round(seconds * RATE))
    if click_dbfs is not None:
        sound[len(sound) // 3] = 10 ** (click_dbfs / 20)
    return sound


@pytest.mark.parametrize(("suffix", "codec"), [(".mkv", "pcm_s16le"), (".mp4", "aac")])
@pytest.mark.parametrize("click_dbfs", [None, -62.0, -40.0])
def test_a_default_track_that_only_hisses_is_passed_over(
    tmp_path: Path, suffix: str, codec: str, click_dbfs: float | None
) -> None:
    sounds = [hiss(-66, click_dbfs=click_dbfs), hiss(-25)]
    track = choose_track(write_tracks(tmp_path / f"stream{suffix}", sounds, default=[0], codec=codec))
    assert track == Track(1, 2, "the loudest; the default one is inaudible")


def test_a_quiet_default_track_is_still_the_one_to_listen_to(tmp_path: Path) -> None:
    path = write_tracks(tmp_path / "quiet.mkv", [hiss(-52), hiss(-10)], default=[0])
    assert choose_track(path) == Track(0, 2, "the default one")
    # And where nothing is audible, there is no reason for another.
    path = write_tracks(tmp_path / "hiss.mkv", [hiss(-75), hiss(-70)], default=[0])
    assert choose_track(path) == Track(0, 2, "the default one")


def test_of_separate_tracks_the_one_whose_title_is_that_of_a_mix_is_listened_to(tmp_path: Path) -> None:
    titles = ["Mic", "Game", "Full mix"]
    path = write_tracks(tmp_path / "obs.mkv", [hiss(-75), *tones(0.5, 0.2)], default=[0], titles=titles)
    assert choose_track(path) == Track(2, 3, "titled Full mix; the default one (Mic) is inaudible")
    path = write_tracks(
        tmp_path / "two.mkv", [hiss(-75), *tones(0.5, 0.2)], default=[0], titles=["Mic", "Game", "Band"]
    )
    assert choose_track(path) == Track(1, 3, "the loudest (Game); the default one (Mic) is inaudible")
    path = write_tracks(tmp_path / "no.mkv", [*tones(0.5), hiss(-75)], titles=["Game", "Mix"])
    assert choose_track(path) == Track(0, 2, "the loudest (Game)")


def test_what_is_loud_only_late_in_a_long_recording_counts(tmp_path: Path) -> None:
    early, late = tones(0.2, 0.6, seconds=100)
    late[: 60 * RATE] = 0
    assert choose_track(write_tracks(tmp_path / "stream.mkv", [early, late])) == Track(1, 2, "the loudest")


def test_facts_are_those_of_the_chosen_track(tmp_path: Path) -> None:
    path = write_tracks(tmp_path / "stream.mkv", tones(0.1, 0.2), rates=[48_000, 8_000])
    assert [probe(path, track).sample_rate_hz for track in (0, 1)] == [48_000, 8_000]


def test_a_recording_without_sound_has_no_track_and_rubbish_is_one_clear_error(tmp_path: Path) -> None:
    silent = tmp_path / "silent.mp4"
    with av.open(str(silent), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(5):
            for packet in stream.encode(av.VideoFrame(64, 48, "yuv420p")):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    assert choose_track(silent) is None
    (tmp_path / "rubbish.mp4").write_bytes(b"rubbish" * 50)
    with pytest.raises(UnreadableMediaError, match=r"rubbish\.mp4"):
        choose_track(tmp_path / "rubbish.mp4")
