from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest

from klip_assets.contracts import TWEET_DAILY, TWEET_SENTIMENT, TWEETS
from klip_assets.products.tweet_days import roll_up_day
from klip_assets.store.lake.validate import conform

DAY = date(2021, 4, 8)


@pytest.fixture
def roll_up() -> Callable[..., dict[str, Any]]:
    def roll(tweets: list[dict[str, object]], sentiment: list[dict[str, object]]) -> dict[str, Any]:
        base = {"day": DAY, "created_at": datetime(2021, 4, 8), "text": "x", "is_retweet": False, "hashtags": []}
        written = TWEETS.from_rows({**base, **row} for row in tweets)
        read = TWEET_SENTIMENT.from_rows({"day": DAY, "status": "ok", **row} for row in sentiment)
        table = conform(TWEET_DAILY, roll_up_day(DAY, written, read))
        assert table.num_rows == 1
        return dict(table.to_pylist()[0])

    return roll


RollUp = Callable[..., dict[str, Any]]


def test_retweets_are_counted_and_left_out_of_everything_else(roll_up: RollUp) -> None:
    row = roll_up(
        [
            {"tweet_id": "1", "author_id": "7", "hashtags": ["A"]},
            {"tweet_id": "2", "author_id": "7"},
            {"tweet_id": "3", "author": "Bob"},
            {"tweet_id": "4", "author_id": "9", "is_retweet": True, "hashtags": ["B"], "like_count": 1000},
        ],
        [
            {"tweet_id": "1", "sentiment": 0.5, "label": "positive"},
            {"tweet_id": "4", "sentiment": -1.0, "label": "negative"},
        ],
    )
    assert (row["tweets"], row["retweets"], row["authors"]) == (3, 1, 2)
    assert (row["mean_sentiment"], row["positive_share"], row["negative_share"]) == (0.5, 1.0, 0.0)
    assert row["top_hashtags"] == [{"tag": "a", "n": 1}]


def test_a_loud_tweet_weighs_one_plus_the_logarithm_of_its_engagement(roll_up: RollUp) -> None:
    row = roll_up(
        [
            {"tweet_id": "1", "like_count": 10, "retweet_count": 5, "reply_count": 3, "quote_count": 1},
            {"tweet_id": "2"},
            {"tweet_id": "3", "like_count": 10**6},
        ],
        [
            {"tweet_id": "1", "sentiment": 1.0, "label": "positive"},
            {"tweet_id": "2", "sentiment": -0.5, "label": "negative"},
            {"tweet_id": "3", "status": "failed"},
        ],
    )
    weight = 1 + math.log(1 + 19)
    assert row["mean_sentiment"] == pytest.approx(0.25)
    assert row["weighted_sentiment"] == pytest.approx((weight * 1.0 - 0.5) / (weight + 1))


def test_shares_are_of_the_scored_and_failed_and_skipped_rows_enter_none(roll_up: RollUp) -> None:
    row = roll_up(
        [{"tweet_id": str(i)} for i in range(1, 7)],
        [
            {"tweet_id": "1", "sentiment": 0.5, "label": "positive"},
            {"tweet_id": "2", "sentiment": 0.0, "label": "neutral", "status": "fallback"},
            {"tweet_id": "3", "sentiment": -0.5, "label": "negative"},
            {"tweet_id": "4", "sentiment": 0.5, "label": "positive", "status": "repaired"},
            {"tweet_id": "5", "status": "failed"},
            {"tweet_id": "6", "status": "skipped"},
        ],
    )
    assert [row[f"{label}_share"] for label in ("positive", "neutral", "negative", "fallback")] == [0.5] + [0.25] * 3


def test_what_nobody_scored_is_not_known(roll_up: RollUp) -> None:
    # Regression: DuckDB's greatest(-1, least(1, NULL)) is 1, so that an unread day was perfectly happy.
    row = roll_up([{"tweet_id": "1"}], [{"tweet_id": "1", "status": "failed"}])
    unknown = [
        "mean_sentiment", "weighted_sentiment", "positive_share", "neutral_share", "negative_share",
        "dominant_emotion", "fallback_share", "authors",
    ]  # fmt: skip
    assert {name: row[name] for name in unknown} == dict.fromkeys(unknown)
    assert row["top_hashtags"] == []


