"""Group `segments`: pieces of about 30 s, what models read in them, and their scores."""

from __future__ import annotations

import pyarrow as pa

from klip_assets.contracts import (
    AUDIO_FEATURES,
    SEGMENT_SCORES,
    SEGMENT_SENTIMENT,
    SEGMENTS,
    TRANSCRIPT_WORDS,
    VIDEOS,
)
from klip_assets.defs.assets.declare import versions_of, video_stage
from klip_assets.defs.assets.stage import Output, Stage
from klip_assets.products.highlights.scoring import score_segments
from klip_assets.products.highlights.weights import weight_set
from klip_assets.signals.speech.segments import build_segments
from klip_assets.signals.text.llm.prompt import SEGMENT
from klip_assets.signals.text.tables import notes_of, read_segments
from klip_assets.signals.text.tiers import chain_version

GROUP = "segments"


@video_stage(
    SEGMENTS,
    group=GROUP,
    upstream=[VIDEOS, TRANSCRIPT_WORDS, AUDIO_FEATURES],
    inputs=lambda stage: {
        **versions_of(TRANSCRIPT_WORDS, AUDIO_FEATURES)(stage),
        "recording": stage.files["recording"],
        "captions": stage.files["captions"],
    },
    code_version="1",
    kinds={"numpy"},
)
def segments(stage: Stage) -> pa.Table:
    """Cut at the sentence end or pause nearest to a 30 s grid, so that they cover the video without gap."""
    video = stage.video
    if video["status"] == "duplicate":
        return SEGMENTS.empty()
    words = stage.read(TRANSCRIPT_WORDS)
    return build_segments(
        words,
        stage.read(AUDIO_FEATURES),
        video_id=stage.key,
        duration_s=video["duration_s"],
        heard=video["status"] == "ok" or words.num_rows > 0,
    )


@video_stage(
    SEGMENT_SENTIMENT,
    group=GROUP,
    upstream=[SEGMENTS],
    inputs=lambda stage: {
        **versions_of(SEGMENTS)(stage),
        "tiers": stage.settings.segment_tiers,
        "reads": chain_version(stage.settings.segment_tier_names, stage.settings, SEGMENT),
    },
    code_version="3",
    kinds={"python"},
)
def segment_sentiment(stage: Stage) -> Output:
    """Read by the best configured tier; a failed or skipped row has NULL scores and says why."""
    chain = stage.chain(stage.settings.segment_tier_names, SEGMENT)
    rows = read_segments(stage.read(SEGMENTS), chain)
    return Output(rows, notes_of(rows, chain))


@video_stage(
    SEGMENT_SCORES,
    group=GROUP,
    upstream=[SEGMENTS, SEGMENT_SENTIMENT],
    inputs=lambda stage: {
        **versions_of(SEGMENTS, SEGMENT_SENTIMENT)(stage),
        "weights": weight_set(stage.settings.weights).fingerprint,
    },
    code_version="1",
    kinds={"numpy"},
)
def segment_scores(stage: Stage) -> pa.Table:
    """The weighted mean of the terms a video has, all terms kept so that it can be recomputed in SQL."""
    return score_segments(stage.read(SEGMENTS), stage.read(SEGMENT_SENTIMENT), weight_set(stage.settings.weights))
