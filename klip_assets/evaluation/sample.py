"""The golden set the project ships, measured on what the lake holds of it.

Put here: matching a golden set with its processed video. Keep out: metrics (`moments`) and processing.
"""

from __future__ import annotations

from pathlib import Path

from klip_assets.contracts import HIGHLIGHTS, VIDEOS
from klip_assets.errors import NotFoundError
from klip_assets.evaluation.golden import GoldenSet
from klip_assets.evaluation.moments import Hits, hits_at_n
from klip_assets.inbox.fingerprint import file_sha256
from klip_assets.lake.store import Lake
from klip_assets.settings import project_dir


def sample_dir() -> Path:
    """Return the folder of the sample."""
    return project_dir() / "data" / "sample"


def measure(golden: GoldenSet, lake: Lake) -> Hits:
    """Compare the highlights in the lake with the truth of a set.

    The video is found by the content of its recording, not by its name.

    Raises:
        NotFoundError: The recording has not been processed.
    """
    sha256 = file_sha256(golden.recording.path)
    for key in lake.keys(VIDEOS):
        video = lake.read(VIDEOS, key).to_pylist()[0]
        if video["sha256"] == sha256 and video["duplicate_of"] is None and lake.exists(HIGHLIGHTS, key):
            peaks = lake.read(HIGHLIGHTS, key)["peak_s"].to_pylist()
            return hits_at_n(peaks, golden.moments, duration_s=golden.duration_s, decoy=golden.decoy)
    raise NotFoundError(f"the recording of the golden set {golden.name!r} has not been processed", hint="klip demo")
