from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from klip_assets.contracts import TWEETS_RAW
from klip_assets.signals.tweets import staging
from klip_assets.signals.tweets.staging import Staged, stage
from klip_assets.store.lake.validate import conform
from klip_assets_tests.signals.tweets.damage import damaged
from klip_assets_tests.suite.examples import examples

ID = 1380242611781386245
DAY = 86_400_000 << 22
ROWS = [
    {"id": str(ID + i), "text": f"tweet {i} é😀 &amp;", "public_metrics": {"like_count": i}, "lang": "en"}
    for i in range(6)
]
JSONL = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode()
CSV = "id,created_at,text,likes\n" + "".join(f'{ID + i},10/2/17 12:41,"tw ""{i}""\né",{i}\n' for i in range(6))


def checked(staged: Staged) -> Staged:
    """Check what must hold of any file."""
    rows = sum(part.num_rows for part in staged.parts.values())
    assert rows == staged.rows_out
    assert staged.rows_in == rows + staged.duplicates + staged.deletions + len(staged.refused)
    positions = [refused.position for refused in staged.refused]
    assert len(set(positions)) == len(positions)
    seen: set[str] = set()
    for day, part in staged.parts.items():
        conform(TWEETS_RAW, part)
        assert set(part["day"].to_pylist()) == {day}
        assert seen.isdisjoint(part["tweet_id"].to_pylist())
        seen |= set(part["tweet_id"].to_pylist())
    return staged


def test_a_file_is_parted_by_the_day_in_the_ids(drop: Callable[..., Path]) -> None:
    staged = checked(stage(drop([{"id": str(ID + i * DAY), "text": "x"} for i in (2, 0, 1, 0)])))
    assert list(staged.parts) == [date(2021, 4, 8), date(2021, 4, 9), date(2021, 4, 10)]
    assert (staged.rows_in, staged.duplicates) == (4, 1)


def test_of_copies_in_a_file_the_longest_text_and_the_largest_counts_win(drop: Callable[..., Path]) -> None:
    lines = [f"{ID},first,5", f"{ID},last,6", f"{ID},the longest,4"]
    staged = checked(stage(drop("id,text,likes\n" + "\n".join(lines))))
    (part,) = staged.parts.values()
    assert (part["text"].to_pylist(), part["like_count"].to_pylist()) == (["the longest"], [6])
    assert staged.duplicates == 2


def test_a_file_without_tweets_has_no_parts(drop: Callable[..., Path]) -> None:
    staged = checked(stage(drop(b"")))
    assert (staged.parts, staged.rows_in, len(staged.refused)) == ({}, 1, 1)


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("2sets.jsonl", 200), ("cashtags.jsonl", 1), ("flat.jsonl", 100), ("geo_tweets.jsonl", 2),
        ("many_urls.jsonl", 1), ("media_tweet.jsonl", 1), ("mentions_tweet.jsonl", 1), ("noflat.jsonl", 100),
        ("two_tweets.jsonl", 1), ("verified_type.jsonl", 1),
    ],
)  # fmt: skip
def test_every_tweet_of_a_real_twarc_file_is_read(shared_data: Path, name: str, rows: int) -> None:
    path = shared_data / "tw-twarc-v2" / "test-data" / name
    delivered = [
        tweet["id"]
        for line in path.read_text(encoding="utf-8").splitlines()
        for page in [json.loads(line)]
        for tweet in page.get("data", [page])
    ]
    staged = checked(stage(path))
    found = [tweet_id for part in staged.parts.values() for tweet_id in part["tweet_id"].to_pylist()]
    assert sorted(found) == sorted(delivered)
    assert (len(found), staged.duplicates, staged.refused) == (rows, 0, [])
    for part in staged.parts.values():
        assert None not in part["author"].to_pylist()
        assert None not in part["observed_at"].to_pylist()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("counts.jsonl", "counts"), ("lists.jsonl", "lists"), ("users.jsonl", "users"), ("empty.json", "empty"),
    ],
)  # fmt: skip
def test_a_real_twarc_file_of_something_else_is_refused_as_a_whole(shared_data: Path, name: str, kind: str) -> None:
    staged = checked(stage(shared_data / "tw-twarc-v2" / "test-data" / name))
    (refusal,) = staged.refused
    assert (refusal.position, staged.parts) == ("file", {})
    assert kind in refusal.reason


