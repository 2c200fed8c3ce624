from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from klip_assets.contracts import DERIVED_TABLES
from klip_assets.store.warehouse.marts.statements import derive
from klip_assets_tests.store.warehouse.marts.conftest import Database

About = Callable[..., list[tuple[str, str]]]
PORTER = {"channel": "PixelPorter", "title": "Lumen Drift any% - world record tries | Speedrun Saturday"}


@pytest.mark.parametrize(
    ("stream", "tweet", "reason"),
    [
        (PORTER, {"text": "what a run", "mentions": ["pixelporter"]}, "channel"),
        (PORTER, {"text": "go", "hashtags": ["PixelPorter"]}, "channel"),
        (PORTER, {"text": "I love PixelPorter's runs"}, "channel"),
        (PORTER, {"text": "pixelporters everywhere"}, None),
        (PORTER, {"text": "it is speedrun saturday again!"}, "title"),
        (PORTER, {"text": "yes", "hashtags": ["SpeedrunSaturday"]}, "title"),
        (PORTER, {"text": "saturday, a speedrun"}, None),
        ({"title": "stream"}, {"text": "what a stream"}, None),
        ({"channel": "Ana"}, {"text": "ana said so"}, None),
        ({"channel": "Ana"}, {"text": "x", "mentions": ["ana"]}, "channel"),
        ({"game": "Elden Ring"}, {"text": "Elden  ring!!! wow"}, "game"),
        ({"game": "Elden Ring"}, {"text": "x", "hashtags": ["eldenring"]}, "game"),
        ({"game": "エルデンリング"}, {"text": "今夜はエルデンリングをやる"}, "game"),
        ({"title": "【雑談】まったり雑談配信"}, {"text": "まったり雑談配信きた"}, "title"),
        ({}, {"text": "anything", "hashtags": ["tag"], "mentions": ["x"], "urls": ["https://example.com"]}, None),
        (
            {"url": "https://www.twitch.tv/videos/123?t=5s"},
            {"urls": ["https://twitch.tv/videos/123"]},
            "url",
        ),
        ({"url": "https://www.twitch.tv/videos/123"}, {"urls": ["https://twitch.tv/videos/1234"]}, None),
        (
            {"url": "https://www.youtube.com/watch?v=dQw4w9WgXcQ", "platform": "youtube"},
            {"urls": ["https://youtu.be/dQw4w9WgXcQ?si=x"]},
            "url",
        ),
        (
            {"url": "https://www.youtube.com/watch?v=dQw4w9WgXcQ"},
            {"urls": ["https://youtu.be/dqw4w9wgxcq"]},
            None,
        ),
        ({"channel": "Ana", "platform": "twitch"}, {"urls": ["https://www.twitch.tv/ana"]}, "url"),
        ({"channel": "Ana", "platform": "youtube"}, {"urls": ["https://youtube.com/@ana"]}, "url"),
        ({"channel": "Ana"}, {"urls": ["https://www.twitch.tv/ana"]}, None),
        (
            {**PORTER, "game": "Lumen Drift"},
            {"text": "Lumen Drift by PixelPorter on Speedrun Saturday"},
            "channel",
        ),
    ],
)
def test_a_tweet_is_about_a_stream_whose_page_channel_title_or_game_it_names(
    about: About, stream: dict[str, Any], tweet: dict[str, Any], reason: str | None
) -> None:
    assert about(stream, tweet) == ([("1001", reason)] if reason else [])


def test_tweets_count_from_an_hour_before_the_start_to_a_day_after_the_end(about: About) -> None:
    times = ("13T16:59:59", "13T17:00:00", "14T19:00:00", "14T19:00:01")
    assert [key for key, _ in about(PORTER, *({"at": f"2026-06-{t}", "text": "PixelPorter!"} for t in times))] == [
        "1002",
        "1003",
    ]


def test_the_offset_counts_from_the_start_of_the_stream_and_is_negative_before(database: Database) -> None:
    database.stream("s", channel="PixelPorter")
    database.tweet("2026-06-13T17:59:00", "PixelPorter soon")
    database.tweet("2026-06-13T18:00:01.500", "PixelPorter now")
    assert [row["offset_s"] for row in database.derived("video_tweets")] == [-60.0, 1.5]


