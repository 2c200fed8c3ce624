"""The chain of tiers, and readings as tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import pyarrow as pa
import pytest

from klip_assets.contracts import EMOTIONS, SEGMENT_SENTIMENT, SEGMENTS, TWEET_SENTIMENT, TWEETS
from klip_assets.settings import Settings
from klip_assets.signals.text.item import Item
from klip_assets.signals.text.llm.prompt import SEGMENT
from klip_assets.signals.text.reading import Reading
from klip_assets.signals.text.tables import known_readings, notes_of, read_segments, read_tweets
from klip_assets.signals.text.tiers import Chain, LexiconTier, TierState, build_chain, chain_version, tier_states
from klip_assets.store.lake.validate import conform

LEXICON = Chain([LexiconTier("vader")], [])


@dataclass
class Fails:
    """A tier that can't read some texts."""

    name: str
    on: tuple[str, ...] = ("",)
    asked: list[str] = field(default_factory=list)
    languages: frozenset[str] | None = None
    reader: str = "m"

    def read(self, items: Sequence[Item]) -> list[Reading]:
        self.asked += [item.text for item in items]
        return [
            Reading("failed", "0" * 64, self.name, error="no luck")
            if any(part in item.text for part in self.on)
            else Reading("ok", "0" * 64, self.name, "m", sentiment=0.25, emotions={"joy": 0.5})
            for item in items
        ]


def segments(*texts: str) -> pa.Table:
    return SEGMENTS.from_rows(
        {"video_id": "v", "segment_index": i, "start_s": 30.0 * i, "end_s": 30.0 * i + 30, "text": text}
        for i, text in enumerate(texts)
    )


def test_each_text_goes_to_the_best_tier_that_answers_and_a_fallback_says_why() -> None:
    chain = Chain([Fails("llm", ("a", "b")), Fails("bert", ("b",)), LexiconTier("vader")], [])
    readings = chain.read([Item("xyz"), Item("axy great"), Item("b great")])
    assert [(reading.status, reading.tier) for reading in readings] == [
        ("ok", "llm"), ("fallback", "bert"), ("fallback", "lexicon")
    ]  # fmt: skip
    assert [reading.error for reading in readings] == [None, "llm: no luck", "llm: no luck; bert: no luck"]


def test_a_lower_tier_is_asked_only_about_what_is_left() -> None:
    lower = Fails("bert", ("never",))
    Chain([Fails("llm", ("a",)), lower], []).read([Item("a"), Item("b"), Item("c")])
    assert lower.asked == ["a"]


def test_where_every_tier_fails_the_row_is_failed_without_a_score_and_names_each_k4() -> None:
    (reading,) = Chain([Fails("llm"), Fails("bert")], []).read([Item("good")])
    assert (reading.status, reading.tier, reading.sentiment, reading.emotions) == ("failed", None, None, {})
    assert reading.error == "llm: no luck; bert: no luck"


def test_where_no_tier_is_configured_every_row_says_so() -> None:
    chain = Chain([], [TierState("llm", False, "not configured: no endpoint")])
    for reading in chain.read([Item("good"), Item("")]):
        assert (reading.status, reading.sentiment) == ("failed", None)
        assert reading.error and "llm: not configured" in reading.error


def test_the_states_say_why_a_tier_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    states = {state.name: state for state in tier_states(["llm", "bert", "lexicon"], Settings())}
    assert not states["llm"].ready and "KLIP_LLM_BASE_URL" in states["llm"].why
    assert states["bert"].ready and "compact model from this package" in states["bert"].why
    assert states["lexicon"].ready and "vader" in states["lexicon"].why
    monkeypatch.setenv("KLIP_LLM_BASE_URL", "http://127.0.0.1:9/v1")
    (state,) = tier_states(["llm"], Settings())
    assert state.ready and "gemma-2-9b-it" in state.why
    monkeypatch.setenv("KLIP_LLM_BASE_URL", "ftp://nowhere")
    (state,) = tier_states(["llm"], Settings())
    assert not state.ready and "not an HTTP URL" in state.why


def test_the_version_of_a_chain_names_what_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    assert chain_version(["lexicon"], Settings(), SEGMENT).startswith("vader-")
    assert chain_version(["llm"], Settings(), SEGMENT) == "none"
    monkeypatch.setenv("KLIP_LLM_BASE_URL", "http://user:secret@host/v1")
    monkeypatch.setenv("KLIP_LLM_MODELS", "a,b")
    assert chain_version(["llm"], Settings(), SEGMENT) == "a@http://host/v1,b@http://host/v1/segment-1"


