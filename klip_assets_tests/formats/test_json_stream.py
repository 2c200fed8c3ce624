from __future__ import annotations

import io
import json
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klip_assets.formats import json_stream
from klip_assets.formats.json_stream import BrokenJsonError, Window, array_items
from klip_assets_tests.suite.examples import examples


@settings(max_examples=examples(100), deadline=None)
@given(
    st.lists(st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=20), max_size=3)), st.integers(1, 40)
)
def test_the_place_is_that_of_the_whole_text_whatever_the_window(items: list[object], size: int) -> None:
    text = json.dumps(items, indent=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "READ_CHARS", size)
        window = Window(io.StringIO(text))
        window.take("[")
        at = 1
        for number, item in enumerate(items):
            window.next()
            at += len(text[at:]) - len(text[at:].lstrip())
            line = text[:at].count("\n") + 1
            assert window.place == f"line {line:,}, column {at - text.rfind(chr(10), 0, at):,}"
            assert window.value() == item
            at += len(json.dumps(item, indent=2).replace("\n", "\n  "))
            if number + 1 < len(items):
                window.take(",")
                at += 1


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_reading_goes_on_where_a_pattern_begins(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(json_stream, "READ_CHARS", size)
    window = Window(io.StringIO("[\n  {oops},\n   {1},\n  [5]]"))
    window.take("[")
    assert window.next() == "{"
    with pytest.raises(BrokenJsonError):
        window.value()
    assert window.skip_to(re.compile(r"\n  [{\[]"), 5)
    assert (window.value(), window.skip_to(re.compile("x"), 1), window.next()) == ([5], False, "")


def test_the_elements_of_an_array_come_one_by_one() -> None:
    items = array_items(Window(io.StringIO('[1, "a", {}, oops]')))
    assert [next(items), next(items), next(items)] == [1, "a", {}]
    with pytest.raises(BrokenJsonError):
        next(items)


def test_many_short_values_on_one_line_do_not_take_the_square_of_their_number() -> None:
    window = Window(io.StringIO("[" + ",".join(["1"] * 300_000) + "]"))
    window.take("[")
    began = time.process_time()
    count = 0
    while window.next() != "]":
        assert window.indent is None
        window.value()
        count += 1
        if window.next() != "]":
            window.take(",")
    assert count == 300_000
    assert time.process_time() - began < 10


def test_many_broken_values_do_not_take_the_square_of_their_number() -> None:
    # Regression: Python counts the lines before each error, here from the start of a window of a million characters.
    count = 30_000
    window = Window(io.StringIO("[\n" + "{x}\n" * count))
    window.take("[")
    began = time.process_time()
    for number in range(count):
        window.next()
        with pytest.raises(BrokenJsonError):
            window.value()
        assert number % 10_000 or window.place == f"line {number + 2:,}, column 1"
        window.skip_to(re.compile(r"\n\{"), 2)
    assert time.process_time() - began < 6
