"""Speed of tweet ingest: a synthetic file of a million tweets, through staging, lake and merge, as in the assets.

For comparison, on the same file: the time pandas.read_json and DuckDB's read_json take just to parse it, without days,
copies, refusals or entities. Then memory (one process per size), and the same file again, which must rewrite nothing.

    python benchmarks/tweet_ingest.py [--rows 1000000] [--days 90] [--keep FILE]
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from record import keep, table

FIRST = datetime(2026, 3, 1, tzinfo=UTC)
TALK = (
    "what a run today we hold the line and nobody saw that coming stream is live come over the boss is down new "
    "record my heart can not take it great game everyone thank you so much see you tomorrow"
)
WORDS = TALK.split()
TAGS = ("speedrun", "worldrecord", "gg", "lumendrift", "saturday", "été", "日本語")


def made_tweet(number: int, chance: random.Random, days: int) -> dict[str, object]:
    """Return a tweet as delivered by the X API v2 and flattened by twarc."""
    moment = FIRST + timedelta(seconds=chance.random() * 86_400 * days)
    milliseconds = int(moment.timestamp() * 1000)
    tweet_id = str((milliseconds - 1_288_834_974_657) << 22 | number & 0x3FFFFF)
    text = " ".join(chance.choices(WORDS, k=chance.randint(4, 30)))
    entities: dict[str, object] = {}
    if chance.random() < 0.3:
        tag = chance.choice(TAGS)
        entities["hashtags"] = [{"start": len(text) + 1, "end": len(text) + 2 + len(tag), "tag": tag}]
        text = f"{text} #{tag}"
    if chance.random() < 0.2:
        name = f"user{chance.randint(0, 5000)}"
        user_id = str(chance.randint(1, 10**9))
        entities["mentions"] = [{"start": 0, "end": len(name) + 1, "username": name, "id": user_id}]
        text = f"@{name} {text}"
    author = chance.randint(1, 200_000)
    tweet: dict[str, object] = {
        "id": tweet_id,
        "text": text,
        "created_at": f"{datetime.fromtimestamp(milliseconds // 1000, UTC):%Y-%m-%dT%H:%M:%S.000Z}",
        "author_id": str(10**9 + author),
        "author": {"id": str(10**9 + author), "username": f"user{author}", "name": f"User {author}", "verified": False},
        "lang": "en",
        "conversation_id": tweet_id,
        "edit_history_tweet_ids": [tweet_id],
        "possibly_sensitive": False,
        "reply_settings": "everyone",
        "source": "Twitter Web App",
        "public_metrics": {
            name: int(chance.expovariate(0.2))
            for name in ("retweet_count", "reply_count", "like_count", "quote_count", "impression_count")
        },
    }  # fmt: skip
    if entities:
        tweet["entities"] = entities
    if chance.random() < 0.15:
        tweet["referenced_tweets"] = [{"type": "replied_to", "id": str(int(tweet_id) - (10**6 << 22))}]
    return tweet


def write(path: Path, rows: int, days: int) -> None:
    """Write this many tweets, one per line, in random time order; one in fifty twice."""
    chance = random.Random(11)
    with path.open("w", encoding="utf-8") as file:
        for number in range(rows):
            line = json.dumps(made_tweet(number, chance, days), ensure_ascii=False) + "\n"
            file.write(line * (2 if number % 50 == 0 else 1))


def ingest(path: Path, data: Path) -> dict[str, Any]:
    """Ingest a file: stage it, store the parts, merge and write each day. Return seconds per step, and counts."""
    from klip_assets.contracts import TWEETS
    from klip_assets.signals.tweets.merge import RawSource, merge_day
    from klip_assets.signals.tweets.staging import stage
    from klip_assets.store.files import file_sha256
    from klip_assets.store.lake.lake import Lake
    from klip_assets.store.lake.provenance import Provenance
    from klip_assets.store.lake.tweet_sources import add_source, day_versions, deleted_on, sources_of

    lake = Lake(data / "lake")
    scratch = data / "scratch"
    scratch.mkdir(parents=True)
    began = time.perf_counter()
    sha256 = file_sha256(path)
    hashed = time.perf_counter()
    staged = stage(path, scratch=scratch)
    read = time.perf_counter()
    add_source(lake, sha256, path.name, ((day, staged.parts[day]) for day in staged.parts))
    laid = time.perf_counter()
    days = day_versions(lake)
    for day in days:
        sources = [RawSource(each.sha256, each.name, each.rows()) for each in sources_of(lake, day)]
        merged = merge_day(sources, ingested_at=datetime(2026, 7, 1), deleted=deleted_on(lake, day))
        lake.write(TWEETS, day, merged, Provenance("benchmark", "1"))
    done = time.perf_counter()
    return {
        "rows_in": staged.rows_in, "rows_out": staged.rows_out, "duplicates": staged.duplicates,
        "refused": len(staged.refused), "days": len(days), "hash_s": hashed - began, "read_s": read - hashed,
        "lay_s": laid - read, "merge_s": done - laid, "total_s": done - began,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }  # fmt: skip


def in_own_process(path: Path) -> dict[str, Any]:
    """Ingest a file in a separate process, to measure its memory."""
    with tempfile.TemporaryDirectory(prefix="klip-tweets-") as data:
        command = [sys.executable, __file__, "--ingest", str(path), "--data", data]
        return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def seconds(read: Callable[[], object]) -> float:
    """Time one call."""
    began = time.perf_counter()
    read()
    return time.perf_counter() - began


def others(path: Path) -> dict[str, float]:
    """Time the other readers of the file."""
    import duckdb
    import pandas as pd

    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    query = "CREATE OR REPLACE TABLE t AS SELECT * FROM read_json(?, format = 'newline_delimited')"
    return {
        "pandas.read_json": seconds(lambda: pd.read_json(path, lines=True, dtype=False)),
        "duckdb read_json": seconds(lambda: connection.execute(query, [str(path)])),
    }


def again(path: Path) -> dict[str, int]:
    """Process a file with the steps of the command line, touch it, process it again; count the files that changed."""
    import os

    with tempfile.TemporaryDirectory(prefix="klip-again-") as base:
        os.environ |= {"KLIP_DATA_DIR": f"{base}/data", "KLIP_TWEET_TIERS": "lexicon"}
        from klip_assets.settings import Settings
        from klip_assets_tests.worked import work

        settings = Settings()
        settings.make_folders()
        inbox = settings.tweet_inbox / path.name
        inbox.write_bytes(path.read_bytes())
        assert work(settings).ok

        def state() -> dict[Path, int]:
            return {p: p.stat().st_mtime_ns for p in settings.lake_dir.rglob("*.parquet")}

        before = state()
        inbox.touch()
        redone = work(settings)
        assert redone.ok
        return {"files": len(before), "changed": len(before.items() ^ state().items()), "runs": len(redone.outcomes)}


def main() -> None:
    """Generate the files, measure, print, record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--keep", type=Path, help="Path of the generated file; an existing one is reused.")
    parser.add_argument("--ingest", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--data", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.ingest:
        print(json.dumps(ingest(arguments.ingest, arguments.data)))
        return
    with tempfile.TemporaryDirectory(prefix="klip-made-") as base:
        large, small = arguments.keep or Path(base) / "tweets.jsonl", Path(base) / "tenth.jsonl"
        if not large.exists():
            write(large, arguments.rows, arguments.days)
        write(small, arguments.rows // 10, arguments.days)
        size_mb = large.stat().st_size / 1e6
        figures = {"tenth": in_own_process(small), "all": in_own_process(large)}
        took = {"Klip, to merged days": figures["all"]["total_s"], "Klip, reading": figures["all"]["read_s"]}
        took |= others(large)
        rows = figures["all"]["rows_in"]
        print(f"{rows:,} tweets, {size_mb:,.0f} MB, {figures['all']['days']} days\n")
        reference = took["pandas.read_json"]
        table(
            [
                {"what": what, "seconds": s, "rows/s": f"{rows / s:,.0f}", "times pandas": reference / s}
                for what, s in took.items()
            ]
        )
        print()
        table([{"file": name, **found} for name, found in figures.items()])
        redone = again(small)
        print(f"\nthe same file again: {redone['changed']} of {redone['files']} files changed, {redone['runs']} runs")
        keep("tweet_ingest", rows=rows, size_mb=size_mb, seconds=took, **figures, again=redone)


if __name__ == "__main__":
    main()
