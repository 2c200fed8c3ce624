"""Many plain tweets of the X API at once: lines parsed by Arrow, rows built column by column.

A file of millions is nearly all such tweets, and Python takes some 40 microseconds for each. Everything else is left
to `tweets.rows`, line by line: blocks that Arrow can't parse or whose objects have other fields, and single rows in
other blocks. Both ways give the same rows (a test compares them).
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from klip_assets.contracts import TWEETS_RAW
from klip_assets.signals.tweets.clock import DAY_S, TOLERANCE_S, Clock
from klip_assets.signals.tweets.counts import COUNTS
from klip_assets.signals.tweets.notices import notices_in
from klip_assets.signals.tweets.snowflake import FIRST_SNOWFLAKE, OFFSET_MS
from klip_assets.signals.tweets.values import MAX_TEXT_CHARS, time_of

_S = pa.string()
_METRICS = pa.struct([(name, pa.int64()) for name in COUNTS])
_ENTITIES = pa.struct(
    [
        ("hashtags", pa.list_(pa.struct([("tag", _S)]))),
        ("mentions", pa.list_(pa.struct([("username", _S)]))),
        ("cashtags", pa.list_(pa.struct([("tag", _S)]))),
        ("urls", pa.list_(pa.struct([("expanded_url", _S), ("url", _S)]))),
    ]
)
_SCHEMA = pa.schema(
    [
        ("id", _S), ("text", _S), ("created_at", _S), ("author_id", _S), ("lang", _S), ("conversation_id", _S),
        ("public_metrics", _METRICS), ("entities", _ENTITIES), ("edit_history_tweet_ids", pa.list_(_S)),
        (
            "referenced_tweets",
            pa.list_(pa.struct([("type", _S), ("id", _S), ("text", _S), ("note_tweet", pa.struct([("text", _S)]))])),
        ),
        ("author", pa.struct([("id", _S), ("username", _S)])), ("__twarc", pa.struct([("retrieved_at", _S)])),
    ]
)  # fmt: skip
#: Fields that do not affect a row.
_HARMLESS = frozenset(
    {
        "in_reply_to_user_id", "possibly_sensitive", "source", "reply_settings", "attachments", "context_annotations",
        "geo", "edit_controls", "withheld", "display_text_range", "non_public_metrics", "organic_metrics",
        "in_reply_to_user", "note_tweet",
    }
)  # fmt: skip
_ID = "^[1-9][0-9]{0,18}$"
_LARGEST = str(2**63 - 1)
_ISO = r"^[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z$"
#: Texts that may contain a tag, a name or a link (or an HTML entity).
_MARKED = r"[#＃@＠$]|[^\s.]\.[^\s.0-9]"
_RETWEET = "^RT @[A-Za-z0-9_]{1,20}: "
_NO_NAME = ("na", "nan", "none", "null", "nil")
_TOLERANCE_MS = 1000 * TOLERANCE_S


@dataclass(frozen=True)
class Bulk:
    """Result of reading a block of lines.

    Attributes:
        rows: The plain tweets, as TWEETS_RAW.
        others: Numbers of the other lines, from 0.
    """

    rows: pa.Table
    others: np.ndarray


def bulk_rows(block: bytes, lines: int, clock: Clock) -> Bulk | None:
    """Build rows from a block of lines.

    Args:
        block: Whole lines, the last with or without its line end.
        lines: Number of lines.
        clock: Determines and compares times.

    Returns:
        None if the block must be read line by line.
    """
    if not _is_regular(block, lines):
        return None
    import pyarrow.json as pj

    try:
        found = pj.read_json(
            io.BytesIO(block),
            read_options=pj.ReadOptions(block_size=max(len(block) // 2, 1 << 20)),
            parse_options=pj.ParseOptions(explicit_schema=_SCHEMA, newlines_in_values=False),
        )
        # Arrow 26 fails here, not while reading, on nulls in a list whose type it had to guess.
        columns = {
            name: column.combine_chunks() for name, column in zip(found.schema.names, found.columns, strict=True)
        }
    except (pa.ArrowException, ValueError):
        return None
    extra = set(found.schema.names) - set(_SCHEMA.names)
    inner = {field.name for field in found.schema.field("entities").type}
    if found.num_rows != lines or extra - _HARMLESS or inner - {f.name for f in _ENTITIES} - {"annotations"}:
        return None
    return _rows(columns, clock)


def _is_regular(block: bytes, lines: int) -> bool:
    """Return whether each line is one object: Arrow itself also accepts several per line, or one over several."""
    if block.count(b"}\n{") != lines - 1 or not block.startswith(b"{") or b"}{" in block:
        return False
    try:
        # Arrow does not check the encoding.
        block.decode()
    except UnicodeDecodeError:
        return False
    return block.rstrip(b"\n").endswith(b"}") and b"\0" not in block


def _rows(column: Mapping[str, pa.Array], clock: Clock) -> Bulk:
    ids, text = column["id"], column["text"]
    good = _all(_is_id(ids), pc.greater_equal(pc.utf8_length(ids), 11), text.is_valid())
    numbers = np.zeros(len(ids), np.int64)
    numbers[good] = ids.filter(pa.array(good)).cast(pa.int64()).to_numpy()
    created_ms = (numbers >> 22) + OFFSET_MS
    now_ms = int(np.datetime64(clock.now, "ms").astype(np.int64))
    good &= (numbers >= FIRST_SNOWFLAKE) & (created_ms <= now_ms - 1000 * DAY_S)
    good &= _all(
        pc.less_equal(pc.utf8_length(text), MAX_TEXT_CHARS),
        pc.invert(pc.match_substring(text, "&")),
        pc.or_kleene(column["entities"].is_valid(), pc.invert(pc.match_substring_regex(text, _MARKED))),
        _or_null(pc.match_substring_regex(column["lang"], "^[a-z]{2,3}$")),
        pc.invert(pc.is_in(column["lang"], pa.array(_NO_NAME))),
        _or_null(pc.match_substring_regex(column["author_id"], "^[0-9]+$")),
        _or_null(_is_id(column["conversation_id"])),
        *(column[name].is_null() for name in ("note_tweet",) if name in column),
    )
    good &= ~notices_in(text)
    counts = {name: pc.struct_field(column["public_metrics"], name) for name in COUNTS}
    good &= _all(*(_or_null(pc.greater_equal(values, 0)) for values in counts.values()))
    author, author_ok = _author(column["author"], column["author_id"])
    observed_at, observed_ok = _observed(column["__twarc"])
    lists, lists_ok = _lists(column["entities"])
    refers, refers_ok = _references(column["referenced_tweets"], text)
    history, history_ok = _history(column["edit_history_tweet_ids"], ids)
    told_ok = _or_null(pc.match_substring_regex(column["created_at"], _ISO))
    good &= _all(author_ok, observed_ok, lists_ok, refers_ok, history_ok, told_ok)
    good &= _compared(column["created_at"], created_ms, good, clock)
    created_at = pa.array(created_ms * 1000, pa.timestamp("us"))
    retweet = pc.match_substring_regex(text, _RETWEET)
    columns = {
        "tweet_id": ids,
        "day": created_at.cast(pa.date32(), safe=False),
        "created_at": created_at,
        "author": author,
        "author_id": column["author_id"],
        "author_is_shown_name": pa.nulls(len(ids), pa.bool_()),
        "text": text,
        "lang": column["lang"],
        "root_tweet_id": ids,
        "edit_history_ids": history,
        "is_retweet": pc.or_(pc.fill_null(retweet, False), refers.pop("is_retweet")),
        **refers,
        "conversation_id": column["conversation_id"],
        **lists,
        **counts,
        "observed_at": observed_at,
        "text_observed_at": observed_at,
    }
    rows = pa.Table.from_arrays([columns[name] for name in TWEETS_RAW.schema.names], schema=TWEETS_RAW.schema)
    return Bulk(rows if good.all() else rows.filter(pa.array(good)), np.flatnonzero(~good))


def _all(*conditions: pa.Array) -> np.ndarray:
    """Return where all conditions hold; an unknown condition does not hold."""
    return np.logical_and.reduce([pc.fill_null(each, False).to_numpy(zero_copy_only=False) for each in conditions])


def _or_null(condition: pa.Array) -> pa.Array:
    return pc.fill_null(condition, True)


def _is_id(ids: pa.Array) -> pa.Array:
    small = pc.or_(pc.less(pc.utf8_length(ids), 19), pc.less_equal(ids, _LARGEST))
    return pc.and_(pc.match_substring_regex(ids, _ID), small)


def _author(author: pa.StructArray, author_id: pa.Array) -> tuple[pa.Array, pa.Array]:
    name = pc.struct_field(author, "username")
    plain = pc.and_(
        pc.match_substring_regex(name, "^[A-Za-z_][A-Za-z0-9_]*$"),
        pc.invert(pc.is_in(pc.utf8_lower(name), pa.array(_NO_NAME))),
    )
    same = pc.equal(pc.struct_field(author, "id"), author_id)
    return name, pc.or_(author.is_null(), pc.fill_null(pc.and_(plain, same), False))


def _observed(twarc: pa.StructArray) -> tuple[pa.Array, pa.Array]:
    told = pc.struct_field(twarc, "retrieved_at").dictionary_encode()
    times = [time_of(text) for text in told.dictionary.to_pylist()]
    known = pa.array(times, pa.timestamp("us")) if times else pa.nulls(1, pa.timestamp("us"))
    observed = known.take(told.indices)
    return observed, pc.or_(twarc.is_null(), observed.is_valid())


def _lists(entities: pa.StructArray) -> tuple[dict[str, pa.Array], pa.Array]:
    columns: dict[str, pa.Array] = {}
    good = pa.array(np.ones(len(entities), bool))
    for name, key in (("hashtags", "tag"), ("mentions", "username"), ("cashtags", "tag"), ("urls", "")):
        items = pc.struct_field(entities, name)
        values = items.flatten()
        if key:
            texts = pc.struct_field(values, key)
        else:
            texts = pc.coalesce(pc.struct_field(values, "expanded_url"), pc.struct_field(values, "url"))
            # Duplicate links are kept once.
            good = pc.and_(good, _or_null(pc.less(pc.list_value_length(items), 2)))
        lengths = pc.fill_null(pc.list_value_length(items), 0).to_numpy()
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        columns[name] = pa.ListArray.from_arrays(pa.array(offsets), texts)
        empty = pc.fill_null(pc.equal(texts, ""), True).to_numpy(zero_copy_only=False)
        if empty.any():
            sums = np.concatenate([[0], np.cumsum(empty)])
            good = pc.and_(good, pa.array(sums[offsets[1:]] == sums[offsets[:-1]]))
    return columns, good


def _references(items: pa.ListArray, text: pa.Array) -> tuple[dict[str, pa.Array], pa.Array]:
    lengths = pc.fill_null(pc.list_value_length(items), 0).to_numpy()
    # The reference of rows that have exactly one; rows with several are not plain.
    starts = np.concatenate([[0], np.cumsum(lengths)])[:-1]
    values = items.flatten()
    at = pa.array(starts, mask=lengths != 1)
    kind, tweet_id = pc.struct_field(values, "type").take(at), pc.struct_field(values, "id").take(at)
    valid = pc.if_else(pc.fill_null(_is_id(tweet_id), False), tweet_id, None)
    columns = {
        column: pc.if_else(pc.fill_null(pc.equal(kind, word), False), valid, None)
        for word, column in (
            ("retweeted", "retweeted_tweet_id"), ("quoted", "quoted_tweet_id"), ("replied_to", "in_reply_to")
        )
    }  # fmt: skip
    columns["is_retweet"] = pc.fill_null(pc.equal(kind, "retweeted"), False)
    plain = (lengths == 0) | ((lengths == 1) & tweet_id.is_valid().to_numpy(zero_copy_only=False))
    whole, note = pc.struct_field(values, "text"), pc.struct_field(values, "note_tweet")
    if len(whole) > whole.null_count or len(note) > note.null_count:
        # The whole text of a retweet that lacks some of it.
        own = pc.utf8_length(pc.replace_substring_regex(text, _RETWEET, ""))
        lacks = pc.or_(pc.fill_null(pc.greater(pc.utf8_length(whole.take(at)), own), False), note.take(at).is_valid())
        plain &= ~pc.and_(columns["is_retweet"], pc.fill_null(lacks, False)).to_numpy(zero_copy_only=False)
    return columns, pa.array(plain)


def _history(items: pa.ListArray, ids: pa.Array) -> tuple[pa.Array, pa.Array]:
    lengths = pc.fill_null(pc.list_value_length(items), 0).to_numpy()
    starts = np.concatenate([[0], np.cumsum(lengths)])[:-1]
    only = items.flatten().take(pa.array(starts, mask=lengths != 1))
    alone = pc.fill_null(pc.equal(only, ids), False)
    return items, pc.or_(items.is_null(), alone)


def _compared(told: pa.Array, created_ms: np.ndarray, good: np.ndarray, clock: Clock) -> np.ndarray:
    """Compare the rows' own times with those of their ids; a row with an impossible date is left out."""
    known = good & told.is_valid().to_numpy(zero_copy_only=False)
    if not known.any():
        return good
    try:
        own = told.filter(pa.array(known)).cast(pa.timestamp("ms", "UTC")).cast(pa.int64()).to_numpy()
    except pa.ArrowException:
        return good & ~known
    off_ms = own - created_ms[known]
    wrong = off_ms[np.abs(off_ms) >= _TOLERANCE_MS]
    clock.add(wrong / 1000)
    return good
