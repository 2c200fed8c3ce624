"""Transcripts as tables, and their sentences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klip_assets.contracts import TRANSCRIPT_WORDS
from klip_assets.signals.speech.words import Transcript, Word, sentence_indexes
from klip_assets.store.lake.validate import conform
from klip_assets.work.invariants import word_problems


def spoken(*texts: str, gap_s: float = 0.1) -> list[Word]:
    return [Word(i * (0.4 + gap_s), i * (0.4 + gap_s) + 0.4, text) for i, text in enumerate(texts)]


def test_punctuation_ends_sentences() -> None:
    words = spoken("So", "what?", "Well,", "I", 'said "no."', "Right", "(yes!)", "Mmm…", "はい。", "end")
    assert sentence_indexes(words) == [0, 0, 1, 1, 1, 2, 2, 3, 4, 5]


def test_pauses_end_sentences_where_there_is_no_punctuation() -> None:
    words = [Word(0, 0.4, "so"), Word(0.5, 0.9, "what"), Word(1.6, 2, "well"), Word(2.69, 3, "i")]
    assert sentence_indexes(words) == [0, 0, 1, 1]


def test_a_single_full_stop_in_a_long_text_is_not_punctuation() -> None:
    words = [Word(i, i + 0.9, "word." if i == 3 else "word") for i in range(100)]
    assert set(sentence_indexes(words)) == {0}


def test_no_words_have_no_sentences() -> None:
    assert sentence_indexes([]) == []
    assert conform(TRANSCRIPT_WORDS, Transcript([], None, "none", "").table("v")).num_rows == 0


times = st.floats(0, 40_000, allow_nan=False)


@given(st.lists(st.builds(Word, times, times, st.sampled_from(["a", "b.", "c?", "…"]), st.none() | st.floats(0, 1))))
def test_the_table_conforms_and_runs_forward_whatever_the_source_says(words: list[Word]) -> None:
    table = conform(TRANSCRIPT_WORDS, Transcript(words, "en", "captions", "f").table("v"))
    assert table.num_rows == len(words)
    assert not word_problems(table, None)
    sentences = table["sentence_index"].to_pylist()
    assert sentences == sorted(sentences) and (not sentences or sentences[0] == 0)


def test_confidence_is_kept_and_unknown_stays_null() -> None:
    table = Transcript([Word(0, 1, "a", 0.5), Word(1, 2, "b")], "en", "captions", "f").table("v")
    assert table["confidence"].to_pylist() == [pytest.approx(0.5), None]
