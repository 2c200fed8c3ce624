"""Tweet files that kill, or never let go of, the process that reads them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import PurePath

import pytest

from klip_assets.errors import InputError
from klip_assets.inbox.tweet_changes import tweet_changes
from klip_assets.settings import Settings
from klip_assets.store.lake.lake import Lake
from klip_assets.store.lake.quarantine import refused_sources
from klip_assets.store.state.attempts import MAX_DEATHS
from klip_assets.work.ingest import pending
from klip_assets.work.installation import Installation
from klip_assets.work.read_attempts import in_order, read_again, reading, skipped_files
from klip_assets_tests.made import REPOSITORY, tweet, tweet_id_at, write_tweets
from klip_assets_tests.processed import query
from klip_assets_tests.worked import work

DEADLY = "a.jsonl"


@pytest.fixture
def here(settings: Settings) -> Installation:
    """An installation with a deadly file, and a good one that comes after it by name."""
    write_tweets(settings.tweet_inbox / DEADLY, [tweet(tweet_id_at("2026-06-12", 9), "deadly")])
    write_tweets(settings.tweet_inbox / "b.jsonl", [tweet(tweet_id_at("2026-06-13", 9), "good")])
    return Installation(settings)


def die(here: Installation, name: str = DEADLY) -> None:
    """Let a process do what is due, and die where it reads a file."""
    done = subprocess.run(
        [sys.executable, "-m", "klip_assets_tests.fire.work_once"],
        cwd=REPOSITORY,
        env={**os.environ, "KLIP_FAILPOINT": f"kill tweets.reading {name}"},
    )
    assert done.returncode == -signal.SIGKILL


def texts(here: Installation) -> list[str]:
    return [row["text"] for row in query(here.settings, "SELECT text FROM tweets ORDER BY text")]


@pytest.mark.slow
def test_after_three_deaths_a_tweet_file_is_left_alone_and_named_and_the_others_are_read(
    here: Installation, lake: Lake
) -> None:
    for _ in range(MAX_DEATHS):
        die(here)
    work(here.settings)
    assert texts(here) == ["good"]
    assert skipped_files(here) == [DEADLY]
    assert "3 processes died" in refused_sources(lake, "tweets")[DEADLY]
    assert not pending(here).is_any
    # Touched, it is the same content.
    os.utime(here.settings.tweet_inbox / DEADLY, (1, 1))
    assert not pending(here).is_any
    assert skipped_files(here) == [DEADLY]
    # What a person asks for is tried, and what is replaced too.
    assert read_again(here, DEADLY)
    work(here.settings)
    assert texts(here) == ["deadly", "good"]
    assert skipped_files(here) == [] and refused_sources(lake, "tweets") == {}


@pytest.mark.slow
def test_a_replaced_file_is_read_although_processes_died_on_what_it_was(here: Installation, lake: Lake) -> None:
    for _ in range(MAX_DEATHS):
        die(here)
    work(here.settings)
    write_tweets(here.settings.tweet_inbox / DEADLY, [tweet(tweet_id_at("2026-06-12", 9), "mended")])
    work(here.settings)
    assert texts(here) == ["good", "mended"]
    assert skipped_files(here) == [] and refused_sources(lake, "tweets") == {}


@pytest.mark.slow
def test_a_file_on_which_a_process_died_is_read_after_the_others_and_once_read_is_forgotten(here: Installation) -> None:
    before = pending(here).version
    die(here)
    found = pending(here)
    assert found.version != before
    assert [str(file.name) for file in in_order(here, found.fresh)] == ["b.jsonl", DEADLY]
    work(here.settings)
    assert texts(here) == ["deadly", "good"]
    assert here.attempts.all().keys().isdisjoint({f"tweets/{DEADLY}", "tweets/b.jsonl"})


@pytest.mark.parametrize(
    ("error", "interrupts_count", "died"),
    [
        (OSError("a bad sector"), True, 0),
        (KeyboardInterrupt(), False, 0),
        (KeyboardInterrupt(), True, 1),
        (SystemExit(), True, 1),
    ],
)
def test_an_error_is_no_death_and_an_interrupt_is_one_where_nobody_sits_at_the_keyboard(
    here: Installation, error: BaseException, interrupts_count: bool, died: int
) -> None:
    file = tweet_changes(here.settings.tweet_inbox, here.registry, None).fresh[0]
    with (
        pytest.raises(type(error)),
        reading(here, file, file.sha256, interrupts_count=interrupts_count) as allowed,
    ):
        assert allowed
        raise error
    attempt = here.attempts.all().get(f"tweets/{DEADLY}")
    assert (attempt.begun if attempt else 0) == died


def test_a_name_in_two_folders_is_not_guessed_at(here: Installation) -> None:
    for folder in ("x", "y"):
        (here.settings.tweet_inbox / folder).mkdir()
        write_tweets(here.settings.tweet_inbox / folder / "c.jsonl", [tweet(tweet_id_at("2026-06-12", 8), folder)])
    work(here.settings)
    with pytest.raises(InputError, match=r"x/c\.jsonl, y/c\.jsonl"):
        read_again(here, "c.jsonl")
    assert read_again(here, "x/c.jsonl")
    assert [file.name for file in pending(here).fresh] == [PurePath("x/c.jsonl")]
    assert not read_again(here, "nothing.jsonl")