def test_a_day_of_retweets_only_still_has_its_row(roll_up: RollUp) -> None:
    row = roll_up([{"tweet_id": "1", "is_retweet": True}], [])
    assert (row["tweets"], row["retweets"], row["authors"], row["mean_sentiment"]) == (0, 1, 0, None)


@pytest.mark.parametrize(
    ("emotions", "dominant"),
    [
        ([{"joy": 0.2, "anger": 0.3, "neutral": 0.9}, {"joy": 0.3, "anger": 0.1, "neutral": 0.9}], "joy"),
        ([{"joy": 0.2, "anger": 0.2}], "joy"),
        ([{"neutral": 0.9}], "neutral"),
        ([{"neutral": 0.9, "joy": 0.0}], "neutral"),
        ([{"fear": 0.4}, {}], "fear"),
        ([{}], None),
    ],
)
def test_the_dominant_emotion_has_the_highest_mean_and_is_neutral_only_if_no_other_shows(
    roll_up: RollUp, emotions: list[dict[str, object]], dominant: str | None
) -> None:
    row = roll_up(
        [{"tweet_id": str(i)} for i, _ in enumerate(emotions, start=1)],
        [{"tweet_id": str(i), "sentiment": 0.0, **scores} for i, scores in enumerate(emotions, start=1)],
    )
    assert row["dominant_emotion"] == dominant


def test_the_ten_most_used_hashtags_are_folded_and_ties_go_by_name(roll_up: RollUp) -> None:
    tweets: list[dict[str, object]] = [{"tweet_id": str(i), "hashtags": [f"Tag{i:02}"]} for i in range(1, 13)]
    tweets.append({"tweet_id": "50", "hashtags": ["TAG12", "tag11", "tag11"]})
    tags = roll_up(tweets, [])["top_hashtags"]
    assert tags[:3] == [{"tag": "tag11", "n": 3}, {"tag": "tag12", "n": 2}, {"tag": "tag01", "n": 1}]
    assert len(tags) == 10


def test_a_day_without_tweets_has_no_row() -> None:
    assert roll_up_day(DAY, TWEETS.empty(), TWEET_SENTIMENT.empty()).equals(TWEET_DAILY.empty())


def scored(sentiments: list[float]) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    tweets = [{"tweet_id": str(n)} for n, _ in enumerate(sentiments, start=1)]
    labels = ["positive" if value > 0 else "negative" if value < 0 else "neutral" for value in sentiments]
    read = [
        {"tweet_id": str(n), "sentiment": value, "label": label}
        for n, (value, label) in enumerate(zip(sentiments, labels, strict=True), start=1)
    ]
    return tweets, read


@pytest.mark.parametrize(("positive", "of"), [(0, 1), (1, 1), (3, 10), (50, 50), (999, 2000)])
def test_the_interval_of_a_share_is_wilsons(roll_up: RollUp, positive: int, of: int) -> None:
    from scipy.stats import binomtest

    row = roll_up(*scored([0.5] * positive + [0.0] * (of - positive)))
    expected = binomtest(positive, of).proportion_ci(method="wilson")
    assert (row["positive_share_low"], row["positive_share_high"]) == pytest.approx(tuple(expected), abs=1e-6)


def test_the_interval_of_the_mean_is_that_of_a_bootstrap(roll_up: RollUp) -> None:
    import numpy as np

    values = np.random.default_rng(1).uniform(-1, 1, 400) ** 3
    row = roll_up(*scored(values.tolist()))
    drawn = np.random.default_rng(2).choice(values, (4000, 400)).mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert row["mean_sentiment_low"] == pytest.approx(low, abs=0.012)
    assert row["mean_sentiment_high"] == pytest.approx(high, abs=0.012)
    assert row["mean_sentiment_low"] < row["mean_sentiment"] < row["mean_sentiment_high"]


def test_a_single_voice_has_no_interval_and_agreement_has_a_narrow_one(roll_up: RollUp) -> None:
    one, agreed = roll_up(*scored([0.4])), roll_up(*scored([0.4] * 9))
    assert (one["mean_sentiment_low"], one["mean_sentiment_high"]) == (None, None)
    assert agreed["mean_sentiment_low"] == pytest.approx(0.4) == agreed["mean_sentiment_high"]


def test_equal_tweets_give_equal_intervals_in_any_order(roll_up: RollUp) -> None:
    tweets, read = scored([n / 50 - 0.5 for n in range(50)])
    assert roll_up(tweets, read) == roll_up(tweets[::-1], read[::-1])
