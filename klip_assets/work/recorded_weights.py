"""The table `weights`: every set that a published score may have been made with."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from klip_assets.contracts import WEIGHTS
from klip_assets.errors import NotFoundError
from klip_assets.products.highlights.weights import weights_table
from klip_assets.store.lake.provenance import Provenance
from klip_assets.store.lake.records import write_record
from klip_assets.work.installation import Installation


def record_weights(here: Installation, run_id: str) -> Provenance:
    """Write the weight sets that are shipped, the one in use, and those that were recorded before.

    Highlights stay published after their set is no longer in use: without it, nobody could take their scores apart.
    """
    known = weights_table(here.weights)
    try:
        earlier = here.lake.read(WEIGHTS)
    except NotFoundError:
        return write_record(here.lake, WEIGHTS, "", known, run_id=run_id)
    is_known = pc.is_in(earlier["weights_version"], pc.unique(known["weights_version"]))
    rows = pa.concat_tables([known, earlier.filter(pc.invert(is_known))])
    return write_record(here.lake, WEIGHTS, "", rows, run_id=run_id)
