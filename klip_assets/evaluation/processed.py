"""Golden sets with a recording, measured on its highlights in the lake; the sample that ships with Klip is one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from klip_assets.contracts import (
    AUDIO_FEATURES,
    CHAT_ACTIVITY,
    HIGHLIGHTS,
    SEGMENT_SCORES,
    SEGMENT_SENTIMENT,
    SEGMENTS,
    TRANSCRIPT_WORDS,
    VIDEOS,
)
from klip_assets.errors import NotFoundError
from klip_assets.evaluation.figures import Figure
from klip_assets.evaluation.golden import GoldenSet
from klip_assets.evaluation.moments import Hits, hits_at_n
from klip_assets.evaluation.systems import KLIP, KLIPSTREAM, LOUDNESS, MESSAGES, RANDOM
from klip_assets.products.highlights.picking import pick
from klip_assets.products.highlights.scoring import column
from klip_assets.products.highlights.smoothing import moved_back, smoothed
from klip_assets.products.highlights.tables import Signals, describe_highlights, find_candidates
from klip_assets.products.highlights.weights import weight_set
from klip_assets.settings import project_dir
from klip_assets.store.files import file_sha256
from klip_assets.store.lake.lake import Lake

HITS, DECOY = "moments hit by the top N (N = number planted, within 5 s)", "decoy among the top N"


def sample_dir() -> Path:
    """Return the folder of the sample."""
    return project_dir() / "data" / "sample"


def measure(golden: GoldenSet, lake: Lake) -> Hits:
    """Compare the highlights in the lake with the truth of a set.

    The video is identified by the content of its recording, not by name.

    Raises:
        NotFoundError: The recording has not been processed.
    """
    return _hits(golden, lake.read(HIGHLIGHTS, _key_of(golden, lake))["peak_s"].to_pylist())


def processed_figures(golden: GoldenSet, lake: Lake) -> list[Figure]:
    """Measure the highlights in the lake, and what each baseline picks from the same signals.

    Raises:
        NotFoundError: The recording has not been processed.
    """
    key = _key_of(golden, lake)
    mine = measure(golden, lake)
    hits = {KLIP: mine, **{name: _hits(golden, peaks) for name, peaks in _baselines(signals_of(key, lake)).items()}}
    found = []
    for name, figure in hits.items():
        found.append(Figure(HITS, name, float(figure.hit), None, None, figure.moments))
        found.append(Figure(DECOY, name, float(figure.decoy_picked), None, None, figure.moments))
    return [*found, Figure(HITS, RANDOM, mine.random, None, None, mine.moments)]


def weights_made_with(golden: GoldenSet, lake: Lake) -> str | None:
    """Return the weight set that the highlights in the lake were made with, whatever the settings say by now.

    Returns:
        Its version; None if the video has neither highlights nor scores.

    Raises:
        NotFoundError: The recording has not been processed.
    """
    key = _key_of(golden, lake)
    for table in (HIGHLIGHTS, SEGMENT_SCORES):
        if lake.exists(table, key) and (rows := lake.read(table, key)).num_rows:
            return str(rows["weights_version"][0].as_py())
    return None


def signals_of(key: str, lake: Lake) -> Signals:
    """Return the signals that the highlights of a processed video were made from."""
    return Signals(
        video_id=key,
        duration_s=lake.read(VIDEOS, key)["duration_s"][0].as_py(),
        transcript_words=lake.read(TRANSCRIPT_WORDS, key),
        audio_features=lake.read(AUDIO_FEATURES, key),
        chat_activity=lake.read(CHAT_ACTIVITY, key),
        segments=lake.read(SEGMENTS, key),
        segment_sentiment=lake.read(SEGMENT_SENTIMENT, key),
    )


def _key_of(golden: GoldenSet, lake: Lake) -> str:
    sha256 = file_sha256(golden.recording.path)
    for key in lake.keys(VIDEOS):
        video = lake.read(VIDEOS, key).to_pylist()[0]
        if video["sha256"] == sha256 and video["duplicate_of"] is None and lake.exists(HIGHLIGHTS, key):
            return key
    raise NotFoundError(f"the recording of the golden set {golden.name!r} has not been processed", hint="klip demo")


def _hits(golden: GoldenSet, peaks: Sequence[float]) -> Hits:
    return hits_at_n(peaks, golden.moments, duration_s=golden.duration_s, decoy=golden.decoy)


def _baselines(signals: Signals) -> dict[str, list[float]]:
    ancestor = weight_set("klipstream-1")
    found = {
        KLIPSTREAM: describe_highlights(find_candidates(signals, ancestor), signals, ancestor)["peak_s"].to_pylist()
    }
    if signals.audio_features.num_rows:
        found[LOUDNESS] = _picked(signals, column(signals.audio_features, "loudness_momentary_lufs"))
    if signals.chat_activity.num_rows:
        counts = column(signals.chat_activity, "messages")
        lag = round(signals.chat_activity["lag_s"][0].as_py() or 0)
        found[MESSAGES] = _picked(signals, moved_back(counts, lag))
    return found


def _picked(signals: Signals, values: NDArray[np.float64]) -> list[float]:
    """Return the peaks of one signal, best first, as picked by Klip's algorithm."""
    level = smoothed(values)
    if not np.isfinite(level).any():
        return []
    low, high = np.nanmin(level), np.nanmax(level)
    scaled = (level - low) / max(high - low, 1e-9)
    nothing = np.zeros(0)
    candidates = pick(scaled, duration_s=signals.duration_s or 0.0, sentence_starts=nothing, sentence_ends=nothing)
    kept = [candidate for candidate in candidates if candidate.kept]
    return [candidate.peak_s for candidate in sorted(kept, key=lambda c: (-c.score, c.peak_s))]
