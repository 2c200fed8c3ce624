"""Merging the copies of a tweet.

A tweet may be in several files, several times in one, and in several versions if it was edited. Of its copies, the
first whole text and the latest counts win:

- text, entities and all other content come from a copy whose text is whole, or cut the latest (see `cut_texts`), of
  these from the one that was read first (`text_observed_at`; copies without this time come last), then from the
  longest text, then from the one that sorts first;
- a retweet that is still cut is completed from the tweet of the same day that it repeats;
- counts and `observed_at` come from the copy read last (again, one without a time loses), then from the larger counts.

Both orders depend only on the rows, and are total. So neither the order of the files nor how rows are distributed over
them nor their names matter. (One exception: whether a text without an ellipsis was cut is judged beside the other texts
at hand, and copies within a file are merged first.)

An edited tweet is one tweet. Its id and time are those of its first version, which all its versions name
(`root_tweet_id`), so that an edit never moves it to another day; its content and counts are those of the latest
version. A version from a file without edit histories belongs to it if another file of the same day names it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from klip_assets.contracts import TWEETS, TWEETS_RAW
from klip_assets.signals.tweets.cut_texts import ENDING, missing_of
from klip_assets.signals.tweets.retweets import RETWEET, completed_retweet
from klip_assets.signals.tweets.snowflake import created_at_of

_ENGAGEMENT = ("like_count", "retweet_count", "reply_count", "quote_count")
_COUNTS = (*_ENGAGEMENT, "impression_count")
#: Columns taken from the copy that was read last; all others come from the one read first.
_LATEST = (*_COUNTS, "observed_at")
#: Tie-breakers for copies with the same time and text.
_SAID = tuple(
    name for name in TWEETS_RAW.schema.names if name not in (*_LATEST, "tweet_id", "day", "text", "text_observed_at")
)
_LISTS = ("hashtags", "mentions", "cashtags", "urls")
_LAST = np.iinfo(np.int64).max


@dataclass(frozen=True)
class RawSource:
    """The tweets of one file for one day.

    Attributes:
        sha256: Hash of the file's content.
        name: The file, relative to the inbox.
        rows: Its tweets of the day, as TWEETS_RAW.
    """

    sha256: str
    name: str
    rows: pa.Table


def merge_day(sources: Sequence[RawSource], *, ingested_at: datetime, deleted: Collection[str] = ()) -> pa.Table:
    """Merge the tweets of a day from all files: each tweet once, as TWEETS, sorted by id.

    Args:
        sources: The files, in any order: the result does not depend on it.
        ingested_at: UTC time to write into `ingested_at`.
        deleted: Ids of tweets deleted by their authors; the id of one version removes the whole tweet.
    """
    ordered = sorted(sources, key=lambda source: (source.sha256, source.name))
    if not any(source.rows.num_rows for source in ordered):
        return TWEETS.empty()
    rows = pa.concat_tables([source.rows.select(TWEETS_RAW.schema.names) for source in ordered])
    source_of_row = np.repeat(np.arange(len(ordered)), [source.rows.num_rows for source in ordered])
    names = [source.name for source in ordered]
    merged = _with_whole_retweets(merge_copies(rows))
    files = _source_files(rows["tweet_id"], source_of_row, names, merged["tweet_id"])
    merged, files = _one_row_per_tweet(merged, files, frozenset(deleted))
    stamp = ingested_at if ingested_at.tzinfo is None else ingested_at.astimezone(UTC).replace(tzinfo=None)
    return TWEETS.from_columns(
        {
            **{name: merged[name].combine_chunks() for name in TWEETS_RAW.schema.names},
            "source_files": files,
            "ingested_at": pa.repeat(pa.scalar(stamp, pa.timestamp("us")), merged.num_rows),
        }
    )


def merge_copies(rows: pa.Table) -> pa.Table:
    """Merge the copies of each id: each once, sorted numerically by id.

    Args:
        rows: Tweets as TWEETS_RAW, each id any number of times.
    """
    order, first = _by_id(rows["tweet_id"])
    if len(first) == len(order):
        return rows.take(order)
    # Only ids that occur more than once need the two orders.
    lengths = np.diff(np.append(first, len(order)))
    alone = order.take(pa.array(first[lengths == 1]))
    several = rows.take(order.take(pa.array(np.flatnonzero(np.repeat(lengths > 1, lengths)))))
    oldest = several.take(_firsts(several, _text_keys(several)))
    latest = several.take(_firsts(several, _count_keys(several)))
    for name in _LATEST:
        oldest = oldest.set_column(oldest.schema.get_field_index(name), oldest.schema.field(name), latest[name])
    merged = pa.concat_tables([rows.take(alone), oldest])
    return merged.take(_by_id(merged["tweet_id"])[0])


def _with_whole_retweets(rows: pa.Table) -> pa.Table:
    """Complete the texts of cut retweets from the tweets that they repeat, where these are among the rows."""
    cut = pc.and_(pc.match_substring_regex(rows["text"], RETWEET), pc.match_substring_regex(rows["text"], ENDING))
    cut = pc.and_(cut, pc.is_in(rows["retweeted_tweet_id"], rows["tweet_id"].combine_chunks()))
    cut = pc.and_(cut, rows["retweeted_tweet_id"].is_valid())
    places = np.flatnonzero(pc.fill_null(cut, False).to_numpy())
    if not len(places):
        return rows
    names = ["text", *_LISTS]
    repeated = rows["retweeted_tweet_id"].take(pa.array(places))
    originals = rows.take(pc.index_in(repeated, rows["tweet_id"].combine_chunks())).select(names).to_pylist()
    columns = {name: rows[name].to_pylist() for name in names}
    for place, original in zip(places.tolist(), originals, strict=True):
        if completed := completed_retweet(columns["text"][place], original["text"]):
            columns["text"][place], author = completed
            for name in _LISTS:
                columns[name][place] = original[name]
            columns["mentions"][place] = [author, *(original["mentions"] or ())]
    for name, values in columns.items():
        at = rows.schema.get_field_index(name)
        rows = rows.set_column(at, rows.schema.field(at), pa.array(values, rows.schema.field(at).type))
    return rows


def _by_id(ids: pa.ChunkedArray) -> tuple[pa.Array, np.ndarray]:
    """Return the order of the rows by id, and the start of each id in it."""
    # Shorter ids are smaller numbers; of equal length, the text order is the order of the numbers.
    keys = pa.table({"digits": pc.utf8_length(ids), "id": ids})
    order = pc.sort_indices(keys, sort_keys=[("digits", "ascending"), ("id", "ascending")])
    return order, _beginnings(ids.take(order))


def _beginnings(sorted_ids: pa.ChunkedArray) -> np.ndarray:
    ids = sorted_ids.combine_chunks() if isinstance(sorted_ids, pa.ChunkedArray) else sorted_ids
    if len(ids) == 0:
        return np.zeros(0, np.int64)
    changes = pc.not_equal(ids.slice(1), ids.slice(0, len(ids) - 1)).to_numpy(zero_copy_only=False)
    return np.flatnonzero(np.append(True, changes))


def _firsts(rows: pa.Table, keys: list[tuple[str, pa.Array | pa.ChunkedArray, str]]) -> pa.Array:
    """Return the index of each id's first row by the given sort keys; ids sorted as text."""
    table = pa.table({"id": rows["tweet_id"], **{name: values for name, values, _ in keys}})
    order = pc.sort_indices(table, sort_keys=[("id", "ascending"), *((name, way) for name, _, way in keys)])
    return order.take(pa.array(_beginnings(rows["tweet_id"].take(order))))


