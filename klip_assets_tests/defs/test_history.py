from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import time

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    InProcessCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    ScheduleInstigatorData,
    TickData,
    TickStatus,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._utils.error import SerializableErrorInfo

from klip_assets.defs import history
from klip_assets.defs.history import TICKS, History, prune_history
from klip_assets.defs.tags import UNFINISHED_RUNS
from klip_assets.settings import Settings
from klip_assets.work.leftovers import Freed

UNKNOWN = "0b54ac0e-9b7e-4ef8-8c56-7f2d0a0c1d11"
REPOSITORY = RemoteRepositoryOrigin(
    InProcessCodeLocationOrigin(LoadableTargetOrigin(module_name="klip_assets.definitions"), location_name="klip"),
    "repository",
)
PARTS = dg.StaticPartitionsDefinition(["one", "two"])


@dg.asset(partitions_def=PARTS)
def small() -> None:
    """An asset that is made in no time."""


def prune(settings: Settings, days: int = 0, *, dry_run: bool = False) -> dict[str, tuple[int, int]]:
    """Prune; return bytes and count by kind."""
    total: dict[str, tuple[int, int]] = {}
    for part in prune_history(settings, older_than=timedelta(days=days), dry_run=dry_run):
        size, count = total.get(part.kind, (0, 0))
        total[part.kind] = (size + part.bytes, count + part.count)
    return {kind: found for kind, found in total.items() if found != (0, 0)}


def run(instance: dg.DagsterInstance, settings: Settings, part: str = "one") -> str:
    """Make the asset, and the output of a step; return the id of the run."""
    run_id = dg.materialize([small], instance=instance, partition_key=part).run_id
    for place in ("compute_logs", "files"):
        folder = settings.dagster_storage_dir / ("storage" if place == "files" else "") / run_id / place
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "a.out").write_bytes(bytes(1000))
    return run_id


def shard(settings: Settings, run_id: str) -> Path:
    return settings.dagster_storage_dir / "history" / "runs" / f"{run_id}.db"


def paths_of(settings: Settings, run_id: str) -> set[Path]:
    return {path for path in settings.dagster_storage_dir.rglob("*") if run_id in path.name}


def disk_bytes(settings: Settings) -> int:
    """Return the bytes of all files but the indexes SQLite shares in memory, which come and go with connections."""
    files = (path for path in settings.data_dir.rglob("*") if path.is_file() and not path.name.endswith("-shm"))
    return sum(path.stat().st_size for path in files)


def age(paths: set[Path], hours: float) -> None:
    for path in paths:
        for found in (path, *path.rglob("*")):
            os.utime(found, (time() - hours * 3600, time() - hours * 3600))


