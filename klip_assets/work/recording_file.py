"""The recording of a published video: where it is, and whether it is still the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from klip_assets.contracts import VIDEOS
from klip_assets.errors import InputError, KlipError, NotFoundError
from klip_assets.inbox.recordings import Recording
from klip_assets.media.probe import probe
from klip_assets.media.scan import read_timeline
from klip_assets.media.timeline import Timeline
from klip_assets.store.files import file_sha256
from klip_assets.store.lake.lake import Lake
from klip_assets.store.state.registry import Registry


def find_recording(video: Mapping[str, Any], *, inbox: Path, lake: Lake, registry: Registry) -> Path:
    """Return the recording of a published video.

    Size and modification time are compared with those seen by the run that read it; only if they differ is the content
    read and its SHA-256 compared.

    Args:
        video: The published row of `videos`.
        inbox: Folder that source_path is relative to.
        lake: Has the signature of the file that was processed.
        registry: Has file names that a table can't hold.

    Raises:
        InputError: The video can't be read, is a copy of another one, or its recording has changed.
        NotFoundError: The recording is no longer in the inbox.
    """
    video_id, name = video["video_id"], video["source_path"]
    if video["status"] == "unreadable":
        raise InputError(f"{video_id} can't be read: {video['error']}")
    if video["duplicate_of"]:
        raise InputError(f"{video_id} is a copy of {video['duplicate_of']}", hint="use that video's highlights")
    path = inbox / name
    if not path.is_file():
        remembered = registry.path_of(video_id)
        path = inbox / remembered if remembered else path
    if not path.is_file():
        raise NotFoundError(
            f"the recording of {video_id} is not in the inbox: {name}", hint=f"put it back, or: klip remove {video_id}"
        )
    if not _as_it_was(video, Recording(inbox, path), lake) and file_sha256(path) != video["sha256"]:
        raise InputError(
            f"{name} has changed since its highlights were published", hint=f"run klip process {video_id} first"
        )
    return path


def timeline_of(video: Mapping[str, Any], path: Path, lake: Lake) -> Timeline:
    """Return the timeline that the times of a published video refer to.

    It is read from the recording where the rows in the lake are of other content, or an older Klip recorded none.

    Args:
        video: The published row of `videos`.
        path: Its recording.
        lake: The lake.
    """
    record = lake.provenance(VIDEOS, video["video_id"])
    known = record.notes.get("timeline") if record else None
    if known and _is_of(video, lake):
        return Timeline.from_notes(known)
    return read_timeline(path, video["audio_track"])


def start_timecode_of(video: Mapping[str, Any], *, inbox: Path, lake: Lake, registry: Registry) -> str | None:
    """Return the start timecode of a published video's recording as its file has it, None if it has none.

    Where an older Klip did not record it, it is read from the recording, if that is still there.

    Args:
        video: The published row of `videos`.
        inbox: Folder that source_path is relative to.
        lake: The lake.
        registry: Has file names that a table can't hold.
    """
    record = lake.provenance(VIDEOS, video["video_id"])
    if record and "timecode" in record.notes and _is_of(video, lake):
        return record.notes["timecode"] or None
    try:
        path = find_recording(video, inbox=inbox, lake=lake, registry=registry)
        return probe(path, video["audio_track"]).timecode
    except KlipError:
        return None


def _is_of(video: Mapping[str, Any], lake: Lake) -> bool:
    """Return whether the row in the lake is of the published content."""
    return bool(lake.read(VIDEOS, video["video_id"])["sha256"].to_pylist() == [video["sha256"]])


def _as_it_was(video: Mapping[str, Any], recording: Recording, lake: Lake) -> bool:
    """Return whether size and time are those of the published content."""
    provenance = lake.provenance(VIDEOS, video["video_id"])
    if provenance is None:
        return False
    if not _is_of(video, lake):
        return False  # Processed again and not yet published.
    return str(provenance.notes.get("signature", "")).partition("|")[0] == recording.signature