def _text_keys(rows: pa.Table) -> list[tuple[str, pa.Array | pa.ChunkedArray, str]]:
    read_us = pc.fill_null(rows["text_observed_at"].cast(pa.int64()), _LAST)
    missing = pa.array(missing_of(rows["tweet_id"], rows["text"]))
    keys: list[tuple[str, pa.Array | pa.ChunkedArray, str]] = [("missing", missing, "ascending")]
    keys += [("read", read_us, "ascending"), ("length", pc.utf8_length(rows["text"]), "descending")]
    return [*keys, ("text", rows["text"], "ascending"), *((n, _sortable(rows[n]), "ascending") for n in _SAID)]


def _count_keys(rows: pa.Table) -> list[tuple[str, pa.Array | pa.ChunkedArray, str]]:
    # A NULL sorts as the earliest time, and below zero. (Sums are floats, as counts may be huge.)
    observed_us = pc.fill_null(rows["observed_at"].cast(pa.int64()), np.iinfo(np.int64).min)
    counts = {name: pc.fill_null(rows[name], -1) for name in _COUNTS}
    engagement = np.vstack([counts[name].to_numpy().astype(np.float64) for name in _ENGAGEMENT]).sum(axis=0)
    keys = [("observed", observed_us, "descending"), ("engagement", pa.array(engagement), "descending")]
    return [*keys, *((name, values, "descending") for name, values in counts.items())]


