"""How moments are scored and picked: weights, terms, candidates, highlights."""

from __future__ import annotations

from klip_assets.contracts.table import (
    DOUBLE,
    INTEGER,
    STRINGS,
    column,
    count_column,
    declare,
    flag_column,
    score_column,
    sentiment_column,
    text_column,
)
from klip_assets.contracts.vocabulary import (
    DOMINANT_EMOTION,
    END_S,
    PEAK_S,
    SEGMENT_INDEX,
    START_S,
    VIDEO_ID,
    WEIGHTS_VERSION,
)

TERMS = [
    score_column("speech_rate_term", "Words per second / 6, capped at 1."),
    score_column("relative_loudness_term", "clip((z + 3) / 6, 0, 1) of the robust local loudness z."),
    score_column("absolute_loudness_term", "Position between the video's 5th and 95th percentile of loudness."),
    score_column("emotion_term", "Emotion, as the weight set defines it."),
]

IMPUTED_TERMS = column("imputed_terms", STRINGS, "Terms that were unknown here and were set to the video's median.")

SEGMENT_SCORES = declare(
    "segment_scores",
    "One row per segment: its score and the terms it is made of.",
    [
        VIDEO_ID,
        SEGMENT_INDEX,
        score_column("base_score", "Weighted mean of the terms used for this video."),
        score_column("score", "base_score, or its weighted mean with model_score where there is one."),
        score_column("model_score", "Score given by the model, where one was used."),
        *TERMS,
        IMPUTED_TERMS,
        WEIGHTS_VERSION,
    ],
    key=("video_id", "segment_index"),
    partition="video_id",
)

WEIGHTS = declare(
    "weights",
    "One row per term of a weight set.",
    [
        WEIGHTS_VERSION,
        text_column("term", "Column that the weight multiplies."),
        column("weight", DOUBLE, "Weight; normalized to sum to 1 over the terms used.", low=0),
    ],
    key=("weights_version", "term"),
    partition=None,
)

HIGHLIGHTS = declare(
    "highlights",
    "One row per highlight, best first.",
    [
        VIDEO_ID,
        column("rank", INTEGER, "1 is the best of the video.", low=1),
        text_column(
            "highlight_id", "Video and second of the peak; as the peak may move, verdicts refer to start_s and end_s."
        ),
        START_S,
        END_S,
        PEAK_S,
        score_column("score", "base_score, or its weighted mean with model_score where there is one."),
        score_column("base_score", "Weighted mean of the terms used for this video."),
        score_column("model_score", "Score given by the model, where one was used."),
        *TERMS,
        score_column("voice_term", "Raised voice (shout); 0 where no one speaks."),
        score_column("burst_term", "Sudden rise of loudness at the peak."),
        score_column("chat_term", "r / (1 + r), where r is the lag-corrected chat rate over its typical rate."),
        IMPUTED_TERMS,
        DOMINANT_EMOTION,
        sentiment_column("Sentiment of the segment at the peak."),
        text_column("text", "What is said in the highlight."),
        text_column("why", "The terms that raised its score, in words."),
        WEIGHTS_VERSION,
    ],
    key=("video_id", "rank"),
    partition="video_id",
)

HIGHLIGHT_CANDIDATES = declare(
    "highlight_candidates",
    "One row per peak of the score curve, with the reason it was kept or rejected.",
    [
        VIDEO_ID,
        count_column("candidate_index", "Index by time, from 0."),
        START_S,
        END_S,
        PEAK_S,
        score_column("score", "Score at the peak."),
        flag_column("kept", "Whether it became a highlight."),
        text_column("reason", "Why it was kept or rejected."),
        column("beaten_by", INTEGER, "candidate_index of the stronger neighbour that beat it.", low=0),
    ],
    key=("video_id", "candidate_index"),
    partition="video_id",
)

EMOTION_MOMENTS = declare(
    "emotion_moments",
    "One row per top moment of each emotion.",
    [
        VIDEO_ID,
        text_column("emotion", "One of the nine emotions."),
        column("rank", INTEGER, "1 is the strongest.", low=1),
        START_S,
        END_S,
        PEAK_S,
        score_column("score", "Score of the emotion."),
        text_column("text", "What is said."),
    ],
    key=("video_id", "emotion", "rank"),
    partition="video_id",
)
