"""Time of the tweet roll-ups of each publish: a million tweets over 90 days, a thousand streams.

Usage: python benchmarks/marts_speed.py [--tweets N] [--streams N]
"""

from __future__ import annotations

import argparse
import resource
import time

import duckdb
from record import keep, table

from klip_assets.contracts import DERIVED_TABLES, TABLES
from klip_assets.store.warehouse import ddl
from klip_assets.store.warehouse.marts.statements import MACROS, statement

_TWEETS = """
INSERT INTO tweets BY NAME
SELECT
    (1000000000000000000 + i)::VARCHAR AS tweet_id,
    created_at::DATE AS day,
    created_at,
    'user' || u AS author,
    u::VARCHAR AS author_id,
    array_to_string(list_transform(range(18), lambda w: 'word' || hash(i, w) % 5000), ' ')
        || if(hash(i, 'named') % 20 = 0, ' channel number' || hash(i, 'which') % 50, '') AS text,
    hash(i, 'retweet') % 5 = 0 AS is_retweet,
    list_transform(range((hash(i, 'tags') % 3)::INT), lambda t: 'tag' || hash(i, 't', t) % 2000) AS hashtags,
    if(hash(i, 'mention') % 10 = 0, ['channelnumber' || hash(i, 'who') % 50], []) AS mentions,
    if(hash(i, 'url') % 10 = 0, ['https://example.com/' || i], []) AS urls,
    (hash(i, 'likes') % 100)::BIGINT AS like_count,
    (hash(i, 'retweets') % 20)::BIGINT AS retweet_count
FROM (
    SELECT i, hash(i, 'user') % 50000 AS u,
        TIMESTAMP '2026-01-01' + to_microseconds((hash(i) % 7776000000000)::BIGINT) AS created_at
    FROM range($n) AS r(i)
)"""
_SENTIMENT = """
INSERT INTO tweet_sentiment BY NAME
SELECT tweet_id, day, (hash(tweet_id) % 2001)::DOUBLE / 1000 - 1 AS sentiment, 'ok' AS status,
    ['positive', 'neutral', 'negative'][1 + (hash(tweet_id) % 3)::INT] AS label
FROM tweets"""
_STREAMS = """
INSERT INTO videos BY NAME
SELECT 'v' || i AS video_id, 'Channel Number' || i % 50 AS channel, 'Game ' || i % 200 AS game, 'twitch' AS platform,
    'Stream of the evening part ' || i || ' | any%' AS title, 'https://www.twitch.tv/videos/' || i AS url,
    10800.0 AS duration_s,
    TIMESTAMP '2026-01-01' + to_microseconds((hash(i) % 7776000000000)::BIGINT) AS started_at
FROM range($n) AS r(i)"""


def main() -> None:
    """Fill an in-memory database, build each table of the marts, print and record the times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tweets", type=int, default=1_000_000)
    parser.add_argument("--streams", type=int, default=1_000)
    chosen = parser.parse_args()
    rows: list[dict[str, object]] = []
    with duckdb.connect() as connection:
        for name in ("videos", "tweets", "tweet_sentiment", *DERIVED_TABLES):
            connection.execute(ddl.create_table(TABLES[name]))
        connection.execute(_TWEETS, {"n": chosen.tweets})
        connection.execute(_SENTIMENT)
        connection.execute(_STREAMS, {"n": chosen.streams})
        connection.execute(statement(MACROS))
        for name in DERIVED_TABLES:
            start = time.perf_counter()
            connection.execute(f"INSERT INTO {name} BY NAME {statement(name)}")
            seconds = time.perf_counter() - start
            count = connection.table(name).shape[0]
            rows.append({"table": name, "rows": count, "seconds": round(seconds, 2)})
    total = sum(float(str(row["seconds"])) for row in rows)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    table(rows)
    print(
        f"\nall of {chosen.tweets:,} tweets and {chosen.streams:,} streams: {total:.1f} s, peak memory {peak_mb:.0f} MB"
    )
    keep("marts_speed", tweets=chosen.tweets, streams=chosen.streams, rows=rows, total_s=total, peak_mb=peak_mb)


if __name__ == "__main__":
    main()
