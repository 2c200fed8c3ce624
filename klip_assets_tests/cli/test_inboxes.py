"""Putting files into the inbox, and an inbox that can't be read: nothing that was there is lost."""

from __future__ import annotations

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from klip_assets.cli import main
from klip_assets.settings import Settings
from klip_assets_tests.made import tweet, tweet_id_at, write_tweets, write_vtt, write_wav
from klip_assets_tests.privileges import bound_by_permissions
from klip_assets_tests.processed import drop_tweets, query
from klip_assets_tests.worked import work


def klip(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], prog_name="klip")


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let no file grow beyond a size, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_replacement_that_does_not_fit_leaves_what_was_there(settings: Settings, tmp_path: Path) -> None:
    """Regression: the old recording was removed before the new one was copied, and a full disk left none."""
    klip("add", write_wav(tmp_path / "a.wav", 2, seed=1))
    there = settings.vod_inbox / "a.wav"
    before = there.read_bytes()
    longer = write_wav(tmp_path / "b" / "a.wav", 60, seed=2)
    write_vtt(longer.with_name("a.en.vtt"), [(0, 1, "hi")])
    with files_of_at_most(500_000):
        result = klip("add", longer, "--replace", "--copy")
    assert result.exit_code == 1 and "a.wav was not added: File too large" in result.output.replace("\n", " ")
    assert there.read_bytes() == before
    assert [path.name for path in settings.vod_inbox.iterdir()] == ["a.wav"], "neither captions nor a temporary file"
    assert klip("add", longer, "--replace", "--copy").exit_code == 0
    assert there.read_bytes() == longer.read_bytes() and (settings.vod_inbox / "a.en.vtt").exists()


def test_a_map_of_columns_never_comes_without_its_file(settings: Settings, tmp_path: Path) -> None:
    big = tmp_path / "t.csv"
    big.write_text("id,body\n" + "1,hello\n" * 50_000)
    with files_of_at_most(100_000):
        assert klip("add", big, "--map", "text=body").exit_code == 1
    assert list(settings.tweet_inbox.iterdir()) == []


def test_a_folder_that_can_not_be_read_is_named_when_the_folder_above_is_added(
    settings: Settings, tmp_path: Path
) -> None:
    write_wav(tmp_path / "vods" / "a.wav", 2)
    write_wav(tmp_path / "vods" / "locked" / "b.wav", 2)
    (tmp_path / "vods" / "locked").chmod(0)
    try:
        with bound_by_permissions():
            result = klip("add", tmp_path / "vods", "--json")
    finally:
        (tmp_path / "vods" / "locked").chmod(0o755)
    done = {row["file"]: row["done"] for row in json.loads(result.stdout)}
    assert done == {"a.wav": "linked", "locked": "can't be read: Permission denied"} and result.exit_code == 1
    assert (settings.vod_inbox / "a.wav").exists()


@pytest.mark.slow
def test_a_tweet_inbox_that_can_not_be_read_is_named_and_the_recording_beside_it_is_published(
    settings: Settings,
) -> None:
    """Regression: the tweets were deleted as removed, or the error kept a processed recording from being published."""
    drop_tweets(settings)
    work(settings)
    tweets = query(settings, "SELECT count(*) AS n FROM tweets")
    write_wav(settings.vod_inbox / "new.wav", 12, loud=[(5, 6)])
    settings.tweet_inbox.chmod(0o444)
    try:
        with bound_by_permissions():
            result = klip("process", "--json")
    finally:
        settings.tweet_inbox.chmod(0o755)
    rows = {row["what"]: (row["outcome"], row["problem"]) for row in json.loads(result.stdout)}
    assert rows["tweets"] == ("failed", "can't be read: Permission denied") and result.exit_code == 1
    assert rows["new"] == ("done", None) and rows["warehouse"] == ("done", None)
    assert query(settings, "SELECT count(*) AS n FROM tweets") == tweets
    assert query(settings, "SELECT video_id FROM videos") == [{"video_id": "new"}]
    refused = query(settings, "SELECT source_file, table_name, reason FROM quarantine")
    assert refused == [{"source_file": ".", "table_name": "tweet_inbox", "reason": "can't be read: Permission denied"}]
    assert json.loads(klip("process", "--json").stdout)[0]["what"] == "warehouse", "only the refusal has gone"
    assert query(settings, "SELECT * FROM quarantine") == []


def test_an_inbox_that_is_a_link_to_a_lost_disk_is_named_and_the_rest_goes_on(settings: Settings) -> None:
    settings.make_folders()
    settings.tweet_inbox.rmdir()
    settings.tweet_inbox.symlink_to("/nowhere/tweets")
    rows = json.loads(klip("process", "--json").stdout)
    problem = "can't be read: No such file or directory"
    assert [(row["what"], row["problem"]) for row in rows] == [("tweets", problem), ("warehouse", None)]


