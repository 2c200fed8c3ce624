from __future__ import annotations

import pytest

from klip_assets.tweets.entities import entities_of_api, entities_of_text


def test_hashtags_mentions_cashtags_and_links_are_found_in_order() -> None:
    found = entities_of_text("Hi @Bob and @ann_2! #Brexit #été $TSLA up, see https://t.co/Abc1. #Brexit")
    assert found.mentions == ["Bob", "ann_2"]
    assert found.hashtags == ["Brexit", "été", "Brexit"]
    assert found.cashtags == ["TSLA"]
    assert found.urls == ["https://t.co/Abc1"]


@pytest.mark.parametrize("text", ["We're #1", "a#b", "x &#39; y", "https://x.com/p#top", "#", "C# code"])
def test_what_only_looks_like_a_hashtag_is_none(text: str) -> None:
    assert entities_of_text(text).hashtags == []


@pytest.mark.parametrize("text", ["mail me: a@b.com", "@", "https://medium.com/@someone/post"])
def test_an_address_is_no_mention(text: str) -> None:
    assert entities_of_text(text).mentions == []


@pytest.mark.parametrize("text", ["it costs $20", "US$TSLA", "$toolongname"])
def test_money_is_no_cashtag(text: str) -> None:
    assert entities_of_text(text).cashtags == []


def test_a_tag_or_name_that_the_end_of_a_retweet_cut_off_is_left_out() -> None:
    # Regression: '#NCTns…' gave the hashtag NCTns, '@YG_GlobalVI…' the user YG_GlobalVI (found in 2sets.jsonl).
    found = entities_of_text("RT @a: #nct with @bob #NCTns…")
    assert (found.hashtags, found.mentions) == (["nct"], ["a", "bob"])
    assert entities_of_text("so @YG_GlobalVI…").mentions == []


def test_the_apis_entities_of_both_versions_are_read_and_links_are_expanded() -> None:
    two = entities_of_api(
        {
            "hashtags": [{"tag": "A"}],
            "mentions": [{"username": "b"}],
            "cashtags": [{"tag": "C"}],
            "urls": [{"url": "https://t.co/1", "expanded_url": "https://x.org/a"}, {"url": "https://t.co/2"}],
        }
    )
    one = entities_of_api(
        {"hashtags": [{"text": "A"}], "user_mentions": [{"screen_name": "b"}], "symbols": [{"text": "C"}]}
    )
    assert (two.hashtags, two.mentions, two.cashtags) == (one.hashtags, one.mentions, one.cashtags)
    assert two.urls == ["https://x.org/a", "https://t.co/2"]


def test_entities_of_another_shape_give_nothing() -> None:
    found = entities_of_api({"hashtags": "x", "mentions": [1, None, {}], "urls": [{"url": 5}]})
    assert found == entities_of_text("")