def test_the_folder_shrinks_by_what_is_said_and_no_file_of_a_finished_run_stays(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    runs = [run(instance, settings) for _ in range(3)]
    before = disk_bytes(settings)
    promised = prune(settings, dry_run=True)
    assert disk_bytes(settings) == before and instance.get_runs_count() == 3
    freed = prune(settings)
    # The rows of the runs leave pages that were used before.
    assert before - disk_bytes(settings) == sum(size for size, _ in freed.values())
    assert freed["logs"][0] == promised["logs"][0] >= 6000
    assert freed["run history"][1] == promised["run history"][1] == 3
    assert freed["run history"][0] >= promised["run history"][0] > 3 * 100_000
    assert not any(paths_of(settings, run_id) for run_id in runs) and instance.get_runs_count() == 0
    assert prune(settings) == {}


def test_a_young_run_stays_and_so_does_its_file(settings: Settings, instance: dg.DagsterInstance) -> None:
    kept = run(instance, settings)
    before = paths_of(settings, kept)
    assert prune(settings, days=1) == {} and paths_of(settings, kept) == before and len(before) == 3


@pytest.mark.parametrize("status", UNFINISHED_RUNS)
def test_a_run_that_is_not_over_keeps_all_it_has(
    settings: Settings, instance: dg.DagsterInstance, status: dg.DagsterRunStatus
) -> None:
    made = instance.add_run(
        dg.DagsterRun("process_video", status=status, remote_job_origin=RemoteJobOrigin(REPOSITORY, "process_video"))
    )
    instance.report_engine_event("something happened", made)
    (settings.dagster_storage_dir / made.run_id / "compute_logs").mkdir(parents=True)
    before = paths_of(settings, made.run_id)
    age(before, 1000)
    assert prune(settings) == {} and paths_of(settings, made.run_id) == before and len(before) >= 2
    assert any("something happened" in str(entry) for entry in instance.all_logs(made.run_id))


def test_files_of_runs_that_nothing_knows_go_once_none_can_be_writing(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    forgotten = run(instance, settings)
    # As Dagster does it, and as `klip prune` did: the files stay.
    instance.delete_run(forgotten)
    (settings.dagster_storage_dir / UNKNOWN / "compute_logs").mkdir(parents=True)
    left = paths_of(settings, forgotten) | paths_of(settings, UNKNOWN)
    age(left, 40)
    assert prune(settings) == {} and all(path.exists() for path in left) and len(left) == 4
    age(left, 49)
    assert prune(settings, days=3) == {}
    (settings.dagster_storage_dir / UNKNOWN / "compute_logs" / "a.out").write_text("still written to")
    freed = prune(settings)
    assert freed["run history"] == (freed["run history"][0], 0) and freed["logs"][0] >= 2000
    assert paths_of(settings, forgotten) == set() != paths_of(settings, UNKNOWN)


def test_what_belongs_to_no_run_stays(settings: Settings, instance: dg.DagsterInstance) -> None:
    instance.report_runless_asset_event(dg.AssetMaterialization("small", partition="one"))
    for name in ("notes", "storage/small", f"{UNKNOWN}-2"):
        (settings.dagster_storage_dir / name).mkdir(parents=True)
    age({settings.dagster_storage_dir}, 1000)
    assert prune(settings) == {} and prune(settings, dry_run=True) == {}
    assert shard(settings, "").exists()
    assert all((settings.dagster_storage_dir / name).exists() for name in ("notes", "storage/small", f"{UNKNOWN}-2"))
    assert instance.get_latest_materialization_event(dg.AssetKey("small"))


def test_assets_keep_what_dagster_itself_leaves_them(settings: Settings, instance: dg.DagsterInstance) -> None:
    def state() -> tuple[object, ...]:
        key = dg.AssetKey("small")
        last = instance.get_latest_materialization_event(key)
        return last and last.run_id, instance.event_log_storage.get_materialized_partitions(key)

    first, second = run(instance, settings, "one"), run(instance, settings, "two")
    assert state() == (second, {"one", "two"})
    instance.delete_run(first)
    assert state() == (second, {"two"})
    prune(settings)
    # The last materialization is remembered with the asset, as after `delete_run`.
    assert state() == (second, set())


@pytest.mark.parametrize("point", ["prune.remove", "prune.events", "prune.run"])
def test_a_prune_that_was_cut_short_is_finished_by_the_next(
    settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    runs = [run(instance, settings) for _ in range(2)]

    def stop(name: str, subject: str = "") -> None:
        if name == point:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(history, "fail_point", stop)
        patch.setattr("klip_assets.work.leftovers.fail_point", stop)
        with pytest.raises(KeyboardInterrupt):
            prune(settings)
    prune(settings)
    assert not any(paths_of(settings, run_id) for run_id in runs) and instance.get_runs_count() == 0
    assert prune(settings) == {}


@pytest.fixture
def elsewhere() -> Iterator[dg.DagsterInstance]:
    """An instance that keeps its events in one database, as with PostgreSQL."""
    with dg.DagsterInstance.ephemeral() as found:
        yield found


def test_where_events_are_rows_of_one_database_the_old_files_of_runs_stay(
    settings: Settings, instance: dg.DagsterInstance, elsewhere: dg.DagsterInstance
) -> None:
    before_the_move = run(instance, settings)
    kept = paths_of(settings, before_the_move)
    after = dg.materialize([small], instance=elsewhere, partition_key="one").run_id
    (settings.dagster_storage_dir / after / "compute_logs").mkdir(parents=True)
    (settings.dagster_storage_dir / UNKNOWN).mkdir()
    age(kept | paths_of(settings, UNKNOWN), 1000)
    moved = History(elsewhere, settings)
    freed = [*moved.delete_finished(datetime.now(UTC)), *moved.delete_forgotten(timedelta(0)), *moved.compact()]
    assert Freed("run history", 0, 1) in freed and elsewhere.get_runs_count() == 0
    assert paths_of(settings, before_the_move) == kept and len(kept) == 3
    assert paths_of(settings, after) == paths_of(settings, UNKNOWN) == set()


def test_old_ticks_go_and_the_last_of_each_schedule_stays(settings: Settings, instance: dg.DagsterInstance) -> None:
    origin = RemoteInstigatorOrigin(REPOSITORY, "daily")
    kind = InstigatorType.SCHEDULE
    data = ScheduleInstigatorData("0 6 * * *")
    state = instance.add_instigator_state(InstigatorState(origin, kind, InstigatorStatus.STOPPED, data))
    mine = (state.instigator_origin_id, state.selector_id)
    for days, status in ((50, "SUCCESS"), (40, "FAILURE"), (40, "STARTED"), (35, "SKIPPED"), (33, "SUCCESS")):
        at, error = time() - days * 86400, SerializableErrorInfo("no", [], None) if status == "FAILURE" else None
        tick = TickData(mine[0], "daily", kind, TickStatus[status], at, run_ids=[], error=error, selector_id=mine[1])
        instance.create_tick(tick)
    assert prune(settings, days=60) == {}
    assert prune(settings, days=30, dry_run=True) == {TICKS: (0, 3)}
    assert prune(settings, days=30) == {TICKS: (0, 3)} and prune(settings) == {}
    left = [(tick.status, round((time() - tick.timestamp) / 86400)) for tick in instance.get_ticks(*mine)]
    assert left == [(TickStatus.SUCCESS, 33), (TickStatus.STARTED, 40)]
