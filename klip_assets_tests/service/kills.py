"""A service whose workers stop themselves at a fail point (see `klip_assets.failpoints`), so that a kill always hits
the same step."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg

from klip_assets.defs.partitions import VIDEOS

PROCESS_VIDEO = "process_video"
STOP = "stop stage.begin segments/*"


@dataclass
class Stage:
    """One service, and a hand on the fail points of its workers."""

    service: Any
    sound: Callable[..., Path]
    captions: Callable[..., Path]
    log: Path
    dropped: int = 0
    #: Processes of a service that was killed: pid -> command.
    gone: dict[int, str] = field(default_factory=dict)
    #: Whether a `klip remove` that was refused left everything as it was.
    untouched: bool = False
    #: How `klip dev` ended when its daemon was killed, and what it had said.
    code: int | None = None
    said: str = ""

    def drop(self, name: str) -> None:
        """Put a recording with captions into the inbox."""
        self.dropped += 1
        inbox = self.service.settings.vod_inbox
        self.captions(inbox / f"{name}.en.vtt", (0.5, 3.0, f"Welcome to {name}, everybody."))
        self.sound(inbox / f"{name}.wav", 4, pitch_hz=200.0 + 10 * self.dropped)

    def drop_and_stop(self, name: str) -> int:
        """Put a recording into the inbox and wait until its worker has stopped before `segments`; return its pid."""
        # The note of an earlier stop is what lets later workers pass.
        self.log.write_text("")
        self.drop(name)
        return int(self.service.wait(lambda: self._stopped(name), f"the worker of {name} to stop"))

    def runs(self, name: str) -> list[dg.DagsterRun]:
        return [record.dagster_run for record in self.service.runs(PROCESS_VIDEO, name)]

    def succeeded(self, *names: str) -> bool:
        return all(any(run.status is dg.DagsterRunStatus.SUCCESS for run in self.runs(name)) for name in names)

    def published(self, *names: str) -> bool:
        return {row["video_id"] for row in self.service.sql("SELECT video_id FROM segments")} >= set(names)

    def at_rest(self, *names: str) -> None:
        """Wait until videos are published, all runs are over, and the sensors have looked again."""
        self.service.wait(lambda: self.published(*names), f"{', '.join(names)} to be published")
        self.service.wait_for_runs()
        self.service.wait_for_scans("vods", 2, since=time.time())
        self.service.wait_for_runs()

    def restart(self, failpoint: str) -> None:
        """Start `klip dev` again, after it ended."""
        self.service.extra["KLIP_FAILPOINT"] = failpoint
        self.service.start()

    def _stopped(self, name: str) -> int | None:
        for line in self.log.read_text().splitlines():
            pid, *note = line.split()
            if note == ["stopped", "stage.begin", f"segments/{name}"] and _state(int(pid)) == "T":
                return int(pid)
        return None

    def belongings(self, name: str) -> tuple[dict[str, int], bool]:
        """Return the files of a video in the lake, with their times, and whether its partition is listed."""
        files = {str(path): path.stat().st_mtime_ns for path in self.service.settings.lake_dir.glob(f"*/*={name}/*")}
        assert files
        with self.service.instance() as instance:
            return files, instance.has_dynamic_partition(VIDEOS.name or "", name)

    def steps(self, run: dg.DagsterRun, kind: dg.DagsterEventType) -> set[str]:
        """Return the steps of a run that have an event of a kind."""
        with self.service.instance() as instance:
            return {str(entry.step_key) for entry in instance.all_logs(run.run_id, of_type=kind)}

    def failures(self, name: str) -> int:
        """Return how many runs of a video failed."""
        return sum(run.status is dg.DagsterRunStatus.FAILURE for run in self.runs(name))

    def taken_slots(self) -> list[str]:
        """Return the concurrency keys that a run holds or waits for."""
        with self.service.instance() as instance:
            storage = instance.event_log_storage
            infos = [storage.get_concurrency_info(key) for key in storage.get_concurrency_keys()]
        return [info.concurrency_key for info in infos if info.active_slot_count or info.pending_step_count]


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def flat(text: str) -> str:
    """Return a text on one line."""
    return " ".join(text.split())
