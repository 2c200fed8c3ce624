from __future__ import annotations

import time
from datetime import datetime

import pytest

from klip_assets.formats.refused import RowRefused
from klip_assets.formats.text import valid_unicode
from klip_assets.signals.tweets.values import other_id_of, text_of_tweet, time_of, tweet_id_of


@pytest.mark.parametrize(
    "given", ["569429411646156800", 569429411646156800, ' ="569429411646156800" ', "'569429411646156800"]
)
def test_an_id_is_read_as_spreadsheets_protect_it(given: object) -> None:
    assert tweet_id_of(given) == "569429411646156800"


@pytest.mark.parametrize("given", ["5.70306E+17", "5,70306E+17", "5.7e17", 5.70306e17, "570306133677760513.0"])
def test_an_id_that_a_spreadsheet_rounded_is_refused_with_that_reason(given: object) -> None:
    with pytest.raises(RowRefused, match="rounded by a spreadsheet"):
        tweet_id_of(given)


def test_the_address_gives_the_id_where_the_column_is_missing_or_rounded() -> None:
    url = "https://twitter.com/BarackObama/status/920061541986250758?s=20"
    assert tweet_id_of(None, url) == tweet_id_of("9.2E+17", url) == "920061541986250758"


@pytest.mark.parametrize("given", [None, "", "nan", "abc", True, [], "0", "-1"])
def test_what_is_not_an_id_is_refused(given: object) -> None:
    with pytest.raises(RowRefused):
        tweet_id_of(given)
    assert other_id_of(given) is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2021-04-08T19:34:16.000Z", datetime(2021, 4, 8, 19, 34, 16)),
        ("2021-04-08T21:34:16+02:00", datetime(2021, 4, 8, 19, 34, 16)),
        ("2021-04-08 19:34:16", datetime(2021, 4, 8, 19, 34, 16)),
        ("2021-04-08 19:34:16 UTC", datetime(2021, 4, 8, 19, 34, 16)),
        ("2021-04-08", datetime(2021, 4, 8)),
        ("Wed Aug 27 13:08:45 +0000 2008", datetime(2008, 8, 27, 13, 8, 45)),
        ("10/2/17 12:41", datetime(2017, 10, 2, 12, 41)),
        ("8/16/2016 19:22:57", datetime(2016, 8, 16, 19, 22, 57)),
        ("2/22/2015 12:05 AM", datetime(2015, 2, 22, 0, 5)),
        ("2/22/2015", datetime(2015, 2, 22)),
        (1219842525, datetime(2008, 8, 27, 13, 8, 45)),
        ("1219842525000", datetime(2008, 8, 27, 13, 8, 45)),
    ],
)
def test_times_become_naive_utc(given: object, expected: datetime) -> None:
    assert time_of(given) == expected


@pytest.mark.parametrize("given", [None, "", "soon", "13/45/2017 1:00", "0001-01-01T00:00:00+14:00", True, [], 1e400])
def test_a_time_that_is_none_is_not_known(given: object) -> None:
    assert time_of(given) is None


def test_html_entities_are_resolved_once_and_only_where_they_are_complete() -> None:
    assert text_of_tweet("a &amp; b &lt;3 &#39;x&#39; &quot;") == "a & b <3 'x' \""
    assert text_of_tweet("&amp;lt;") == "&lt;"
    # html.unescape alone makes '®ion' and '©' of these links.
    assert text_of_tweet("x.org?a=1&region=2&copy=3") == "x.org?a=1&region=2&copy=3"


def test_half_a_surrogate_pair_becomes_a_replacement_character() -> None:
    assert valid_unicode("a\ud83db") == "a\ufffdb"
    assert valid_unicode("\ud83d\ude00") == "😀"


@pytest.mark.parametrize(
    "text", ["01/01/2020 10:10:10" + " " * 200_000 + "x", "Wed" + " " * 200_000 + "x", "1" * 200_000]
)
def test_a_text_too_long_for_a_time_is_no_time_at_once(text: str) -> None:
    began = time.process_time()
    assert time_of(text) is None
    assert time.process_time() - began < 0.2


def test_digits_without_end_are_no_tweet_id_at_once() -> None:
    began = time.process_time()
    with pytest.raises(RowRefused, match="not a tweet id"):
        tweet_id_of("1" * 200_000 + "x")
    assert time.process_time() - began < 0.2
