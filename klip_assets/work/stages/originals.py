"""Copies of a recording: which video stands for content that several files have."""

from __future__ import annotations

from klip_assets.contracts import VIDEOS, Subject
from klip_assets.store.lake.stage_status import read_stages
from klip_assets.store.locks import is_held, subject_lock
from klip_assets.work.stages.stage import Stage


def original_of(stage: Stage, sha256: str) -> str:
    """Return the video that has this content: this one, unless an earlier one does and can stand for it."""
    registry = stage.installation.registry
    holder = registry.claim_content(sha256, stage.key)
    if holder == stage.key or _stands(stage, holder, sha256):
        return holder
    registry.release_content(holder)
    return registry.claim_content(sha256, stage.key)


def _stands(stage: Stage, video_id: str, sha256: str) -> bool:
    """Return whether another video was processed, or is being processed, from this content without failing."""
    if is_held(subject_lock(stage.lake.root, Subject.video(video_id))):
        return True
    if not stage.lake.exists(VIDEOS, video_id) or stage.lake.read(VIDEOS, video_id)["sha256"][0].as_py() != sha256:
        return False
    return all(row["status"] != "failed" for row in read_stages(stage.lake, video_id))


def video_inputs(stage: Stage) -> dict[str, str]:
    """Return the recording's content and, of a copy whose original no longer stands for it, that."""
    inputs = {"source": stage.source_version()}
    record = stage.record(VIDEOS)
    if record is None:
        return inputs
    row = stage.video
    if row["status"] == "duplicate" and not _stands(stage, row["duplicate_of"], row["sha256"]):
        inputs["original"] = f"{row['duplicate_of']} does not stand for it"
    elif "original" in record.input_versions:
        inputs["original"] = record.input_versions["original"]  # It was processed because of that.
    return inputs
