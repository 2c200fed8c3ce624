"""No pattern of the package takes long on any text: no file may keep a processor busy for ever."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from typing import Any

import pytest

from klip_assets_tests.architecture.patterns import LONG, Hostile, hostile_texts, patterns

#: Seconds of processor time for one text of LONG characters; the slowest takes a fifth of it on a busy machine.
LIMIT_S = 0.2

#: From here on, growth is measured too: twice the text may take little more than twice the time. (With the square it
#: takes four times as much; a busy machine measures linear growth as up to three.)
MEASURABLE_S = 0.03
MOST_GROWTH = 3.5

#: A pattern whose time grows with each character or a high power is found at these lengths, before it would hang.
SHORTEST, SHORT, SHORT_LIMIT_S = 22, 150, 0.02

#: A text is tried at LONG only if it takes this long at these lengths, and at each much longer than at the half of it.
#: (With the length its time doubles, with the square it takes four times as much.)
MIDDLE, SUSPICIOUS_S, SUSPICIOUS_GROWTH = (1_000, 2_000), 0.000_3, 2.5

#: Tries of which the least time counts.
TRIES = 3


def seconds_of(pattern: re.Pattern[Any], text: str, limit_s: float) -> float:
    """Return the processor time of a match and a search, the least of some tries if it is above a limit."""
    given = text.encode() if isinstance(pattern.pattern, bytes) else text
    least = float("inf")
    for _ in range(TRIES):
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
    for hostile in hostile_texts(pattern):
        for length in (SHORTEST, SHORT):
            if seconds_of(pattern, hostile.text(length), SHORT_LIMIT_S) > SHORT_LIMIT_S:
                return f"{hostile.text(60)!r}: over {SHORT_LIMIT_S} s for {length} characters"
        if not is_suspicious(pattern, hostile):
            continue
        text = hostile.text(LONG)
        seconds = seconds_of(pattern, text, MEASURABLE_S)
        if seconds > LIMIT_S:
            return f"{text[:60]!r}: {seconds:.2f} s for {len(text):,} characters"
        if seconds > MEASURABLE_S:
            doubled = seconds_of(pattern, hostile.text(2 * LONG), MOST_GROWTH * seconds)
            if doubled > MOST_GROWTH * seconds:
                return f"{text[:60]!r}: {seconds:.2f} s, for twice the text {doubled:.2f} s"
    return None


def is_suspicious(pattern: re.Pattern[Any], hostile: Hostile) -> bool:
    """Return whether the times for MIDDLE lengths lead to expect that it is too long at LONG."""
    for length in MIDDLE:
        for limit_s in (float("inf"), 0.0):  # Once, and with care if that looks odd.
            seconds = seconds_of(pattern, hostile.text(length), limit_s)
            if seconds <= SUSPICIOUS_S:
                return False
            half = seconds_of(pattern, hostile.text(length // 2), limit_s)
            if seconds <= SUSPICIOUS_GROWTH * half and seconds * LONG / length <= LIMIT_S / 2:
                return False
    return True


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
