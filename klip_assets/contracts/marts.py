"""Roll-ups for analysts: days, hours, hashtags and authors of tweets, and what was tweeted about streams.

Each is computed by the SQL file of the same name in `klip_assets/store/warehouse/marts`.
"""

from __future__ import annotations

import pyarrow as pa

from klip_assets.contracts.table import (
    BIGINT,
    DOUBLE,
    column,
    count_column,
    declare,
    score_column,
    text_column,
    time_column,
)
from klip_assets.contracts.tweets import DAY, TWEET_ID
from klip_assets.contracts.vocabulary import DOMINANT_EMOTION, VIDEO_ID

_TOP_HASHTAGS = column(
    "top_hashtags",
    pa.list_(pa.struct([("tag", pa.string()), ("n", pa.int64())])),
    "The ten most used hashtags, folded to lower case.",
)
_TWEETS = count_column("tweets", "Tweets that are not retweets.", BIGINT)
_RETWEETS = count_column("retweets", "Retweets.", BIGINT)
_MEAN_SENTIMENT = column("mean_sentiment", DOUBLE, "Mean sentiment.", unit="-1..1", low=-1, high=1)
_SHARES = [
    score_column("positive_share", "Share of scored tweets that are positive."),
    score_column("negative_share", "Share of scored tweets that are negative."),
]


def _share_with_interval(label: str) -> list[pa.Field]:
    return [
        score_column(f"{label}_share", f"Share of scored tweets that are {label}."),
        score_column(f"{label}_share_low", "Lower end of its 95 % interval (Wilson)."),
        score_column(f"{label}_share_high", "Upper end of its 95 % interval (Wilson)."),
    ]


TWEET_DAILY = declare(
    "tweet_daily",
    "One row per day of tweets.",
    [
        DAY,
        _TWEETS,
        count_column("authors", "Distinct authors.", BIGINT),
        _RETWEETS,
        _MEAN_SENTIMENT,
        column(
            "mean_sentiment_low",
            DOUBLE,
            "Lower end of its 95 % interval (bootstrap); NULL with fewer than two scored tweets.",
            unit="-1..1",
            low=-1,
            high=1,
        ),
        column(
            "mean_sentiment_high", DOUBLE, "Upper end of its 95 % interval (bootstrap).", unit="-1..1", low=-1, high=1
        ),
        column(
            "weighted_sentiment",
            DOUBLE,
            "Mean weighted by 1 + ln(1 + engagement).",
            unit="-1..1",
            low=-1,
            high=1,
        ),
        *_share_with_interval("positive"),
        *_share_with_interval("neutral"),
        *_share_with_interval("negative"),
        DOMINANT_EMOTION,
        _TOP_HASHTAGS,
        score_column("fallback_share", "Share of rows answered by a lower tier than the configured one."),
    ],
    key=("day",),
    partition="day",
)

TWEET_HOURLY = declare(
    "tweet_hourly",
    "One row per hour with tweets.",
    [
        time_column("hour_at", "Start of the hour."),
        DAY,
        _TWEETS,
        count_column("authors", "Distinct authors, where files name them.", BIGINT),
        _RETWEETS,
        _MEAN_SENTIMENT,
        *_SHARES,
    ],
    key=("hour_at",),
    partition=None,
    reads=("tweets", "tweet_sentiment"),
)

HASHTAG_DAILY = declare(
    "hashtag_daily",
    "One row per hashtag and day it is used on.",
    [
        DAY,
        text_column("tag", "The hashtag without #, in lower case."),
        count_column("tweets", "Tweets that contain it, without retweets.", BIGINT),
        count_column("authors", "Distinct authors who used it, where files name them.", BIGINT),
        column(
            "usual_tweets",
            DOUBLE,
            "Median over those of the previous seven days for which tweets are known; NULL if fewer than three are.",
            low=0,
        ),
        column("velocity", DOUBLE, "tweets divided by usual_tweets (at least 1).", low=0),
        _MEAN_SENTIMENT,
        *_SHARES,
        text_column(
            "trend",
            "new (first day), rising (1.5 times usual_tweets and growing), peaking (1.5 times, not growing), fading "
            "(coming down from that, or under two thirds of usual_tweets), steady; NULL where too few use it.",
        ),
    ],
    key=("day", "tag"),
    partition=None,
    reads=("tweets", "tweet_sentiment"),
)

AUTHOR_DAILY = declare(
    "author_daily",
    "One row per author and day they tweet on; tweets without an author are left out.",
    [
        DAY,
        text_column(
            "author_key", "User id, or the name in lower case where no file gives the id; with @ if it is a number."
        ),
        text_column("author", "User name, without @, as in the last tweet of the day."),
        text_column("author_id", "Id of the user."),
        _TWEETS,
        _RETWEETS,
        count_column("replies", "Tweets that reply to another.", BIGINT),
        count_column("likes_received", "Likes on the day's tweets when observed.", BIGINT),
        count_column("retweets_received", "Retweets of the day's tweets when observed.", BIGINT),
        _MEAN_SENTIMENT,
        *_SHARES,
    ],
    key=("day", "author_key"),
    partition=None,
    reads=("tweets", "tweet_sentiment"),
)

VIDEO_TWEETS = declare(
    "video_tweets",
    "One row per stream and tweet about it, from an hour before its start to a day after its end.",
    [
        VIDEO_ID,
        TWEET_ID,
        DAY,
        text_column("reason", "What identifies the stream: the first that matches of url, channel, title and game."),
        column("offset_s", DOUBLE, "When it was written, from the start of the video; negative if earlier.", unit="s"),
    ],
    key=("video_id", "tweet_id"),
    partition=None,
    reads=("videos", "tweets"),
)

VIDEO_REACTION = declare(
    "video_reaction",
    "One row per stream whose start is known: tweets about it and their sentiment, without retweets.",
    [
        VIDEO_ID,
        count_column("tweets", "Tweets about it.", BIGINT),
        count_column("authors", "Distinct authors, where files name them.", BIGINT),
        *(
            count_column(f"tweets_{when}", f"Those written {when} the stream.", BIGINT)
            for when in ("before", "during", "after")
        ),
        *(
            column(f"sentiment_{when}", DOUBLE, f"Mean sentiment {when} the stream.", unit="-1..1", low=-1, high=1)
            for when in ("before", "during", "after")
        ),
        _TOP_HASHTAGS,
        count_column(
            "spike_minute",
            "Minute of the stream, from 0, with the most tweets; NULL unless it has at least three, and three times "
            "the mean.",
        ),
        count_column("spike_tweets", "Tweets in that minute.", BIGINT),
    ],
    key=("video_id",),
    partition=None,
    reads=("videos", "tweets", "tweet_sentiment", "video_tweets"),
)

#: Tables that each publish derives, in dependency order.
MARTS = (TWEET_HOURLY, HASHTAG_DAILY, AUTHOR_DAILY, VIDEO_TWEETS, VIDEO_REACTION)
