"""Tweets, from the files of the inbox to published days: what comes in, what is remade, and what goes again."""

from __future__ import annotations

import json
from datetime import date

import pytest

from klip_assets.contracts import TWEET_SENTIMENT, TWEETS_RAW
from klip_assets.inbox.tweet_files import map_path
from klip_assets.settings import Settings
from klip_assets.store.lake.lake import Lake
from klip_assets.store.lake.tweet_sources import add_source
from klip_assets.store.state.registry import Registry
from klip_assets_tests.made import tweet, tweet_id_at, write_tweets
from klip_assets_tests.processed import drop_tweets, query, tweets_written_at
from klip_assets_tests.worked import work


def ids_of(settings: Settings) -> list[str]:
    return [row["tweet_id"] for row in query(settings, "SELECT tweet_id FROM tweets ORDER BY tweet_id")]


def test_a_second_process_rewrites_nothing(settings: Settings) -> None:
    drop_tweets(settings)
    work(settings)
    before = tweets_written_at(settings)
    assert work(settings).outcomes == {}
    assert tweets_written_at(settings) == before


def test_a_late_tweet_remakes_its_own_day_and_no_other(settings: Settings) -> None:
    drop_tweets(settings)
    work(settings)
    before = tweets_written_at(settings)
    write_tweets(settings.tweet_inbox / "late.jsonl", [tweet(tweet_id_at("2026-06-12", 9), "late")])
    work(settings)
    after = tweets_written_at(settings)
    changed = {key for key in after if after[key] != before.get(key)}
    assert changed == {(table, "2026-06-12") for table in ("tweets", "tweet_sentiment", "tweet_daily")}
    assert query(settings, "SELECT tweets FROM tweet_daily ORDER BY day") == [{"tweets": 3}, {"tweets": 2}]


def test_a_replaced_file_takes_its_old_tweets_with_it(settings: Settings) -> None:
    drop_tweets(settings)
    work(settings)
    write_tweets(settings.tweet_inbox / "tweets.jsonl", [tweet(tweet_id_at("2026-06-13", 5), "new")])
    work(settings)
    assert query(settings, "SELECT text FROM tweets") == [{"text": "new"}]
    assert query(settings, "SELECT day::VARCHAR AS day FROM tweet_daily") == [{"day": "2026-06-13"}]


def test_a_removed_file_takes_its_tweets_with_it(settings: Settings) -> None:
    drop_tweets(settings)
    write_tweets(settings.tweet_inbox / "other.jsonl", [tweet(other := tweet_id_at("2026-06-12", 7))])
    work(settings)
    (settings.tweet_inbox / "tweets.jsonl").unlink()
    work(settings)
    assert ids_of(settings) == [other]


def test_the_tweets_of_an_emptied_inbox_stay_until_a_person_says_that_they_were_meant_to_go(settings: Settings) -> None:
    path = drop_tweets(settings)
    work(settings)
    before = ids_of(settings)
    path.unlink()
    work(settings)
    assert ids_of(settings) == before and before
    (row,) = query(settings, "SELECT source_file, table_name, reason FROM quarantine")
    assert (row["source_file"], row["table_name"]) == (".", "tweet_inbox")
    assert row["reason"].startswith(
        "1 tweet file is missing, as where a mount is lost (tweets.jsonl); its tweets stay."
    )
    # New posts come; what was missing stays.
    write_tweets(settings.tweet_inbox / "new.jsonl", [tweet(new := tweet_id_at("2026-06-14"))])
    work(settings)
    work(settings)
    assert ids_of(settings) == sorted([*before, new])
    work(settings, accept_removals=True)
    assert ids_of(settings) == [new] and query(settings, "SELECT * FROM quarantine") == []


def test_files_that_were_all_moved_lose_nothing_and_are_missing_no_more(settings: Settings) -> None:
    path = drop_tweets(settings)
    work(settings)
    before = ids_of(settings)
    (settings.tweet_inbox / "2026").mkdir()
    path.rename(settings.tweet_inbox / "2026" / path.name)
    work(settings)
    work(settings)
    assert ids_of(settings) == before and query(settings, "SELECT * FROM quarantine") == []
    assert {str(name) for name in Registry(settings.memory_path).staged_files()} == {f"2026/{path.name}"}