@pytest.mark.slow
def test_an_unreadable_folder_of_recordings_is_named_and_not_called_processed(settings: Settings) -> None:
    (settings.vod_inbox / "locked").mkdir()
    (settings.vod_inbox / "locked" / "notes.xyz").write_text("x")
    klip("process")
    (settings.vod_inbox / "locked").chmod(0)
    try:
        with bound_by_permissions():
            result = klip("process")
    finally:
        (settings.vod_inbox / "locked").chmod(0o755)
    assert result.exit_code == 1 and "Nothing to do" not in result.output
    assert "failed  vods/locked: can't be read: Permission denied" in result.output
    files = {row["source_file"] for row in query(settings, "SELECT source_file FROM quarantine")}
    assert files == {"locked", "locked/notes.xyz"}, "what was known of it stays"


@pytest.mark.slow
def test_an_emptied_tweet_inbox_waits_for_a_word_of_a_person(settings: Settings) -> None:
    path = drop_tweets(settings)
    klip("process")
    count = query(settings, "SELECT count(*) AS n FROM tweets")
    path.unlink()
    result = klip("process", "--json")
    assert result.exit_code == 0
    row = next(row for row in json.loads(result.stdout) if row["what"] == "tweets")
    assert row["outcome"] == "waits" and "klip process --accept-removals" in row["problem"]
    assert query(settings, "SELECT count(*) AS n FROM tweets") == count
    write_tweets(settings.tweet_inbox / "new.jsonl", [tweet(tweet_id_at("2026-06-20"))])
    assert klip("process", "--accept-removals").exit_code == 0
    assert query(settings, "SELECT count(*) AS n FROM tweets") == [{"n": 1}]
    assert "--accept-removals looks at the whole inbox" in klip("process", "--accept-removals", "--stale").output


@pytest.mark.slow
def test_a_tweet_file_that_is_refused_as_a_whole_and_a_link_to_nothing_are_told(settings: Settings) -> None:
    settings.make_folders()
    (settings.tweet_inbox / "notes.csv").write_text("a,b\n1,2\n")
    (settings.vod_inbox / "lost.mp4").symlink_to("/nowhere/lost.mp4")
    result = klip("process", "--json")
    rows = {row["what"]: row for row in json.loads(result.stdout)}
    assert rows["tweet files (1 new, 0 gone)"]["found"].startswith("not used: notes.csv: ")
    assert rows["vods/lost.mp4"]["problem"] == "can't be read: No such file or directory" and result.exit_code == 1


@pytest.mark.slow
def test_a_recording_that_can_not_be_read_is_not_called_processed_without_a_word(settings: Settings) -> None:
    settings.make_folders()
    (settings.vod_inbox / "broken.wav").write_text("no recording")
    assert klip("process").exit_code == 1
    again = klip("process")
    assert again.exit_code == 0 and "except 1 recording that can't be read: klip videos" in again.output


def test_what_is_left_behind_is_named_with_the_reason_and_nothing_else_is(settings: Settings, tmp_path: Path) -> None:
    """Regression: files beside a recording that are named a little differently stayed behind without a word."""
    talk = write_wav(tmp_path / "talk.wav", 2)
    for name in ("Talk.en.vtt", "talk - Chat.json", ".talk.vtt", "talk_raw.srt", "talk.nfo", "other.vtt", "other.jpg"):
        talk.with_name(name).write_text("x")
    result = klip("add", talk)
    assert result.exit_code == 0
    assert sorted(path.name for path in settings.vod_inbox.iterdir()) == ["Talk.en.vtt", "talk - Chat.json", "talk.wav"]
    left = [line.partition(":")[0] for line in result.stdout.splitlines() if "left behind" in line]
    assert left == [".talk.vtt", "talk.nfo", "talk_raw.srt"]
    rows = {row["file"]: row for row in json.loads(klip("add", talk, "--json").stdout)}
    assert (
        rows["talk_raw.srt"]["to"] == "" and "with an unknown ending; known: .info.json" in rows["talk_raw.srt"]["done"]
    )
    assert rows["talk.wav"]["done"] == "was there already"


def test_a_folder_with_thousands_of_other_files_is_added_in_a_few_lines(settings: Settings, tmp_path: Path) -> None:
    write_wav(tmp_path / "talk.wav", 2)
    for number in range(300):
        (tmp_path / f"thumbnail-{number}.jpg").write_bytes(b"\xff\xd8\xff")
    (tmp_path / "lost.vtt").write_text("WEBVTT")
    result = klip("add", tmp_path)
    lines = [line for line in result.stdout.splitlines() if "left behind" in line]
    assert lines == [
        "lost.vtt: left behind: a sidecar without a recording named lost beside it",
        "300 other files: left behind: unknown kind of file",
    ]


def test_a_recording_under_another_suffix_is_added_and_a_text_is_not(settings: Settings, tmp_path: Path) -> None:
    wave = write_wav(tmp_path / "talk.wav", 2)
    wave.rename(tmp_path / "talk.recording")
    assert klip("add", tmp_path / "talk.recording").exit_code == 0
    assert (settings.vod_inbox / "talk.recording").exists()
    assert work(settings).ok
    assert query(settings, "SELECT status FROM videos") == [{"status": "ok"}]
    (tmp_path / "notes.doc").write_text("no recording")
    assert "neither a recording nor a tweet file" in klip("add", tmp_path / "notes.doc").output
