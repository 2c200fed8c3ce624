"""Readings as tables: `segment_sentiment` and `tweet_sentiment`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pyarrow as pa

from klip_assets.contracts import EMOTIONS, SEGMENT_SENTIMENT, TWEET_SENTIMENT
from klip_assets.signals.text.item import Item
from klip_assets.signals.text.known import Known
from klip_assets.signals.text.language import language_of
from klip_assets.signals.text.reading import Reading
from klip_assets.signals.text.tiers import Chain

#: Share of the rows of a table by tier, and usage of language models.
Notes = dict[str, str | int | float]


def read_segments(segments: pa.Table, chain: Chain) -> pa.Table:
    """Read every segment of a video, with the text around it and its loudness as context.

    Args:
        segments: Rows of `segments`, in order.
        chain: The tiers.

    Returns:
        A table as in the contract `segment_sentiment`, one row per segment; one without words is `skipped`.
    """
    rows = segments.to_pylist()
    texts = [row["text"] or "" for row in rows]
    items = [
        Item(
            text,
            before=texts[index - 1] or None if index else None,
            after=texts[index + 1] or None if index + 1 < len(texts) else None,
            speech_rate_wps=row["speech_rate_wps"],
            absolute_loudness=row["absolute_loudness"],
            relative_loudness=row["relative_loudness"],
        )
        for index, (row, text) in enumerate(zip(rows, texts, strict=True))
    ]
    return SEGMENT_SENTIMENT.from_rows(
        {
            "video_id": row["video_id"],
            "segment_index": row["segment_index"],
            **reading.columns(),
            "model_highlight_score": reading.highlight_score,
            "prompt_version": reading.prompt_version,
        }
        for row, reading in zip(rows, chain.read(items), strict=True)
    )


def read_tweets(tweets: pa.Table, chain: Chain) -> pa.Table:
    """Read every tweet of a day.

    Returns:
        A table as in the contract `tweet_sentiment`, one row per tweet.
    """
    texts = [text or "" for text in tweets["text"].to_pylist()]
    languages = _languages(texts, tweets["lang"].to_pylist())
    readings = chain.read([Item(text, language=spoken) for text, spoken in zip(texts, languages, strict=True)])
    keys = tweets.select(["tweet_id", "day"]).to_pylist()
    return TWEET_SENTIMENT.from_rows(
        {
            **key,
            **reading.columns(),
            "label": reading.label,
            "confidence": reading.confidence,
            "language": spoken,
        }
        for key, spoken, reading in zip(keys, languages, readings, strict=True)
    )


def known_readings(rows: pa.Table) -> Known:
    """Return the readings in a table of tweets that can be reused, for the tiers without a cache of their own.

    Args:
        rows: Rows of `tweet_sentiment` made by the same code, tiers and models.
    """
    columns = ["status", "tier", "model", "sentiment", "label", "confidence", "input_sha256", *EMOTIONS]
    return {
        row["input_sha256"]: Reading(
            "ok",
            row["input_sha256"],
            row["tier"],
            row["model"],
            row["sentiment"],
            {name: row[name] for name in EMOTIONS if row[name] is not None},
            model_label=row["label"],
            confidence=row["confidence"],
        )
        for row in rows.select(columns).to_pylist()
        if row["tier"] in ("bert", "lexicon") and row["status"] in ("ok", "fallback")
    }


def _languages(texts: Sequence[str], declared: Sequence[str | None]) -> list[str | None]:
    # Tweets contain many copies of the same text.
    told: dict[tuple[str, str | None], str | None] = {}
    for text, code in zip(texts, declared, strict=True):
        if (text, code) not in told:
            told[text, code] = language_of(text, code)
    return [told[text, code] for text, code in zip(texts, declared, strict=True)]


def notes_of(rows: pa.Table, chain: Chain) -> Notes:
    """Return which tiers read a table, and what that cost, for the Dagster UI."""
    notes: Notes = {f"share_{tier}": share for tier, share in _shares(rows["tier"].to_pylist())}
    notes["tiers"] = ",".join(sorted({tier for tier in rows["tier"].to_pylist() if tier}))
    if (spent := chain.spent) is not None:
        notes |= {
            "llm_calls": spent.calls,
            "llm_cache_hits": spent.cache_hits,
            "llm_prompt_tokens": spent.prompt_tokens,
            "llm_completion_tokens": spent.completion_tokens,
            "llm_cost_usd": round(spent.cost_usd, 6),
        }
        if spent.closed:
            notes["llm_models_left_alone"] = "; ".join(f"{name}: {why}" for name, why in spent.closed.items())
    return notes


def _shares(tiers: list[str | None]) -> Iterable[tuple[str, float]]:
    for tier in sorted({tier for tier in tiers if tier}):
        yield tier, round(tiers.count(tier) / len(tiers), 4)
