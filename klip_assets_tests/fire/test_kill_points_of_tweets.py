"""SIGKILL at every named point of a tweet ingest, of the days it changes and of their publish."""

from __future__ import annotations

import pytest

from klip_assets.settings import Settings
from klip_assets_tests.fire.stories import Story, wrong_after_real_kills, wrong_in
from klip_assets_tests.fire.victims import Victims
from klip_assets_tests.made import tweet, tweet_id_at, write_tweets

pytestmark = pytest.mark.slow


def change(settings: Settings) -> None:
    # One file is replaced (a day loses its tweets, another gains some), one is gone, one is new and partly broken.
    entries = [tweet(tweet_id_at("2026-06-13", 5), "I hate this"), tweet(tweet_id_at("2026-06-13", 7), "lovely")]
    write_tweets(settings.tweet_inbox / "tweets.jsonl", entries)
    (settings.tweet_inbox / "gone.jsonl").unlink()
    new = write_tweets(settings.tweet_inbox / "new.jsonl", [tweet(tweet_id_at("2026-06-13", 6), "so good")])
    with new.open("a") as file:
        file.write("this is no tweet\n")


def test_a_kill_at_any_point_of_an_ingest_loses_nothing_and_the_next_run_finishes_the_work(
    story: Story, victim: Victims
) -> None:
    assert len(story.points) > 70
    assert wrong_in(story, victim) == []


def test_what_a_real_kill_leaves_is_what_was_copied_and_no_lock_is_held(story: Story, victim: Victims) -> None:
    assert wrong_after_real_kills(story, victim) == []
