"""`klip videos`, `tweets`, `sql`, `export`: read what is published."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from klip_assets.cli.output import clock, json_option, say, shortened, show_rows
from klip_assets.errors import InputError
from klip_assets.settings import Settings
from klip_assets.store.warehouse.query import export as export_file
from klip_assets.store.warehouse.query import run_sql


@click.command()
@json_option
def videos(as_json: bool) -> None:
    """List the videos, including those that can't be read."""
    statement = """
        SELECT v.*, (SELECT count(*) FROM highlights h WHERE h.video_id = v.video_id) AS highlights
        FROM videos v ORDER BY v.video_id"""
    rows = run_sql(Settings().warehouse_path, statement).to_pylist()
    if not as_json:
        rows = [
            {
                "video": row["video_id"],
                "title": shortened(row["title"], 40),
                "length": clock(row["duration_s"]),
                "started (UTC)": row["started_at"],
                "status": row["status"],
                "highlights": row["highlights"],
                "error": _oddities(row),
            }
            for row in rows
        ]
    show_rows(rows, as_json=as_json, empty="no videos are published yet: klip add FILE, then klip process")


def _oddities(row: dict[str, Any]) -> str | None:
    copied = f"same as {row['duplicate_of']}" if row["duplicate_of"] else None
    return "; ".join(text for text in (row["error"] or copied, row["video_error"]) if text) or None


@click.command()
@click.argument("day", required=False)
@click.option("--top", default=20, show_default=True, type=click.IntRange(min=1), help="How many tweets to show.")
@json_option
def tweets(day: str | None, top: int, as_json: bool) -> None:
    """List the days with tweets, or show the most liked tweets of DAY (YYYY-MM-DD) with their sentiment."""
    if day is None:
        show_rows(tweet_days(Settings(), as_json), as_json=as_json, empty="no tweets are published yet")
        return
    statement = """
        SELECT t.tweet_id, t.created_at, t.author, t.like_count AS likes, s.label, s.sentiment, s.tier, t.text
        FROM tweets t LEFT JOIN tweet_sentiment s USING (tweet_id)
        WHERE t.day = TRY_CAST(? AS DATE) ORDER BY t.like_count DESC NULLS LAST, t.tweet_id LIMIT ?"""
    if not run_sql(Settings().warehouse_path, "SELECT 1 WHERE TRY_CAST(? AS DATE) IS NOT NULL", [day]).num_rows:
        raise InputError(f"{day!r} is not a valid date", hint="write it as YYYY-MM-DD")
    rows = run_sql(Settings().warehouse_path, statement, [day, top]).to_pylist()
    if not as_json:
        rows = [{**row, "text": shortened(row["text"], 100)} for row in rows]
    show_rows(rows, as_json=as_json, empty=f"no tweets from {day} are published")


def tweet_days(settings: Settings, everything: bool) -> list[dict[str, Any]]:
    """Return the days of tweets, newest first."""
    rows = run_sql(settings.warehouse_path, "SELECT * FROM tweet_daily ORDER BY day DESC").to_pylist()
    if everything:
        return rows
    return [
        {
            "day": row["day"],
            "tweets": row["tweets"],
            "authors": row["authors"],
            "retweets": row["retweets"],
            "sentiment": row["mean_sentiment"],
            "positive": row["positive_share"],
            "negative": row["negative_share"],
            "emotion": row["dominant_emotion"] or "-",
            "top hashtags": ", ".join(f"#{entry['tag']} {entry['n']}" for entry in (row["top_hashtags"] or [])[:3]),
        }
        for row in rows
    ]


@click.command()
@click.argument("statement")
@json_option
def sql(statement: str, as_json: bool) -> None:
    """Run a read-only SQL STATEMENT on the published warehouse."""
    found = run_sql(Settings().warehouse_path, statement)
    show_rows(found.rename_columns(_distinct(found.column_names)).to_pylist(), as_json=as_json)


def _distinct(names: Sequence[str]) -> list[str]:
    """Return names with those that occur again numbered, "a", "a_1", as DuckDB's own clients do."""
    found: list[str] = []
    for name in names:
        number, other = 0, name
        while other in found:
            number += 1
            other = f"{name}_{number}"
        found.append(other)
    return found


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@json_option
def export(file: Path, as_json: bool) -> None:
    """Write one self-contained DuckDB FILE with every published table."""
    settings = Settings()
    rows = export_file(settings.warehouse_path, file, storage_version=settings.storage_version)
    show_rows([{"table": name, "rows": count} for name, count in rows.items()], as_json=as_json)
    if not as_json:
        say(f"Wrote {file} ({file.stat().st_size / 1e6:.1f} MB).")
