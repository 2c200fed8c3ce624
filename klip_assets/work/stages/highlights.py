"""Group `highlights`: the moments worth watching, the rejected candidates, and the strongest moments per emotion."""

from __future__ import annotations

import pyarrow as pa

from klip_assets.contracts import (
    AUDIO_FEATURES,
    CHAT_ACTIVITY,
    EMOTION_MOMENTS,
    HIGHLIGHT_CANDIDATES,
    HIGHLIGHTS,
    SEGMENT_SENTIMENT,
    SEGMENTS,
    TRANSCRIPT_WORDS,
    VIDEOS,
)
from klip_assets.products.highlights.plot import score_plot
from klip_assets.products.highlights.tables import Signals, describe_highlights, find_candidates, find_emotion_moments
from klip_assets.work.stages.stage import Columns, Output, Picture, Stage, StageSpec, versions_of

GROUP = "highlights"

#: The weights are an input too, but not an upstream table: they have no partitions, and with an unpartitioned asset
#: among those of a video, a Dagster backfill makes two runs per video.
_SIGNALS = (
    VIDEOS,
    TRANSCRIPT_WORDS,
    Columns(AUDIO_FEATURES, ("t_s", "loudness_momentary_lufs", "loudness_z", "burst_z", "shout", "speech_share")),
    CHAT_ACTIVITY,
    SEGMENTS,
    SEGMENT_SENTIMENT,
)


def highlight_candidates(stage: Stage) -> pa.Table:
    """Peaks of the score curve (one value per second): adaptive threshold, non-maximum suppression, sentence edges."""
    return find_candidates(_signals(stage), stage.installation.weights)


def highlights(stage: Stage) -> Output:
    """The kept candidates by score, with every term in a column and the reasons in words."""
    signals, weights = _signals(stage), stage.installation.weights
    rows = describe_highlights(stage.read(HIGHLIGHT_CANDIDATES), signals, weights)
    plot = score_plot(signals, rows, weights)
    return Output(rows, {"weights": weights.version}, pictures={"plot": Picture(plot, "score curve")} if plot else {})


def emotion_moments(stage: Stage) -> pa.Table:
    """The five strongest segments of each emotion; empty if no tier gives emotions."""
    return find_emotion_moments(stage.read(SEGMENTS), stage.read(SEGMENT_SENTIMENT))


def _signals(stage: Stage) -> Signals:
    return Signals(
        video_id=stage.key,
        duration_s=stage.video["duration_s"],
        transcript_words=stage.read(TRANSCRIPT_WORDS),
        audio_features=stage.read(AUDIO_FEATURES),
        chat_activity=stage.read(CHAT_ACTIVITY),
        segments=stage.read(SEGMENTS),
        segment_sentiment=stage.read(SEGMENT_SENTIMENT),
    )


def _signal_inputs(stage: Stage) -> dict[str, str]:
    return {
        **versions_of(TRANSCRIPT_WORDS, AUDIO_FEATURES, CHAT_ACTIVITY, SEGMENTS, SEGMENT_SENTIMENT)(stage),
        "recording": stage.files["recording"],
        "weights": stage.installation.weights.fingerprint,
    }


HIGHLIGHT_STAGES = (
    StageSpec(
        HIGHLIGHT_CANDIDATES,
        version="3",
        group=GROUP,
        upstream=_SIGNALS,
        inputs=_signal_inputs,
        compute=highlight_candidates,
        kinds=frozenset({"numpy"}),
    ),
    StageSpec(
        HIGHLIGHTS,
        version="3",
        group=GROUP,
        upstream=(*_SIGNALS, HIGHLIGHT_CANDIDATES),
        inputs=lambda stage: {**_signal_inputs(stage), **versions_of(HIGHLIGHT_CANDIDATES)(stage)},
        compute=highlights,
        kinds=frozenset({"numpy"}),
    ),
    StageSpec(
        EMOTION_MOMENTS,
        version="1",
        group=GROUP,
        upstream=(SEGMENTS, SEGMENT_SENTIMENT),
        inputs=versions_of(SEGMENTS, SEGMENT_SENTIMENT),
        compute=emotion_moments,
        kinds=frozenset({"numpy"}),
    ),
)
