"""The ledger of language models as a table of the lake, so that it is published like any other."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from klip_assets.contracts import LLM_CALLS
from klip_assets.store.lake.lake import Lake
from klip_assets.store.lake.records import write_record
from klip_assets.store.state.ledger import ledger_version, read_calls

_INPUT = "ledger"


def calls_due(lake: Lake, ledger: Path) -> str | None:
    """Name the state of the ledger that the lake does not have yet, None if it has it."""
    version = ledger_version(ledger)
    before = lake.provenance(LLM_CALLS)
    return version if version != (before.input_versions.get(_INPUT) if before else None) else None


def take_over_calls(lake: Lake, ledger: Path) -> None:
    """Bring `llm_calls` in the lake up to date; calls that the ledger no longer has stay.

    The caller holds the publishers' lock.
    """
    version = calls_due(lake, ledger)
    if version is None:
        return
    rows = read_calls(ledger)
    if lake.exists(LLM_CALLS):
        # Whoever lost or removed `state` starts a new ledger; what was paid before was paid all the same.
        before = lake.read(LLM_CALLS)
        known = pc.is_in(before["call_id"], rows["call_id"].combine_chunks())
        rows = pa.concat_tables([before.filter(pc.invert(known)), rows])
    write_record(lake, LLM_CALLS, "", rows, inputs={_INPUT: version})
