"""An editor's verdict on a highlight, as a row of `feedback`."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import pyarrow as pa

from klip_assets.contracts import FEEDBACK

Verdict = Literal["good", "bad"]


def verdict_row(highlight: Mapping[str, Any], verdict: Verdict) -> pa.Table:
    """Return one verdict as in the contract `feedback`.

    Rows are only ever added: of several for one highlight, the one with the latest given_at counts. start_s and end_s
    record what was rated, since another weight set may cut the same moment differently.

    Args:
        highlight: The row of `highlights` that was rated.
        verdict: good or bad.
    """
    return FEEDBACK.from_rows(
        [
            {
                "feedback_id": uuid.uuid4().hex,
                **{
                    name: highlight[name]
                    for name in ("video_id", "highlight_id", "start_s", "end_s", "weights_version")
                },
                "verdict": verdict,
                "given_at": datetime.now(UTC).replace(tzinfo=None),
            }
        ]
    )
