"""Lags that are known, because sound and chat were made."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

import numpy as np
import pyarrow as pa
import pytest

from klip_assets.contracts import AUDIO_FEATURES, CHAT_ACTIVITY
from klip_assets.media.decode import decode_sound
from klip_assets.settings import Settings
from klip_assets.signals.audio.features import measure_sound
from klip_assets.signals.chat.activity import messages_per_second
from klip_assets.signals.chat.lag import DEFAULT, ESTIMATED, Lag, estimate_lag
from klip_assets.signals.chat.readers import read_chat
from klip_assets.store.lake.lake import Lake
from klip_assets_tests.made import REPOSITORY

DEFAULT_S = 5.0

Made = tuple[pa.Table, np.ndarray]


def made(
    chance: np.random.Generator, seconds: int, messages: int, lag_s: float | None, *, every_s: float = 120.0
) -> Made:
    """Make a video: loud moments of some seconds in noise, and a chat with bursts of its own.

    Args:
        chance: Where randomness comes from.
        seconds: Length.
        messages: About how many the chat has.
        lag_s: Seconds after which the chat answers seven of ten loud moments; None where it answers none.
        every_s: Mean time between moments, and between the chat's own bursts.
    """
    t = np.arange(seconds)
    slow = np.convolve(chance.standard_normal(seconds + 60), np.ones(60) / 8, "valid")[:seconds]
    level = slow + chance.standard_normal(seconds)
    moments = chance.uniform(0, seconds, 1 + chance.poisson(seconds / every_s))
    for at in moments:
        level += chance.uniform(3, 8) * np.exp(-(((t - at) / chance.uniform(1.5, 5)) ** 2))
    own = chance.uniform(0, seconds, chance.poisson(seconds / every_s / (1 if lag_s is None else 2)))
    answered = [] if lag_s is None else [at + lag_s for at in moments if chance.random() < 0.7]
    rate = np.exp(0.5 * np.sin(t / chance.uniform(150, 800) + chance.uniform(0, 6)))
    for at in [*own, *answered]:
        rate += chance.gamma(2, 3) * np.exp(-(((t - at) / 3) ** 2))
    sigma = 1.4826 * np.median(np.abs(level - np.median(level)))
    rise = level - np.concatenate([np.repeat(level[:1], 4), level[:-4]])
    return sound((level - np.median(level)) / sigma, rise / sigma), chance.poisson(messages * rate / rate.sum())


def sound(loudness_z: np.ndarray, burst_z: np.ndarray) -> pa.Table:
    seconds = len(loudness_z)
    return AUDIO_FEATURES.from_columns(
        {
            "video_id": ["v"] * seconds,
            "t_s": np.arange(seconds, dtype=np.int32),
            "loudness_z": pa.array(loudness_z, from_pandas=True),
            "burst_z": pa.array(burst_z, from_pandas=True),
        }
    )


@pytest.mark.parametrize("messages", [500, 5_000, 100_000])
def test_a_known_lag_is_found_within_three_seconds_in_an_hour(messages: int) -> None:
    chance = np.random.default_rng(messages)
    lags = chance.uniform(2, 25, 20)
    found = [estimate_lag(*made(chance, 3600, messages, float(lag)), DEFAULT_S) for lag in lags]
    estimated = [(lag, known) for lag, known in zip(found, lags, strict=True) if lag.source == ESTIMATED]
    assert len(estimated) >= (14 if messages == 500 else 18)
    errors = [abs(lag.lag_s - known) for lag, known in estimated]
    assert max(errors) <= 3
    assert np.median(errors) <= 1


def unrelated(kind: str) -> Iterator[Made]:
    chance = np.random.default_rng(2026)
    sizes = [(200, 50), (240, 1_000), (600, 50), (600, 5_000), (1200, 500), (1800, 20_000), (3600, 100_000)]
    for turn in range(140):
        seconds, messages = sizes[turn % len(sizes)]
        audio, counts = made(chance, seconds, messages, None, every_s=float(chance.choice([40, 120, 300])))
        z, burst = audio["loudness_z"].to_numpy().copy(), audio["burst_z"].to_numpy()
        t = np.arange(seconds)
        if kind == "loud intro and farewell, many greetings":
            z[:45] += 4
            z[-45:] += 4
            hello, bye = chance.uniform(10, 60), seconds - chance.uniform(0, 40)
            counts = counts + chance.poisson(
                6 * np.exp(-(((t - hello) / 20) ** 2)) + 6 * np.exp(-(((t - bye) / 20) ** 2))
            )
        elif kind == "music that comes and goes":
            z += 2 * np.sin(2 * np.pi * t / chance.uniform(20, 60))
        elif kind == "a raid beside a shout":
            at = int(chance.integers(50, seconds - 60))
            z[at : at + 6] += 8
            counts = counts + np.where((t >= at + 7) & (t < at + 20), 40, 0)
        yield sound(z, burst), counts


@pytest.mark.parametrize(
    "kind",
    ["nothing else", "loud intro and farewell, many greetings", "music that comes and goes", "a raid beside a shout"],
)
def test_where_sound_and_chat_are_unrelated_95_of_100_videos_have_the_default(kind: str) -> None:
    lags = [estimate_lag(audio, counts, DEFAULT_S) for audio, counts in unrelated(kind)]
    assert np.mean([lag.source == DEFAULT for lag in lags]) >= 0.95
    assert {lag.lag_s for lag in lags if lag.source == DEFAULT} == {DEFAULT_S}


def test_a_chat_that_comes_before_the_sound_or_a_minute_after_it_says_nothing() -> None:
    chance = np.random.default_rng(4)
    for lag_s in (-15.0, 60.0):
        lags = [estimate_lag(*made(chance, 3600, 5_000, lag_s), DEFAULT_S) for _ in range(5)]
        assert {lag.source for lag in lags} == {DEFAULT}
        # It is known where the peak lies instead: at no lag.
        assert all(lag.rival > lag.correlation for lag in lags)


@pytest.mark.parametrize("seconds", [0, 1, 2, 40, 100, 179])
def test_what_is_too_short_has_the_default(seconds: int) -> None:
    z = np.arange(seconds, dtype=float) % 7
    assert estimate_lag(sound(z, z), np.ones(seconds, dtype=np.int64), 7.5) == Lag(7.5, DEFAULT)


def test_without_a_level_or_a_message_there_is_the_default() -> None:
    audio, counts = made(np.random.default_rng(1), 3600, 5_000, 10.0)
    unknown = np.full(3600, np.nan)
    mostly = audio["loudness_z"].to_numpy().copy()
    mostly[1700:] = np.nan
    of = partial(estimate_lag, default_s=DEFAULT_S)
    assert of(audio, counts).source == ESTIMATED
    for nothing in (
        AUDIO_FEATURES.empty(),
        sound(unknown, unknown),
        sound(mostly, mostly),
        sound(unknown * 0, unknown * 0),
    ):
        assert of(nothing, counts) == Lag(DEFAULT_S, DEFAULT)
    assert of(audio, counts * 0) == Lag(DEFAULT_S, DEFAULT)
    assert of(audio, counts * 0 + 3) == Lag(DEFAULT_S, DEFAULT)


def test_silence_within_a_recording_does_not_hide_its_lag() -> None:
    audio, counts = made(np.random.default_rng(2), 3600, 20_000, 12.0)
    quiet = audio["loudness_z"].to_numpy().copy()
    quiet[500:1200] = np.nan
    lag = estimate_lag(sound(quiet, quiet), counts, DEFAULT_S)
    assert (lag.lag_s, lag.source) == (pytest.approx(12, abs=1), ESTIMATED)


def test_rows_beyond_the_video_and_in_any_order_change_nothing() -> None:
    audio, counts = made(np.random.default_rng(3), 1800, 20_000, 9.0)
    shuffled = audio.take(pa.array(np.random.default_rng(0).permutation(1800)))
    beyond = sound(np.full(1900, 9.0), np.full(1900, 9.0)).slice(1800)
    assert estimate_lag(pa.concat_tables([shuffled, beyond]), counts, 5) == estimate_lag(audio, counts, 5)


def test_the_lag_of_ten_hours_is_the_same_bit_for_bit_each_time_and_takes_no_second() -> None:
    audio, counts = made(np.random.default_rng(5), 36_000, 500_000, 17.0)
    started = time.process_time()
    lags = {estimate_lag(audio, counts, DEFAULT_S) for _ in range(10)}
    assert time.process_time() - started < 5
    (lag,) = lags
    assert (lag.lag_s, lag.source) == (pytest.approx(17, abs=1), ESTIMATED)
    assert 0 < 1.3 * lag.rival <= lag.correlation < 1


def test_the_lag_of_the_sample_stream_is_found() -> None:
    folder = REPOSITORY / "data" / "sample"
    audio = measure_sound(decode_sound(folder / "sample_stream.mp4"), "v").rows
    chat = read_chat(folder / "sample_stream.chat.json", "v").messages
    lag = estimate_lag(audio, messages_per_second(chat, 240.0), DEFAULT_S)
    # Reactions are planted 4 to 14 s after a moment's peak; their mean is 7.2 to 8.9 s.
    assert lag.source == ESTIMATED
    assert 7 <= lag.lag_s <= 9


def test_the_stage_reads_the_sound_and_says_where_the_lag_is_from(published: Settings) -> None:
    lake = Lake(published.lake_dir)
    made_from = lake.provenance(CHAT_ACTIVITY, "stream")
    assert made_from is not None
    assert {"audio_features", "chat_messages", "chat_lag_s"} <= made_from.input_versions.keys()
    assert made_from.notes["lag_source"] == DEFAULT  # 70 s tell nothing.
    rows = lake.read(CHAT_ACTIVITY, "stream")
    assert set(rows["lag_source"].to_pylist()) == {DEFAULT}
    assert set(rows["lag_s"].to_pylist()) == {published.chat_lag_s}
    assert rows["repeated_share"].to_numpy()[46:50].min() > 0.5  # 16 people say 'LUL what a shot'.
