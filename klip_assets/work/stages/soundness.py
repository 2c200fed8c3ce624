"""What is odd about a recording's tracks and clock, as findings in sentences. Nothing here reads a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from klip_assets.media.claims import differs, tolerance_s
from klip_assets.media.decode import Decoding
from klip_assets.media.timeline import Timeline
from klip_assets.work.findings import Finding

#: Tracks of ordinary recordings begin and end within this time of each other.
APART_S = 1.0

#: Holes shorter than this in all, such as a lost packet now and then, are not worth a sentence.
HOLES_S = 0.25

#: Headers round lengths, and codecs pad their last frame, by no more than this.
ROUNDING_S = 0.2

#: The last picture of a recording with few pictures may stand for long.
STILL_S = 10.0

#: Number of places listed.
_LISTED = 3


def timeline_findings(
    timeline: Timeline, *, claimed_s: float | None, missing_bytes: int = 0, unread_bytes: int = 0
) -> Iterator[Finding]:
    """Yield what is odd about a recording's length and clock.

    Args:
        timeline: Its timeline.
        claimed_s: The length its header states, if it states one.
        missing_bytes: Bytes at its end that the file states and lacks.
        unread_bytes: Bytes at its end that no packet was read from.
    """
    length = timeline.duration_s
    lacks = claimed_s is not None and claimed_s - length > ROUNDING_S
    if claimed_s is not None and (differs(claimed_s, timeline) or (missing_bytes and lacks)):
        if claimed_s > length:
            text = (
                f"cut off or damaged: {length:.1f} s are there of the {claimed_s:.1f} s that the file's header states"
            )
            yield Finding("length", text, partial=True)
        else:
            text = f"the file's header states {claimed_s:.1f} s, but the recording has {length:.1f} s"
            yield Finding("length", text, column="error")
    elif missing_bytes:
        # Where all of the stated length is there, only an index or tags are missing.
        text = f"cut off: the last {_size(missing_bytes)} of the file are missing"
        yield Finding("length", text, partial=claimed_s is None, column="error")
    if unread_bytes:
        text = f"the last {_size(unread_bytes)} of the file can't be read: damaged, or another recording appended to it"
        yield Finding("length", text, partial=True)
    for jump in timeline.jumps[:_LISTED]:
        way = "forward" if jump.by_s > 0 else "back"
        text = f"the timestamps jump {way} by {abs(jump.by_s):.1f} s at {clock(jump.at_s)}: the jump was closed"
        yield Finding("clock", text, column="error")
    if len(timeline.jumps) > _LISTED:
        text = f"the timestamps jump {len(timeline.jumps) - _LISTED} more times; all jumps were closed"
        yield Finding("clock", text, column="error")
    if timeline.counted:
        yield Finding("clock", "the timestamps of the audio are unusable: its samples were counted", column="error")
    yield from _picture_findings(timeline)


def _picture_findings(timeline: Timeline) -> Iterator[Finding]:
    if timeline.picture_s is None:
        return
    start, end = timeline.picture_s
    if start > APART_S:
        yield Finding("picture", f"the picture starts at {clock(start)}", column="video_error")
    if end < timeline.duration_s - STILL_S - tolerance_s(timeline.duration_s):
        yield Finding("picture", f"the picture ends at {clock(end)}", column="video_error")


def sound_findings(decoding: Decoding, timeline: Timeline) -> Iterator[Finding]:
    """Yield where sound is missing, and why as far as the decoder says."""
    heard = decoding.heard_s
    if heard is None:
        return
    start, end = heard
    if start > APART_S:
        yield Finding("hole", f"the audio starts at {clock(start)}", column="error")
    holes = [hole for hole in decoding.holes_s if start <= hole[0] and hole[1] <= end]
    lost = sum(until - first for first, until in holes)
    if lost >= HOLES_S:
        why = f": damaged ({decoding.first_error})" if decoding.first_error else ""
        if decoding.beyond_s > lost / 2:
            why = ": damaged, as the samples there are far beyond full scale"
        text = f"{lost:.1f} s of audio are missing {_places(holes)}{why}"
        yield Finding("hole", text, partial=True)
    if end < timeline.duration_s - tolerance_s(timeline.duration_s):
        yield Finding("hole", f"the audio ends at {clock(end)}", partial=True)
    if decoding.overlap_s >= APART_S:
        text = f"{decoding.overlap_s:.1f} s of audio were dropped, as other audio has the same timestamps"
        yield Finding("hole", text, partial=True)


def clock(seconds: float) -> str:
    """Return a time as h:mm:ss, as players show it."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"


def _places(holes: Sequence[tuple[float, float]]) -> str:
    if len(holes) > _LISTED:
        return f"in {len(holes):,} places between {clock(holes[0][0])} and {clock(holes[-1][1])}"
    return "at " + ", ".join(clock(first) for first, _ in holes)


def _size(count: int) -> str:
    if count < 1024:
        return f"{count} bytes"
    return f"{count / (1 << 20):,.1f} MB" if count >= 1 << 20 else f"{count / 1024:,.0f} kB"
