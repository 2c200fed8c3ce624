"""Copies of a recording: which video stands for content that several files have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from klip_assets.contracts import VIDEOS, Subject
from klip_assets.errors import DamagedError
from klip_assets.store.lake.stage_status import read_stages
from klip_assets.store.locks import is_held, subject_lock
from klip_assets.store.state.attempts import NEVER_TRIED
from klip_assets.work.installation import Installation
from klip_assets.work.stages.stage import Stage


def original_of(stage: Stage, sha256: str) -> str:
    """Return the video that has this content: this one, unless an earlier one does and can stand for it."""
    registry = stage.installation.registry
    holder = registry.claim_content(sha256, stage.key)
    if holder == stage.key or stands(stage.installation, holder, sha256):
        return holder
    registry.release_content(holder)
    return registry.claim_content(sha256, stage.key)


def stands(installation: Installation, video_id: str, sha256: str) -> bool:
    """Return whether a video was processed, or is being processed, from this content without failing."""
    lake = installation.lake
    if is_held(subject_lock(lake.root, Subject.video(video_id))):
        return True
    try:
        if not lake.exists(VIDEOS, video_id):
            return False
        row = lake.read(VIDEOS, video_id).to_pylist()[0]
        if row["sha256"] != sha256 or row["status"] == "duplicate":
            return False
    except DamagedError:
        return False
    attempt = installation.attempts.all().get(video_id, NEVER_TRIED)
    if attempt.is_given_up(installation.registry.fingerprint_of(video_id)):
        return False  # A check failed, or a person removed it.
    return all(row["status"] != "failed" for row in read_stages(lake, video_id))


def lost_originals(installation: Installation) -> Callable[[str, Mapping[str, Any]], bool]:
    """Return a function that says whether a video is a copy for which the video that it names stands no more.

    It takes the video and the notes of its row in `videos`. What it answers from is read once.
    """
    holders, tried = installation.registry.contents(), installation.attempts.all()

    def is_lost(video_id: str, notes: Mapping[str, Any]) -> bool:
        if notes.get("status") != "duplicate":
            return False
        sha256 = str(notes.get("files", {}).get("recording", "")).partition(":")[0]
        holder = holders.get(sha256)
        if holder is None or holder == video_id or notes.get("duplicate_of", holder) != holder:
            return True
        # Whatever failed left an attempt behind; of thousands of copies, few need a closer look.
        return holder in tried and not stands(installation, holder, sha256)

    return is_lost


def video_inputs(stage: Stage) -> dict[str, str]:
    """Return the recording's content and, of a copy whose original no longer stands for it, that."""
    inputs = {"source": stage.source_version()}
    record = stage.record(VIDEOS)
    if record is None:
        return inputs
    row = stage.video
    if row["status"] == "duplicate" and not stands(stage.installation, row["duplicate_of"], row["sha256"]):
        inputs["original"] = f"{row['duplicate_of']} does not stand for it"
    elif "original" in record.input_versions:
        inputs["original"] = record.input_versions["original"]  # It was processed because of that.
    return inputs
