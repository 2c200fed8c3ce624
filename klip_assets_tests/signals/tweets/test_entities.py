from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klip_assets.signals.tweets.entities import entities_of_api, entities_of_lists, entities_of_text


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
def test_an_address_is_not_a_mention(text: str) -> None:
    assert entities_of_text(text).mentions == []


@pytest.mark.parametrize("text", ["it costs $20", "US$TSLA", "$toolongname"])
def test_money_is_not_a_cashtag(text: str) -> None:
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


# The rules published with twitter-text, in cases of our own.


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("#ünïcödé #日本語 #हिन्दी #עברית #Русский #ไทย", ["ünïcödé", "日本語", "हिन्दी", "עברית", "Русский", "ไทย"]),
        ("日本語#タグ ", []),
        ("日本語 #タグ。次", ["タグ"]),
        ("「#タグ」と(#b)", ["タグ", "b"]),
        ("#123 #1a #a1 #_1 #__a", ["1a", "a1", "__a"]),
        ("\U0001f600#fun #fun\U0001f600", ["fun", "fun"]),
        ("#\ufe0f\u20e31 #\u20e3", []),
        ("❤\ufe0f#love", ["love"]),
        ("#one#two", []),
        ("#a.b #c-d #e_f #g'h", ["a", "c", "e_f", "g"]),
        ("＃全角", ["全角"]),
        ("&#nbsp x&#a", []),
        ("#\u200dx #a\u200cb", ["\u200dx", "a\u200cb"]),
        ("#https://example.com", []),
        ("#𝒜𝓃 #\U00020000", ["𝒜𝓃", "\U00020000"]),
        ("line\n#end", ["end"]),
    ],
)
def test_hashtags_follow_the_published_rules(text: str, tags: list[str]) -> None:
    assert entities_of_text(text).hashtags == tags


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("RT@a RT:@b rt @c Rt:@d", ["a", "b", "c", "d"]),
        ("xRT@a aRT:@b", ["b"]),
        ("の@nameに着く", ["name"]),
        ("@a @b,@c.@d", ["a", "b", "c", "d"]),
        ("@aliceìn @name\u0301", []),
        ("a@b !@b @@b #@b $@b %@b &@b *@b _@b", []),
        ("f!@kn @_@ (cc: @user)", ["user"]),
        ("@user/list @user/7x", ["user"]),
        ("@http://example.com", []),
        ("＠wide", ["wide"]),
        ("@abcdefghijklmnopqrstuvwxyz", ["abcdefghijklmnopqrst"]),
        ("me@example.com", []),
    ],
)
def test_mentions_follow_the_published_rules(text: str, names: list[str]) -> None:
    assert entities_of_text(text).mentions == names


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("$TSLA $brk.a $BRK_B $a", ["TSLA", "brk.a", "BRK_B", "a"]),
        ("x$T -$T ($T) $T1 $toolong $1", []),
        ("$T, $U; $V\u3000$W", ["T", "U", "V", "W"]),
    ],
)
def test_cashtags_follow_the_published_rules(text: str, tags: list[str]) -> None:
    assert entities_of_text(text).cashtags == tags


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("http://example.com", ["http://example.com"]),
        ("see example.com/a, foo.co.jp and foo.nosuchtld", ["example.com/a", "foo.co.jp"]),
        ("(http://example.com/a_(b)) http://example.com/a).", ["http://example.com/a_(b)", "http://example.com/a"]),
        ("これはexample.com/path中国語http://t.co/abc한국", ["example.com/path", "http://t.co/abc"]),
        ("http://日本.みんな/x", ["http://日本.みんな/x"]),
        ("http://example.com/?a=b&c=d. http://example.com:8080/x#y!", ["http://example.com/?a=b&c=d",
                                                                       "http://example.com:8080/x#y"]),
        ("me@example.com @x.com $a.com", []),
        ("http://-a.com http://a_b.com http://no-tld", []),
        ("http://a_b.c-d.com", ["http://a_b.c-d.com"]),
        ("https://t.co/abc123/more", ["https://t.co/abc123"]),
        ("one.Two three.four", []),
        ("https://x.com/a https://x.com/a", ["https://x.com/a"]),
        ("cut https://t.co/abc…", []),
        ("HTTPS://Example.COM/A", ["HTTPS://Example.COM/A"]),
        ("xn--fiqs8s.xn--fiqs8s", ["xn--fiqs8s.xn--fiqs8s"]),
        (f"http://{'a' * 63}.com http://{'a' * 64}.com {'é' * 64}.com", [f"http://{'a' * 63}.com"]),
        (f"{'日' * 100}example.com/a?b=c", ["example.com/a?b=c"]),
        (f"http://{'ü' * 60}.de/x https://{'中' * 60}.com/ {'é' * 60}.com", []),
        (f"http://{'ü' * 30}.de/x", [f"http://{'ü' * 30}.de/x"]),
        ("http://xn--münchen.de/a XN--münchen.de http://www.xn--münchen.de http://xn--ls8h.みんな", []),
        ("https://xn--mnchen-3ya.de/x http://xn--ls8h.XN--ls8h.la/",
         ["https://xn--mnchen-3ya.de/x", "http://xn--ls8h.XN--ls8h.la/"]),
        ("https://münchen.de/weg https://президент.рф/news", ["https://münchen.de/weg", "https://президент.рф/news"]),
        ("https://中国政府.政务 https://faß.de/x bücher.example.com/p",
         ["https://中国政府.政务", "https://faß.de/x", "bücher.example.com/p"]),
    ],
)  # fmt: skip
def test_links_follow_the_published_rules(text: str, urls: list[str]) -> None:
    assert entities_of_text(text).urls == urls


def test_what_stands_inside_a_link_is_neither_tag_nor_name() -> None:
    found = entities_of_text("https://x.com/#tag https://medium.com/@ann example.com/#b http://a.com/$T")
    assert (found.hashtags, found.mentions, found.cashtags) == ([], [], [])


def test_lists_beside_the_text_are_read_and_what_is_missing_is_left_to_the_text() -> None:
    found = entities_of_lists(
        {"hashtags": ["#a", "b", None], "mentionedUsers": [{"username": "ann"}], "cashtags": None}
    )
    assert found == {"hashtags": ["a", "b"], "mentions": ["ann"]}
    assert entities_of_lists({"text": "x"}) is None


@settings(deadline=None)
@given(st.text(st.sampled_from("#＃@＠$.:/htps日é😀\ufe0f aA1_-…()?&"), max_size=60))
def test_any_text_gives_tags_that_stand_in_it(text: str) -> None:
    found = entities_of_text(text)
    for sign, names in (("#＃", found.hashtags), ("@＠", found.mentions), ("$", found.cashtags)):
        assert all(any(one + name in text for one in sign) for name in names)
    assert all(url in text for url in found.urls)


@pytest.mark.parametrize(
    "piece",
    [
        "a.",
        "#",
        "@a",
        "(",
        "a.com/(",
        "http://",
        "é.",
        "#1",
        "a_.",
        "a.com/a(",
        "。",
        "x.みんな",
        "\u0301",
        "é",
        "a.co?",
        "a.co #a ",
    ],
)
def test_no_text_takes_long(piece: str) -> None:
    text = (piece * 25_000)[:25_000]
    began = time.process_time()
    entities_of_text(text)
    assert time.process_time() - began < 5
