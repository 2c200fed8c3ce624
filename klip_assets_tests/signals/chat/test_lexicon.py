from __future__ import annotations

import re
import time

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from klip_assets.signals.chat import lexicon
from klip_assets.signals.chat.lexicon import (
    KINDS,
    LAUGHING_EMOTES,
    emotes_of_words,
    is_bot_message,
    known_emotes,
    laughs,
    phrases_of,
    read_entries,
)


@pytest.mark.parametrize(
    "text",
    [
        "lol", "LOOOOL", "Lol", "lolol", "lolz", "lmao", "LMFAOOO", "rofl", "kek", "KEKW", "KEKWait", "topkek", "LUL",
        "OMEGALUL", "haha", "AHAHAHA", "hahahaah", "ahahhaha", "hahah", "ha ha ha", "ha-ha", "bahaha", "mwahaha",
        "hehe", "hihi", "teehee", "xD", "XDDD", "that was so funny lol!", "(haha)", '"haha"', "lmao, so", "4Head",
        "streamerLUL", "EleGiggle", "ICANT", "www", "wwwww", "草", "草www", "すごいw", "すごいｗｗ", "ｗｗｗ",
        "面白い笑", "（笑）", "爆笑", "わろた", "哈哈", "哈哈哈哈", "笑死", "太好笑了", "233", "23333", "笑死我了2333",
        "ㄏㄏ", "ㅋㅋㅋ", "ㅎㅎ", "jajaja", "jejeje", "kkkk", "rsrs", "huehue", "mdr", "MDRRR", "ptdr", "хаха",
        "Ахахах", "лол", "ржу", "555", "55555", "5555 5555", "555+", "ขำ 555", "ฮ่าฮ่า", "wkwkwk", "ههههه", "חחח",
        "😂", "no 🤣 way", ":face_with_tears_of_joy:",
    ],
)  # fmt: skip
def test_laughter_is_known(text: str) -> None:
    assert laughs(pa.array([text])).to_pylist() == [True]


@pytest.mark.parametrize(
    "text",
    [
        "", "hello", "lollipop", "LoL", "lull", "lulu", "ha", "aha", "ahhh", "he", "she",
        "the", "hall of fame", "Ahmad", "Sarah", "Utah", "Bahama", "Chihuahua", "hue",
        "hi", "exodus", "xdr", "xylophone", "kekkai", "lullaby", "ja", "jam", "kkk", "mdrive", "ptd", "rs", "haHAA",
        "www.example.com", "https://www.example.com", "awww", "WWW", "WW", "w", "2332", "12333", "233a", "in 2333 days",
        "rank 2333", "233 elo", "5551", "1555", "555.5", "$555", "555-1234", "we hit 555 viewers", "555 subs", "草莓",
        "草原", "煙草", "笑話", "笑容", "微笑", "開玩笑的", "可笑", "махать", "хата", "колол",
    ],
)  # fmt: skip
def test_what_is_not_laughter_is_not_taken_for_it(text: str) -> None:
    assert laughs(pa.array([text])).to_pylist() == [False]


def test_a_missing_text_does_not_laugh() -> None:
    assert laughs(pa.array([None], pa.string())).to_pylist() == [False]


@settings(deadline=None)
@given(st.integers(0, 10**9), st.sampled_from(["", " viewers", " %", ".5"]), st.sampled_from(["", "we hit ", "$", "#"]))
@example(555, "", "rank ")
def test_a_number_is_not_laughter_unless_it_stands_alone_and_laughs_in_thai_or_chinese(
    number: int, after: str, before: str
) -> None:
    expected = not before and not after and re.fullmatch(r"5{3,}|233+", str(number)) is not None
    assert laughs(pa.array([f"{before}{number}{after}"])).to_pylist() == [expected]