def test_a_tweet_may_be_about_two_streams_and_a_duplicate_is_none(database: Database) -> None:
    for name, more in (("a", {}), ("b", {}), ("copy", {"duplicate_of": "a"}), ("when", {"started_at": None})):
        database.stream(name, channel="PixelPorter", **more)
    database.tweet("2026-06-13T18:30:00", "PixelPorter")
    assert [row["video_id"] for row in database.derived("video_tweets")] == ["a", "b"]
    assert [row["video_id"] for row in database.derived("video_reaction")] == ["a", "b"]


def test_a_reaction_tells_before_during_and_after_apart_and_leaves_retweets_out(database: Database) -> None:
    database.stream("s", channel="PixelPorter")
    for at, sentiment, more in (
        ("13T17:30:00", -0.5, {"hashtags": ["Hype"]}),
        ("13T18:00:00", 0.2, {"author_id": "1"}),
        ("13T18:59:59", 0.4, {"author_id": "1", "hashtags": ["hype", "wr"]}),
        ("13T18:30:00", -1.0, {"is_retweet": True}),
        ("13T19:00:00", None, {"author": "Ana"}),
    ):
        database.tweet(f"2026-06-{at}", "PixelPorter", sentiment=sentiment, **more)
    (row,) = database.derived("video_reaction")
    assert [row[f"tweets{when}"] for when in ("", "_before", "_during", "_after")] == [4, 1, 2, 1]
    assert row["authors"] == 2
    assert [row[f"sentiment_{when}"] for when in ("before", "during", "after")] == [-0.5, pytest.approx(0.3), None]
    assert row["top_hashtags"] == [{"tag": "hype", "n": 2}, {"tag": "wr", "n": 1}]


def test_a_stream_nobody_tweets_about_has_a_row_of_zeros_and_no_mood(database: Database) -> None:
    database.stream("s", channel="PixelPorter")
    (row,) = database.derived("video_reaction")
    assert (row["tweets"], row["authors"], row["top_hashtags"]) == (0, 0, [])
    assert row["sentiment_during"] is None and row["spike_minute"] is None


def test_the_spike_is_the_first_of_the_fullest_minutes_and_two_tweets_are_none(database: Database) -> None:
    database.stream("s", channel="PixelPorter")
    for minute, count in ((3, 1), (20, 4), (40, 4)):
        for second in range(count):
            database.tweet(f"2026-06-13T18:{minute:02}:{second:02}", "PixelPorter")
    (row,) = database.derived("video_reaction")
    assert (row["spike_minute"], row["spike_tweets"]) == (20, 4)
    database.connection.execute("DELETE FROM tweets WHERE second(created_at) > 1")
    (row,) = database.derived("video_reaction")
    assert (row["spike_minute"], row["spike_tweets"]) == (None, None)


def test_a_steady_stream_of_tweets_has_no_spike(database: Database) -> None:
    database.stream("s", channel="PixelPorter", duration_s=300.0)
    for minute in range(5):
        for second in range(10 + minute):
            database.tweet(f"2026-06-13T18:{minute:02}:{second:02}", "PixelPorter")
    (row,) = database.derived("video_reaction")
    assert row["tweets_during"] == 60 and row["spike_minute"] is None


def test_streams_of_any_name_do_no_harm(database: Database) -> None:
    names = ("'; DROP TABLE tweets; --", "100% (a|b) [c] \\ .*", "", "   ", "|", "🎮🎮", "a" * 5000, "%_%", "\u202e")
    for number, name in enumerate(names):
        database.stream(f"s{number}", channel=name, title=name, game=name, url=name)
        database.tweet("2026-06-13T18:30:00", name)
    database.tweet("2026-06-13T18:30:00", "nothing of that")
    found = database.derived("video_tweets")
    assert ("1010" in {row["tweet_id"] for row in found}) is False
    assert len(database.derived("video_reaction")) == len(names)


def test_the_start_decides_not_the_day_of_the_calendar(database: Database) -> None:
    database.stream("s", channel="PixelPorter", started_at=datetime(2026, 6, 13, 23, 50))
    database.tweet("2026-06-14T00:10:00", "PixelPorter at midnight")
    (row,) = database.derived("video_tweets")
    assert (str(row["day"]), row["offset_s"]) == ("2026-06-14", 1200.0)


def test_only_what_depends_on_a_change_is_made_again(database: Database) -> None:
    assert derive(database.connection, {"videos"}) == ["video_tweets", "video_reaction"]
    assert derive(database.connection, {"highlights", "stage_status"}) == []
    assert derive(database.connection, {"tweets"}) == list(DERIVED_TABLES)