def test_a_tweet_in_two_files_is_one_row_that_names_both(settings: Settings) -> None:
    tweet_id = tweet_id_at("2026-06-12")
    write_tweets(settings.tweet_inbox / "b.jsonl", [tweet(tweet_id, public_metrics={"like_count": 5})])
    write_tweets(settings.tweet_inbox / "a.jsonl", [tweet(tweet_id, public_metrics={"like_count": 9})])
    work(settings)
    row = query(settings, "SELECT like_count, source_files FROM tweets")
    assert row == [{"like_count": 9, "source_files": ["a.jsonl", "b.jsonl"]}]


def test_a_bad_line_is_quarantined_and_the_rest_comes_in(settings: Settings) -> None:
    path = drop_tweets(settings)
    path.write_text(path.read_text() + '{"id": broken\n' + json.dumps(tweet(tweet_id_at("2026-06-14"))) + "\n")
    work(settings)
    assert query(settings, "SELECT count(*) AS n FROM tweets") == [{"n": 5}]
    refused = query(settings, "SELECT source_file, position FROM quarantine")
    assert refused == [{"source_file": "tweets.jsonl", "position": "line 5"}]


def test_a_file_that_does_not_hold_tweets_is_refused_whole_and_only_once(settings: Settings) -> None:
    (settings.tweet_inbox / "notes.json").write_text("hello")
    work(settings)
    assert [row["position"] for row in query(settings, "SELECT position FROM quarantine")] == ["file"]
    assert work(settings).outcomes == {}


