from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from klip_assets_tests.store.warehouse.marts.conftest import Database


def day(number: int) -> str:
    return (datetime(2026, 6, 1, 12) + timedelta(days=number)).isoformat()


def use(database: Database, counts: list[int], tag: str = "hype") -> list[tuple[float | None, str | None]]:
    """Use a tag so often on each of some days, of which other tweets are known, too; return velocity and trend."""
    for number, count in enumerate(counts):
        database.tweet(day(number), "something else")
        for _ in range(count):
            database.tweet(day(number), "x", hashtags=[tag])
    return [(row["velocity"], row["trend"]) for row in database.derived("hashtag_daily") if row["tag"] == tag]


def test_hours_are_of_utc_and_hold_only_their_own_tweets(database: Database) -> None:
    database.tweet("2026-06-13T17:59:59.999", sentiment=1.0, author_id="1")
    database.tweet("2026-06-13T18:00:00", sentiment=-0.5, author_id="1")
    database.tweet("2026-06-13T18:10:00", sentiment=0.0, author="Ana")
    database.tweet("2026-06-13T18:20:00", sentiment=1.0, is_retweet=True, author_id="2")
    database.tweet("2026-06-13T18:30:00", is_retweet=None)
    first, second = database.derived("tweet_hourly")
    assert (first["hour_at"], first["tweets"]) == (datetime(2026, 6, 13, 17), 1)
    assert (second["tweets"], second["retweets"], second["authors"]) == (3, 1, 2)
    assert (second["mean_sentiment"], second["positive_share"], second["negative_share"]) == (-0.25, 0.0, 0.5)


def test_an_hour_nobody_could_score_has_no_mood(database: Database) -> None:
    database.tweet("2026-06-13T18:00:00")
    (row,) = database.derived("tweet_hourly")
    assert (row["mean_sentiment"], row["positive_share"]) == (None, None)


def test_a_tag_is_new_on_its_first_day_if_an_earlier_one_is_known(database: Database) -> None:
    assert [trend for _, trend in use(database, [1, 1, 0, 1])] == [None, None, None]
    assert next(trend for _, trend in use(database, [0, 1, 1], "late")) == "new"


def test_a_tag_rises_peaks_and_fades(database: Database) -> None:
    found = use(database, [4, 4, 4, 4, 20, 21, 8, 4, 4])
    trends = [trend for _, trend in found]
    assert trends == [None, None, None, None, "rising", "peaking", "fading", "fading", None]
    assert use(database, [9] * 5, "plain")[-1] == (1.0, "steady")


def test_the_velocity_is_measured_against_the_median_of_the_week_before(database: Database) -> None:
    found = use(database, [1, 100, 3, 9, 2, 2, 2, 2, 10])
    # The seven days before the last hold 100, 3, 9, 2, 2, 2, 2: the day of a hundred does not shift the median.
    assert found[-1][0] == 5.0
    assert [velocity for velocity, _ in found[:3]] == [None, None, None]


def test_days_without_the_tag_count_as_zeros_and_days_without_any_tweet_do_not_count(database: Database) -> None:
    assert use(database, [6, 0, 0, 0, 6])[-1] == (6.0, "rising")
    for number in (20, 26, 27):
        database.tweet(day(number), "x", hashtags=["rare"])
    rows = [row for row in database.derived("hashtag_daily") if row["tag"] == "rare"]
    assert [row["usual_tweets"] for row in rows] == [None, None, None], "two known days are too few"


def test_a_tag_is_folded_counted_once_a_tweet_and_not_in_retweets(database: Database) -> None:
    database.tweet(day(0), hashtags=["Hype", "HYPE"], author="Ana", sentiment=0.5)
    database.tweet(day(0), hashtags=["hype"], author="ana", sentiment=-0.25)
    database.tweet(day(0), hashtags=["hype"], is_retweet=True, sentiment=1.0)
    (row,) = database.derived("hashtag_daily")
    assert (row["tag"], row["tweets"], row["authors"]) == ("hype", 2, 1)
    assert (row["mean_sentiment"], row["positive_share"]) == (0.125, 0.5)


