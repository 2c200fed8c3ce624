"""Readings as tables: `segment_sentiment` and `tweet_sentiment`.

Put here: which texts of a table are read, and the rows that come of it. Keep out: reading (`tiers`).
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from klip_assets.contracts import SEGMENT_SENTIMENT, TWEET_SENTIMENT
from klip_assets.sentiment.tiers import read_texts


def read_segments(segments: pa.Table, tiers: Sequence[str], lexicon: str) -> pa.Table:
    """Read every segment of a video.

    Returns:
        A table by the contract `segment_sentiment`, one row a segment; a segment without words is `skipped`.
    """
    readings = read_texts(segments["text"].to_pylist(), tiers, lexicon)
    keys = segments.select(["video_id", "segment_index"]).to_pylist()
    return SEGMENT_SENTIMENT.from_rows(
        {
            **key,
            **reading.columns(),
            "model_highlight_score": reading.highlight_score,
            "prompt_version": reading.prompt_version,
        }
        for key, reading in zip(keys, readings, strict=True)
    )


def read_tweets(tweets: pa.Table, tiers: Sequence[str], lexicon: str) -> pa.Table:
    """Read every tweet of a day.

    Returns:
        A table by the contract `tweet_sentiment`, one row a tweet.
    """
    readings = read_texts([text or "" for text in tweets["text"].to_pylist()], tiers, lexicon)
    keys = tweets.select(["tweet_id", "day"]).to_pylist()
    return TWEET_SENTIMENT.from_rows(
        {**key, **reading.columns(), "label": reading.label} for key, reading in zip(keys, readings, strict=True)
    )
