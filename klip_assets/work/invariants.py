"""What must hold between the tables of a video before it is published.

`INVARIANTS` lists the rules: the publisher checks all of them, and Dagster shows each as a blocking check of its table.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from klip_assets.contracts import (
    AUDIO_FEATURES,
    HIGHLIGHTS,
    SEGMENT_SENTIMENT,
    SEGMENTS,
    TRANSCRIPT_WORDS,
    VIDEOS,
    Subject,
    Table,
)
from klip_assets.media.claims import tolerance_s
from klip_assets.store.lake.lake import Lake
from klip_assets.work.findings import findings_of


def sound_problems(seconds: pa.Table, duration_s: float | None) -> list[str]:
    """Check that there is one row per second, from 0 and in order, and none after the end of the video."""
    t = seconds["t_s"].to_numpy()
    if not len(t):
        return []
    problems = []
    wrong = np.flatnonzero(t != np.arange(len(t)))
    if len(wrong):
        problems.append(f"second {wrong[0]} has no row in its place")
    if duration_s is not None and t[-1] >= math.ceil(duration_s + tolerance_s(duration_s)):
        problems.append(f"there is a row for second {t[-1]}, after the end of the video at {duration_s:.1f} s")
    return problems


def word_problems(words: pa.Table, duration_s: float | None) -> list[str]:
    """Check that words are in order and inside the video."""
    if words.num_rows == 0:
        return []
    start, end = words["start_s"].to_numpy(), words["end_s"].to_numpy()
    problems = []
    if (end < start).any():
        problems.append(f"word {int((end < start).argmax())} ends before it starts")
    if len(start) > 1 and (start[1:] < start[:-1]).any():
        problems.append(f"word {int((start[1:] < start[:-1]).argmax()) + 1} starts before the previous word")
    if duration_s is not None and end.max() > duration_s + tolerance_s(duration_s):
        problems.append(f"the last word ends at {end.max():.1f} s, after the end of the video at {duration_s:.1f} s")
    return problems


def segment_problems(segments: pa.Table, words: pa.Table, duration_s: float | None) -> list[str]:
    """Check that segments cover [0, duration] without gap or overlap and contain every word once."""
    if segments.num_rows == 0:
        return [] if not duration_s else ["there are no segments"]
    start, end = segments["start_s"].to_pylist(), segments["end_s"].to_pylist()
    problems = []
    if start[0] != 0:
        problems.append(f"the first segment starts at {start[0]} s, not at 0")
    gaps = [i for i in range(1, len(start)) if start[i] != end[i - 1]]
    if gaps:
        problems.append(f"segment {gaps[0]} does not start where the previous one ends")
    if duration_s is not None and not math.isclose(end[-1], duration_s, abs_tol=1e-6):
        problems.append(f"the last segment ends at {end[-1]} s, the video at {duration_s} s")
    held = pc.sum(segments["word_count"]).as_py() or 0
    if held != words.num_rows:
        problems.append(f"segments contain {held} words, the transcript has {words.num_rows}")
    return problems


def highlight_problems(highlights: pa.Table, duration_s: float | None) -> list[str]:
    """Check that highlights lie inside the video, contain their peak and are ranked by score."""
    problems = []
    rows = highlights.to_pylist()
    for row in rows:
        if not row["start_s"] <= row["peak_s"] <= row["end_s"]:
            problems.append(f"highlight {row['rank']} does not contain its peak")
        if duration_s is not None and row["end_s"] > duration_s + 1e-6:
            problems.append(f"highlight {row['rank']} ends after the video")
    if any(a["score"] < b["score"] for a, b in pairwise(rows)):
        problems.append("the ranks do not follow the scores")
    return problems


def unread_problems(sentiment: pa.Table, segments: pa.Table) -> list[str]:
    """Check that every segment has a row of sentiment."""
    if sentiment.num_rows == segments.num_rows:
        return []
    return [f"{sentiment.num_rows} rows for {segments.num_rows} segments"]


#: Problems, and warnings.
Found = tuple[Sequence[str], Sequence[str]]


@dataclass(frozen=True)
class Invariant:
    """One rule.

    Attributes:
        name: Its name in the Dagster UI.
        table: The table it checks.
        find: Checks one video; its docstring states the rule.
        beside: Tables it is compared with, besides `videos`.
    """

    name: str
    table: Table
    find: Callable[[Lake, str], Found]
    beside: tuple[Table, ...] = ()

    @property
    def description(self) -> str:
        """The rule in a sentence."""
        return (self.find.__doc__ or "").strip()


def broken_invariants(lake: Lake, subject: Subject, present: Mapping[str, object]) -> list[str]:
    """Return what is wrong with the current state of a video; days have no rules beyond their contracts.

    Args:
        lake: The lake.
        subject: The video or day.
        present: Its tables, by name.
    """
    if subject.is_day:
        return []
    rules = [rule for rule in INVARIANTS if {rule.table.name, *(table.name for table in rule.beside)} <= set(present)]
    return [problem for rule in rules for problem in rule.find(lake, subject.key)[0]]


def _video(lake: Lake, key: str) -> dict[str, Any]:
    return dict(lake.read(VIDEOS, key).to_pylist()[0])


def _found(lake: Lake, table: Table, key: str) -> list[str]:
    record = lake.provenance(table, key)
    return [finding.text for finding in findings_of({table.name: record}) if finding.told_in] if record else []


def _readable(lake: Lake, key: str) -> Found:
    """The recording can be opened and contains audio or video."""
    video = _video(lake, key)
    if video["status"] == "unreadable":
        return [str(video["error"])], []
    if video["status"] == "duplicate":
        return [], [f"same content as {video['duplicate_of']}"]
    return [], [*([str(video["error"])] if video["error"] else []), *_found(lake, VIDEOS, key)]


def _sound(lake: Lake, key: str) -> Found:
    """There is one row per second of the video, in order; audio that is missing gives a warning."""
    video = _video(lake, key)
    warnings = ["nothing in the recording is louder than -60 dBFS"] if video["status"] == "silent" else []
    return sound_problems(lake.read(AUDIO_FEATURES, key), video["duration_s"]), [
        *warnings,
        *_found(lake, AUDIO_FEATURES, key),
    ]


def _words(lake: Lake, key: str) -> Found:
    """Words are in order and inside the video; captions that were cut or not used give a warning."""
    problems = word_problems(lake.read(TRANSCRIPT_WORDS, key), _video(lake, key)["duration_s"])
    return problems, _found(lake, TRANSCRIPT_WORDS, key)


def _segments(lake: Lake, key: str) -> Found:
    """Segments cover the video without gap or overlap and contain every word once."""
    video = _video(lake, key)
    if video["status"] == "duplicate":
        return [], []
    return segment_problems(lake.read(SEGMENTS, key), lake.read(TRANSCRIPT_WORDS, key), video["duration_s"]), []


def _sentiment(lake: Lake, key: str) -> Found:
    """Every segment has a row; failed rows give a warning."""
    rows = lake.read(SEGMENT_SENTIMENT, key)
    failed = rows["status"].to_pylist().count("failed")
    warnings = [f"{failed} of {rows.num_rows} segments could not be read"] if failed else []
    return unread_problems(rows, lake.read(SEGMENTS, key)), warnings


def _highlights(lake: Lake, key: str) -> Found:
    """Highlights lie inside the video, contain their peak and are ranked by score."""
    return highlight_problems(lake.read(HIGHLIGHTS, key), _video(lake, key)["duration_s"]), []


INVARIANTS = (
    Invariant("recording_is_readable", VIDEOS, _readable),
    Invariant("sound_is_complete", AUDIO_FEATURES, _sound),
    Invariant("words_are_in_order_and_inside", TRANSCRIPT_WORDS, _words),
    Invariant("segments_cover_the_video", SEGMENTS, _segments, (TRANSCRIPT_WORDS,)),
    Invariant("every_segment_is_read", SEGMENT_SENTIMENT, _sentiment, (SEGMENTS,)),
    Invariant("highlights_are_sound", HIGHLIGHTS, _highlights),
)
