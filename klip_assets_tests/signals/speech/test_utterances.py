"""Where speech is cut: every stretch of speech in exactly one span, at its time, none too long."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klip_assets.media.decode import SAMPLE_RATE_HZ, in_blocks
from klip_assets.signals.audio.voice import FRAME, FRAME_S, LISTEN, speech_spans
from klip_assets.signals.speech.utterances import Hearing, Span, Utterance, hear, plan, utterances
from klip_assets_tests.suite.examples import examples

CUT = {"pause_s": 0.6, "enough_s": 0.0, "longest_s": 20.0}


def heard_as(*parts: tuple[float, float], loud: float = 0.01) -> Hearing:
    """Parts of so many seconds with that probability of speech."""
    probability = np.concatenate(
        [np.zeros(0, np.float32), *(np.full(round(s / FRAME_S), p, np.float32) for s, p in parts)]
    )
    power = (loud * (0.1 + probability)).astype(np.float32)
    return Hearing(probability, power, len(probability) * FRAME)


def seconds(spans: list[Span]) -> list[tuple[float, float]]:
    return [(round(span.start_s, 1), round(span.end_s, 1)) for span in spans]


def test_two_phrases_far_apart_are_two_spans_with_room_on_both_sides() -> None:
    spans = plan(heard_as((3, 0), (3, 0.9), (9, 0), (2, 0.9), (4, 0)), **CUT)
    assert seconds(spans) == [(2.0, 7.0), (14.0, 18.0)]


def test_a_pause_is_cut_in_its_middle_and_nothing_of_it_is_lost() -> None:
    spans = plan(heard_as((2, 0.9), (2, 0), (2, 0.9)), **CUT)
    assert seconds(spans) == [(0.0, 3.0), (3.0, 6.0)]


def test_a_short_pause_stays_inside() -> None:
    assert len(plan(heard_as((2, 0.9), (0.4, 0), (2, 0.9)), **CUT)) == 1


def test_places_to_cut_are_passed_over_until_a_span_is_long_enough() -> None:
    talk = heard_as(*[(4.0, 0.9), (1.0, 0.0)] * 12)
    spans = plan(talk, pause_s=0.3, enough_s=25, longest_s=29)
    assert [round(span.end_s - span.start_s) for span in spans] == [24, 25, 10]


def test_speech_without_a_pause_is_cut_at_its_quietest_place() -> None:
    talk = heard_as((95, 0.9))
    quiet = round(12 / FRAME_S)
    talk.power[quiet - 3 : quiet + 3] = 0
    spans = plan(talk, **CUT)
    assert spans[0].end_s == pytest.approx(12, abs=0.2)
    assert max(span.end_s - span.start_s for span in spans) <= 20


@pytest.mark.parametrize("probability", [0.0, 0.4, 0.19])
def test_what_is_never_surely_speech_is_left_out_however_long(probability: float) -> None:
    assert plan(heard_as((100, probability)), **CUT) == []


def test_a_cry_is_too_short_to_be_speech() -> None:
    assert plan(heard_as((5, 0.05), (0.16, 0.95), (5, 0.05)), **CUT) == []


def test_a_quiet_answer_between_louder_speakers_is_kept() -> None:
    (span,) = plan(heard_as((3, 0.9), (2, 0.1), (1, 0.3), (2, 0.1), (3, 0.9)), pause_s=9, enough_s=0, longest_s=20)
    assert seconds([span]) == [(0.0, 11.0)]


parts = st.lists(st.tuples(st.floats(0.05, 45), st.sampled_from([0.0, 0.1, 0.3, 0.6, 0.95])), max_size=12)


@settings(max_examples=examples(100), deadline=None)
@given(parts, st.floats(0.1, 2), st.floats(0, 25), st.floats(5, 30), st.integers(0, FRAME - 1))
def test_every_frame_of_a_stretch_of_speech_is_in_exactly_one_span(
    parts: list[tuple[float, float]], pause_s: float, enough_s: float, longest_s: float, short: int
) -> None:
    heard = heard_as(*parts)
    heard = Hearing(heard.probability, heard.power, max(0, heard.samples - short))
    spans = plan(heard, pause_s=pause_s, enough_s=enough_s, longest_s=longest_s)
    assert all(before.last <= after.first for before, after in pairwise(spans))
    assert all(0 <= span.first < span.last <= heard.samples for span in spans)
    assert all(span.last - span.first <= longest_s * SAMPLE_RATE_HZ for span in spans)
    covered = np.zeros(len(heard.probability), int)
    for span in spans:
        covered[span.first // FRAME : -(-span.last // FRAME)] += 1
    wanted = np.zeros(len(covered), int)
    for first, last in speech_spans(heard.probability, LISTEN):
        wanted[first:last] = 1
    assert np.array_equal(covered, wanted)


@settings(max_examples=examples(50), deadline=None)
@given(
    st.integers(0, 5000),
    st.lists(st.integers(0, 5000), max_size=12).map(sorted),
    st.integers(1, 700),
)
def test_utterances_are_the_planned_samples_however_the_sound_comes(length: int, edges: list[int], block: int) -> None:
    sound = np.arange(length, dtype=np.float32)
    spans = [Span(a, b) for a, b in pairwise(edges) if b > a][::2]
    found = {u.span: u.samples for u in utterances(in_blocks([sound], block), spans)}
    for span in spans:
        expected = sound[span.first : span.last]
        if len(expected):
            assert np.array_equal(found.pop(span), expected)
    assert found == {}


def test_an_utterance_that_decoding_cut_short_ends_where_the_sound_does() -> None:
    (found,) = utterances([np.zeros(16_000, np.float32)], [Span(8_000, 32_000)])
    assert (found.span, found.end_s) == (Span(8_000, 32_000), 1.0)


def test_hearing_does_not_depend_on_how_the_sound_comes(real_speech: np.ndarray) -> None:
    one, other = hear([real_speech]), hear(in_blocks([real_speech], 7_777))
    assert one.samples == other.samples == len(real_speech)
    assert np.allclose(one.probability, other.probability, atol=1e-5) and np.allclose(one.power, other.power)
    assert len(one.power) == len(one.probability) == -(-len(real_speech) // FRAME)


def test_no_sound_has_no_utterances() -> None:
    assert plan(hear([]), **CUT) == [] and list(utterances([], [Span(0, 5)])) == []
    assert plan(hear([np.zeros(400_000, np.float32)]), **CUT) == []


def test_an_utterance_knows_where_it_ends() -> None:
    assert Utterance(Span(16_000, 48_000), np.zeros(32_000, np.float32)).end_s == 3.0
