"""The log of chunks: nothing is recognized twice because of a kill, and nothing half written is believed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klip_assets.signals.speech.chunks import ChunkLog
from klip_assets.signals.speech.words import Word
from klip_assets_tests.suite.examples import examples

WORDS = [Word(1.25, 1.5, "héllo", 0.5), Word(1.5, 2.0, "wörld\n", None)]


def test_words_come_back_as_they_were(tmp_path: Path) -> None:
    log = ChunkLog(tmp_path / "state" / "v.jsonl", "1")
    assert log.words("0-5") is None
    log.add("0-5", WORDS)
    log.add("5-9", [])
    log.note("language", "de")
    again = ChunkLog(tmp_path / "state" / "v.jsonl", "1")
    assert again.words("0-5") == WORDS and again.words("5-9") == [] and again.words("9-11") is None
    assert again.value("language") == "de" and len(again) == 3


def test_another_version_starts_over(tmp_path: Path) -> None:
    ChunkLog(tmp_path / "v.jsonl", "1").add("0-5", WORDS)
    other = ChunkLog(tmp_path / "v.jsonl", "2")
    assert other.words("0-5") is None
    other.add("5-9", WORDS)
    assert ChunkLog(tmp_path / "v.jsonl", "1").words("0-5") is None


def test_without_a_file_it_remembers_for_as_long_as_it_lives() -> None:
    log = ChunkLog(None)
    log.add("0-5", WORDS)
    assert log.words("0-5") == WORDS
    log.remove()


def test_it_is_gone_once_removed(tmp_path: Path) -> None:
    log = ChunkLog(tmp_path / "v.jsonl", "1")
    log.add("0-5", WORDS)
    log.remove()
    log.remove()
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=examples(60), deadline=None)
@given(cut=st.integers(0, 400))
def test_a_line_cut_by_a_kill_is_done_again_and_the_next_one_is_whole(
    cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("log") / "v.jsonl"
    first = ChunkLog(path, "1")
    for chunk in ("0-5", "5-9", "9-12"):
        first.add(chunk, WORDS)
    path.write_bytes(path.read_bytes()[:cut])
    second = ChunkLog(path, "1")
    assert all(second.words(chunk) in (None, WORDS) for chunk in ("0-5", "5-9", "9-12"))
    second.add("12-15", WORDS)
    assert ChunkLog(path, "1").words("12-15") == WORDS


@given(junk=st.binary(max_size=300))
@settings(max_examples=examples(60), deadline=None)
def test_rubbish_in_the_file_does_not_crash(junk: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("log") / "v.jsonl"
    path.write_bytes(junk)
    log = ChunkLog(path, "1")
    log.add("0-5", WORDS)
    assert ChunkLog(path, "1").words("0-5") == WORDS
