"""Group `segments`: segments of about 30 s, their sentiment and their scores."""

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
from klip_assets.products.highlights.scoring import score_segments
from klip_assets.signals.speech.segments import build_segments
from klip_assets.signals.text.llm.prompt import SEGMENT
from klip_assets.signals.text.tables import notes_of, read_segments
from klip_assets.work.stages.stage import Columns, Output, Stage, StageSpec, versions_of

GROUP = "segments"


def segments(stage: Stage) -> pa.Table:
    """Split at the sentence end or pause nearest to a 30 s grid, covering the video without gaps."""
    video = stage.video
    if video["status"] == "duplicate":
        return SEGMENTS.empty()
    words = stage.read(TRANSCRIPT_WORDS)
    return build_segments(
        words,
        stage.read(AUDIO_FEATURES),
        video_id=stage.key,
        duration_s=video["duration_s"],
        heard=stage.has_sound or words.num_rows > 0,
    )


def segment_sentiment(stage: Stage) -> Output:
    """Read by the best available tier of those configured; a failed or skipped row has NULL scores and the reason."""
    chain = stage.chain(stage.settings.segment_tier_names, SEGMENT)
    rows = read_segments(stage.read(SEGMENTS), chain)
    return Output(rows, notes_of(rows, chain))


def segment_scores(stage: Stage) -> pa.Table:
    """The weighted mean of the terms a video has; all terms are kept, so that it can be recomputed in SQL."""
    return score_segments(stage.read(SEGMENTS), stage.read(SEGMENT_SENTIMENT), stage.installation.weights)


SEGMENT_STAGES = (
    StageSpec(
        SEGMENTS,
        version="1",
        group=GROUP,
        upstream=(
            VIDEOS,
            TRANSCRIPT_WORDS,
            Columns(AUDIO_FEATURES, ("t_s", "loudness_short_term_lufs", "loudness_z", "speech_share")),
        ),
        inputs=lambda stage: {
            **versions_of(TRANSCRIPT_WORDS, AUDIO_FEATURES)(stage),
            "recording": stage.files["recording"],
            "captions": stage.files["captions"],
        },
        compute=segments,
        kinds=frozenset({"numpy"}),
    ),
    StageSpec(
        SEGMENT_SENTIMENT,
        version="3",
        group=GROUP,
        upstream=(SEGMENTS,),
        inputs=lambda stage: {
            **versions_of(SEGMENTS)(stage),
            "tiers": stage.settings.segment_tiers,
            "reads": stage.installation.readers(stage.settings.segment_tier_names, SEGMENT),
        },
        compute=segment_sentiment,
    ),
    StageSpec(
        SEGMENT_SCORES,
        version="2",
        group=GROUP,
        upstream=(SEGMENTS, SEGMENT_SENTIMENT),
        inputs=lambda stage: {
            **versions_of(SEGMENTS, SEGMENT_SENTIMENT)(stage),
            "weights": stage.installation.weights.fingerprint,
        },
        compute=segment_scores,
        kinds=frozenset({"numpy"}),
    ),
)
