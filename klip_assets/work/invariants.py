"""What must hold between the tables of one video or day before anybody may see it.

Each function takes tables and answers with sentences, none if all is well. The blocking asset checks in
`klip_assets.defs.checks` show the same functions in the Dagster UI.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from klip_assets.contracts import AUDIO_FEATURES, HIGHLIGHTS, SEGMENTS, TRANSCRIPT_WORDS, VIDEOS
from klip_assets.store.lake.lake import Lake
from klip_assets.store.lake.provenance import Provenance

#: Containers round durations and codecs pad; captions often end a little after the picture.
TOLERANCE_S = 2.0
TOLERANCE_SHARE = 0.01


def tolerance_s(duration_s: float) -> float:
    """Return how far a time may lie outside a video before it counts as wrong."""
    return max(TOLERANCE_S, TOLERANCE_SHARE * duration_s)


def sound_problems(video: Mapping[str, Any], notes: Mapping[str, Any]) -> list[str]:
    """Compare what was decoded with what the container promises.

    Args:
        video: The row of `videos`.
        notes: Notes of the stage `audio_features`: decoded_s, decode_errors, all_zero.

    Returns:
        Problems. Digital silence is one only where the decoder reported errors: then it is a fault, not silence.
    """
    if video["status"] != "ok" or "decoded_s" not in notes:
        return []
    problems = []
    promised, decoded = video["duration_s"], float(notes["decoded_s"])
    if promised is not None and decoded < promised - tolerance_s(promised) and not notes.get("track_shorter"):
        problems.append(f"only {decoded:.1f} s of sound could be decoded of the {promised:.1f} s promised")
    if notes.get("all_zero") and notes.get("decode_errors"):
        problems.append(f"the sound is all zeros after {notes['decode_errors']} decoding errors")
    return problems


def word_problems(words: pa.Table, duration_s: float | None) -> list[str]:
    """Words run forward in time and lie inside the video."""
    if words.num_rows == 0:
        return []
    start, end = words["start_s"].to_numpy(), words["end_s"].to_numpy()
    problems = []
    if (end < start).any():
        problems.append(f"word {int((end < start).argmax())} ends before it starts")
    if len(start) > 1 and (start[1:] < start[:-1]).any():
        problems.append(f"word {int((start[1:] < start[:-1]).argmax()) + 1} starts before the word ahead of it")
    if duration_s is not None and end.max() > duration_s + tolerance_s(duration_s):
        problems.append(f"the last word ends at {end.max():.1f} s, after the end of the video at {duration_s:.1f} s")
    return problems


def segment_problems(segments: pa.Table, words: pa.Table, duration_s: float | None) -> list[str]:
    """Segments cover [0, duration] without gap or overlap and hold every word once."""
    if segments.num_rows == 0:
        return [] if not duration_s else ["there are no segments"]
    start, end = segments["start_s"].to_pylist(), segments["end_s"].to_pylist()
    problems = []
    if start[0] != 0:
        problems.append(f"the first segment starts at {start[0]} s, not at 0")
    gaps = [i for i in range(1, len(start)) if start[i] != end[i - 1]]
    if gaps:
        problems.append(f"segment {gaps[0]} does not start where the one ahead of it ends")
    if duration_s is not None and not math.isclose(end[-1], duration_s, abs_tol=1e-6):
        problems.append(f"the last segment ends at {end[-1]} s, the video at {duration_s} s")
    held = pc.sum(segments["word_count"]).as_py() or 0
    if held != words.num_rows:
        problems.append(f"segments hold {held} words, the transcript has {words.num_rows}")
    return problems


def highlight_problems(highlights: pa.Table, duration_s: float | None) -> list[str]:
    """Highlights lie inside the video, hold their peak, and are ranked by score."""
    problems = []
    rows = highlights.to_pylist()
    for row in rows:
        if not row["start_s"] <= row["peak_s"] <= row["end_s"]:
            problems.append(f"highlight {row['rank']} does not hold its own peak")
        if duration_s is not None and row["end_s"] > duration_s + 1e-6:
            problems.append(f"highlight {row['rank']} ends after the video")
    if any(a["score"] < b["score"] for a, b in pairwise(rows)):
        problems.append("the ranks do not follow the scores")
    return problems


def broken_invariants(lake: Lake, kind: str, key: str, present: Mapping[str, Provenance]) -> list[str]:
    """Return what is wrong with the present state of a video or day.

    Args:
        lake: The lake.
        kind: video_id or day (a day has no facts beyond its contracts).
        key: Its key.
        present: Table -> record in its footer.
    """
    if kind != "video_id":
        return []
    video = lake.read(VIDEOS, key).to_pylist()[0]
    words = lake.read(TRANSCRIPT_WORDS, key)
    if video["status"] == "duplicate":
        return []
    return [
        *sound_problems(video, present[AUDIO_FEATURES.name].notes),
        *word_problems(words, video["duration_s"]),
        *segment_problems(lake.read(SEGMENTS, key), words, video["duration_s"]),
        *highlight_problems(lake.read(HIGHLIGHTS, key), video["duration_s"]),
    ]
