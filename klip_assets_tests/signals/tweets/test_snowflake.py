from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klip_assets.signals.tweets.snowflake import FIRST_SNOWFLAKE, created_at_of, is_tweet_id


def test_the_time_in_a_known_id_is_what_the_api_says_to_the_second() -> None:
    # tw-twarc-v2: id and created_at of one tweet.
    assert created_at_of("1380242611781386245") == datetime(2021, 4, 8, 19, 34, 16, 973000)


@settings(deadline=None)
@given(
    st.datetimes(datetime(2010, 11, 5), datetime(2079, 1, 1)).map(lambda t: t.replace(microsecond=0)),
    st.integers(0, 999),
    st.integers(0, 2**22 - 1),
)
def test_a_time_put_into_an_id_comes_out_again(second: datetime, millisecond: int, rest: int) -> None:
    time = second + timedelta(milliseconds=millisecond)
    since_epoch = (time - datetime(1970, 1, 1)) // timedelta(milliseconds=1)
    tweet_id = str((since_epoch - 1_288_834_974_657) << 22 | rest)
    assert created_at_of(tweet_id) == time


@settings(deadline=None)
@given(st.integers(1, FIRST_SNOWFLAKE - 1))
def test_an_id_from_before_the_snowflakes_has_no_time(number: int) -> None:
    assert is_tweet_id(str(number))
    assert created_at_of(str(number)) is None


@pytest.mark.parametrize(
    "nonsense",
    [
        "",
        "0",
        "007",
        "-5",
        "5.7E+17",
        "1380242611781386245.0",
        "12a",
        "１３８０２４２６１１",
        str(2**63),
        "9" * 5000,
        " 5",
    ],
)
def test_nonsense_is_not_an_id_and_has_no_time(nonsense: str) -> None:
    assert not is_tweet_id(nonsense)
    assert created_at_of(nonsense) is None


@settings(deadline=None)
@given(st.text(max_size=30))
def test_any_text_has_a_time_or_none(text: str) -> None:
    time = created_at_of(text)
    assert time is None or time >= datetime(2010, 11, 4)
