"""Chat activity, second by second."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from klip_assets.contracts import CHAT_ACTIVITY
from klip_assets.signals.chat.lag import DEFAULT
from klip_assets.signals.chat.lexicon import laughs, phrases_of

CHATTERS_WINDOW_S = 10
RATE_BEFORE_S, RATE_AFTER_S = 4, 5
#: People who must say the same thing before it is a phrase of the chat, not of one person.
ENOUGH_PEOPLE = 3
LOCAL_S = 300
LARGEST_Z = 20.0
#: Minimum sigma where the chat hardly varies: one message in the window, so that a lone message is 1 and not inf.
SMALLEST_SIGMA = 1.0 / (RATE_BEFORE_S + 1 + RATE_AFTER_S)
_MAD_TO_SIGMA = 1.4826
_WINDOWS_AT_ONCE = 2048


def chat_activity(
    messages: pa.Table, *, video_id: str, duration_s: float, lag_s: float, lag_source: str = DEFAULT
) -> pa.Table:
    """Aggregate a chat by second: one row per second of the video, or no rows if no message lies in it.

    Only people count. Messages before the start or after the end are not counted.

    Args:
        messages: The log, as CHAT_MESSAGES.
        video_id: The recording.
        duration_s: Its length.
        lag_s: Seconds the chat is assumed to lag behind; written to each row, nothing is shifted.
        lag_source: Where the lag comes from, as in `chat.lag`.
    """
    seconds = math.ceil(duration_s)
    offset_s = messages["offset_s"]
    inside = pc.and_(pc.greater_equal(offset_s, 0.0), pc.less(offset_s, float(seconds)))
    if seconds <= 0 or not pc.any(inside).as_py():
        return CHAT_ACTIVITY.empty()  # Of a chat on another clock, zeros would say that the video had a silent one.
    people, t_s = _within(messages, seconds)
    counts = np.bincount(t_s, minlength=seconds)
    said = counts > 0
    sentiment = people["sentiment"].to_numpy().astype(np.float64)  # NULL is NaN
    scored = ~np.isnan(sentiment)
    text = people["text"].combine_chunks().dictionary_encode()
    return CHAT_ACTIVITY.from_columns(
        {
            "video_id": pa.repeat(pa.scalar(video_id), seconds),
            "t_s": pa.array(np.arange(seconds), pa.int32()),
            "messages": pa.array(counts, pa.int32()),
            "unique_chatters": _unique_chatters(people["author"], t_s, seconds),
            "emote_share": _mean(t_s, _holds_emote(people), said),
            "laughter_share": _mean(t_s, _laughs(text), said),
            "repeated_share": _repeated_share(text, people["author"], t_s, counts),
            "sentiment": _mean(t_s[scored], sentiment[scored], np.bincount(t_s[scored], minlength=seconds) > 0),
            "rate_z": pa.array(local_robust_z(message_rate(counts))),
            "lag_s": pa.repeat(pa.scalar(float(lag_s)), seconds),
            "lag_source": pa.repeat(pa.scalar(lag_source), seconds),
        }
    )


def messages_per_second(messages: pa.Table, duration_s: float) -> np.ndarray:
    """Count what people wrote in each second of a video; shape (seconds,).

    Args:
        messages: The log, as CHAT_MESSAGES.
        duration_s: Length of the video.
    """
    seconds = max(0, math.ceil(duration_s))
    return np.bincount(_within(messages, seconds)[1], minlength=seconds)


def _within(messages: pa.Table, seconds: int) -> tuple[pa.Table, np.ndarray]:
    """Return the messages by people within the video, and the second of each."""
    t_s = np.floor(np.nan_to_num(messages["offset_s"].to_numpy(), nan=-1.0)).astype(np.int64)
    is_person = pc.invert(pc.fill_null(messages["is_bot"], False)).to_numpy().astype(bool)
    used = np.flatnonzero(is_person & (t_s >= 0) & (t_s < seconds))
    return (messages.take(pa.array(used)) if len(used) < messages.num_rows else messages), t_s[used]


def message_rate(counts: np.ndarray) -> np.ndarray:
    """Return messages per second over the 10 s around each second (4 before, 5 after), less at the ends."""
    total = np.concatenate([[0], np.cumsum(counts)])
    at = np.arange(len(counts))
    start = np.maximum(at - RATE_BEFORE_S, 0)
    end = np.minimum(at + RATE_AFTER_S + 1, len(counts))
    return np.asarray((total[end] - total[start]) / (end - start))


def local_robust_z(values: np.ndarray) -> np.ndarray:
    """Return each value's distance from the local median in local sigmas (1.4826 MAD), within +-20.

    Local means the 300 s on either side; near the ends, the nearest window of the same length that fits.
    """
    size = min(2 * LOCAL_S + 1, len(values))
    windows = np.lib.stride_tricks.sliding_window_view(values, size)
    medians = np.empty(len(windows))
    spreads = np.empty(len(windows))
    for start in range(0, len(windows), _WINDOWS_AT_ONCE):
        block = windows[start : start + _WINDOWS_AT_ONCE]
        median = np.median(block, axis=1)
        medians[start : start + len(block)] = median
        spreads[start : start + len(block)] = np.median(np.abs(block - median[:, None]), axis=1, overwrite_input=True)
    own = np.clip(np.arange(len(values)) - LOCAL_S, 0, len(windows) - 1)
    sigma = np.maximum(_MAD_TO_SIGMA * spreads[own], SMALLEST_SIGMA)
    return np.clip((values - medians[own]) / sigma, -LARGEST_Z, LARGEST_Z)


def _mean(t_s: np.ndarray, values: np.ndarray, known: np.ndarray) -> pa.Array:
    """Return the mean of the values of each second, NULL where unknown."""
    counts = np.bincount(t_s, minlength=len(known))
    means = np.bincount(t_s, weights=values, minlength=len(known)) / np.maximum(counts, 1)
    return pa.array(np.clip(means, -1.0, 1.0), mask=~known)


def _holds_emote(messages: pa.Table) -> np.ndarray:
    lengths = pc.fill_null(pc.list_value_length(messages["emotes"]), 0)
    return np.asarray(pc.greater(lengths, 0).to_numpy(), dtype=np.float64)


def _laughs(text: pa.DictionaryArray) -> np.ndarray:
    known = laughs(text.dictionary).to_numpy(zero_copy_only=False).astype(np.float64)
    at = pc.fill_null(text.indices, len(known)).to_numpy()
    return np.append(known, 0.0)[at]


def _repeated_share(
    text: pa.DictionaryArray, authors: pa.ChunkedArray, t_s: np.ndarray, counts: np.ndarray
) -> pa.Array:
    """Return the share of the chat around each second that is its most repeated phrase; NULL where nobody writes.

    "Around" is the window of `message_rate`. A phrase counts once 3 people say it; each message without an author
    counts as a different person.
    """
    seconds, near = len(counts), RATE_BEFORE_S + RATE_AFTER_S
    total = np.concatenate([[0], np.cumsum(counts)])
    at = np.arange(seconds)
    around = total[np.minimum(at + RATE_AFTER_S + 1, seconds)] - total[np.maximum(at - RATE_BEFORE_S, 0)]
    most = np.zeros(seconds, dtype=np.int64)
    # Times of one phrase are offset from those of the next, so that one sorted array holds them all.
    apart = seconds + 4 * near
    phrase = _phrases(text)
    key = np.where(phrase >= 0, phrase * apart + t_s + 2 * near, -1)
    order = np.argsort(key, kind="stable")
    order = order[np.searchsorted(key[order], 0) :]
    key = key[order]
    # Most of a chat is said only once: only what is said three times within a window can count.
    comes = np.zeros(len(key) + 2, dtype=bool)
    thrice = np.flatnonzero(key[ENOUGH_PEOPLE - 1 :] - key[: len(key) - ENOUGH_PEOPLE + 1] <= near)
    for step in range(ENOUGH_PEOPLE):
        comes[thrice + step] = True
    order, key = order[comes[: len(key)]], key[comes[: len(key)]]
    begins, ends = _presences(key, _writers(authors)[order])
    moments = np.unique(key)
    for shift in range(-RATE_AFTER_S, RATE_BEFORE_S + 1):
        window = moments + shift
        second = window % apart - 2 * near
        people = np.searchsorted(begins, window, "right") - np.searchsorted(ends, window, "right")
        counted = np.flatnonzero((people >= ENOUGH_PEOPLE) & (second >= 0) & (second < seconds))
        window, second = window[counted], second[counted]
        said = np.searchsorted(key, window + RATE_AFTER_S, "right") - np.searchsorted(key, window - RATE_BEFORE_S)
        np.maximum.at(most, second, said)
    return pa.array(most / np.maximum(around, 1), mask=around == 0)


def _phrases(text: pa.DictionaryArray) -> np.ndarray:
    """Return a number per message, equal for equal phrases; -1 where a message says nothing."""
    known = pa.array([said or None for said in phrases_of(text.dictionary.to_pylist())], pa.string())
    numbers = pc.fill_null(known.dictionary_encode().indices, -1).to_numpy().astype(np.int64)
    return np.append(numbers, -1)[pc.fill_null(text.indices, len(known)).to_numpy()]


def _writers(authors: pa.ChunkedArray) -> np.ndarray:
    known = pc.fill_null(authors.combine_chunks().dictionary_encode().indices, -1).to_numpy().astype(np.int64)
    return np.where(known >= 0, known, len(known) + np.arange(len(known)))


def _presences(key: np.ndarray, writer: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the sorted starts and ends of the windows that hold a message, with no author in a window twice."""
    by_writer = np.lexsort((key, writer))
    start, writer = key[by_writer] - RATE_AFTER_S, writer[by_writer]
    end = start + RATE_BEFORE_S + 1 + RATE_AFTER_S
    same = writer[1:] == writer[:-1]
    end[:-1] = np.where(same, np.minimum(end[:-1], start[1:]), end[:-1])
    return np.sort(start), np.sort(end)


def _unique_chatters(authors: pa.ChunkedArray, t_s: np.ndarray, seconds: int) -> pa.Array:
    """Return how many people wrote in the 10 s up to and including each second; NULL if the log has no names.

    A message makes its author present for 10 s, or until their next message, so that nobody is counted twice: the
    count is the running sum of presences that begin minus those that end.
    """
    named = authors.is_valid().to_numpy().astype(bool)
    if len(named) and not named.any():
        return pa.nulls(seconds, pa.int32())
    author = pc.fill_null(authors.combine_chunks().dictionary_encode().indices, -1).to_numpy()[named].astype(np.int64)
    moments = np.unique(author * seconds + t_s[named])
    author, start = np.divmod(moments, seconds)
    end = start + CHATTERS_WINDOW_S
    if len(moments) > 1:
        same = author[1:] == author[:-1]
        end[:-1] = np.where(same, np.minimum(end[:-1], start[1:]), end[:-1])
    begins = np.bincount(start, minlength=seconds + CHATTERS_WINDOW_S)
    ends = np.bincount(end, minlength=seconds + CHATTERS_WINDOW_S)
    return pa.array(np.cumsum(begins - ends)[:seconds], pa.int32())
