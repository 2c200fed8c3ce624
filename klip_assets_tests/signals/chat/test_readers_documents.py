"""JSON documents through a small window: whatever the window cuts, the values are those of the whole text."""

from __future__ import annotations

import io
import json
import tracemalloc
from collections.abc import Iterator
from typing import TextIO, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from klip_assets.formats import json_stream
from klip_assets.formats.json_stream import BrokenJsonError
from klip_assets.signals.chat.readers.documents import document_items
from klip_assets_tests.suite.examples import examples

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=40)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=15,
)
BY_WINDOW = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(300))


def whole(text: str) -> tuple[list[object], str]:
    """Return what is read of a text, and the problem that ended it."""
    found = []
    try:
        for item in document_items(io.StringIO(text)):
            found.append(item)
    except BrokenJsonError as error:
        return found, str(error)
    return found, ""


@BY_WINDOW
@given(
    st.lists(VALUES, max_size=5),
    st.integers(1, 50),
    st.sampled_from([None, 0, 3]),
    st.sampled_from(["[]", "comments", "both"]),
    st.booleans(),
)
def test_the_entries_of_a_document_are_those_of_the_whole_text(
    monkeypatch: pytest.MonkeyPatch, items: list[object], window: int, indent: int | None, shape: str, escaped: bool
) -> None:
    monkeypatch.setattr(json_stream, "READ_CHARS", window)
    shapes: dict[str, object] = {
        "[]": items,
        "comments": {"comments": items},
        "both": {"video": {"comments": [1], "a": items}, "comments": items, "comments ": 3},
    }
    text = json.dumps(shapes[shape], indent=indent, ensure_ascii=escaped)
    assert whole(f" \n{text}\r\n\t") == (items, "")


@BY_WINDOW
@given(st.dictionaries(st.text(max_size=8), VALUES, max_size=5), st.integers(1, 50))
def test_an_object_without_comments_is_the_entry_itself(
    monkeypatch: pytest.MonkeyPatch, item: dict[str, object], window: int
) -> None:
    monkeypatch.setattr(json_stream, "READ_CHARS", window)
    assert whole(json.dumps(item)) == ([item], "")


@BY_WINDOW
@given(st.lists(st.dictionaries(st.text(max_size=8), VALUES, max_size=5), max_size=5), st.integers(1, 50), st.data())
def test_of_a_text_that_is_cut_every_whole_entry_is_read(
    monkeypatch: pytest.MonkeyPatch, items: list[dict[str, object]], window: int, data: st.DataObject
) -> None:
    monkeypatch.setattr(json_stream, "READ_CHARS", window)
    text = json.dumps(items)
    cut = data.draw(st.integers(0, len(text) - 1))
    ends = [len(json.dumps(items[: n + 1])) - 1 for n in range(len(items))]
    found, problem = whole(text[:cut])
    assert problem
    assert found == items[: sum(end <= cut for end in ends)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "neither an array nor an object"),
        ("[1, 2", "']' expected|',' expected|no JSON value"),
        ("[1,]", "a comma before the end"),
        ('{"a" 1}', "':' expected at character 5"),
        ('{"a": 1} {"b": 2}', "more text after the end"),
        ('["' + "x" * 100 + "\n" + "y" * 100 + '"]', "no JSON value at character 1"),
        ("[" + "7" * 5000 + "]", "no JSON value at character 1"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
    ],
)
def test_what_is_not_json_is_named_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(BrokenJsonError, match=problem):
        list(document_items(io.StringIO(text)))


def test_a_value_that_no_memory_should_hold_ends_the_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "MAX_DOCUMENT_CHARS", 1000)
    monkeypatch.setattr(json_stream, "READ_CHARS", 100)
    found, problem = whole(json.dumps(["a", "b" * 900, "c" * 5000, "d"]))
    assert found == ["a", "b" * 900]
    assert problem == "a value of more than 1,000 characters"


class Endless(io.TextIOBase):
    """A document made as it is read."""

    def __init__(self, count: int) -> None:
        self._pieces = self._made(count)
        self._rest = ""

    def read(self, size: int | None = -1) -> str:
        while len(self._rest) < (size or 0) and (piece := next(self._pieces, "")):
            self._rest += piece
        data, self._rest = self._rest[:size], self._rest[size:]
        return data

    @staticmethod
    def _made(count: int) -> Iterator[str]:
        yield '{"comments": ['
        for n in range(count):
            yield json.dumps({"n": n, "padding": "x" * 2000}) + ("," if n < count - 1 else "]}")


def test_a_document_of_any_size_is_read_at_constant_memory() -> None:
    tracemalloc.start()
    try:
        count = sum(1 for _ in document_items(cast(TextIO, Endless(15_000))))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 15_000  # 30 MB
    assert peak < 12e6
