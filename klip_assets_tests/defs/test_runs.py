from __future__ import annotations

import subprocess
import sys

import dagster as dg
import pytest

from klip_assets.contracts import SEGMENT_SCORES, SEGMENTS, STAGE_STATUS, VIDEOS, Subject
from klip_assets.defs.build import build_defs
from klip_assets.defs.partitions import VIDEOS as VIDEO_PARTITIONS
from klip_assets.defs.runs import list_video, unfinished_run
from klip_assets.settings import Settings
from klip_assets.store.lake.generations import accepted_generation
from klip_assets.store.lake.lake import Lake
from klip_assets.store.lake.stage_status import read_stages
from klip_assets.store.locks import is_held, subject_lock
from klip_assets.work.acceptance import consider
from klip_assets.work.installation import Installation
from klip_assets.work.scan import scan
from klip_assets_tests.made import write_vtt, write_wav
from klip_assets_tests.worked import work

HOLDER = """
import signal, sys
from pathlib import Path
from klip_assets.store.locks import hold
with hold(Path(sys.argv[1]), what="video a", timeout_s=5):
    print("held", flush=True)
    signal.pause()
"""


def run_video(instance: dg.DagsterInstance, key: str, **tags: str) -> dg.ExecuteInProcessResult:
    instance.add_dynamic_partitions(VIDEO_PARTITIONS.name or "", [key])
    job = build_defs().resolve_job_def("process_video")
    return job.execute_in_process(instance=instance, partition_key=key, tags=tags, raise_on_error=False)


@pytest.fixture
def recording(settings: Settings, instance: dg.DagsterInstance) -> None:
    path = write_wav(settings.vod_inbox / "a.wav", 3)
    write_vtt(path.with_name("a.en.vtt"), [(0.5, 1.5, "Hello there.")])
    assert work(settings).ok
    list_video(instance, "a")


@pytest.mark.slow
@pytest.mark.usefixtures("recording")
def test_a_run_waits_for_the_lock_of_its_video_and_names_the_holder(
    lake: Lake, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = subject_lock(lake.root, Subject.video("a"))
    monkeypatch.setenv("KLIP_LOCK_TIMEOUT_S", "0.2")
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(lock)], stdout=subprocess.PIPE)
    try:
        assert holder.stdout and holder.stdout.readline() == b"held\n"
        refused = run_video(instance, "a")
        errors = [str(event) for event in refused.all_events]
        assert not refused.success and any(f"process {holder.pid}" in text for text in errors)
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    assert run_video(instance, "a").success
    assert not is_held(lock)


@pytest.mark.slow
@pytest.mark.usefixtures("recording")
def test_a_run_started_by_hand_computes_and_one_told_to_reuse_does_not(
    lake: Lake, instance: dg.DagsterInstance
) -> None:
    assert run_video(instance, "a").success
    assert {row["status"] for row in read_stages(lake, "a")} == {"ok"}
    assert run_video(instance, "a", **{"klip/reuse": "true"}).success
    assert {row["status"] for row in read_stages(lake, "a")} == {"reused"}


@pytest.mark.usefixtures("recording")
def test_a_materialization_tells_rows_versions_and_notes(lake: Lake, instance: dg.DagsterInstance) -> None:
    result = run_video(instance, "a")
    event = result.asset_materializations_for_node("transcript_words")[0]
    metadata = {name: value.value for name, value in event.metadata.items()}
    assert metadata["dagster/partition_row_count"] == 2
    assert metadata["note/engine"] == "captions"
    provenance = lake.provenance(SEGMENTS, "a")
    segments = result.asset_materializations_for_node("segments")[0]
    assert provenance and segments.tags["dagster/data_version"] == provenance.data_version


@pytest.mark.slow
@pytest.mark.usefixtures("recording")
def test_checks_are_evaluated_for_the_partition(instance: dg.DagsterInstance) -> None:
    evaluations = run_video(instance, "a").get_asset_check_evaluations()
    assert len(evaluations) == 6 and all(evaluation.passed for evaluation in evaluations)