def _sortable(values: pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Return a column as one that can be sorted and has no NULL."""
    if pa.types.is_list(values.type):
        # Lists can't be sorted; their joined texts can, with a separator that occurs in no tag, name or link. A NULL
        # comes after an empty list, which says more.
        return pc.fill_null(pc.binary_join(values.combine_chunks(), "\x1f"), "\x1e")
    if pa.types.is_temporal(values.type) or pa.types.is_boolean(values.type):
        return pc.fill_null(values.cast(pa.int64()), -1)
    return pc.fill_null(values, "")


def _one_row_per_tweet(
    rows: pa.Table, files: list[list[str]], deleted: frozenset[str]
) -> tuple[pa.Table, list[list[str]]]:
    """Merge the versions of each edited tweet into one row, and remove deleted tweets."""
    edited = pc.or_(
        pc.fill_null(pc.greater(pc.list_value_length(rows["edit_history_ids"]), 1), False),
        pc.fill_null(pc.not_equal(rows["root_tweet_id"], rows["tweet_id"]), False),
    )
    if not deleted and not pc.any(edited, min_count=0).as_py():
        return rows, files
    root_of: dict[str, str] = {}
    for row in rows.select(["tweet_id", "root_tweet_id", "edit_history_ids"]).filter(edited).to_pylist():
        root = row["root_tweet_id"] or row["tweet_id"]
        for version in (row["tweet_id"], *(row["edit_history_ids"] or ())):
            root_of[version] = min(root, root_of.get(version, root), key=_number)
    versions: dict[str, list[int]] = {}
    for index, tweet_id in enumerate(rows["tweet_id"].to_pylist()):
        versions.setdefault(root_of.get(tweet_id, tweet_id), []).append(index)
    known: dict[str, set[str]] = {}
    for version, root in root_of.items():
        known.setdefault(root, {root}).add(version)
    # Rows are sorted by id, and later versions have larger ones.
    kept = {root: indices for root, indices in versions.items() if not deleted & {root, *known.get(root, ())}}
    latest = rows.take(pa.array([indices[-1] for indices in kept.values()], pa.int64()))
    history = [
        sorted(known[root], key=_number) if root in known else old
        for root, old in zip(kept, latest["edit_history_ids"].to_pylist(), strict=True)
    ]
    created = [
        created_at_of(root) or old if root in known else old
        for root, old in zip(kept, latest["created_at"].to_pylist(), strict=True)
    ]
    roots = pa.array(kept, pa.string())
    changed = {"tweet_id": roots, "root_tweet_id": roots, "edit_history_ids": history, "created_at": created}
    for name, values in changed.items():
        at = latest.schema.get_field_index(name)
        field = latest.schema.field(at)
        latest = latest.set_column(at, field, pa.array(values, field.type))
    of_root = [sorted({name for index in indices for name in files[index]}) for indices in kept.values()]
    order = _by_id(latest["tweet_id"])[0]
    return latest.take(order), [of_root[index] for index in order.to_pylist()]


def _number(tweet_id: str) -> int:
    return int(tweet_id)


def _source_files(
    ids: pa.ChunkedArray, source_of_row: np.ndarray, names: Sequence[str], winners: pa.ChunkedArray
) -> list[list[str]]:
    """Return the sorted names of the files that contain a copy, for each winning tweet."""
    if len(names) == 1:
        return [[names[0]]] * len(winners)
    copies = pa.table({"id": ids, "source": pa.array(source_of_row)})
    grouped = copies.group_by("id").aggregate([("source", "distinct")])
    of_id = dict(zip(grouped["id"].to_pylist(), grouped["source_distinct"].to_pylist(), strict=True))
    return [sorted({names[source] for source in of_id[tweet_id]}) for tweet_id in winners.to_pylist()]
