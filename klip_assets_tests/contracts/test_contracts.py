from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from klip_assets.contracts import PUBLISHED_TABLES, TABLES, VIDEO_TABLES, bounds_of, sql_type, text_of
from klip_assets_tests.programs import load

#: The table list of the design: names that people's SQL depends on.
DESIGN_TABLES = {
    "videos", "stage_status", "transcript_words", "sound_events", "audio_features", "chat_messages", "chat_activity",
    "segments", "segment_sentiment", "segment_scores", "weights", "highlights", "highlight_candidates",
    "emotion_moments", "tweets", "tweet_sentiment", "tweet_daily", "llm_calls", "provenance", "quarantine", "feedback",
    "evaluations", "tweet_hourly", "hashtag_daily", "author_daily", "video_tweets", "video_reaction",
}  # fmt: skip


def test_every_table_of_the_design_is_published() -> None:
    assert set(PUBLISHED_TABLES) == DESIGN_TABLES


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_every_column_says_what_it_means(table) -> None:
    assert table.description
    for column in table.schema:
        assert text_of(column.metadata, "description"), column.name


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_units_in_names_agree_with_units_declared(table) -> None:
    units = {"_s": "s", "_dbfs": "dBFS", "_lufs": "LUFS", "_hz": "Hz", "_usd": "USD", "_at": "UTC", "_wps": "1/s"}
    for column in table.schema:
        for suffix, unit in units.items():
            if column.name.endswith(suffix):
                assert text_of(column.metadata, "unit") == unit, column.name


def test_scores_are_bounded_and_sentiment_is_signed() -> None:
    for table in TABLES.values():
        for column in table.schema:
            if column.name == "sentiment":
                assert bounds_of(column) == (-1, 1)
            if column.name.endswith(("_term", "_score", "_share")) or column.name == "score":
                assert bounds_of(column) == (0, 1), f"{table.name}.{column.name}"


def test_no_column_is_named_with_a_reserved_word() -> None:
    reserved = {row[0] for row in duckdb.execute(
        "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category = 'reserved'"
    ).fetchall()}  # fmt: skip
    for table in TABLES.values():
        assert not reserved & set(table.schema.names)


def test_keys_and_partitions_are_columns() -> None:
    for table in TABLES.values():
        assert set(table.key) <= set(table.schema.names)
        assert table.partition is None or table.partition in table.schema.names
    assert VIDEO_TABLES[0] == "videos"


def test_types_are_those_duckdb_gives_back() -> None:
    for table in TABLES.values():
        columns = ", ".join(f'"{f.name}" {sql_type(f.type)}' for f in table.schema)
        duckdb.execute(f"CREATE OR REPLACE TEMP TABLE t ({columns})")
        found = dict(
            duckdb.execute("SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = 't'").fetchall()
        )
        assert {f.name: sql_type(f.type).replace("STRUCT(", "STRUCT(") for f in table.schema}.keys() == found.keys()


def test_the_data_dictionary_is_current() -> None:
    module = load("scripts/write_data_dictionary.py")
    written = Path(module.TARGET).read_text()
    assert written == module.dictionary(), "run: make docs"
