"""Every table Klip stores or publishes: columns, types, units, meaning and keys.

Each column is declared here and nowhere else. From the declaration come the check before each write
(`store.lake.validate`), the column schema in the Dagster UI, DuckDB's types and comments, and
docs/data_dictionary.md.

Conventions: `_s` seconds from the start of the video, `_at` a UTC timestamp, scores 0..1, sentiment -1..1,
unknown values are NULL.

Put here: tables, columns, vocabulary, and what a partition is about.
Keep out: functions over data; how a column is computed.
"""

from __future__ import annotations

from klip_assets.contracts.highlights import (
    EMOTION_MOMENTS,
    HIGHLIGHT_CANDIDATES,
    HIGHLIGHTS,
    SEGMENT_SCORES,
    WEIGHTS,
)
from klip_assets.contracts.marts import MARTS, TWEET_DAILY
from klip_assets.contracts.recordings import (
    AUDIO_FEATURES,
    CHAT_ACTIVITY,
    CHAT_MESSAGES,
    SEGMENT_SENTIMENT,
    SEGMENTS,
    SOUND_EVENTS,
    TRANSCRIPT_SOUNDS,
    TRANSCRIPT_WORDS,
    VIDEOS,
)
from klip_assets.contracts.records import (
    EVALUATIONS,
    FEEDBACK,
    LLM_CALLS,
    PROVENANCE,
    QUARANTINE,
    STAGE_STATUS,
)
from klip_assets.contracts.subject import KINDS, Kind, Subject, is_day, key_of
from klip_assets.contracts.table import Table, bounds_of, sql_type, text_of
from klip_assets.contracts.tweets import TWEET_SENTIMENT, TWEETS, TWEETS_DELETED, TWEETS_RAW
from klip_assets.contracts.vocabulary import EMOTIONS, KLIPSTREAM_EMOTIONS, SENTIMENTS

#: Every table, in the order in which data flows.
TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        VIDEOS, STAGE_STATUS, TRANSCRIPT_WORDS, TRANSCRIPT_SOUNDS, SOUND_EVENTS, AUDIO_FEATURES, CHAT_MESSAGES,
        CHAT_ACTIVITY,
        SEGMENTS, SEGMENT_SENTIMENT, SEGMENT_SCORES, WEIGHTS, HIGHLIGHTS, HIGHLIGHT_CANDIDATES, EMOTION_MOMENTS,
        TWEETS_RAW, TWEETS_DELETED, TWEETS, TWEET_SENTIMENT, TWEET_DAILY, *MARTS,
        LLM_CALLS, PROVENANCE, QUARANTINE, FEEDBACK, EVALUATIONS,
    )
}  # fmt: skip

#: Tables that a video or a day of tweets is published as, all or none.
TABLES_OF: dict[Kind, tuple[str, ...]] = {
    kind: tuple(t.name for t in TABLES.values() if t.partition == kind and t.published_as != "nothing")
    for kind in KINDS
}
VIDEO_TABLES, DAY_TABLES = TABLES_OF["video_id"], TABLES_OF["day"]

#: Tables that a publish derives from others, in dependency order.
DERIVED_TABLES = tuple(t.name for t in TABLES.values() if t.reads)

#: Tables that analysts see.
PUBLISHED_TABLES = tuple(t.name for t in TABLES.values() if t.published_as != "nothing")

__all__ = [
    "AUDIO_FEATURES", "CHAT_ACTIVITY", "CHAT_MESSAGES", "DAY_TABLES", "DERIVED_TABLES", "EMOTIONS", "EMOTION_MOMENTS",
    "EVALUATIONS", "FEEDBACK", "HIGHLIGHTS", "HIGHLIGHT_CANDIDATES", "KINDS", "KLIPSTREAM_EMOTIONS", "LLM_CALLS",
    "MARTS", "PROVENANCE", "PUBLISHED_TABLES", "QUARANTINE", "SEGMENTS", "SEGMENT_SCORES", "SEGMENT_SENTIMENT",
    "SENTIMENTS", "SOUND_EVENTS", "STAGE_STATUS", "TABLES", "TABLES_OF", "TRANSCRIPT_SOUNDS", "TRANSCRIPT_WORDS",
    "TWEETS", "TWEETS_DELETED", "TWEETS_RAW", "TWEET_DAILY", "TWEET_SENTIMENT", "VIDEOS", "VIDEO_TABLES", "WEIGHTS",
    "Kind", "Subject", "Table", "bounds_of", "is_day", "key_of", "sql_type", "text_of",
]  # fmt: skip