@settings(deadline=None)
@given(st.text(max_size=60), st.sampled_from(["haha", "lol", "草", "ㅋㅋ", "😂"]))
def test_laughter_is_heard_wherever_it_stands_by_itself(text: str, laughter: str) -> None:
    assert laughs(pa.array([f"{text} {laughter} {text}"])).to_pylist() == [True]


def test_bots_and_commands_are_known_and_an_outcry_is_none() -> None:
    assert is_bot_message("hi", "Nightbot")
    assert is_bot_message("hi", None, "streamelements")
    assert is_bot_message("!drop", "ann")
    assert not is_bot_message("!!!", "ann")
    assert not is_bot_message("no way!", "ann", None)


def test_emotes_among_words_are_case_sensitive_and_in_order() -> None:
    assert emotes_of_words("PogU that clip KEKW kekw Kappa123 PogU") == ["PogU", "KEKW", "PogU"]
    # W is a win, and no emote.
    assert emotes_of_words("W L F") == []


def test_every_entry_has_a_kind_a_valence_in_range_and_stands_there_once(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = read_entries()
    assert sorted(entries) == sorted(KINDS)
    assert all(entries[kind] for kind in KINDS)
    assert all(-4 <= valence <= 4 for kind in entries.values() for valence in kind.values())
    assert all(word == word.lower() for kind in ("name", "word", "drawn", "phrase") for word in entries[kind])
    # What is letter by letter is one thing only, and what laughs counts as laughter.
    assert not entries["emote"].keys() & entries["cased"].keys()
    assert not set(LAUGHING_EMOTES) & entries["emote"].keys()
    assert all(laughs(pa.array([emote])).to_pylist() == [True] for emote in LAUGHING_EMOTES)
    assert not any(laughs(pa.array(sorted(entries["emote"]))).to_pylist())
    assert len(known_emotes()) == len(entries["emote"]) + len(LAUGHING_EMOTES)


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("NO   WAYYYY!!", "no way!"), ("no way!", "no way!"), ("KEKW KEKW KEKW", "kekw"), ("ＬＯＬ", "ｌｏｌ"),
        ("", ""), ("  \t\n ", ""), ("100 11", "100 11"), ("LETS GOOOOO", "lets go"), ("草草草", "草"), ("???", "?"),
        ("a b a b", "a b a b"),
    ],
)  # fmt: skip
def test_variants_of_a_phrase_are_one(text: str, phrase: str) -> None:
    assert phrases_of([text]) == [phrase]


@settings(deadline=None)
@given(st.lists(st.text(max_size=30), max_size=8))
@example(["", "", "a"])
@example(["a\nb", "a", "a"])
def test_phrases_agree_with_their_definition_text_by_text(texts: list[str]) -> None:
    def plainly(text: str) -> str:
        folded = re.sub(r"([^0-9])\1+", r"\1", " ".join(text.split()).casefold(), flags=re.DOTALL)
        words = folded.split(" ")
        return " ".join(word for at, word in enumerate(words) if at == 0 or word != words[at - 1])

    assert phrases_of(texts) == [plainly(text) for text in texts]


def test_phrases_of_many_texts_are_those_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"{'lo' * (n % 7)}l {n}" for n in range(50)]
    monkeypatch.setattr(lexicon, "_TEXTS_AT_ONCE", 7)
    assert phrases_of(texts) == [phrases_of([text])[0] for text in texts]


def test_a_quarter_of_a_million_texts_are_asked_for_laughter_in_two_seconds() -> None:
    words = np.array(
        ["gg", "that", "was", "close", "haha", "no way", "草www", "555", "KEKW", "a shot", "ㅋㅋ", "хаха", "lol"]
    )
    chosen = words[np.random.default_rng(5).integers(0, len(words), (250_000, 5))]
    texts = pa.array([" ".join(line) + f" {at}" for at, line in enumerate(chosen)])
    started = time.process_time()
    laughing = laughs(texts)
    assert time.process_time() - started < 2
    assert 0.3 < sum(laughing.to_pylist()) / len(texts) < 0.99