def test_a_flattened_real_file_and_its_pages_give_the_same_rows(shared_data: Path) -> None:
    folder = shared_data / "tw-twarc-v2" / "test-data"
    assert stage(folder / "flat.jsonl").parts == stage(folder / "noflat.jsonl").parts


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "rows", "refused", "days"),
    [
        ("twitter-ratio/BarackObama.csv", 3207, 0, 737),
        ("twitter-ratio/realDonaldTrump.csv", 3232, 0, 422),
        # Three of its 448 ids were rounded by a spreadsheet (6.58435E+17 and the like).
        ("trump-twitter/realDonaldTrump_poll_tweets.csv", 445, 3, 182),
    ],
)
def test_every_row_of_a_real_538_file_is_read_or_refused(
    shared_data: Path, name: str, rows: int, refused: int, days: int
) -> None:
    path = shared_data / "tw-538" / name
    with path.open(encoding="latin-1", newline="") as file:
        by_hand = list(csv.DictReader(file))
    ids = {(row.get("id") or row["url"].rpartition("/")[2]) for row in by_hand}
    staged = checked(stage(path))
    found = [row for part in staged.parts.values() for row in part.to_pylist()]
    assert (len(found), len(staged.refused), len(staged.parts), staged.duplicates) == (rows, refused, days, 0)
    assert staged.rows_in == len(by_hand) == rows + refused
    assert {row["tweet_id"] for row in found} == {i for i in ids if i.isdigit()}
    assert all("spreadsheet" in refusal.reason for refusal in staged.refused)
    if "favorites" in by_hand[0]:
        assert sum(row["like_count"] for row in found) == sum(int(row["favorites"]) for row in by_hand)
        assert sum(row["reply_count"] for row in found) == sum(int(row["replies"]) for row in by_hand)


def test_the_real_airline_file_is_dated_by_its_ids(shared_data: Path) -> None:
    staged = checked(stage(shared_data / "tw-airline" / "Tweets.csv"))
    assert (staged.rows_in, staged.refused) == (7242, [])
    first = next(
        row for part in staged.parts.values() for row in part.to_pylist() if row["tweet_id"] == "569429411646156800"
    )
    # The file says 1:32, eight hours behind UTC.
    assert (first["created_at"].hour, first["created_at"].minute) == (9, 32)


damages = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "insert", "end"]), st.integers(0, 10_000), st.binary(min_size=1, max_size=4)
    ),
    max_size=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(300), deadline=None)
@given(st.sampled_from([JSONL, CSV.encode(), json.dumps({"data": ROWS}, indent=1).encode()]), damages, st.booleans())
def test_a_damaged_file_gives_rows_and_refusals_and_nothing_else(
    drop: Callable[..., Path], data: bytes, damage: list[tuple[str, int, bytes]], gzipped: bool
) -> None:
    checked(stage(drop(damaged(data, damage), gzipped=gzipped)))


def test_a_refused_tweet_among_plain_ones_is_named_by_its_own_line(drop: Callable[..., Path]) -> None:
    # Regression: lines that are not read in bulk were numbered from the end of their block.
    broken = JSONL.splitlines(keepends=True)
    broken[1] = broken[1].replace(b'"id": "1', b'"id": "!')
    whole = checked(stage(drop(b"".join(broken))))
    assert [refused.position for refused in whole.refused] == ["line 2"]
    cut = checked(stage(drop(broken[1] + b"{")))
    assert [refused.position for refused in cut.refused] == ["line 1", "line 2"]


def test_a_cut_gzip_file_never_raises(drop: Callable[..., Path]) -> None:
    path = drop(JSONL, gzipped=True)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        checked(stage(path))


@settings(max_examples=examples(200), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(str(ID)),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "text", "data", "includes", "users", "meta", "entities", "errors", "author", "public_metrics",
                 "like_count", "referenced_tweets", "type", "edit_history_tweet_ids", "created_at", "urls", "tweet"]
            ),
            inner,
            max_size=5,
        ),
        max_leaves=20,
    )
)  # fmt: skip
def test_json_of_any_shape_gives_rows_and_refusals_and_nothing_else(drop: Callable[..., Path], value: object) -> None:
    checked(stage(drop([value])))
    checked(stage(drop(json.dumps({"data": value}, indent=2))))


def test_nulls_in_a_list_that_no_tweet_has_are_a_refusal(drop: Callable[..., Path]) -> None:
    staged = checked(stage(drop([{"author": {"text": [None, None]}}])))
    assert len(staged.refused) == 1


def test_a_text_no_tweet_can_have_is_refused(drop: Callable[..., Path]) -> None:
    staged = checked(stage(drop([{"id": str(ID), "text": "fine"}, {"id": str(ID + 1), "text": "😀" * 30_000}])))
    assert [part["text"].to_pylist() for part in staged.parts.values()] == [["fine"]]
    assert [entry.reason for entry in staged.refused] == ["too long for a tweet"]


def test_refusals_beyond_those_that_are_listed_are_counted_and_the_end_is_named(
    drop: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "MAX_REFUSED", 10)
    packed = gzip.compress(JSONL + b'{"id": "bad"}\n' * 50_000, compresslevel=1)
    staged = stage(drop(packed[:-20]))
    assert len(staged.refused) == 10
    assert [entry.position for entry in staged.refused[-2:]] == ["end of file", "rest"]
    listed = len(staged.refused) - 1
    assert staged.refused[-1].detail == f"{staged.rows_in - len(ROWS) - listed:,} more"
