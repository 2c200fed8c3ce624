"""The ledger of language model calls as a table in the lake, so that it is published like any other."""

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
    """Return a name for the state of the ledger if the lake does not have it yet, else None."""
    version = ledger_version(ledger)
    before = lake.provenance(LLM_CALLS)
    return version if version != (before.input_versions.get(_INPUT) if before else None) else None


def copy_calls(lake: Lake, ledger: Path) -> None:
    """Bring `llm_calls` in the lake up to date; calls that are no longer in the ledger are kept.

    The caller holds the publish lock.
    """
    version = calls_due(lake, ledger)
    if version is None:
        return
    rows = read_calls(ledger)
    if lake.exists(LLM_CALLS):
        # If `state` was lost or removed, a new ledger has begun; the old calls were paid for all the same.
        before = lake.read(LLM_CALLS)
        known = pc.is_in(before["call_id"], rows["call_id"].combine_chunks())
        rows = pa.concat_tables([before.filter(pc.invert(known)), rows])
    write_record(lake, LLM_CALLS, "", rows, inputs={_INPUT: version})
