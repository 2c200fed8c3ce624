"""Decoding: every kind of file gives the same seconds of the same sound, or one clear error."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from klip_assets.errors import UnreadableMediaError
from klip_assets.media.decode import BLOCK_S, SAMPLE_RATE_HZ, Decoding, decode_sound, has_any_sound, in_blocks
from klip_assets.media.probe import probe
from klip_assets_tests.media.clocked import write_clocked

Maker = Callable[..., Path]

#: Lossy codecs pad their last frame.
PADDING_S = 0.08

KINDS = {
    "speech.mp4": {"codec": "aac", "layout": "stereo", "picture": True},
    "speech.mkv": {"codec": "libopus", "layout": "stereo"},
    "speech.m4a": {"codec": "aac", "rate": 44_100},
    "speech.mp3": {"codec": "libmp3lame", "layout": "stereo", "rate": 44_100},
    "cover.mp3": {"codec": "libmp3lame", "layout": "stereo", "rate": 44_100, "cover": True},
    "phone.wav": {"rate": 8_000},
    "studio.wav": {"codec": "pcm_s24le", "layout": "stereo", "rate": 192_000},
    "float.wav": {"codec": "pcm_f32le", "layout": "stereo"},
    "surround.wav": {"layout": "5.1"},
    "surround_float.wav": {"codec": "pcm_f32le", "layout": "5.1"},
    "lossless.flac": {"codec": "flac", "layout": "stereo", "rate": 16_000},
}


def whole(path: Path, decoding: Decoding | None = None) -> np.ndarray:
    return np.concatenate([np.zeros(0, np.float32), *decode_sound(path, decoding)])


@pytest.mark.parametrize("name", KINDS)
def test_every_container_codec_rate_and_layout_gives_its_seconds_at_16_khz_mono(make_media: Maker, name: str) -> None:
    decoding = Decoding()
    sound = whole(make_media(name, **KINDS[name]), decoding)
    assert sound.dtype == np.float32 and sound.ndim == 1
    assert 3.0 <= len(sound) / SAMPLE_RATE_HZ <= 3.0 + PADDING_S
    assert decoding.samples == len(sound) and decoding.errors == 0 and decoding.missing_s == 0
    middle = sound[SAMPLE_RATE_HZ : 2 * SAMPLE_RATE_HZ]
    loudest_hz = np.argmax(np.abs(np.fft.rfft(middle)))
    assert abs(loudest_hz - 440) <= 1


@pytest.mark.parametrize("name", ["float.wav", "surround.wav", "surround_float.wav", "speech.mp4", "studio.wav"])
def test_the_same_sound_on_all_channels_keeps_its_level_whatever_the_codec(make_media: Maker, name: str) -> None:
    sound = whole(make_media(name, **KINDS[name]))
    level = np.sqrt(2 * np.mean(np.square(sound[SAMPLE_RATE_HZ : 2 * SAMPLE_RATE_HZ])))
    assert level == pytest.approx(0.5, rel=0.02)


def test_blocks_hold_160000_samples_each_but_the_last(make_media: Maker) -> None:
    blocks = [len(block) for block in decode_sound(make_media("long.wav", seconds=33.25, rate=44_100))]
    assert blocks[:-1] == [BLOCK_S * SAMPLE_RATE_HZ] * 3
    assert blocks[-1] == pytest.approx(3.25 * SAMPLE_RATE_HZ, abs=2)


def test_a_recording_that_ends_with_a_block_has_no_empty_block_behind_it(make_media: Maker) -> None:
    assert [len(b) for b in decode_sound(make_media("even.wav", seconds=20.0, rate=16_000))] == [160_000, 160_000]


@pytest.mark.parametrize("sizes", [[1], [7, 0, 13], [16_000] * 3, [160_000], [1_000_000], []])
def test_cutting_into_blocks_again_loses_and_moves_no_sample(sizes: list[int]) -> None:
    sound = np.arange(sum(sizes), dtype=np.float32)
    pieces = np.split(sound, np.cumsum(sizes)[:-1]) if sizes else []
    blocks = list(in_blocks(pieces, 16_000))
    assert all(len(block) == 16_000 for block in blocks[:-1]) and all(len(block) for block in blocks)
    assert np.array_equal(np.concatenate([np.zeros(0, np.float32), *blocks]), sound)


def test_a_recording_without_sound_gives_no_blocks(make_media: Maker) -> None:
    path = make_media("silent_movie.mp4", codec=None, picture=True)
    assert list(decode_sound(path)) == []
    assert not has_any_sound(path, Decoding())


def test_digital_silence_is_told_from_sound(make_media: Maker) -> None:
    assert not has_any_sound(make_media("mute.wav", samples=np.zeros(48_000, np.float32)), Decoding())
    click = np.zeros(48_000, np.float32)
    click[40_000] = 0.5
    assert has_any_sound(make_media("click.wav", samples=click), Decoding())


def test_a_file_cut_off_at_its_tail_is_decoded_as_far_as_it_goes(make_media: Maker) -> None:
    path = make_media("full.mkv", codec="libopus", seconds=20.0)
    cut = path.with_name("cut.mkv")
    cut.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 8.0 < len(whole(cut)) / SAMPLE_RATE_HZ < 12.0


def test_garbage_that_decodes_to_impossible_channels_does_not_end_the_sound(tmp_path: Path) -> None:
    path = write_clocked(tmp_path / "once.ts", 20)
    packets = [path.read_bytes()[at : at + 188] for at in range(0, path.stat().st_size, 188)]
    doubled = tmp_path / "doubled.ts"
    doubled.write_bytes(b"".join(packet + packet for packet in packets[: len(packets) // 2]) + b"".join(packets))
    decoding = Decoding()
    assert len(whole(doubled, decoding)) / SAMPLE_RATE_HZ > 19 and decoding.errors


def test_an_mp4_without_its_index_is_one_clear_error(make_media: Maker) -> None:
    path = make_media("full.mp4", codec="aac")
    cut = path.with_name("cut.mp4")
    cut.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UnreadableMediaError, match=r"cut\.mp4"):
        whole(cut)


def test_what_follows_damage_keeps_its_time(make_media: Maker) -> None:
    samples = np.zeros(48_000 * 20, np.float32)
    samples[48_000 * 15 : 48_000 * 16] = 0.5 * np.sin(np.arange(48_000) / 10)

    def spoil(number: int, content: bytes) -> bytes:
        return b"\xff" * len(content) if 200 <= number < 430 else content  # 4.9 s of it

    path = make_media("damaged.mkv", codec="aac", samples=samples, spoil=spoil)
    decoding = Decoding()
    sound = whole(path, decoding)
    assert decoding.errors > 200 and decoding.first_error
    assert decoding.missing_s == pytest.approx(230 * 1024 / 48_000, abs=0.1)
    assert decoding.seconds == pytest.approx(20, abs=0.2)
    loud = np.flatnonzero(np.abs(sound) > 0.1)
    assert loud[0] / SAMPLE_RATE_HZ == pytest.approx(15.0, abs=0.1)
    assert loud[-1] / SAMPLE_RATE_HZ == pytest.approx(16.0, abs=0.1)


def test_damage_only_at_the_end_adds_no_silence(make_media: Maker) -> None:
    def spoil(number: int, content: bytes) -> bytes:
        return b"\xff" * len(content) if number >= 100 else content

    decoding = Decoding()
    sound = whole(make_media("damaged.mkv", codec="aac", seconds=10.0, spoil=spoil), decoding)
    assert decoding.missing_s == 0 and len(sound) / SAMPLE_RATE_HZ == pytest.approx(100 * 1024 / 48_000, abs=0.1)


def test_no_recording_is_cut_after_some_minutes_k23(make_media: Maker) -> None:
    samples = np.zeros(8_000 * 1800, np.float32)
    samples[-4_000:] = 0.5
    decoding = Decoding()
    last = np.zeros(0, np.float32)
    for block in decode_sound(make_media("hour.wav", samples=samples, rate=8_000), decoding):
        last = block
    assert decoding.seconds == pytest.approx(1800, abs=0.01)
    assert np.abs(last[-4_000:]).max() > 0.4


@pytest.mark.parametrize("content", [b"", b"just a text, called a video\n" * 50, b"\x00" * 5000, b"<html></html>"])
def test_a_file_that_is_not_a_recording_is_one_clear_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "fake.mp4"
    path.write_bytes(content)
    with pytest.raises(UnreadableMediaError, match=r"fake\.mp4"):
        probe(path)
    with pytest.raises(UnreadableMediaError, match=r"fake\.mp4"):
        whole(path)


def test_the_extension_does_not_matter(make_media: Maker) -> None:
    path = make_media("right.m4a", codec="aac")
    wrong = path.rename(path.with_name("wrong.wav"))
    assert len(whole(wrong)) / SAMPLE_RATE_HZ == pytest.approx(3.0, abs=PADDING_S)


@pytest.mark.parametrize("name", ["50% off: concat|a 'quoted' #1?.wav", "ä 你好 🎮.wav", "file:odd.wav"])
def test_names_with_special_characters_are_read(make_media: Maker, name: str) -> None:
    assert len(whole(make_media("plain.wav").rename(make_media("x.wav").with_name(name)))) == 3 * SAMPLE_RATE_HZ


def test_real_odd_files_decode_or_raise_one_clear_error(shared_data: Path) -> None:
    found = {}
    for folder in ("media-moviepy", "media-pydub"):
        for path in sorted((shared_data / folder).rglob("*.*")):
            began = time.process_time()
            try:
                info = probe(path)
                decoding = Decoding()
                sound = whole(path, decoding)
            except UnreadableMediaError as error:
                found[path.name] = str(error)
                continue
            assert time.process_time() - began < 20, path
            assert np.isfinite(sound).all() and np.abs(sound).max(initial=0) < 2, path
            assert info.audio_codec is not None or not len(sound), path
            found[path.name] = len(sound) / SAMPLE_RATE_HZ
    assert found["test1.wav"] == pytest.approx(found["test1-8bit.wav"], abs=0.1)
    assert found["test1-24bit.wav"] == pytest.approx(10.0, abs=0.2)
    assert found["wrong_extension.aac"] == pytest.approx(found["format_test.m4a"], abs=0.1)
    assert found["test-192khz-32bit.flac"] > 6 and found["with-attached-pic.mp3"] > 1
    for unreadable in ("SOURCE.txt", "subtitles.srt", "cover.jpg", "cover.png"):
        assert unreadable in str(found[unreadable])
