"""A container may claim any length; the file tells."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from klip_assets.errors import UnreadableMediaError
from klip_assets.media.decode import Decoding, decode_sound, has_any_sound, sound_length
from klip_assets.media.length import length_of
from klip_assets.media.probe import probe

Maker = Callable[..., Path]

TWO_DAYS_S = 172_800.0


def claiming(path: Path, seconds: float) -> Path:
    """Write another duration into a Matroska file."""
    data = bytearray(path.read_bytes())
    struct.pack_into(">d", data, data.find(b"\x44\x89\x88") + 3, seconds * 1000)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("seconds", [TWO_DAYS_S, 1e9])
def test_ten_seconds_that_claim_days_are_ten_seconds(make_media: Maker, seconds: float) -> None:
    path = claiming(make_media("stream.mkv", codec="libopus", seconds=10.0), seconds)
    assert probe(path).duration_s == pytest.approx(seconds)
    assert length_of(path, probe(path)) == pytest.approx(10.0, abs=0.1)


def test_a_silent_movie_that_claims_days_is_as_long_as_its_pictures(make_media: Maker) -> None:
    path = claiming(make_media("movie.mkv", codec=None, picture=True, seconds=10.0), TWO_DAYS_S)
    assert length_of(path, probe(path)) == pytest.approx(10.0, abs=0.2)


def test_a_claim_that_the_size_allows_is_believed(make_media: Maker) -> None:
    path = claiming(make_media("stream.mkv", codec="libopus", seconds=10.0), 11.0)
    assert length_of(path, probe(path)) == pytest.approx(11.0)


def test_a_recording_longer_than_the_limit_is_refused_with_both_lengths(make_media: Maker) -> None:
    path = make_media("long.wav", seconds=12.0)
    with pytest.raises(UnreadableMediaError, match=r"long\.wav: 12 s long, more than the limit of 0\.0027\d* h"):
        length_of(path, probe(path), longest_s=10.0)


def test_no_sound_is_read_past_the_limit(make_media: Maker) -> None:
    path, decoding = make_media("long.wav", seconds=25.0), Decoding()
    assert sum(map(len, decode_sound(path, decoding, longest_s=12.5))) == 12.5 * 16_000
    assert decoding.errors == 1 and "stopped" in str(decoding.first_error)
    assert sound_length(path, longest_s=5.0) < 6


def test_a_sample_rate_that_would_make_days_of_a_few_bytes_is_not_sound(make_media: Maker) -> None:
    path = make_media("slow.wav", seconds=2.0)
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, 24, 1)
    path.write_bytes(data)
    decoding = Decoding()
    assert not has_any_sound(path, decoding)
    assert "sample rate of 1 Hz" in str(decoding.first_error)
    assert length_of(path, probe(path)) is None
