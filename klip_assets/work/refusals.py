"""Unknown files in the inbox: listed in the quarantine as long as they are there."""

from __future__ import annotations

from collections.abc import Mapping

from klip_assets.contracts import VIDEOS
from klip_assets.formats.refused import Refused
from klip_assets.store.lake.lake import Lake
from klip_assets.store.lake.quarantine import quarantine_files

#: Refusals of whole files are kept apart from what the stage `videos` refuses of a sidecar.
TABLE = "inbox"


def refuse_unknown(lake: Lake, unknown: Mapping[str, str], *, run_id: str) -> None:
    """Update the quarantine to list exactly the files of the VOD inbox that are not used.

    Args:
        lake: The lake.
        unknown: File relative to the inbox -> why it is not used.
        run_id: Run that found them, '' for a sensor.
    """
    detail = f"not part of {VIDEOS.name}"
    quarantine_files(lake, TABLE, {name: Refused("file", why, detail) for name, why in unknown.items()}, run_id=run_id)
