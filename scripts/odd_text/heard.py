"""Judges of what was heard, and what several modules make their inputs of."""

from __future__ import annotations

import json
from typing import Any

from odd_text.case import Judge, Odd, Outcome

#: Two lines of captions that most inputs hold, and when their words begin.
USUAL = [("hello", 2.0), ("there", 3.0), ("second", 6.0), ("line", 7.2)]


def said(*words: str | tuple[str, float], sounds: tuple[str, ...] = (), tells: str = "") -> Judge:
    """Return a judge: the recording is published with exactly these words, near these times.

    Args:
        words: Each word, or a word and when it begins in seconds (within 0.6 s).
        sounds: Labels of the sounds that were heard.
        tells: A part of what `quarantine` must say.
    """

    def judge(outcome: Outcome) -> list[str]:
        if not outcome.rows("SELECT 1 FROM videos WHERE video_id = $id AND status IN ('ok', 'partial')"):
            return ["the recording is not published"]
        found = outcome.rows(
            "SELECT word, start_s, end_s FROM transcript_words WHERE video_id = $id AND engine = 'captions' "
            "ORDER BY word_index"
        )
        wrong = []
        expected = [word if isinstance(word, str) else word[0] for word in words]
        if [row[0] for row in found] != expected:
            wrong.append(f"words {[row[0] for row in found]}, right are {expected}")
        else:
            late = [
                (row[0], row[1])
                for row, word in zip(found, words, strict=True)
                if isinstance(word, tuple) and abs(row[1] - word[1]) > 0.6
            ]
            wrong += [f"{word} begins at {start} s" for word, start in late]
        wrong += ["a word ends before it starts"] * any(row[2] < row[1] for row in found)
        heard = {row[0] for row in outcome.rows("SELECT label FROM sound_events WHERE video_id = $id")}
        wrong += [f"no {label} was heard" for label in sounds if label not in heard]
        if tells and tells not in _all_said(outcome):
            wrong.append(f"nothing says {tells!r}")
        return wrong

    return judge


def refused(tells: str) -> Judge:
    """Return a judge: the file is refused with a sentence that says this, and the recording is published."""

    def judge(outcome: Outcome) -> list[str]:
        wrong = []
        if not outcome.rows("SELECT 1 FROM videos WHERE video_id = $id AND status IN ('ok', 'partial')"):
            wrong.append("the recording is not published")
        if outcome.rows("SELECT 1 FROM transcript_words WHERE video_id = $id AND engine = 'captions'"):
            wrong.append("its words are used")
        if tells not in _all_said(outcome):
            wrong.append(f"nothing says {tells!r}")
        return wrong

    return judge


def _all_said(outcome: Outcome) -> str:
    sql = "SELECT reason || ' ' || coalesce(detail, '') FROM quarantine WHERE starts_with(source_file, ?)"
    return " | ".join(str(row[0]) for row in outcome.rows(sql, f"{outcome.name}."))


def odd(kind: str, name: str, suffix: str, content: Any, judge: Judge, **more: Any) -> Odd:
    """Return an input of one file, NAME.wav's sidecar; content that is not text becomes JSON."""
    if not isinstance(content, str | bytes):
        content = json.dumps(content)
    data = content.encode() if isinstance(content, str) else content
    return Odd(kind, name, judge, {f"{name}{suffix}": data}, **more)


def lines(factor: float, start: str = "start", end: str = "end", text: str = "text") -> list[dict[str, Any]]:
    """Return the two usual lines as segments with these keys, times in 1/factor s."""

    def number(value: float) -> float | int:
        return int(value) if factor > 1 else value

    return [
        {start: number(2 * factor), end: number(4 * factor), text: "hello there"},
        {start: number(6 * factor), end: number(8 * factor), text: "second line"},
    ]
