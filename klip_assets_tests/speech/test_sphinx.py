"""The embedded recognizer: where it listens, and what it hears in clean speech."""

from __future__ import annotations

import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klip_assets.audio.voice import FRAME, VoiceMeter
from klip_assets.contracts import TRANSCRIPT_WORDS
from klip_assets.lake.validate import conform
from klip_assets.media.decode import SAMPLE_RATE_HZ, decode_sound, in_blocks
from klip_assets.speech.sphinx import LONGEST_S, PADDING_S, PAUSE_S, Utterance, transcribe, utterances

SENTENCE = "the weather is very nice today and we are going to walk in the park"


def voiced(seconds: float) -> np.ndarray:
    """A buzz with the rhythm of speech, loud enough for the voice detector."""
    t = np.arange(round(seconds * SAMPLE_RATE_HZ / FRAME) * FRAME) / SAMPLE_RATE_HZ
    phase = 2 * np.pi * np.cumsum(140 + 20 * np.sin(2 * np.pi * 1.3 * t)) / SAMPLE_RATE_HZ
    swing = 0.6 + 0.4 * np.sin(2 * np.pi * 4 * t)
    return (0.1 * swing * sum(np.sin(k * phase) / k for k in range(1, 12))).astype(np.float32)


def quiet(seconds: float) -> np.ndarray:
    length = round(seconds * SAMPLE_RATE_HZ / FRAME) * FRAME
    return (1e-4 * np.random.default_rng(0).standard_normal(length)).astype(np.float32)


def cut(sound: np.ndarray) -> list[Utterance]:
    return list(utterances(in_blocks([sound], 160_000)))


def span(utterance: Utterance) -> tuple[int, int]:
    first = round(utterance.start_s * SAMPLE_RATE_HZ)
    return first, first + len(utterance.samples)


def test_two_phrases_with_a_pause_are_two_utterances_with_room_on_both_sides() -> None:
    sound = np.concatenate([quiet(2), voiced(3), quiet(4), voiced(2), quiet(3)])
    one, two = cut(sound)
    assert 1.5 <= one.start_s <= 2.1 and 8.5 <= two.start_s <= 9.1
    assert one.start_s + len(one.samples) / SAMPLE_RATE_HZ >= 5.0 + PADDING_S - 0.05
    for utterance in (one, two):
        first, last = span(utterance)
        assert np.array_equal(utterance.samples, sound[first:last])


def test_a_short_pause_stays_inside_an_utterance() -> None:
    assert len(cut(np.concatenate([voiced(2), quiet(PAUSE_S / 3), voiced(2), quiet(2)]))) == 1


def test_long_speech_is_cut_without_losing_a_frame_between_the_pieces() -> None:
    pieces = cut(voiced(95))
    assert len(pieces) >= 5 and max(len(piece.samples) for piece in pieces) <= LONGEST_S * SAMPLE_RATE_HZ
    for before, after in pairwise(pieces):
        assert span(before)[1] == span(after)[0]


def test_silence_has_no_utterances() -> None:
    assert cut(np.zeros(400_000, np.float32)) == [] and cut(quiet(30)) == []
    assert list(utterances([])) == []


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.floats(0.02, 6), st.floats(0.02, 2.5)), min_size=1, max_size=6), st.floats(0, 30))
def test_every_frame_with_a_voice_is_in_exactly_one_utterance_at_its_time(
    phrases: list[tuple[float, float]], long_s: float
) -> None:
    sound = np.concatenate(
        [part for talk, pause in phrases for part in (voiced(talk), quiet(pause))] + [voiced(long_s)]
    )
    flags = voice_flags(sound)
    held = np.zeros(len(sound), int)
    for utterance in cut(sound):
        first, last = span(utterance)
        assert np.array_equal(utterance.samples, sound[first:last])
        assert len(utterance.samples) <= (LONGEST_S + PAUSE_S) * SAMPLE_RATE_HZ
        held[first:last] += 1
    assert held.max(initial=0) <= 1
    covered = held[: len(flags) * FRAME].reshape(-1, FRAME).min(axis=1, initial=1)
    assert covered[flags].all()


def voice_flags(sound: np.ndarray) -> np.ndarray:
    meter = VoiceMeter()
    return np.concatenate([np.zeros(0, bool), *(meter.push(block) for block in in_blocks([sound], 160_000))])


@pytest.fixture(scope="session")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence said by flite, after two seconds of silence."""
    if shutil.which("flite") is None:
        pytest.skip("flite is not installed")
    path = tmp_path_factory.mktemp("flite") / "sentence.wav"
    subprocess.run(["flite", "-voice", "slt", "-t", SENTENCE, "-o", str(path)], check=True)
    return path


def test_a_clear_sentence_is_heard_with_times_inside_the_sound(spoken: Path) -> None:
    sound = np.concatenate(
        [np.zeros(2 * SAMPLE_RATE_HZ, np.float32), *decode_sound(spoken), np.zeros(8000, np.float32)]
    )
    done: list[float] = []
    transcript = transcribe(in_blocks([sound], 160_000), done.append)
    table = conform(TRANSCRIPT_WORDS, transcript.table("v"))
    heard, said = table["word"].to_pylist(), SENTENCE.split()
    assert len(set(said) & set(heard)) / len(set(said)) >= 0.7
    assert len(heard) <= 1.3 * len(said)
    assert not any(set("<>[]()") & set(word) for word in heard)
    assert min(table["start_s"].to_pylist()) >= 1.7
    assert max(table["end_s"].to_pylist()) <= len(sound) / SAMPLE_RATE_HZ
    assert (transcript.engine, transcript.language) == ("pocketsphinx", "en")
    assert done and done[-1] <= len(sound) / SAMPLE_RATE_HZ


def test_recognizing_twice_gives_the_same_words_k1(spoken: Path) -> None:
    sound = np.concatenate(list(decode_sound(spoken)))
    assert transcribe([sound]) == transcribe([sound])


def test_silence_gives_no_words() -> None:
    assert transcribe(in_blocks([quiet(15)], 160_000)).words == []
