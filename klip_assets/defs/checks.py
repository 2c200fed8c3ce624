"""Blocking checks, a partition at a time: what is wrong with a video stops at the stage that shows it.

The rules themselves are `work.invariants`, which the publisher applies too.
"""

from collections.abc import Callable, Sequence
from typing import Any

import dagster as dg

from klip_assets.contracts import (
    AUDIO_FEATURES,
    HIGHLIGHTS,
    SEGMENT_SENTIMENT,
    SEGMENTS,
    TRANSCRIPT_WORDS,
    VIDEOS,
    Table,
)
from klip_assets.defs.resources import Installation
from klip_assets.defs.tags import PARTITION_TAG
from klip_assets.store.lake.lake import Lake
from klip_assets.work.invariants import highlight_problems, segment_problems, sound_problems, word_problems

#: What a check found: problems, and things worth a warning.
Findings = tuple[Sequence[str], Sequence[str]]


def _check(table: Table, name: str, find: Callable[[Lake, str], Findings]) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=dg.AssetKey([table.name]),
        name=name,
        description=(find.__doc__ or "").strip(),
        blocking=True,
    )
    def _asset_check(
        context: dg.AssetCheckExecutionContext, installation: dg.ResourceParam[Installation]
    ) -> dg.AssetCheckResult:
        # The partition of the run; a check started by itself, without one, looks at every video.
        partition = context.run.tags.get(PARTITION_TAG)
        lake = installation.lake
        findings = {key: find(lake, key) for key in ([partition] if partition else lake.keys(table))}
        problems = [_named(key, text, partition) for key, found in findings.items() for text in found[0]]
        warnings = [_named(key, text, partition) for key, found in findings.items() for text in found[1]]
        metadata: dict[str, Any] = {"videos": len(findings), "found": [*problems, *warnings]}
        if problems:
            if partition:
                # The content is what it is: nobody tries it again until it changes or is named.
                installation.attempts.give_up(partition, installation.registry.fingerprint_of(partition))
            return dg.AssetCheckResult(
                passed=False, severity=dg.AssetCheckSeverity.ERROR, description="; ".join(problems), metadata=metadata
            )
        if warnings:
            return dg.AssetCheckResult(
                passed=False, severity=dg.AssetCheckSeverity.WARN, description="; ".join(warnings), metadata=metadata
            )
        return dg.AssetCheckResult(passed=True, metadata=metadata)

    return _asset_check


def _named(key: str, text: str, partition: str | None) -> str:
    return text if partition else f"{key}: {text}"


def _video(lake: Lake, key: str) -> dict[str, Any]:
    return dict(lake.read(VIDEOS, key).to_pylist()[0])


def _readable(lake: Lake, key: str) -> Findings:
    """The recording can be opened and holds sound or picture."""
    video = _video(lake, key)
    if video["status"] == "unreadable":
        return [str(video["error"])], []
    if video["status"] == "duplicate":
        return [], [f"the same content is there as {video['duplicate_of']}"]
    return [], [str(video["error"])] if video["error"] else []


def _sound(lake: Lake, key: str) -> Findings:
    """The decoded sound is as long as the container promises and not all zeros by a decoding fault."""
    video = _video(lake, key)
    provenance = lake.provenance(AUDIO_FEATURES, key)
    problems = sound_problems(video, provenance.notes if provenance else {})
    return problems, ["the recording is digital silence throughout"] if video["status"] == "silent" else []


def _words(lake: Lake, key: str) -> Findings:
    """Words run forward in time and lie inside the video."""
    return word_problems(lake.read(TRANSCRIPT_WORDS, key), _video(lake, key)["duration_s"]), []


def _segments(lake: Lake, key: str) -> Findings:
    """Segments cover the video without gap or overlap and hold every word once."""
    video = _video(lake, key)
    if video["status"] == "duplicate":
        return [], []
    return segment_problems(lake.read(SEGMENTS, key), lake.read(TRANSCRIPT_WORDS, key), video["duration_s"]), []


def _sentiment(lake: Lake, key: str) -> Findings:
    """Every segment has a row; rows that failed are worth a look."""
    rows, segments = lake.read(SEGMENT_SENTIMENT, key), lake.read(SEGMENTS, key)
    problems = [] if rows.num_rows == segments.num_rows else [f"{rows.num_rows} rows for {segments.num_rows} segments"]
    failed = rows["status"].to_pylist().count("failed")
    return problems, [f"{failed} of {rows.num_rows} segments could not be read"] if failed else []


def _highlights(lake: Lake, key: str) -> Findings:
    """Highlights lie inside the video, hold their peak and are ranked by score."""
    return highlight_problems(lake.read(HIGHLIGHTS, key), _video(lake, key)["duration_s"]), []


CHECKS = [
    _check(VIDEOS, "recording_is_readable", _readable),
    _check(AUDIO_FEATURES, "sound_is_complete", _sound),
    _check(TRANSCRIPT_WORDS, "words_are_in_order_and_inside", _words),
    _check(SEGMENTS, "segments_cover_the_video", _segments),
    _check(SEGMENT_SENTIMENT, "every_segment_is_read", _sentiment),
    _check(HIGHLIGHTS, "highlights_are_sound", _highlights),
]