@pytest.mark.slow
@pytest.mark.usefixtures("recording")
def test_a_stage_that_fails_says_so_and_is_not_published(
    settings: Settings, lake: Lake, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KLIP_WEIGHTS", "nope")
    result = run_video(instance, "a")
    assert not result.success
    failed = {row["table_name"]: row["error"] for row in read_stages(lake, "a") if row["status"] == "failed"}
    assert set(failed) == {"segment_scores", "highlight_candidates"}
    assert "unknown weight set 'nope'" in failed["segment_scores"]
    assert "segment_scores failed" in " ".join(consider(lake, Subject.video("a")))
    assert accepted_generation(lake, Subject.video("a")) is not None


@pytest.mark.usefixtures("recording")
def test_a_missing_input_is_a_clear_failure(lake: Lake, instance: dg.DagsterInstance) -> None:
    lake.remove(SEGMENTS, "a")
    job = build_defs().resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(
        instance=instance, partition_key="a", asset_selection=[dg.AssetKey([SEGMENT_SCORES.name])], raise_on_error=False
    )
    assert not result.success
    errors = [row["error"] for row in read_stages(lake, "a") if row["table_name"] == SEGMENT_SCORES.name]
    assert errors == ["segments of a has not been built (materialize it first)"]


@pytest.mark.usefixtures("recording")
def test_a_recording_that_is_gone_is_a_clear_failure(
    settings: Settings, lake: Lake, instance: dg.DagsterInstance
) -> None:
    (settings.vod_inbox / "a.wav").unlink()
    assert not run_video(instance, "a").success
    errors = [row["error"] for row in read_stages(lake, "a") if row["status"] == "failed"]
    assert errors == ["a.wav is gone from the inbox (put it back, or: klip remove a)"]
    assert lake.exists(VIDEOS, "a") and lake.exists(STAGE_STATUS, "a")


@pytest.mark.parametrize("name", ["STARTING", "STARTED"])
def test_a_run_that_is_not_over_is_found(instance: dg.DagsterInstance, name: str) -> None:
    run = instance.add_run(run_on_a(name))
    assert unfinished_run(instance, "a") == run.run_id
    assert unfinished_run(instance, "b") is None


@pytest.mark.parametrize("name", ["SUCCESS", "FAILURE", "CANCELED", "CANCELING"])
def test_a_run_that_is_over_or_being_canceled_is_not(instance: dg.DagsterInstance, name: str) -> None:
    instance.add_run(run_on_a(name))
    assert unfinished_run(instance, "a") is None


def run_on_a(name: str) -> dg.DagsterRun:
    return dg.DagsterRun("process_video", status=dg.DagsterRunStatus[name], tags={"dagster/partition": "a"})


@pytest.mark.slow
@pytest.mark.usefixtures("recording")
def test_a_run_of_a_backfill_reuses_and_one_that_is_forced_computes(lake: Lake, instance: dg.DagsterInstance) -> None:
    assert run_video(instance, "a", **{"dagster/backfill": "b"}).success
    assert {row["status"] for row in read_stages(lake, "a")} == {"reused"}
    assert run_video(instance, "a", **{"dagster/backfill": "b", "klip/reuse": "true", "klip/force": "true"}).success
    assert {row["status"] for row in read_stages(lake, "a")} == {"ok"}


def test_a_green_run_of_one_stage_does_not_count_as_a_failure_of_the_machine(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    here = Installation(settings)
    write_wav(settings.vod_inbox / "a.wav", 3)
    scan(here)
    instance.add_dynamic_partitions(VIDEO_PARTITIONS.name or "", ["a"])
    job = build_defs().resolve_job_def("process_video")
    here.attempts.begin({"a": here.registry.fingerprint_of("a")})  # A run that died.
    result = job.execute_in_process(instance=instance, partition_key="a", asset_selection=[dg.AssetKey(["videos"])])
    assert result.success
    attempt = here.attempts.all()["a"]
    assert (attempt.failures, attempt.begun) == (0, 0)
    assert [entry.video_id for entry in scan(here).due.videos] == ["a"], "the rest of it is still to be done"
    assert run_video(instance, "a").success
    assert here.attempts.all() == {}


def test_a_run_whose_stages_fail_on_the_machine_counts_as_its_failure(
    settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Installation(settings)
    write_wav(settings.vod_inbox / "a.wav", 3)
    scan(here)
    monkeypatch.setenv("KLIP_WEIGHTS", "nope")
    assert not run_video(instance, "a").success
    attempt = here.attempts.all()["a"]
    assert (attempt.failures, attempt.begun, attempt.permanent) == (1, 0, False)
