"""A day of tweets in one row: how many, by how many people, and their sentiment."""

from __future__ import annotations

from datetime import date

import duckdb
import pyarrow as pa

from klip_assets.contracts import TWEET_DAILY
from klip_assets.store.warehouse.marts.statements import MACROS, statement


def roll_up_day(day: date, tweets: pa.Table, sentiment: pa.Table) -> pa.Table:
    """Roll a day up into one row of TWEET_DAILY, or none if the day has no tweets.

    Retweets are counted, but not their authors or texts: sentiment, emotions and hashtags are those of original
    tweets. Failed and skipped rows have no scores and are left out of all shares. `authors` is NULL if no tweet names
    its author. Intervals are 95 %: Wilson for shares, Poisson bootstrap for the mean.

    Args:
        day: The UTC day.
        tweets: Its tweets, as TWEETS.
        sentiment: Their sentiment, as TWEET_SENTIMENT.
    """
    # One thread: the order of floating-point additions, and so the last digit, must not vary between runs.
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        connection.register("tweets", tweets)
        connection.register("sentiment", sentiment)
        connection.execute(statement(MACROS))
        rows: pa.Table = connection.sql(statement(TWEET_DAILY.name), params={"day": day}).to_arrow_table()
    return rows.select(TWEET_DAILY.schema.names).cast(TWEET_DAILY.schema)
