"""The day in one row: how many tweets, by how many people, and how they sound.

Put here: the roll-up of a day of tweets and their sentiment. Keep out: scoring a tweet (`sentiment`).
"""

from __future__ import annotations

from datetime import date

import duckdb
import pyarrow as pa

from klip_assets.contracts import EMOTIONS, TWEET_DAILY

_TOP_HASHTAGS = 10

# The best emotion is that with the highest mean, the first named of equal ones; neutral only if no other shows.
_OTHER_EMOTIONS = [emotion for emotion in EMOTIONS if emotion != "neutral"]
_MEANS = ",\n        ".join(f"avg({emotion}) AS {emotion}" for emotion in EMOTIONS)
_HIGHEST = f"greatest({', '.join(_OTHER_EMOTIONS)})"
_DOMINANT = "\n            ".join(f"WHEN {emotion} = {_HIGHEST} THEN '{emotion}'" for emotion in _OTHER_EMOTIONS)

_QUERY = f"""
WITH day_tweets AS (
    SELECT * FROM tweets WHERE day = $day
),
own AS (
    SELECT * FROM day_tweets WHERE NOT coalesce(is_retweet, false)
),
read AS (
    SELECT
        s.*,
        1 + ln(1 + coalesce(o.like_count, 0)::DOUBLE + coalesce(o.retweet_count, 0)::DOUBLE
                 + coalesce(o.reply_count, 0)::DOUBLE + coalesce(o.quote_count, 0)::DOUBLE) AS weight
    FROM own AS o JOIN sentiment AS s USING (tweet_id)
    ORDER BY tweet_id
),
counts AS (
    SELECT
        count(*) FILTER (WHERE NOT coalesce(is_retweet, false)) AS tweets,
        count(*) FILTER (WHERE coalesce(is_retweet, false)) AS retweets,
        count(DISTINCT coalesce('id ' || author_id, 'name ' || lower(author)))
            FILTER (WHERE NOT coalesce(is_retweet, false)) AS known_authors
    FROM day_tweets
    HAVING count(*) > 0
),
scores AS (
    SELECT
        avg(sentiment) AS mean_sentiment,
        sum(sentiment * weight) / sum(weight) FILTER (WHERE sentiment IS NOT NULL) AS weighted_sentiment,
        count(*) FILTER (WHERE sentiment IS NOT NULL AND label = 'positive')::DOUBLE
            / nullif(count(sentiment), 0) AS positive_share,
        count(*) FILTER (WHERE sentiment IS NOT NULL AND label = 'neutral')::DOUBLE
            / nullif(count(sentiment), 0) AS neutral_share,
        count(*) FILTER (WHERE sentiment IS NOT NULL AND label = 'negative')::DOUBLE
            / nullif(count(sentiment), 0) AS negative_share,
        count(*) FILTER (WHERE status = 'fallback')::DOUBLE
            / nullif(count(*) FILTER (WHERE status NOT IN ('skipped', 'failed')), 0) AS fallback_share,
        {_MEANS}
    FROM read
),
hashtag_counts AS (
    SELECT tag, count(*) AS n
    FROM (SELECT lower(unnest(hashtags)) AS tag FROM own)
    WHERE tag IS NOT NULL
    GROUP BY tag
    ORDER BY n DESC, tag
    LIMIT {_TOP_HASHTAGS}
)
SELECT
    $day::DATE AS day,
    tweets,
    CASE WHEN tweets = 0 OR known_authors > 0 THEN known_authors END AS authors,
    retweets,
    -- Rounding may lift a mean of ones above 1. greatest and least alone would make 1 of NULL.
    CASE WHEN mean_sentiment IS NOT NULL THEN greatest(-1, least(1, mean_sentiment)) END AS mean_sentiment,
    CASE WHEN weighted_sentiment IS NOT NULL THEN greatest(-1, least(1, weighted_sentiment)) END AS weighted_sentiment,
    positive_share,
    neutral_share,
    negative_share,
    CASE WHEN coalesce({_HIGHEST}, 0) > 0 THEN CASE
            {_DOMINANT} END
        WHEN neutral IS NOT NULL THEN 'neutral' END AS dominant_emotion,
    coalesce(
        (SELECT list({{'tag': tag, 'n': n}} ORDER BY n DESC, tag) FROM hashtag_counts), []
    ) AS top_hashtags,
    fallback_share
FROM counts, scores
"""  # noqa: S608


def roll_up_day(day: date, tweets: pa.Table, sentiment: pa.Table) -> pa.Table:
    """Roll a day up into the one row of TWEET_DAILY, or none if the day has no tweets.

    Retweets are counted, but neither their authors nor their words: sentiment, emotions and hashtags are those of
    people's own tweets. Failed and skipped rows have no scores and enter no share. `authors` is NULL where no tweet
    names its author.

    Args:
        day: The UTC day.
        tweets: Its tweets, as TWEETS.
        sentiment: What a model read in them, as TWEET_SENTIMENT.
    """
    # One thread: the order in which floats are added, and so the last digit, must not change from run to run.
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        connection.register("tweets", tweets)
        connection.register("sentiment", sentiment)
        rows: pa.Table = connection.sql(_QUERY, params={"day": day}).to_arrow_table()
    return rows.select(TWEET_DAILY.schema.names).cast(TWEET_DAILY.schema)
