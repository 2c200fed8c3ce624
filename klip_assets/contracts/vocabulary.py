"""Words and columns that several tables share."""

from __future__ import annotations

from klip_assets.contracts.table import (
    INTEGER,
    STRING,
    column,
    count_column,
    score_column,
    seconds_column,
    text_column,
)

#: The one vocabulary of emotions; all nine are labels of GoEmotions (Demszky et al., 2020).
EMOTIONS = ("excitement", "amusement", "joy", "anger", "sadness", "surprise", "disgust", "fear", "neutral")

#: The five emotions KlipStream documents for its emotion term.
KLIPSTREAM_EMOTIONS = ("excitement", "amusement", "joy", "anger", "sadness")

#: Sentiment labels of a text; models and label sets index them in this order.
SENTIMENTS = ("negative", "neutral", "positive")

VIDEO_ID = text_column("video_id", "Id of the video: an ASCII slug of its file name.")
SEGMENT_INDEX = count_column("segment_index", "Index of the segment in the video, from 0.")
RUN_ID = column("run_id", STRING, "Dagster run that wrote it.", volatile=True)
START_S, END_S = (
    seconds_column("start_s", "Start, from the start of the video."),
    seconds_column("end_s", "End, from the start of the video."),
)
PEAK_S = seconds_column(
    "peak_s",
    "Time of the highest score; a score is a mean over some seconds, so a short event may be a second or two earlier.",
)
T_S = column("t_s", INTEGER, "Second of the video; the row covers [t, t+1).", unit="s", low=0)
WEIGHTS_VERSION = text_column("weights_version", "Weight set that the score is based on.")
EMOTION_SCORES = [
    score_column(name, "How neutral the text is." if name == "neutral" else f"How much {name} the text shows.")
    for name in EMOTIONS
]
DOMINANT_EMOTION = text_column("dominant_emotion", "Emotion with the highest score; NULL if no tier gave one.")

MODEL_ROW = [
    text_column("tier", "Tier that answered: llm, bert or lexicon."),
    text_column("model", "Model or library that answered, with its version."),
    text_column("status", "ok, repaired, fallback (a higher configured tier was tried), skipped or failed."),
    text_column("error", "Why the row is not ok."),
]
