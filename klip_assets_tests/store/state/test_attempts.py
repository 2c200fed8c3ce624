from __future__ import annotations

from pathlib import Path, PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klip_assets.contracts import Subject
from klip_assets.inbox.changes import Ready
from klip_assets.inbox.recordings import Recording
from klip_assets.settings import Settings
from klip_assets.store.lake.lake import Lake
from klip_assets.store.lake.stage_status import read_stages
from klip_assets.store.locks import hold, subject_lock
from klip_assets.store.state.attempts import MAX_DEATHS, NEVER_TRIED, WAITS_S, Attempt, Attempts, Ending
from klip_assets.store.state.registry import Registry
from klip_assets.work.due import due_videos, note_crash_looping


@pytest.fixture
def attempts(settings: Settings) -> Attempts:
    return Attempts(settings.memory_path)


def ready(settings: Settings, name: str, version: str) -> Ready:
    return Ready(name, version, Recording(settings.vod_inbox, settings.vod_inbox / f"{name}.mp4"))


def test_success_leaves_no_memory(attempts: Attempts) -> None:
    attempts.begin({"a": "1"})
    attempts.end({"a": Ending.DONE})
    assert attempts.all() == {}


def test_content_that_fails_is_not_tried_again_until_it_changes(attempts: Attempts) -> None:
    attempts.begin({"a": "1"})
    attempts.give_up("a", "1")
    attempts.end({"a": Ending.FAILED})
    found = attempts.all()["a"]
    assert found.permanent and found.failures == 0
    assert not found.allows("1") and found.allows("2")


def test_a_failure_of_the_machine_is_tried_again_after_longer_and_longer_waits(attempts: Attempts) -> None:
    for number, wait in enumerate(WAITS_S, start=1):
        attempts.begin({"a": "1"})
        attempts.end({"a": Ending.FAILED})
        found = attempts.all()["a"]
        assert found.failures == number and found.begun == 0
        assert not found.allows("1", now=found.failed_at + wait - 1)
        assert found.allows("1", now=found.failed_at + wait)
    attempts.begin({"a": "1"})
    attempts.end({"a": Ending.FAILED})
    found = attempts.all()["a"]
    assert not found.allows("1", now=found.failed_at + 10 * WAITS_S[-1])
    assert found.allows("1"), "a person who asks does not wait"


def test_success_after_failures_starts_the_count_again(attempts: Attempts) -> None:
    for failed in (True, True, False, True):
        attempts.begin({"a": "1"})
        attempts.end({"a": Ending.FAILED if failed else Ending.DONE})
    assert attempts.all()["a"].failures == 1


def test_a_process_that_never_ends_its_attempt_counts_as_dead(attempts: Attempts) -> None:
    for number in range(1, MAX_DEATHS + 1):
        attempts.begin({"a": "1"})
        found = attempts.all()["a"]
        assert found.begun == number and found.crash_looping == (number == MAX_DEATHS)
    assert not found.allows("1") and found.allows("2")


def test_other_content_starts_the_count_again(attempts: Attempts) -> None:
    attempts.begin({"a": "1"})
    attempts.begin({"a": "1"})
    attempts.begin({"a": "2"})
    assert attempts.all()["a"] == Attempt(version="2", begun=1)


def test_a_video_that_was_being_worked_on_when_its_process_died_is_due_although_it_is_accepted(
    published: Settings, lake: Lake
) -> None:
    registry, attempts = Registry(published.memory_path), Attempts(published.memory_path)
    version = registry.fingerprint_of("stream")
    entry = ready(published, "stream", version)
    assert due_videos([entry], attempts, lake).videos == []
    attempts.begin({"stream": version})
    assert due_videos([entry], attempts, lake).videos == [entry]
    with hold(subject_lock(lake.root, Subject.video("stream")), what="video stream", timeout_s=1):
        assert due_videos([entry], attempts, lake).videos == [], "its run is on"


def test_a_video_whose_run_ends_while_it_is_looked_at_is_not_due(
    published: Settings, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry, attempts = Registry(published.memory_path), Attempts(published.memory_path)
    entry = ready(published, "stream", registry.fingerprint_of("stream"))
    attempts.begin({"stream": entry.fingerprint})

    def ends(_: object) -> bool:
        attempts.end({"stream": Ending.DONE})
        return False

    monkeypatch.setattr("klip_assets.work.due.is_held", ends)
    assert due_videos([entry], attempts, lake).videos == []


def test_what_a_process_died_on_comes_last(settings: Settings, lake: Lake, attempts: Attempts) -> None:
    entries = [ready(settings, name, "1") for name in ("a", "b", "c")]
    attempts.begin({"a": "1"})
    assert [entry.video_id for entry in due_videos(entries, attempts, lake).videos] == ["b", "c", "a"]


def test_what_is_deadly_is_named_once(settings: Settings, lake: Lake, attempts: Attempts) -> None:
    entry = ready(settings, "a", "1")
    for _ in range(MAX_DEATHS):
        attempts.begin({"a": "1"})
    due = due_videos([entry], attempts, lake)
    assert due.videos == [] and due.crash_looping == [entry]
    note_crash_looping(lake, entry)
    (row,) = read_stages(lake, "a")
    assert row["status"] == "failed" and "klip process a" in row["error"]
    note_crash_looping(lake, entry)
    assert read_stages(lake, "a") == [row]


@given(
    st.lists(st.sampled_from(["begin", "succeed", "fail", "give up"]), max_size=20),
    st.floats(min_value=0, max_value=1e12, allow_nan=False),
)
def test_whatever_happened_other_content_may_always_be_tried(happened: list[str], now: float) -> None:
    state = NEVER_TRIED
    for what in happened:
        if what == "begin":
            state = Attempt("1", state.begun + 1, state.failures, state.failed_at)
        elif what == "fail":
            state = Attempt("1", 0, state.failures + 1, now, state.permanent)
        elif what == "give up":
            state = Attempt("1", state.begun, state.failures, state.failed_at, True)
        else:
            state = NEVER_TRIED
    assert state.allows("2", now=now) and state.allows("2")
    assert not (state.permanent and state.allows("1"))


def test_a_tweet_file_that_is_replaced_leaves_its_old_content_to_be_taken_out(registry: Registry) -> None:
    name, other = PurePath("a.jsonl"), PurePath("b.jsonl")
    registry.record_staged(name, "s1", "old")
    assert registry.leftovers() == []
    registry.record_staged(name, "s2", "new")
    assert registry.leftovers() == ["old"]
    registry.forget_leftover("old")
    assert registry.leftovers() == []
    registry.record_staged(other, "s1", "new")
    registry.forget_staged(name)
    assert registry.leftovers() == [], "another file holds the same content"
    registry.forget_staged(other)
    assert registry.leftovers() == ["new"]


def test_content_that_comes_back_is_not_a_leftover(registry: Registry) -> None:
    registry.record_staged(PurePath("a"), "1", "x")
    registry.record_staged(PurePath("a"), "2", "y")
    registry.record_staged(PurePath("a"), "3", "x")
    assert registry.leftovers() == ["y"]


def test_a_change_that_raises_leaves_the_memory_as_it_was(registry: Registry, tmp_path: Path) -> None:
    registry.record_staged(PurePath("a"), "1", "x")
    with pytest.raises(RuntimeError), registry.writing() as db:
        db.execute("DELETE FROM tweet_files")
        raise RuntimeError
    assert list(registry.staged_files()) == [PurePath("a")]
