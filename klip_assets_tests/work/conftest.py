"""Stages changed for a test, on installations of the test's own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from klip_assets.contracts import Subject
from klip_assets.settings import Settings
from klip_assets.store.locks import hold, subject_lock
from klip_assets.work.installation import Installation
from klip_assets.work.stages.catalogue import STAGES, STAGES_OF


@pytest.fixture
def here(published: Settings) -> Installation:
    """An installation in which one stream (`stream`) and two days of tweets are published."""
    return Installation(published)


@pytest.fixture
def raise_version(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Give a stage a version that it never had."""

    def raised(name: str) -> None:
        newer = replace(STAGES[name], version="99")
        kind = "day" if newer in STAGES_OF["day"] or STAGES[name] in STAGES_OF["day"] else "video_id"
        specs = tuple(newer if spec.name == name else spec for spec in STAGES_OF[kind])
        monkeypatch.setitem(STAGES, name, newer)
        monkeypatch.setitem(STAGES_OF, kind, specs)

    return raised


@pytest.fixture
def worked_on(here: Installation) -> Iterator[None]:
    """Somebody else works on the stream as long as the test runs."""
    taken, done = threading.Event(), threading.Event()

    def work() -> None:
        with hold(subject_lock(here.lake.root, Subject.video("stream")), what="video stream", timeout_s=1):
            taken.set()
            done.wait()

    worker = threading.Thread(target=work)
    worker.start()
    taken.wait()
    yield
    done.set()
    worker.join()
