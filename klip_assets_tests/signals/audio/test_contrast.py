"""Loudness against its surroundings."""

from __future__ import annotations

import numpy as np
import pytest

from klip_assets.signals.audio.contrast import AROUND_S, ENOUGH, FLOOR_LUFS, burst_z, loudness_z


def talk(seconds: int, seed: int = 0) -> np.ndarray:
    return -25 + 2 * np.random.default_rng(seed).standard_normal(seconds)


def test_z_has_two_sides() -> None:
    lufs = talk(300)
    lufs[100], lufs[200] = -10, -45
    z = loudness_z(lufs)
    assert z[100] > 4 and z[200] < -4
    assert np.argmax(z) == 100 and np.argmin(z) == 200


def test_z_is_the_robust_z_of_the_two_minutes_around_without_the_second_itself() -> None:
    lufs = talk(400)
    z = loudness_z(lufs)
    for t in (0, 30, 200, 399):
        around = np.delete(lufs, t)[max(0, t - AROUND_S) : t + AROUND_S]
        median = np.median(around)
        assert z[t] == pytest.approx((lufs[t] - median) / (1.4826 * np.median(np.abs(around - median))))


def test_a_moment_does_not_raise_the_bar_for_itself() -> None:
    lufs = 1.5 * talk(30)
    lufs[15] = -10
    louder = lufs.copy()
    louder[15] = 0
    rise = loudness_z(louder)[15] - loudness_z(lufs)[15]
    others = np.delete(lufs, 15)
    sigma = 1.4826 * np.median(np.abs(others - np.median(others)))
    assert rise == pytest.approx(10 / sigma)


def test_z_is_unknown_where_too_little_is_known() -> None:
    lufs = np.full(200, np.nan)
    lufs[: ENOUGH + 1] = talk(ENOUGH + 1)
    z = loudness_z(lufs)
    assert np.isfinite(z[: ENOUGH + 1]).all() and np.isnan(z[ENOUGH + 1 :]).all()
    assert np.isnan(loudness_z(talk(ENOUGH))).all()
    assert len(loudness_z(np.zeros(0))) == len(burst_z(np.zeros(0))) == 0


def test_a_constant_level_is_nothing_special() -> None:
    assert np.array_equal(loudness_z(np.full(100, -20.0)), np.zeros(100))
    assert np.nanmax(np.abs(burst_z(np.full(100, -20.0)))) == 0


def test_small_wobbles_of_a_steady_level_are_no_outliers() -> None:
    lufs = np.full(100, -20.0)
    lufs[50] = -19.0
    assert 0 < loudness_z(lufs)[50] < 1


def test_pauses_count_as_quiet_however_quiet_they_are() -> None:
    lufs = talk(100)
    lufs[40] = -150
    lower = lufs.copy()
    lower[40] = FLOOR_LUFS
    assert np.array_equal(loudness_z(lufs), loudness_z(lower))


def test_digital_silence_has_no_z() -> None:
    lufs = talk(100)
    lufs[20:30] = np.nan
    assert np.isnan(loudness_z(lufs)[20:30]).all() and np.isfinite(loudness_z(lufs)[30])
    assert np.isnan(burst_z(lufs)[20:30]).all()


def test_burst_marks_a_step_at_its_first_second() -> None:
    lufs = talk(200)
    lufs[100:] += 15
    burst = burst_z(lufs)
    assert 100 <= np.nanargmax(burst) <= 103
    assert burst[100] > 4 and abs(burst[115]) < 3


def test_burst_is_negative_where_the_sound_drops() -> None:
    lufs = talk(200)
    lufs[100:] -= 15
    assert burst_z(lufs)[100] < -4


def test_burst_is_unknown_in_the_first_seconds() -> None:
    burst = burst_z(talk(100))
    assert np.isnan(burst[:4]).all() and np.isfinite(burst[4:]).all()


def test_sound_after_silence_is_a_burst() -> None:
    lufs = talk(200)
    lufs[90:100] = np.nan
    assert burst_z(lufs)[100] > 5


def test_long_series_are_the_same_in_pieces() -> None:
    lufs = talk(10_000)
    assert np.allclose(loudness_z(lufs)[4_000:4_200], loudness_z(lufs[3_800:4_400])[200:400])
