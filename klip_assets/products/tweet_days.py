"""The day in one row: how many tweets, by how many people, and how they sound."""

from __future__ import annotations

from datetime import date

import duckdb
import pyarrow as pa

from klip_assets.contracts import TWEET_DAILY
from klip_assets.store.warehouse.marts.statements import MACROS, statement


def roll_up_day(day: date, tweets: pa.Table, sentiment: pa.Table) -> pa.Table:
    """Roll a day up into the one row of TWEET_DAILY, or none if the day has no tweets.

    Retweets are counted, but neither their authors nor their words: sentiment, emotions and hashtags are those of
    people's own tweets. Failed and skipped rows have no scores and enter no share. `authors` is NULL where no tweet
    names its author. Intervals are of 95 %: Wilson's for shares, a Poisson bootstrap's for the mean.

    Args:
        day: The UTC day.
        tweets: Its tweets, as TWEETS.
        sentiment: What a model read in them, as TWEET_SENTIMENT.
    """
    # One thread: the order in which floats are added, and so the last digit, must not change from run to run.
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        connection.register("tweets", tweets)
        connection.register("sentiment", sentiment)
        connection.execute(statement(MACROS))
        rows: pa.Table = connection.sql(statement(TWEET_DAILY.name), params={"day": day}).to_arrow_table()
    return rows.select(TWEET_DAILY.schema.names).cast(TWEET_DAILY.schema)