def test_settings_make_the_chain_they_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KLIP_LLM_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("KLIP_LLM_MODELS", "a,b")
    monkeypatch.setenv("KLIP_TEXT_MODEL", "some/model")
    chain = build_chain(["llm", "bert", "lexicon"], Settings(), prompt_version=SEGMENT)
    assert [tier.name for tier in chain.tiers] == ["llm", "bert", "lexicon"]


@pytest.mark.parametrize("lexicon", ["vader", "textblob"])
def test_segments_are_read_one_row_each_by_contract(lexicon: str) -> None:
    rows = conform(
        SEGMENT_SENTIMENT, read_segments(segments("great play", "", "12"), Chain([LexiconTier(lexicon)], []))
    )
    assert rows["segment_index"].to_pylist() == [0, 1, 2]
    assert rows["status"].to_pylist() == ["ok", "skipped", "skipped"]
    assert [value is not None for value in rows["sentiment"].to_pylist()] == [True, False, False]
    for name in (*EMOTIONS, "model_highlight_score", "prompt_version"):
        assert rows[name].null_count == 3, name
    assert all(len(digest) == 64 for digest in rows["input_sha256"].to_pylist())


def test_a_segment_is_read_with_what_is_said_around_it() -> None:
    seen: list[Item] = []

    class Looks(Fails):
        def read(self, items: Sequence[Item]) -> list[Reading]:
            seen.extend(items)
            return super().read(items)

    read_segments(segments("one", "two", ""), Chain([Looks("llm", ("never",))], []))
    assert [(item.before, item.text, item.after) for item in seen] == [
        (None, "one", "two"), ("one", "two", None), ("two", "", None)
    ]  # fmt: skip


def test_no_segments_give_no_rows() -> None:
    assert conform(SEGMENT_SENTIMENT, read_segments(SEGMENTS.empty(), LEXICON)).num_rows == 0


def test_tweets_are_read_one_row_each_with_a_label() -> None:
    tweets = TWEETS.from_rows(
        {"tweet_id": str(i), "day": date(2026, 1, 1), "text": text}
        for i, text in enumerate(["I love it", "I hate it", "it is a table", "😂😂", None])
    )
    rows = conform(TWEET_SENTIMENT, read_tweets(tweets, LEXICON))
    assert rows["label"].to_pylist() == ["positive", "negative", "neutral", "positive", None]
    assert rows["status"].to_pylist() == ["ok", "ok", "ok", "ok", "skipped"]
    assert rows["confidence"].null_count == 5


def test_the_notes_of_a_table_say_who_read_how_much_of_it() -> None:
    chain = Chain([Fails("bert", ("b",)), LexiconTier("vader")], [])
    notes = notes_of(read_segments(segments("a", "b", "a", "a"), chain), chain)
    assert notes == {"tiers": "bert,lexicon", "share_bert": 0.75, "share_lexicon": 0.25}


def test_a_text_in_a_language_that_no_tier_reads_is_skipped_and_says_so() -> None:
    english = Fails("bert", ("never",), languages=frozenset({"en"}), reader="klip-compact")
    (reading,) = Chain([english], []).read([Item("すごい配信だった", language="ja")])
    assert (reading.status, reading.sentiment, reading.error) == (
        "skipped", None, "written in ja; klip-compact reads en"
    )  # fmt: skip
    assert english.asked == []
    (reading,) = Chain([english, LexiconTier("vader")], []).read([Item("すごい配信だった", language="ja")])
    assert (reading.error or "").startswith("written in ja; klip-compact reads en; vader-")


def test_the_next_tier_that_reads_the_language_is_asked_and_that_is_not_a_fallback() -> None:
    english = Fails("llm", ("never",), languages=frozenset({"en"}))
    both = Fails("bert", ("never",), languages=frozenset({"en", "ja"}))
    readings = Chain([english, both], []).read([Item("a", language="ja"), Item("b", language="en"), Item("c")])
    assert [(reading.tier, reading.status, reading.error) for reading in readings] == [
        ("bert", "ok", None), ("llm", "ok", None), ("llm", "ok", None)
    ]  # fmt: skip


def test_where_the_tier_that_reads_the_language_fails_the_row_is_failed_not_skipped() -> None:
    english = Fails("bert", ("never",), languages=frozenset({"en"}), reader="klip-compact")
    (reading,) = Chain([Fails("llm"), english], []).read([Item("すごい", language="ja")])
    assert (reading.status, reading.error) == ("failed", "llm: no luck; written in ja; klip-compact reads en")


