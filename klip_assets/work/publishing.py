"""Publishing an installation: the store's publisher with Klip's policy and settings, and whether a publish is due."""

from __future__ import annotations

from klip_assets.store.warehouse.publish import Published, needs_publish, publish, waiting_in
from klip_assets.work.acceptance import POLICY
from klip_assets.work.installation import Installation


def publish_accepted(installation: Installation, *, from_nothing: bool = False) -> Published:
    """Accept what is ready, and publish everything accepted as a new version of klip.duckdb.

    Args:
        installation: Where the lake and the warehouse are.
        from_nothing: Build from scratch, not from the previous version.

    Raises:
        LockHeldError: Another publisher did not finish in time; the message names it.
    """
    settings = installation.settings
    return publish(
        installation.lake,
        settings.warehouse_dir,
        policy=POLICY,
        state_dir=settings.state_dir,
        storage_version=settings.storage_version,
        keep_versions=settings.keep_versions,
        timeout_s=settings.publish_timeout_s,
        ledger=settings.llm_path,
        from_nothing=from_nothing,
    )


def publish_due(installation: Installation) -> str | None:
    """Return a name for the state that makes a publish due, None if everything is published."""
    settings = installation.settings
    return needs_publish(
        installation.lake,
        settings.warehouse_dir,
        storage_version=settings.storage_version,
        ledger=settings.llm_path,
    )


def waiting(installation: Installation) -> dict[str, list[str]]:
    """Return the videos and days whose current state was not published, with the reasons."""
    return waiting_in(installation.settings.warehouse_dir)
