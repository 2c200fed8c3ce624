"""Tables that are not written by a stage: Klip's records about its own work. One writer for all of them."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from klip_assets import __version__
from klip_assets.contracts import EVALUATIONS, FEEDBACK, LLM_CALLS, QUARANTINE, STAGE_STATUS, WEIGHTS, Table
from klip_assets.store.lake.lake import Lake
from klip_assets.store.lake.provenance import Provenance

#: Incremented when the meaning of a table's rows changes.
_VERSIONS = {WEIGHTS.name: "1", EVALUATIONS.name: "3", FEEDBACK.name: "1", LLM_CALLS.name: "1"}

#: Tables written with every run and never compared by version: their version leaves out Klip's.
_PLAIN = {STAGE_STATUS.name: "1", QUARANTINE.name: "1"}


def write_record(
    lake: Lake, table: Table, key: str, rows: pa.Table, *, run_id: str = "", inputs: Mapping[str, str] | None = None
) -> Provenance:
    """Write a partition of a table that is not written by a stage.

    Args:
        lake: The lake.
        table: The table.
        key: The partition, '' for an unpartitioned table.
        rows: Its rows.
        run_id: Run that made them, '' if none did.
        inputs: What they were made from: name -> version.

    Raises:
        ContractError: The rows break the contract.
        KeyError: The table is written by a stage.
    """
    name = table.name
    version = _PLAIN[name] if name in _PLAIN else f"{__version__}/{_VERSIONS[name]}"
    return lake.write(table, key, rows, Provenance(run_id, version, inputs or {}))