def test_an_author_is_known_by_id_and_else_by_name(database: Database) -> None:
    database.tweet(day(0), author="Ana", author_id="7", like_count=3, retweet_count=1, sentiment=1.0)
    database.tweet(day(0), author="Ana2", author_id="7", in_reply_to="5", like_count=4)
    database.tweet(day(0), author="Bob")
    database.tweet(day(0), author="BOB", is_retweet=True)
    database.tweet(day(0))
    ana, bob = database.derived("author_daily")
    assert (ana["author_key"], ana["author"], ana["tweets"], ana["replies"]) == ("7", "Ana2", 2, 1)
    assert (ana["likes_received"], ana["retweets_received"], ana["mean_sentiment"]) == (7, 1, 1.0)
    assert (bob["author_key"], bob["tweets"], bob["retweets"], bob["likes_received"]) == ("bob", 1, 1, None)
    assert ana["day"] == date(2026, 6, 1)


def test_whom_one_file_names_by_id_and_another_by_name_is_one_person(database: Database) -> None:
    database.tweet(day(0), author="Maria", author_id="5005", hashtags=["a"])
    database.tweet(day(0), author="maria", hashtags=["a"])
    database.tweet(day(0), author="MARIA", hashtags=["a"], is_retweet=True)
    database.tweet(day(3), author="maria")
    database.tweet(day(0), author="other", hashtags=["a"])
    found = [(row["day"].day, row["author_key"], row["tweets"]) for row in database.derived("author_daily")]
    assert found == [(1, "5005", 2), (1, "other", 1), (4, "5005", 1)]
    assert [row["authors"] for row in database.derived("hashtag_daily")] == [2]
    assert [row["authors"] for row in database.derived("tweet_hourly")] == [2, 1]


def test_a_name_that_is_only_shown_makes_nobody_the_user_of_that_name(database: Database) -> None:
    database.tweet(day(0), author="maria", author_id="5005", hashtags=["a"])
    database.tweet(day(0), author="Maria", author_is_shown_name=True, hashtags=["a"])
    database.tweet(day(0), author="ana", author_is_shown_name=True, author_id="7")
    database.tweet(day(0), author="Ana")
    found = [(row["author_key"], row["tweets"]) for row in database.derived("author_daily")]
    assert found == [("5005", 1), ("7", 1), ("ana", 1), ("maria", 1)]
    assert [row["authors"] for row in database.derived("hashtag_daily")] == [2]
    assert [row["authors"] for row in database.derived("tweet_hourly")] == [4]


def test_a_user_name_of_digits_is_not_the_id_of_another(database: Database) -> None:
    database.tweet(day(0), author="ana", author_id="777")
    database.tweet(day(0), author="777")
    found = [(row["author_key"], row["tweets"]) for row in database.derived("author_daily")]
    assert found == [("777", 1), ("@777", 1)]


def test_a_name_that_changed_hands_is_taken_by_the_day_and_else_left_alone(database: Database) -> None:
    for number, author_id in ((0, "1"), (2, "2")):
        database.tweet(day(number), author="ana", author_id=author_id)
        database.tweet(day(number), author="Ana")
    database.tweet(day(5), author="ana")
    found = [(row["author_key"], row["tweets"]) for row in database.derived("author_daily")]
    assert found == [("1", 2), ("2", 2), ("ana", 1)]


def test_an_author_who_was_renamed_has_the_name_of_the_later_tweet(database: Database) -> None:
    database.tweet("2018-05-25T03:00", tweet_id="1000001000000000000", author="new", author_id="6")
    database.tweet("2018-05-25T02:00", tweet_id="999999000000000000", author="old", author_id="6")
    (row,) = database.derived("author_daily")
    assert (row["author"], row["author_key"], row["tweets"]) == ("new", "6", 2)


def test_counts_whose_sum_no_column_can_hold_do_not_stop_a_publish(database: Database) -> None:
    for _ in range(2):
        database.tweet(day(0), author="ana", like_count=2**63 - 1)
    (row,) = database.derived("author_daily")
    assert row["likes_received"] == 2**63 - 1


@pytest.mark.slow
@pytest.mark.parametrize("table", ["tweet_hourly", "hashtag_daily", "author_daily"])
def test_the_order_in_which_rows_arrived_changes_no_digit(table: str) -> None:
    import random

    import duckdb

    found = []
    for seed in range(3):
        order = list(range(400))
        random.Random(seed).shuffle(order)
        with duckdb.connect() as connection:
            database = Database(connection)
            for n in order:
                database.tweet(day(n % 3), tweet_id=str(n + 1), hashtags=["a"], author_id="1", sentiment=1 / (n + 3))
            found.append(database.derived(table))
    assert found[0] == found[1] == found[2]