def test_of_a_day_that_is_made_again_only_new_texts_are_read_and_the_rows_are_those_of_reading_all(
    settings: Settings, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    from klip_assets.signals.text.bert.compact import CompactModel

    day, read = "2026-06-12", list[str]()
    scores = CompactModel.read
    monkeypatch.setattr(CompactModel, "read", lambda model, texts: read.extend(texts) or scores(model, texts))
    texts = ["I love this", "this is terrible", "RT @a: I love this", "gg", "I love this", "muy bien"]
    tweets = [tweet(tweet_id_at(day, n), text, lang="und") for n, text in enumerate(texts)]
    write_tweets(settings.tweet_inbox / "a.jsonl", tweets)
    work(settings)
    assert read == list(dict.fromkeys(texts)), "copies are read once"
    read.clear()
    late = [tweet(tweet_id_at(day, 9), "so sad"), tweet(tweet_id_at(day, 10), "gg")]
    write_tweets(settings.tweet_inbox / "late.jsonl", late)
    work(settings)
    assert read == ["so sad"]
    taken_over = lake.read(TWEET_SENTIMENT, day)
    (lake.path(TWEET_SENTIMENT, day)).unlink()
    work(settings, days=[day])
    assert set(read) == {*texts, "so sad"}
    assert lake.read(TWEET_SENTIMENT, day).equals(taken_over)


def test_rows_of_other_models_are_not_taken_over(
    settings: Settings, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop_tweets(settings)
    work(settings)
    monkeypatch.setenv("KLIP_TWEET_TIERS", "lexicon")
    work(Settings(), days=["2026-06-12"])
    assert set(lake.read(TWEET_SENTIMENT, "2026-06-12")["tier"].to_pylist()) == {"lexicon"}


def test_no_failed_row_has_a_score(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KLIP_TWEET_TIERS", "llm")
    drop_tweets(settings)
    work(Settings())
    rows = query(settings, "SELECT DISTINCT status, sentiment, label, tier, error FROM tweet_sentiment")
    assert len(rows) == 1
    assert rows[0]["status"] == "failed" and "llm: not configured" in rows[0]["error"]
    assert rows[0]["sentiment"] is None and rows[0]["label"] is None
    assert query(settings, "SELECT DISTINCT mean_sentiment FROM tweet_daily") == [{"mean_sentiment": None}]


def test_a_deletion_that_is_reported_takes_its_tweet_out_until_the_report_is_gone(settings: Settings) -> None:
    kept, gone = tweet_id_at("2026-06-12", 1), tweet_id_at("2026-06-12", 2)
    write_tweets(settings.tweet_inbox / "a.jsonl", [tweet(kept), tweet(gone), tweet(tweet_id_at("2026-06-13"))])
    work(settings)
    before = tweets_written_at(settings)
    report = write_tweets(settings.tweet_inbox / "compliance.jsonl", [{"id": gone, "action": "delete"}])
    work(settings)
    assert ids_of(settings) == [kept, tweet_id_at("2026-06-13")]
    assert query(settings, "SELECT tweets FROM tweet_daily ORDER BY day") == [{"tweets": 1}, {"tweets": 1}]
    changed = {key for key, at in tweets_written_at(settings).items() if at != before.get(key)}
    assert {day for _, day in changed} == {"2026-06-12"}
    assert work(settings).outcomes == {}
    report.unlink()
    work(settings)
    assert gone in ids_of(settings)


def test_a_deletion_may_come_before_its_tweet(settings: Settings) -> None:
    gone, kept = tweet_id_at("2026-06-12", 2), tweet_id_at("2026-06-12", 3)
    write_tweets(settings.tweet_inbox / "compliance.jsonl", [{"delete": {"status": {"id_str": gone}}}])
    work(settings)
    write_tweets(settings.tweet_inbox / "a.jsonl", [tweet(gone), tweet(kept)])
    work(settings)
    assert ids_of(settings) == [kept]


def test_a_map_of_columns_is_part_of_its_file(settings: Settings) -> None:
    path = settings.tweet_inbox / "odd.csv"
    path.write_text(f"ident,body,note\n{tweet_id_at('2026-06-12')},one,two\n")
    work(settings)
    assert [row["position"] for row in query(settings, "SELECT position FROM quarantine")] == ["file"]
    map_path(path).write_text(json.dumps({"tweet_id": "ident", "text": "body"}))
    work(settings)
    assert query(settings, "SELECT text FROM tweets") == [{"text": "one"}]
    assert query(settings, "SELECT * FROM quarantine") == []
    map_path(path).write_text(json.dumps({"tweet_id": "ident", "text": "note"}))
    work(settings)
    assert query(settings, "SELECT text FROM tweets") == [{"text": "two"}]
    assert work(settings).outcomes == {}


def test_content_that_can_not_be_used_at_all_does_not_replace_what_a_file_had(settings: Settings) -> None:
    """Regression: a column map that was lost took the tweets of its file with it."""
    path, entry = settings.tweet_inbox / "odd.csv", json.dumps({"tweet_id": "ident", "text": "body"})
    path.write_text(f"ident,body\n{tweet_id_at('2026-06-12')},one\n")
    map_path(path).write_text(entry)
    work(settings)
    map_path(path).unlink()
    work(settings)
    assert query(settings, "SELECT text FROM tweets") == [{"text": "one"}]
    (row,) = query(settings, "SELECT position, detail FROM quarantine")
    assert row["position"] == "file" and row["detail"].endswith("the tweets it had before stay")
    assert work(settings).outcomes == {}
    map_path(path).write_text(entry)
    work(settings)
    assert query(settings, "SELECT text FROM tweets") == [{"text": "one"}]
    assert query(settings, "SELECT * FROM quarantine") == [] and work(settings).outcomes == {}


def test_a_file_that_never_had_tweets_is_not_said_to_keep_any(settings: Settings) -> None:
    path = settings.tweet_inbox / "notes.csv"
    for text in ("a,b\n1,2\n", "a,b\n3,4\n"):
        path.write_text(text)
        work(settings)
        (row,) = query(settings, "SELECT position, detail FROM quarantine")
        assert row["position"] == "file" and "stay" not in row["detail"]


def test_what_a_killed_ingest_left_of_a_file_that_is_gone_is_taken_out(
    settings: Settings, lake: Lake, registry: Registry
) -> None:
    # Regression: days laid down before a kill stayed for ever if the file was removed before the next run.
    drop_tweets(settings)
    work(settings)
    registry.begin_staging("f" * 64)
    rows = TWEETS_RAW.from_rows([{"tweet_id": "5", "day": date(2026, 6, 12), "created_at": None, "text": "left"}])
    add_source(lake, "f" * 64, "gone.jsonl", [(date(2026, 6, 12), rows)])
    work(settings)
    assert "5" not in ids_of(settings)
    assert registry.leftovers() == []
    assert not list(lake.root.rglob(f"source={'f' * 64}.parquet"))


def test_the_scratch_folder_is_empty_after_an_ingest(settings: Settings) -> None:
    left = settings.scratch_dir / ".scratch.999999-00000000.tmp"
    left.mkdir(parents=True)
    (left / "0.arrow").write_bytes(b"x")
    drop_tweets(settings)
    work(settings)
    assert list(settings.scratch_dir.iterdir()) == []
