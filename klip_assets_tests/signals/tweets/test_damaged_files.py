"""Files of every kind, damaged in every way: no crash, no hang, and nothing lost that was well-formed."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from klip_assets.contracts import TWEETS_RAW
from klip_assets.signals.tweets.staging import Staged, stage
from klip_assets.store.lake.validate import conform
from klip_assets_tests.signals.tweets.damage import damaged
from klip_assets_tests.suite.examples import examples

Drop = Callable[..., Path]
ID = 1380242611781386245
TWEETS = [{"id": str(ID + n), "text": f"tweet {n} é😀 #a https://t.co/x{n}", "lang": "en"} for n in range(8)]
OLD = [
    {"id_str": str(ID + n), "full_text": f"é {n}", "user": {"screen_name": "ann"}, "favorite_count": n}
    for n in range(8)
]
SCRAPED = [{"id": ID + n, "rawContent": f"é {n}", "user": {"username": "ann"}, "hashtags": ["a"]} for n in range(8)]


def _parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"id": [ID + n for n in range(8)], "text": ["x"] * 8}), sink, row_group_size=3)
    return sink.getvalue()


def _lines(entries: list[dict[str, object]]) -> bytes:
    return "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries).encode()


FILES = {
    "lines": _lines(TWEETS),  # type: ignore[arg-type]
    "pages": _lines([{"data": TWEETS[:4]}, {"data": TWEETS[4:]}]),
    "document": json.dumps({"data": TWEETS, "includes": {"users": []}}, indent=1).encode(),
    "array": json.dumps(TWEETS).encode(),
    "version 1.1": _lines(OLD),
    "snscrape": _lines(SCRAPED),
    "archive": b"window.YTD.tweets.part0 = " + json.dumps([{"tweet": tweet} for tweet in OLD], indent=2).encode(),
    "csv": ("id,text,likes\n" + "".join(f'{ID + n},"é ""{n}""\nx",{n}\n' for n in range(8))).encode(),
    "utf-16": ("id;text\n" + "".join(f"{ID + n};é {n}\n" for n in range(8))).encode("utf-16"),
    "tabs": ("id\ttext\n" + "".join(f'{ID + n}\t"é {n}\n' for n in range(8))).encode(),
    "parquet": _parquet(),
    "compliance": _lines([{"id": str(ID + n), "action": "delete"} for n in range(8)]),
    "gzip": gzip.compress(_lines(TWEETS)),  # type: ignore[arg-type]
}

damages = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "insert", "double", "end"]),
        st.integers(0, 10_000),
        st.binary(min_size=1, max_size=4),
    ),
    max_size=5,
)  # fmt: skip


def checked(staged: Staged) -> Staged:
    """Check what must hold of any file."""
    rows = sum(part.num_rows for part in staged.parts.values())
    assert staged.rows_in == rows + staged.duplicates + staged.deletions + len(staged.refused)
    positions = [refused.position for refused in staged.refused]
    assert len(set(positions)) == len(positions)
    for day, part in staged.parts.items():
        conform(TWEETS_RAW, part)
        assert set(part["day"].to_pylist()) == {day}
    return staged


def ids_in(staged: Staged) -> set[str]:
    return {tweet_id for part in staged.parts.values() for tweet_id in part["tweet_id"].to_pylist()}


@pytest.mark.parametrize("kind", FILES)
def test_each_kind_is_read_whole_while_it_is_whole(drop: Drop, kind: str) -> None:
    staged = checked(stage(drop(FILES[kind])))
    assert staged.rows_out + staged.deletions == 8


@pytest.mark.parametrize("kind", FILES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(40), deadline=None)
@given(damage=damages, packed=st.booleans())
def test_a_damaged_file_gives_rows_and_refusals_and_nothing_else(
    drop: Drop, kind: str, damage: list[tuple[str, int, bytes]], packed: bool
) -> None:
    checked(stage(drop(damaged(FILES[kind], damage), gzipped=packed)))


def test_no_change_of_a_parquet_schema_ends_the_process(drop: Drop) -> None:
    whole = FILES["parquet"]
    schema = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    for place in range(schema + 16, schema + 32):
        for bits in (1, 3, 4):
            # A column that is said to repeat doesn't fit its statistics: of these, pyarrow aborted.
            checked(stage(drop(whole[:place] + bytes([whole[place] ^ bits]) + whole[place + 1 :])))


def test_a_quote_of_one_line_that_a_broken_line_closes_costs_only_that_one(drop: Drop) -> None:
    lines = [f'{ID + n}\t"tweet {n}\n' for n in range(5)]
    lines[1], lines[3] = f'\t{ID + 1}\t"tweet 1\n', f'{ID + 3}\t"\ttweet 3\n'
    staged = checked(stage(drop("id\ttext\n" + "".join(lines))))
    assert ids_in(staged) >= {str(ID + n) for n in (0, 2, 4)}
    assert [row["text"] for part in staged.parts.values() for row in part.to_pylist()][1] == '"tweet 2'


@pytest.mark.parametrize("kind", ["lines", "version 1.1", "snscrape", "tabs"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(40), deadline=None)
@given(bad=st.sets(st.integers(1, 6), max_size=5), noise=st.binary(min_size=1, max_size=30), data=st.data())
def test_lines_around_a_broken_one_all_come_out(
    drop: Drop, kind: str, bad: set[int], noise: bytes, data: st.DataObject
) -> None:
    noise = noise.replace(b"\n", b"").replace(b"\0", b"")
    lines = FILES[kind].splitlines(keepends=True)
    header = len(lines) - 8
    for number in bad:
        place = data.draw(st.integers(0, len(lines[header + number]) - 1))
        line = lines[header + number]
        lines[header + number] = line[:place] + noise + line[place + len(noise) :].rstrip(b"\n") + b"\n"
    found = ids_in(checked(stage(drop(b"".join(lines)))))
    assert found >= {str(ID + n) for n in range(8) if n not in bad}


@pytest.mark.parametrize("kind", ["document", "archive"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(40), deadline=None)
@given(bad=st.integers(1, 6), data=st.data())
def test_elements_around_a_broken_one_of_a_document_all_come_out(
    drop: Drop, kind: str, bad: int, data: st.DataObject
) -> None:
    text = FILES[kind]
    begin = text.index(str(ID + bad).encode())
    place = begin + data.draw(st.integers(0, 10))
    for noise in (b'"', b"}", b"]", b"{", b"[", b"\\"):
        found = ids_in(checked(stage(drop(text[:place] + noise + text[place:]))))
        assert found >= {str(ID + n) for n in range(8) if n != bad} - (
            {str(ID + bad + 1)} if noise in b'"\\' else set()
        )


@pytest.mark.parametrize("kind", [kind for kind in FILES if kind not in ("parquet", "gzip", "utf-16")])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "latin-1", "cp037"])
def test_a_file_in_another_encoding_never_raises(drop: Drop, kind: str, encoding: str) -> None:
    staged = checked(stage(drop(FILES[kind].decode().encode(encoding, "replace"))))
    if encoding in ("utf-16", "utf-16-le", "latin-1"):
        assert staged.rows_out + staged.deletions == 8


def test_every_cut_of_every_file_is_read(drop: Drop) -> None:
    for data in FILES.values():
        for length in range(0, len(data), max(1, len(data) // 40)):
            checked(stage(drop(data[:length])))
