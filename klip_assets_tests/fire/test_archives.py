"""Archives and texts without end stop at the stated limits, whatever their bytes are."""

from __future__ import annotations

import gzip
import io
import json
import resource
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from klip_assets.errors import UnreadableSidecarError
from klip_assets.formats import text
from klip_assets.formats.text import (
    BrokenRecord,
    bounded_lines,
    damage_of,
    delimited_records,
    expansion_limit,
    open_text,
)
from klip_assets.signals.chat.readers import read_chat
from klip_assets.signals.speech.captions.reader import read_captions
from klip_assets.signals.tweets.staging import stage
from klip_assets_tests.made import tweet, tweet_id_at

MEGABYTE = 1 << 20


def packed(path: Path, content: bytes, times: int = 1) -> Path:
    """Write an archive, in the way its name says, of some bytes repeated."""
    if path.suffix == ".gz":
        with gzip.open(path, "wb") as stream:
            for _ in range(times):
                stream.write(content)
    else:
        with pa.CompressedOutputStream(pa.OSFile(str(path), "wb"), "zstd") as stream:
            for _ in range(times):
                stream.write(content)
    return path


def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "FREE_EXPANSION_BYTES", MEGABYTE)


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_an_archive_is_known_by_its_content_and_read_to_its_end(tmp_path: Path, kind: str) -> None:
    path = packed(tmp_path / f"a.{kind}", b"hello ", 1000).rename(tmp_path / "no_archive.txt")
    with open_text(path) as stream:
        assert stream.read() == "hello " * 1000
    assert damage_of(path) is None


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_an_archive_that_expands_without_end_is_read_up_to_the_limit_and_says_so(tmp_path: Path, kind: str) -> None:
    path = packed(tmp_path / f"a.{kind}", b"a" * MEGABYTE, 80)
    limit = expansion_limit(path.stat().st_size)
    with open_text(path) as stream:
        assert sum(iter(lambda: len(stream.read(MEGABYTE)), 0)) == limit == 64 * MEGABYTE
    damage = damage_of(path)
    assert damage is not None and damage.reason.endswith("file expands to more than 67 MB; reading was stopped there")


def test_the_limit_is_a_hundred_times_the_archive_but_no_more_than_four_gigabytes() -> None:
    assert expansion_limit(1000) == 64 * MEGABYTE
    assert expansion_limit(10 * MEGABYTE) == 1000 * MEGABYTE
    assert expansion_limit(10**12) == 4096 * MEGABYTE


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_the_tweets_before_the_limit_of_an_archive_are_kept(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_limit(monkeypatch)
    tweets = "".join(json.dumps(tweet(tweet_id_at("2026-06-12", n))) + "\n" for n in range(5)).encode()
    path = packed(tmp_path / f"tweets.jsonl.{kind}", tweets + b" " * 3 * MEGABYTE + b"\n" + tweets)
    staged = stage(path)
    assert [rows.num_rows for rows in staged.parts.values()] == [5]
    assert staged.refused[-1].position == "end of file" and "expands to more than" in staged.refused[-1].reason


@pytest.mark.slow
@pytest.mark.parametrize("content", [b"[", b"a", b" ", b'"', b"1\n", b"\n", b"00:01.000 --> 00:02.000\n\n", b"\0"])
def test_no_bomb_fills_the_memory_of_any_reader(
    tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_limit(monkeypatch)
    path = packed(tmp_path / "bomb.gz", content * (MEGABYTE // len(content)), 8)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert not stage(path).parts
    for read in (lambda: read_chat(path, "v"), lambda: read_captions(path, None)):
        try:
            read()
        except UnreadableSidecarError as error:
            assert "bomb.gz" in str(error)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # kB


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.99])
def test_a_zstd_file_that_is_cut_gives_what_comes_before_the_cut(tmp_path: Path, cut: float) -> None:
    lines = "".join(json.dumps(tweet(tweet_id_at("2026-06-12", n), f"number {n * 7919}")) + "\n" for n in range(9000))
    path = packed(tmp_path / "a.zst", lines.encode())
    path.write_bytes(path.read_bytes()[: int(cut * path.stat().st_size)])
    staged = stage(path)
    assert "the zstd file is damaged or cut short" in staged.refused[-1].reason
    if cut > 0.4:
        assert sum(rows.num_rows for rows in staged.parts.values()) > 1000


@given(st.binary(max_size=300), st.sampled_from([b"", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xff\xfe"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_bytes_are_read_to_an_end(tmp_path: Path, content: bytes, magic: bytes) -> None:
    path = tmp_path / "any"
    path.write_bytes(magic + content)
    with open_text(path) as stream:
        assert len(stream.read()) <= len(content) + len(magic)
    damage_of(path)


@given(st.text(alphabet="ab\n\r ", max_size=200), st.integers(1, 20))
def test_lines_are_bounded_and_none_is_lost_without_a_word(text: str, longest: int) -> None:
    found = list(bounded_lines(io.StringIO(text, newline="\n"), longest))
    kept = [line for line in found if isinstance(line, str)]
    assert all(len(line) <= longest for line in kept)
    assert bool(len(kept) < len(found)) == any(isinstance(line, BrokenRecord) for line in found)
    if len(kept) == len(found):
        assert "".join(kept) == text


def test_a_line_too_long_to_be_held_costs_itself_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "MAX_LINE_CHARS", 20)
    rows = f'a,b\n1,2\n{"x" * 100}\n3,"4\n5"\n6,"{"y" * 100}"\n7,8\n'
    records = list(delimited_records(io.StringIO(rows, newline=""), ","))
    assert [record for record in records if isinstance(record, list)] == [
        ["a", "b"],
        ["1", "2"],
        ["3", "4\n5"],
        ["7", "8"],
    ]
    assert [r.reason for r in records if isinstance(r, BrokenRecord)] == ["a line of more than 20 characters"] * 2
