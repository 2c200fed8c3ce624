"""No pattern of the package takes long on any text: no file may keep a processor busy for ever."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from typing import Any

import pytest

from klip_assets_tests.architecture.patterns import LONG, hostile_texts, patterns

#: Seconds of processor time for one text of LONG characters; the slowest takes a fifth of it on a busy machine.
LIMIT_S = 0.2

#: From here on, growth is measured too: twice the text may take little more than twice the time. (With the square it
#: takes four times as much; a busy machine measures linear growth as up to three.)
MEASURABLE_S = 0.03
MOST_GROWTH = 3.5

#: A pattern whose time grows with each character or with the cube is found here, before it would hang this test.
SHORTEST, SHORT = 22, 400


def seconds_of(pattern: re.Pattern[Any], text: str, limit_s: float) -> float:
    """Return the processor time of a match and a search, the least of five tries if it is above a limit."""
    given = text.encode() if isinstance(pattern.pattern, bytes) else text
    least = float("inf")
    for _ in range(5):
        began = time.process_time()
        pattern.fullmatch(given)
        for _ in pattern.finditer(given):
            pass
        least = min(least, time.process_time() - began)
        if least <= limit_s:
            break
    return least


def slow_text(pattern: re.Pattern[Any]) -> str | None:
    """Return a text on which a pattern takes too long, with its times; None if it takes long on none."""
    lengths = (SHORTEST, SHORT, LONG, 2 * LONG)
    for shortest, short, text, twice in zip(*(hostile_texts(pattern, n) for n in lengths), strict=True):
        for first in (shortest, short):
            if seconds_of(pattern, first, LIMIT_S) > LIMIT_S:
                return f"{first[:60]!r}: over {LIMIT_S} s for {len(first)} characters"
        seconds = seconds_of(pattern, text, MEASURABLE_S)
        if seconds > LIMIT_S:
            return f"{text[:60]!r}: {seconds:.2f} s for {len(text):,} characters"
        if seconds > MEASURABLE_S:
            doubled = seconds_of(pattern, twice, MOST_GROWTH * seconds)
            if doubled > MOST_GROWTH * seconds:
                return f"{text[:60]!r}: {seconds:.2f} s, for twice the text {doubled:.2f} s"
    return None


def slow_ones(named: Iterable[tuple[str, re.Pattern[Any]]]) -> dict[str, str]:
    return {name: found for name, pattern in named if (found := slow_text(pattern))}


@pytest.mark.slow
def test_no_pattern_takes_long_on_any_text() -> None:
    found = patterns()
    assert len(found) > 90
    for room in ("chat", "speech.captions", "tweets", "text"):
        assert any(name.startswith(f"klip_assets.signals.{room}.") for name in found)
    assert slow_ones(found.items()) == {}


@pytest.mark.slow
@pytest.mark.parametrize(
    "careless",
    [
        r"([-+]?)(?:(\d{1,6})h)?\s*(?:(\d{1,6})m)?\s*(?:(\d{1,9})s)?",
        r"\s*\d{1,2}:\d\d\s*-->\s*\d{1,2}:\d\d(?=\s|$)",
        r"(\d{1,2})/(\d{1,2})/(\d{4})(?:,?\s+(\d{1,2}):(\d{2})\s*([AP]M)?)?(?:\s*(?:UTC|Z))?",
        r"(\d{2,}):(\d{2}):(\d{2})",
        r"(?:[^A-Za-z@]|^)([^ .]+\.[^ .]+)",
        r"\?[a-z?!]*[a-z]",
        r"(?s)<think>.*?</think>",
        r"(?:[a-z]+,?)*;",
    ],
)
def test_a_careless_pattern_is_found(careless: str) -> None:
    assert slow_text(re.compile(careless)) is not None


def test_a_text_that_a_pattern_reads_again_from_each_place_is_found_by_its_growth() -> None:
    assert "twice the text" in (slow_text(re.compile(r"[0-9a-f]*x")) or "")
