"""What is around a run on a video or on days: its lock, what is remembered of the attempt, how it ended."""

from __future__ import annotations

import sqlite3
import threading

import pytest

from klip_assets.contracts import VIDEOS, Subject
from klip_assets.errors import LockHeldError
from klip_assets.store.locks import hold, is_held, subject_lock
from klip_assets.store.state.attempts import NEVER_TRIED, Attempt, Attempts
from klip_assets.work.installation import Installation
from klip_assets.work.invariants import Invariant
from klip_assets.work.removal import remove_video
from klip_assets.work.scan import scan
from klip_assets.work.stages.catalogue import STAGES, STAGES_OF
from klip_assets.work.stages.run import run_stage
from klip_assets.work.stages.stage import Run
from klip_assets.work.subject_run import SubjectRun, check_whether, run_on

STREAM = Subject.video("stream")
DAYS = [Subject.day("2026-06-12"), Subject.day("2026-06-13")]


def remembered(here: Installation, subject: Subject = STREAM) -> Attempt:
    return here.attempts.all().get(subject.key, NEVER_TRIED)


def make_all(here: Installation, whole: SubjectRun, subject: Subject) -> None:
    for spec in STAGES_OF[subject.kind]:
        run_stage(spec, subject, here, Run("r", reuse=True))
        whole.note_done(subject, spec.name)


def test_while_a_run_is_in_progress_its_lock_is_held_and_its_content_is_remembered(here: Installation) -> None:
    lock = subject_lock(here.lake.root, STREAM)
    with run_on(here, [STREAM]):
        assert is_held(lock)
        assert (remembered(here).version, remembered(here).begun) == (here.registry.fingerprint_of("stream"), 1)
    assert not is_held(lock)


def test_a_run_that_made_everything_leaves_nothing_to_remember(here: Installation) -> None:
    with run_on(here, [STREAM]) as whole:
        make_all(here, whole, STREAM)
    assert remembered(here) == NEVER_TRIED


def test_a_run_that_was_to_make_a_part_and_did_has_not_failed(here: Installation) -> None:
    here.lake.remove(VIDEOS, "stream")
    with run_on(here, [STREAM], ["segments", "not_a_table_of_videos"]) as part:
        part.note_done(STREAM, "segments")
    left = remembered(here)
    assert (left.begun, left.failures) == (0, 0)
    assert left != NEVER_TRIED, "the video is not whole"


def test_a_part_made_by_hand_brings_no_video_back_that_was_removed(here: Installation) -> None:
    remove_video(here, "stream", lambda: None)
    assert scan(here).due.videos == []
    with run_on(here, [STREAM], ["videos"]) as part:
        run_stage(STAGES["videos"], STREAM, here, Run("by hand"))
        part.note_done(STREAM, "videos")
    assert scan(here).due.videos == []
    with run_on(here, [STREAM]) as whole:
        make_all(here, whole, STREAM)
    assert remembered(here) == NEVER_TRIED, "who makes all of it has it back"


def test_a_run_that_lacks_one_of_its_tables_has_failed(here: Installation) -> None:
    with run_on(here, [STREAM], ["segments", "highlights"]) as part:
        part.note_done(STREAM, "segments")
    assert (remembered(here).begun, remembered(here).failures) == (0, 1)


def test_a_run_that_raises_has_failed_and_its_lock_is_free(here: Installation) -> None:
    with pytest.raises(RuntimeError), run_on(here, [STREAM]):
        raise RuntimeError
    assert remembered(here).failures == 1
    assert not is_held(subject_lock(here.lake.root, STREAM))


def test_of_several_days_each_ends_by_itself(here: Installation) -> None:
    done, other = DAYS
    with run_on(here, DAYS) as whole:
        make_all(here, whole, done)
    assert remembered(here, done) == NEVER_TRIED
    assert remembered(here, other).failures == 1


def test_files_of_tweets_are_not_read_while_days_are_made(here: Installation) -> None:
    short = Installation(here.settings.model_copy(update={"lock_timeout_s": 0.0}))
    taken, leave = threading.Event(), threading.Event()

    def makes_days() -> None:
        with hold(subject_lock(here.lake.root, DAYS[0]), what="the tweet data", timeout_s=1):
            taken.set()
            leave.wait()

    other = threading.Thread(target=makes_days)
    other.start()
    taken.wait()
    try:
        with pytest.raises(LockHeldError, match="the tweet data"), run_on(short, []):
            pass
    finally:
        leave.set()
        other.join()
    with run_on(short, []):
        assert here.attempts.all() == {}, "no day is tried by it"


def test_where_an_attempt_can_not_be_remembered_the_lock_is_free_again(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Attempts, "begin", full)
    with pytest.raises(sqlite3.OperationalError), run_on(here, [STREAM]):
        pass
    assert not is_held(subject_lock(here.lake.root, STREAM))


@pytest.mark.parametrize(("problems", "given_up"), [([], False), (["too long"], True)])
def test_content_that_breaks_a_rule_is_given_up_and_a_warning_is_not_enough(
    here: Installation, problems: list[str], given_up: bool
) -> None:
    rule = Invariant("rule", VIDEOS, lambda lake, key: (problems, ["worth a look"]))
    assert check_whether(rule, STREAM, here) == (problems, ["worth a look"])
    assert remembered(here).permanent == given_up
    assert remembered(here).allows(here.registry.fingerprint_of("stream")) != given_up