def test_a_text_without_words_has_no_language_to_be_skipped_for() -> None:
    (reading,) = LEXICON.read([Item("https://t.co/x 12", language="ja")])
    assert (reading.status, reading.error) == ("skipped", "no words to read")


def test_the_shipped_tiers_read_english_and_language_models_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KLIP_LLM_BASE_URL", "http://127.0.0.1:9/v1")
    chain = build_chain(["llm", "bert", "lexicon"], Settings(), prompt_version=SEGMENT)
    assert [tier.languages for tier in chain.tiers] == [None, {"en"}, {"en"}]
    assert chain.tiers[1].reader.startswith("klip-compact-") and chain.tiers[2].reader.startswith("vader-")
    multilingual = "cardiffnlp/twitter-xlm-roberta-base-sentiment"
    monkeypatch.setenv("KLIP_TEXT_MODEL", f"{multilingual},SamLowe/roberta-base-go_emotions")
    assert build_chain(["bert"], Settings(), prompt_version=SEGMENT).tiers[0].languages == {"en"}
    monkeypatch.setenv("KLIP_TEXT_MODEL", multilingual)
    assert "es" in (build_chain(["bert"], Settings(), prompt_version=SEGMENT).tiers[0].languages or ())


def tweets_of(*texts: tuple[str, str | None]) -> pa.Table:
    return TWEETS.from_rows(
        {"tweet_id": str(i), "day": date(2026, 1, 1), "text": text, "lang": lang}
        for i, (text, lang) in enumerate(texts)
    )


def test_tweets_say_in_which_language_they_are() -> None:
    tweets = tweets_of(
        ("I love this so much", "en"),
        ("te quiero mucho", "es"),
        ("Das war ein richtig guter Stream", None),
        ("gg", None),
    )
    rows = conform(TWEET_SENTIMENT, read_tweets(tweets, LEXICON))
    assert rows["language"].to_pylist() == ["en", "es", "de", None]
    assert rows["status"].to_pylist() == ["ok", "skipped", "skipped", "ok"]
    assert rows["sentiment"].null_count == 2


def test_a_table_with_rows_taken_over_is_the_one_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    old = [
        ("what a brilliant run, I love it", "en"), ("this is terrible @bob", None), ("gg", None), ("", "en"),
        ("te quiero mucho", "es"), ("😂😂", "qme"), ("RT @a: this is terrible", "en"), ("so sad about that", "en"),
    ]  # fmt: skip
    new = [*old[:-1], ("so sad about it all", "en"), ("gg", None), ("what a brilliant run, I love it", "en")]
    for names in (["bert", "lexicon"], ["lexicon"]):
        chain = build_chain(names, Settings(), prompt_version=SEGMENT)
        before = conform(TWEET_SENTIMENT, read_tweets(tweets_of(*old), chain))
        anew = conform(TWEET_SENTIMENT, read_tweets(tweets_of(*new), chain))
        read: list[str] = []
        with monkeypatch.context() as watched:
            _watch(watched, read)
            knowing = build_chain(names, Settings(), prompt_version=SEGMENT, known=known_readings(before))
            again = conform(TWEET_SENTIMENT, read_tweets(tweets_of(*new), knowing))
        assert again.equals(anew)
        assert [text for text in read if Item(text).is_empty is False] == ["so sad about it all"]


def test_a_fallback_is_taken_over_as_what_it_is_this_time() -> None:
    tweets = tweets_of(("what a lovely day", "en"))
    fallen = Chain([Fails("llm"), LexiconTier("vader")], [])
    before = conform(TWEET_SENTIMENT, read_tweets(tweets, fallen))
    assert before["status"].to_pylist() == ["fallback"]
    knowing = Chain([LexiconTier("vader", known_readings(before))], [])
    assert read_tweets(tweets, knowing).equals(read_tweets(tweets, LEXICON))
    assert before.equals(
        conform(
            TWEET_SENTIMENT,
            read_tweets(tweets, Chain([Fails("llm"), LexiconTier("vader", known_readings(before))], [])),
        )
    )


def _watch(monkeypatch: pytest.MonkeyPatch, read: list[str]) -> None:
    from klip_assets.signals.text import lexicon
    from klip_assets.signals.text.bert.compact import CompactModel

    compact, scored = CompactModel.read, lexicon._read

    def reads(model: CompactModel, texts: Sequence[str]) -> object:
        read.extend(texts)
        return compact(model, texts)

    def scores(text: str, name: str, score: object) -> Reading:
        read.append(text)
        return scored(text, name, score)  # type: ignore[arg-type]

    monkeypatch.setattr(CompactModel, "read", reads)
    monkeypatch.setattr(lexicon, "_read", scores)
