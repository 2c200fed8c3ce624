"""Tweets, and the sentiment and emotions that a model finds in them."""

from __future__ import annotations

from klip_assets.contracts.table import (
    BIGINT,
    DATE,
    STRINGS,
    column,
    count_column,
    declare,
    flag_column,
    score_column,
    sentiment_column,
    text_column,
    time_column,
)
from klip_assets.contracts.vocabulary import (
    EMOTION_SCORES,
    MODEL_ROW,
)

DAY = column("day", DATE, "UTC day on which the tweet was created.")
TWEET_ID = text_column("tweet_id", "Id of the tweet.")

_TWEET_FIELDS = [
    TWEET_ID,
    DAY,
    time_column("created_at", "When it was created: the time encoded in its id, where there is one."),
    text_column("author", "User name, without @; the name shown, where the source has no other."),
    text_column("author_id", "Id of the user."),
    flag_column("author_is_shown_name", "Whether the author may be the name shown, which is no user name."),
    text_column("text", "Text as first read, with HTML entities resolved; the latest version of an edited tweet."),
    text_column("lang", "Language as delivered (BCP 47)."),
    text_column("root_tweet_id", "First version of an edited tweet; the tweet itself if it was never edited."),
    column("edit_history_ids", STRINGS, "All known versions of the tweet, where the source lists them."),
    flag_column("is_retweet", "Whether it is a retweet."),
    text_column("retweeted_tweet_id", "The tweet it retweets."),
    text_column("quoted_tweet_id", "The tweet it quotes."),
    text_column("in_reply_to", "The tweet it replies to."),
    text_column("conversation_id", "First tweet of the conversation."),
    column("hashtags", STRINGS, "Hashtags without #, as written."),
    column("mentions", STRINGS, "User names mentioned, without @."),
    column("cashtags", STRINGS, "Cashtags without $."),
    column("urls", STRINGS, "Links, expanded where the source expands them."),
    *(count_column(f"{what}_count", f"Number of {what}s when observed.", BIGINT) for what in ("like", "retweet")),
    count_column("reply_count", "Number of replies when observed.", BIGINT),
    count_column("quote_count", "Number of quotes when observed.", BIGINT),
    count_column("impression_count", "Number of impressions when observed.", BIGINT),
    time_column("observed_at", "When the counts were read, if the file states it."),
    time_column("text_observed_at", "When the text was read, if the file states it; the text read first is kept."),
]

TWEETS_RAW = declare(
    "tweets_raw",
    "One row per tweet and file, before copies are merged.",
    _TWEET_FIELDS,
    key=("tweet_id",),
    partition="day",
    published_as="nothing",
)

TWEETS_DELETED = declare(
    "tweets_deleted",
    "One row per tweet that a file reports as deleted by its author.",
    [TWEET_ID, DAY],
    key=("tweet_id",),
    partition="day",
    published_as="nothing",
)

TWEETS = declare(
    "tweets",
    "One row per tweet, with its copies and versions merged.",
    [
        *_TWEET_FIELDS,
        column("source_files", STRINGS, "Files that contain a copy, relative to the inbox."),
        time_column("ingested_at", "When this row was written.", volatile=True),
    ],
    key=("tweet_id",),
    partition="day",
)

TWEET_SENTIMENT = declare(
    "tweet_sentiment",
    "One row per tweet: sentiment and emotions that a model finds in its text.",
    [
        TWEET_ID,
        DAY,
        sentiment_column(),
        text_column("label", "positive, neutral or negative."),
        score_column("confidence", "Confidence in the label; NULL where the tier gives none."),
        *EMOTION_SCORES,
        text_column("language", "Its language (ISO 639): as delivered, else detected; NULL if unknown."),
        *MODEL_ROW,
        text_column("input_sha256", "SHA-256 of everything the model was given."),
    ],
    key=("tweet_id",),
    partition="day",
)
