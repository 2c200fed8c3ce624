"""A raised voice is told from talk by how it sounds, not only by how loud it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klip_assets.media.decode import SAMPLE_RATE_HZ, decode_sound
from klip_assets.signals.audio.shout import MIN_SPEECH, shout
from klip_assets_tests.signals.audio.voices import at_loudness, effort_cues, vowel
from klip_assets_tests.suite.examples import examples

#: Fall of the partials an octave before the formants, in dB: the flow through a relaxed glottis falls by 16 dB, that
#: through a pressed one by 6 dB, of which the lips give 6 dB back.
SOFT, RAISED = -10.0, 0.0

MEN, WOMEN = (110.0, 250.0), (200.0, 400.0)


def heard(sound: np.ndarray, **more: np.ndarray) -> np.ndarray:
    return shout(**effort_cues(sound), **more)


def logit(score: np.ndarray) -> np.ndarray:
    return np.log(score / (1 - score))


@pytest.mark.parametrize("hz", [110.0, 200.0, 320.0])
def test_a_flat_tilt_scores_higher_than_a_steep_one_at_the_same_loudness_and_pitch(hz: float) -> None:
    soft, raised = heard(vowel(3, hz, SOFT)), heard(vowel(3, hz, RAISED))
    assert (logit(raised) > logit(soft) + 2).all()


def test_a_higher_voice_scores_higher_at_the_same_loudness_and_tilt() -> None:
    # Of one sound, as a vowel at another pitch has partials at other places and so another tilt.
    scores = [shout(**{**effort_cues(vowel(3, 150, -9)), "pitch_hz": np.full(3, hz)}) for hz in (100.0, 200.0, 400.0)]
    assert (np.diff(scores, axis=0) > 0).all()


@pytest.mark.parametrize(("calm_hz", "raised_hz"), [MEN, WOMEN])
def test_calm_and_shouting_lie_on_either_side_of_a_half_for_men_and_women(calm_hz: float, raised_hz: float) -> None:
    assert (heard(vowel(3, calm_hz, SOFT)) < 0.3).all()
    assert (heard(vowel(3, raised_hz, RAISED)) > 0.6).all()


def test_gain_changes_only_what_the_level_adds() -> None:
    loud = effort_cues(vowel(3, 200, -9, lufs=-14))
    quiet = effort_cues(vowel(3, 200, -9, lufs=-40))
    for name in ("alpha_ratio_db", "hammarberg_db", "pitch_hz"):
        assert quiet[name] == pytest.approx(loud[name], abs=0.01), name
    assert (shout(**quiet) < shout(**loud)).all()
    assert shout(**{**quiet, "loudness_lufs": loud["loudness_lufs"]}) == pytest.approx(shout(**loud), abs=0.01)


def test_being_loud_alone_adds_nothing() -> None:
    voice = vowel(3, 120, SOFT)
    assert heard(at_loudness(voice, -8)) == pytest.approx(heard(at_loudness(voice, -20)), abs=0.01)


def test_silence_and_sounds_without_pitch_are_unknown() -> None:
    assert np.isnan(heard(np.zeros(2 * SAMPLE_RATE_HZ, np.float32))).all()
    assert np.isnan(heard((0.1 * np.random.default_rng(1).standard_normal(32_000)).astype(np.float32))).all()


def test_no_sound_gives_no_seconds() -> None:
    nothing = np.zeros(0)
    assert len(shout(nothing, nothing, nothing, nothing)) == 0


def test_seconds_in_which_nobody_speaks_are_unknown() -> None:
    scores = heard(vowel(3, 200, RAISED), speech_share=np.array([0.0, MIN_SPEECH, np.nan]))
    assert np.isnan(scores).tolist() == [True, False, True]


def test_only_the_seconds_with_a_voice_are_judged() -> None:
    quiet = np.zeros(2 * SAMPLE_RATE_HZ, np.float32)
    scores = heard(np.concatenate([quiet, vowel(2, 300, RAISED), quiet]))
    assert np.isnan(scores).tolist() == [True, True, False, False, True, True]


def test_the_whole_is_monotone_in_each_cue() -> None:
    middle = {"alpha_ratio_db": -10.0, "hammarberg_db": 20.0, "pitch_hz": 200.0, "loudness_lufs": -30.0}
    for name, more in {"alpha_ratio_db": 4, "hammarberg_db": -4, "pitch_hz": 60, "loudness_lufs": 5}.items():
        rows = {key: np.full(2, value) for key, value in middle.items()}
        rows[name] = rows[name] + np.array([0, more])
        lower, higher = shout(**rows)
        assert higher > lower, name


def test_a_shout_stands_out_from_a_minute_of_talk_through_a_bright_microphone() -> None:
    # 6 dB an octave more than the voice has: absolute figures would call all of it a shout.
    talk = [vowel(1, hz, SOFT + 6) for hz in np.linspace(180, 220, 60)]
    scores = heard(np.concatenate([*talk, vowel(2, 320, RAISED + 6)]))
    assert np.median(scores[:60]) < 0.3
    assert (scores[60:] > 0.9).all()


@pytest.mark.parametrize("sizes", [[16_000] * 5, [160] * 40, [1, 479, 481, 7_777], [100], [70_000]])
def test_values_do_not_depend_on_where_the_sound_is_cut(sizes: list[int], tones: np.ndarray) -> None:
    sound = np.concatenate([vowel(2.3, 140, SOFT), tones[:40_000], vowel(2, 333, RAISED)])
    whole, cut = effort_cues(sound), effort_cues(sound, sizes)
    for name, values in whole.items():
        assert np.allclose(values, cut[name], atol=1e-2, equal_nan=True), name
    assert np.allclose(shout(**whole), shout(**cut), atol=1e-3, equal_nan=True)


cue = st.floats(allow_nan=True, allow_infinity=True, width=64)


@given(st.lists(st.tuples(cue, cue, cue, cue, cue), max_size=30))
def test_any_figures_give_a_score_or_nothing(rows: list[tuple[float, ...]]) -> None:
    scores = shout(*np.array(rows, float).reshape(-1, 5).T)
    assert len(scores) == len(rows)
    assert (np.isnan(scores) | ((scores >= 0) & (scores <= 1))).all()


@given(st.lists(st.tuples(*[st.floats(-100, 100)] * 2, st.floats(65, 500), st.floats(-70, 0)), max_size=30))
def test_where_all_is_known_there_is_a_score(rows: list[tuple[float, ...]]) -> None:
    scores = shout(*np.array(rows, float).reshape(-1, 4).T)
    assert ((scores > 0) & (scores < 1)).all()


@settings(max_examples=examples(30), deadline=None)
@given(st.integers(1, 60_000), st.floats(1e-6, 1.0), st.floats(60, 3000), st.integers(0, 2**32 - 1))
def test_any_sound_gives_scores_or_nothing(samples: int, level: float, hz: float, seed: int) -> None:
    t = np.arange(samples) / SAMPLE_RATE_HZ
    noise = np.random.default_rng(seed).standard_normal(samples)
    scores = heard((level * (np.sign(np.sin(2 * np.pi * hz * t)) + 0.1 * noise)).astype(np.float32))
    assert len(scores) == -(-samples // SAMPLE_RATE_HZ)
    assert (np.isnan(scores) | ((scores >= 0) & (scores <= 1))).all()


@pytest.mark.slow
@pytest.mark.parametrize(("lufs", "least"), [(None, 0.97), (-23.0, 0.85)])
def test_strong_anger_fear_and_joy_are_told_from_calm_speech(
    shared_data: Path, lufs: float | None, least: float
) -> None:
    scores: dict[bool, list[float]] = {True: [], False: []}
    for path in sorted((shared_data / "sp-ravdess-dev").rglob("*.wav")):
        emotion, intensity = path.stem.split("-")[2:4]
        strong = intensity == "02" and emotion in ("03", "05", "06")
        if not strong and emotion not in ("01", "02"):
            continue
        sound = np.concatenate(list(decode_sound(path)))
        scores[strong].append(np.nanmean(heard(sound if lufs is None else at_loudness(sound, lufs))))
    assert len(scores[True]) == len(scores[False]) == 24
    raised, calm = np.array(scores[True])[:, None], np.array(scores[False])[None]
    assert np.mean((raised > calm) + 0.5 * (raised == calm)) >= least
