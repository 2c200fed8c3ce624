"""The chain of tiers, and readings as tables."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from klip_assets.contracts import EMOTIONS, SEGMENT_SENTIMENT, SEGMENTS, TWEET_SENTIMENT, TWEETS
from klip_assets.lake.validate import conform
from klip_assets.sentiment.tables import read_segments, read_tweets
from klip_assets.sentiment.tiers import chain_version, read_texts, tier_states


def segments(*texts: str) -> pa.Table:
    return SEGMENTS.from_rows(
        {"video_id": "v", "segment_index": i, "start_s": 30.0 * i, "end_s": 30.0 * i + 30, "text": text}
        for i, text in enumerate(texts)
    )


def test_the_chain_says_why_a_tier_is_not_used() -> None:
    states = {state.name: state for state in tier_states(["llm", "bert", "lexicon"], "vader")}
    assert not states["llm"].ready and "not configured" in states["llm"].why
    assert not states["bert"].ready and "not configured" in states["bert"].why
    assert states["lexicon"].ready and "vader" in states["lexicon"].why


def test_the_best_configured_tier_reads_and_its_row_is_ok() -> None:
    reading = read_texts(["what a wonderful play"], ["llm", "bert", "lexicon"], "vader")[0]
    assert (reading.status, reading.tier, reading.error) == ("ok", "lexicon", None)


def test_where_no_tier_can_read_every_row_is_failed_without_a_score_k4() -> None:
    for reading in read_texts(["good", ""], ["llm", "bert"], "vader"):
        assert (reading.status, reading.sentiment, reading.emotions) == ("failed", None, {})
        assert reading.error and "llm" in reading.error and "bert" in reading.error


def test_the_version_of_a_chain_names_what_reads() -> None:
    assert chain_version(["llm", "bert", "lexicon"], "vader").startswith("vader-")
    assert chain_version(["lexicon"], "textblob").startswith("textblob-")
    assert chain_version(["llm"], "vader") == "none"


@pytest.mark.parametrize("tiers", [["llm", "bert", "lexicon"], ["llm"]])
@pytest.mark.parametrize("lexicon", ["vader", "textblob"])
def test_segments_are_read_one_row_each_by_contract(tiers: list[str], lexicon: str) -> None:
    rows = conform(SEGMENT_SENTIMENT, read_segments(segments("great play", "", "12"), tiers, lexicon))
    assert rows["segment_index"].to_pylist() == [0, 1, 2]
    scored = [value is not None for value in rows["sentiment"].to_pylist()]
    assert scored == [status == "ok" for status in rows["status"].to_pylist()]
    for name in (*EMOTIONS, "model_highlight_score", "prompt_version"):
        assert rows[name].null_count == 3, name
    assert all(len(digest) == 64 for digest in rows["input_sha256"].to_pylist())


def test_a_segment_without_words_is_skipped() -> None:
    rows = read_segments(segments("", "fine"), ["lexicon"], "vader")
    assert rows["status"].to_pylist() == ["skipped", "ok"]


def test_no_segments_give_no_rows() -> None:
    assert conform(SEGMENT_SENTIMENT, read_segments(SEGMENTS.empty(), ["lexicon"], "vader")).num_rows == 0


def test_tweets_are_read_one_row_each_with_a_label() -> None:
    tweets = TWEETS.from_rows(
        {"tweet_id": str(i), "day": date(2026, 1, 1), "text": text}
        for i, text in enumerate(["I love it", "I hate it", "it is a table", None])
    )
    rows = conform(TWEET_SENTIMENT, read_tweets(tweets, ["bert", "lexicon"], "vader"))
    assert rows["label"].to_pylist() == ["positive", "negative", "neutral", None]
    assert rows["status"].to_pylist() == ["ok", "ok", "ok", "skipped"]
    assert rows["confidence"].null_count == 4
