"""A database with the published tables that roll-ups read, filled by the row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import duckdb
import pytest

from klip_assets.contracts import DERIVED_TABLES, TABLES, TWEET_SENTIMENT, TWEETS, VIDEOS
from klip_assets.store.lake.validate import conform
from klip_assets.store.warehouse import ddl
from klip_assets.store.warehouse.marts.statements import derive

Row = dict[str, Any]


class Database:
    """Tweets and streams as tests tell of them, and what is derived from these."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self._tweets = 0
        for name in ("videos", "tweets", "tweet_sentiment", *DERIVED_TABLES):
            connection.execute(ddl.create_table(TABLES[name]))

    def tweet(self, at: str, text: str = "", *, sentiment: float | None = None, **more: object) -> str:
        """Add a tweet; with a sentiment, it was read."""
        self._tweets += 1
        created_at = datetime.fromisoformat(at)
        tweet_id = str(more.pop("tweet_id", 1000 + self._tweets))
        row = {"tweet_id": tweet_id, "day": created_at.date(), "created_at": created_at, "text": text}
        self._insert(TWEETS, {**row, "hashtags": [], "mentions": [], "urls": [], "is_retweet": False, **more})
        if sentiment is not None:
            label = "positive" if sentiment > 0 else "negative" if sentiment < 0 else "neutral"
            read = {"tweet_id": tweet_id, "day": created_at.date(), "sentiment": sentiment, "label": label}
            self._insert(TWEET_SENTIMENT, {**read, "status": "ok"})
        return tweet_id

    def stream(self, video_id: str, **more: object) -> None:
        """Add a stream of an hour, at six in the evening of 13 June."""
        row = {"video_id": video_id, "started_at": datetime(2026, 6, 13, 18), "duration_s": 3600.0, "status": "ok"}
        self._insert(VIDEOS, {**row, **more})

    def derived(self, name: str) -> list[Row]:
        """Derive everything and return one table, checked by its contract."""
        derive(self.connection, {"tweets", "videos"})
        rows = self.connection.sql(f"SELECT * FROM {name}").to_arrow_table()
        return [dict(row) for row in conform(TABLES[name], rows.cast(TABLES[name].schema)).to_pylist()]

    def _insert(self, table: Any, row: Row) -> None:
        self.connection.register("incoming", table.from_rows([row]))
        self.connection.execute(f"INSERT INTO {table.name} BY NAME SELECT * FROM incoming")
        self.connection.unregister("incoming")


@pytest.fixture
def database() -> Iterator[Database]:
    with duckdb.connect() as connection:
        yield Database(connection)


@pytest.fixture
def about(database: Database) -> Callable[..., list[tuple[str, str]]]:
    """Return which of some tweets are about one stream, and why."""

    def find(stream: Row, *tweets: Row) -> list[tuple[str, str]]:
        database.stream("s", **stream)
        for tweet in tweets:
            database.tweet(**{"at": "2026-06-13T18:30:00", **tweet})
        return [(row["tweet_id"], row["reason"]) for row in database.derived("video_tweets")]

    return find
