"""Blocking checks per partition: a fault in a video stops at the stage that reveals it.

The rules themselves are in `work.invariants.INVARIANTS`, which the publisher applies too.
"""

from typing import Any

import dagster as dg

from klip_assets.contracts import Subject
from klip_assets.defs.resources import Installation
from klip_assets.defs.tags import PARTITION_TAG
from klip_assets.work.invariants import INVARIANTS, Invariant
from klip_assets.work.subject_run import check_whether


def check_of(rule: Invariant) -> dg.AssetChecksDefinition:
    """Return the blocking check for one rule."""

    @dg.asset_check(asset=dg.AssetKey([rule.table.name]), name=rule.name, description=rule.description, blocking=True)
    def _asset_check(
        context: dg.AssetCheckExecutionContext, installation: dg.ResourceParam[Installation]
    ) -> dg.AssetCheckResult:
        # The partition of the run; a check started on its own, without a partition, covers every video.
        partition = context.run.tags.get(PARTITION_TAG)
        here = installation.here
        if partition:
            findings = {partition: check_whether(rule, Subject.video(partition), here)}
        else:
            findings = {key: rule.find(here.lake, key) for key in here.lake.keys(rule.table)}
        problems = [_named(key, text, partition) for key, found in findings.items() for text in found[0]]
        warnings = [_named(key, text, partition) for key, found in findings.items() for text in found[1]]
        metadata: dict[str, Any] = {"videos": len(findings), "found": [*problems, *warnings]}
        severity = dg.AssetCheckSeverity.ERROR if problems else dg.AssetCheckSeverity.WARN
        return dg.AssetCheckResult(
            passed=not problems and not warnings,
            severity=severity,
            description="; ".join(problems or warnings) or None,
            metadata=metadata,
        )

    return _asset_check


def _named(key: str, text: str, partition: str | None) -> str:
    return text if partition else f"{key}: {text}"


CHECKS = [check_of(rule) for rule in INVARIANTS]
