from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import dagster as dg
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin

from klip_assets.contracts import VIDEO_TABLES, Subject
from klip_assets.defs.build import build_defs
from klip_assets.defs.instance import fail_runs_of_dead_processes
from klip_assets.defs.resources import Installation
from klip_assets.defs.runs import UNDECIDED_S
from klip_assets.defs.schedules import build_schedules
from klip_assets.defs.sensors import build_sensors
from klip_assets.defs.tags import RANGE_START_TAG
from klip_assets.settings import Settings
from klip_assets.store.lake.generations import accepted_generation, withdraw
from klip_assets.store.lake.lake import Lake
from klip_assets.store.locks import hold, subject_lock
from klip_assets.store.state.attempts import WAITS_S, Attempts, Ending
from klip_assets.store.state.registry import Registry
from klip_assets.work.due import Due, due_videos
from klip_assets_tests.made import write_wav
from klip_assets_tests.privileges import bound_by_permissions
from klip_assets_tests.processed import drop_tweets, process
from klip_assets_tests.worked import work

vods_sensor, tweets_sensor, publish_sensor, alerts_sensor = build_sensors(Settings())


#: A run with an origin was launched by the daemon; others are of the command line.
ORIGIN = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("klip_assets"), "__repository__")


def failed_run(instance: dg.DagsterInstance, job: str = "process_video", **tags: str) -> dg.DagsterRun:
    """Record a run that the daemon launched and that failed, with tags of Dagster's."""
    return instance.create_run_for_job(
        build_defs().resolve_job_def(job),
        tags={f"dagster/{name}": value for name, value in tags.items()},
        status=dg.DagsterRunStatus.FAILURE,
        remote_job_origin=RemoteJobOrigin(ORIGIN, job),
    )


def look(sensor, instance: dg.DagsterInstance, cursor: str | None = None):
    resources = {"installation": Installation()}
    with dg.build_sensor_context(instance=instance, cursor=cursor, resources=resources) as context:
        return sensor(context)


def test_a_new_recording_becomes_a_partition_and_a_run_after_two_looks(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    write_wav(settings.vod_inbox / "a.wav", 2)
    first = look(vods_sensor, instance)
    assert first.run_requests == []
    second = look(vods_sensor, instance, first.cursor)
    assert [request.partition_key for request in second.run_requests] == ["a"]
    assert second.dynamic_partitions_requests[0].partition_keys == ["a"]
    assert json.loads(second.cursor) == {}


def test_a_processed_recording_starts_nothing(settings: Settings, instance: dg.DagsterInstance) -> None:
    write_wav(settings.vod_inbox / "a.wav", 2)
    work(settings)
    assert look(vods_sensor, instance, "{}").run_requests == []


def test_a_recording_somebody_works_on_is_left_for_a_later_look(
    settings: Settings, lake: Lake, instance: dg.DagsterInstance
) -> None:
    write_wav(settings.vod_inbox / "a.wav", 2)
    pending = look(vods_sensor, instance).cursor
    with hold(subject_lock(lake.root, Subject.video("a")), what="video a", timeout_s=1):
        assert look(vods_sensor, instance, pending).run_requests == []
    assert len(look(vods_sensor, instance, "{}").run_requests) == 1


def test_a_recording_that_a_backfill_has_queued_is_left_to_it(settings: Settings, instance: dg.DagsterInstance) -> None:
    write_wav(settings.vod_inbox / "a.wav", 2)
    pending = look(vods_sensor, instance).cursor
    run = instance.add_run(
        dg.DagsterRun(job_name="__ASSET_JOB", tags={"dagster/partition": "a"}, status=dg.DagsterRunStatus.STARTED)
    )
    assert look(vods_sensor, instance, pending).run_requests == []
    instance.report_run_canceled(run)
    assert len(look(vods_sensor, instance, "{}").run_requests) == 1


def test_a_run_that_ends_while_the_sensor_looks_is_not_started_again(
    settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wav(settings.vod_inbox / "a.wav", 2)
    pending = look(vods_sensor, instance).cursor
    run = instance.add_run(
        dg.DagsterRun(job_name="process_video", tags={"dagster/partition": "a"}, status=dg.DagsterRunStatus.STARTED)
    )
    # The lake was read before the run wrote into it; then the run ended.

    def ends_after(*args: Any, **kwargs: Any) -> Due:
        found = due_videos(*args, **kwargs)
        instance.report_run_canceled(run)
        return found

    monkeypatch.setattr("klip_assets.work.scan.due_videos", ends_after)
    assert look(vods_sensor, instance, pending).run_requests == []


def test_a_video_that_is_removed_while_the_sensor_looks_is_not_put_back_on_the_list(
    settings: Settings, lake: Lake, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wav(settings.vod_inbox / "a.wav", 2)
    work(settings)
    instance.add_dynamic_partitions("videos", ["a"])

    def removed_after(*args: Any, **kwargs: Any) -> Due:
        found = due_videos(*args, **kwargs)
        assert found.accepted == {"a"}
        # In the order of `klip remove`.
        withdraw(lake, Subject.video("a"))
        instance.delete_dynamic_partition("videos", "a")
        return found

    monkeypatch.setattr("klip_assets.work.scan.due_videos", removed_after)
    assert look(vods_sensor, instance, "{}").dynamic_partitions_requests == []


def test_a_publish_while_the_sensor_looks_does_not_give_one_attempt_two_names(
    settings: Settings, lake: Lake, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_wav(settings.vod_inbox / "a.wav", 2)
    work(settings)
    write_wav(path, 3)
    # The sensor asks for a run; it ends, and is published after a later look found the old content accepted.
    (asked,) = look(vods_sensor, instance, look(vods_sensor, instance).cursor).run_requests
    accepted = accepted_generation(lake, Subject.video("a"))

    def published_after(*args: Any, **kwargs: Any) -> Due:
        found = due_videos(*args, **kwargs)
        monkeypatch.setattr("klip_assets.work.scan.due_videos", due_videos)
        work(settings)
        assert accepted_generation(lake, Subject.video("a")) != accepted
        return found

    monkeypatch.setattr("klip_assets.work.scan.due_videos", published_after)
    (again,) = look(vods_sensor, instance, "{}").run_requests
    assert again.run_key == asked.run_key, "Dagster starts a run key once"


def test_a_run_that_dagster_will_repeat_is_not_asked_for_again(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    write_wav(settings.vod_inbox / "a.wav", 2)
    pending = look(vods_sensor, instance).cursor
    run = failed_run(instance, partition="a", will_retry="true")
    assert look(vods_sensor, instance, pending).run_requests == []
    instance.add_run_tags(run.run_id, {"dagster/auto_retry_run_id": "another"})
    assert len(look(vods_sensor, instance, "{}").run_requests) == 1


def test_a_failed_run_of_which_dagster_has_not_yet_said_whether_it_repeats_it_is_not_asked_for_again(
    settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wav(settings.vod_inbox / "a.wav", 2)
    pending = look(vods_sensor, instance).cursor
    failed_run(instance, partition="a")
    assert look(vods_sensor, instance, pending).run_requests == []
    # The process that was about to say it died.
    later = time.time() + UNDECIDED_S + 1
    monkeypatch.setattr("klip_assets.defs.sensors.time.time", lambda: later)
    assert len(look(vods_sensor, instance, "{}").run_requests) == 1


def test_a_failed_run_that_dagster_does_not_repeat_is_asked_for_again(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    write_wav(settings.vod_inbox / "a.wav", 2)
    pending = look(vods_sensor, instance).cursor
    failed_run(instance, partition="a", will_retry="false")
    assert len(look(vods_sensor, instance, pending).run_requests) == 1


def test_a_recording_on_which_a_command_was_killed_is_asked_for(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    write_wav(settings.vod_inbox / "a.wav", 2)
    pending = look(vods_sensor, instance).cursor
    name = "from klip_assets.store.processes import this_process; print(this_process())"
    ended = subprocess.run([sys.executable, "-c", name], capture_output=True, text=True, check=True).stdout.strip()
    job, tags = build_defs().resolve_job_def("process_video"), {"dagster/partition": "a", "klip/process": ended}
    run = instance.create_run_for_job(job, tags=tags, status=dg.DagsterRunStatus.STARTED)
    assert look(vods_sensor, instance, pending).run_requests == []
    assert fail_runs_of_dead_processes(instance) == [run.run_id]
    assert len(look(vods_sensor, instance, pending).run_requests) == 1


def test_no_more_runs_are_asked_for_than_the_batch_leaves_room_for(
    settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KLIP_SENSOR_BATCH", "3")
    job = build_defs().resolve_job_def("process_video")
    for n, name in enumerate("abcde"):
        write_wav(settings.vod_inbox / f"{name}.wav", 2, seed=n)

    def asked_for() -> list[str | None]:
        found = look(vods_sensor, instance, look(vods_sensor, instance).cursor)
        return [request.partition_key for request in found.run_requests]

    assert asked_for() == ["a", "b", "c"]
    tags = [{"dagster/partition": name} for name in "ab"]
    runs = [instance.create_run_for_job(job, tags=each, status=dg.DagsterRunStatus.STARTED) for each in tags]
    assert asked_for() == ["c"]
    instance.delete_run(runs[0].run_id)
    assert asked_for() == ["a", "c"]
    for name in "cd":
        instance.create_run_for_job(job, tags={"dagster/partition": name}, status=dg.DagsterRunStatus.STARTED)
    assert asked_for() == []


def test_a_video_whose_retry_begins_during_a_scan_is_not_asked_for(
    settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wav(settings.vod_inbox / "a.wav", 2)
    pending = look(vods_sensor, instance).cursor
    job, tags = build_defs().resolve_job_def("process_video"), {"dagster/partition": "a"}
    lost = failed_run(instance, partition="a", will_retry="true")

    def retried(*args: Any, **kwargs: Any) -> Due:
        instance.create_run_for_job(job, tags=tags, status=dg.DagsterRunStatus.STARTED)
        instance.add_run_tags(lost.run_id, {"dagster/auto_retry_run_id": "another"})
        return due_videos(*args, **kwargs)

    monkeypatch.setattr("klip_assets.work.scan.due_videos", retried)
    assert look(vods_sensor, instance, pending).run_requests == []


def test_a_failure_of_the_machine_is_tried_again_under_another_key_after_its_wait(
    settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wav(settings.vod_inbox / "a.wav", 2)
    (first,) = look(vods_sensor, instance, look(vods_sensor, instance).cursor).run_requests
    attempts, version = Attempts(settings.memory_path), Registry(settings.memory_path).fingerprint_of("a")
    attempts.begin({"a": version})
    attempts.end({"a": Ending.FAILED})
    assert look(vods_sensor, instance, "{}").run_requests == [], "not before its wait is over"
    later = time.time() + WAITS_S[0] + 1
    monkeypatch.setattr("klip_assets.defs.sensors.time.time", lambda: later)
    (second,) = look(vods_sensor, instance, "{}").run_requests
    assert second.run_key != first.run_key


def test_a_tweet_file_that_can_not_be_read_does_not_hold_up_the_days_of_the_others(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    drop_tweets(settings)
    (settings.tweet_inbox / "bad.jsonl").symlink_to("/proc/self/mem")
    pending = look(tweets_sensor, instance).cursor
    (ingest,) = look(tweets_sensor, instance, pending).run_requests
    job = build_defs().resolve_job_def("ingest_tweets")
    tags = {"dagster/run_key": ingest.run_key}
    assert job.execute_in_process(instance=instance, run_config=ingest.run_config, tags=tags).success
    (again,) = look(tweets_sensor, instance, pending).run_requests
    assert again.job_name == "ingest_tweets" and again.run_key != ingest.run_key, "the good file is no longer new"
    job.execute_in_process(instance=instance, run_config=again.run_config, tags={"dagster/run_key": again.run_key})
    jobs = [request.job_name for request in look(tweets_sensor, instance, pending).run_requests]
    assert jobs == ["ingest_tweets", "process_tweet_days"]


def test_no_asset_of_a_video_depends_on_one_without_partitions() -> None:
    graph = build_defs().resolve_asset_graph()
    for name in VIDEO_TABLES:
        for parent in graph.get(dg.AssetKey([name])).parent_keys:
            assert graph.get(parent).is_partitioned, f"{name} on {parent}: a backfill would be cut in two"


@pytest.mark.slow
def test_content_that_comes_back_is_a_new_attempt(settings: Settings, instance: dg.DagsterInstance) -> None:
    path = write_wav(settings.vod_inbox / "a.wav", 2, seed=1)
    keys = []
    for seed in (1, 2, 1):
        write_wav(path, 2, seed=seed)
        look_one = look(vods_sensor, instance, look(vods_sensor, instance).cursor)
        keys += [request.run_key for request in look_one.run_requests]
        process(settings)
    assert len(keys) == len(set(keys)) == 3


def test_tweets_are_staged_first_and_their_days_made_after(settings: Settings, instance: dg.DagsterInstance) -> None:
    drop_tweets(settings)
    first = look(tweets_sensor, instance)
    assert first.run_requests == []
    second = look(tweets_sensor, instance, first.cursor)
    assert [(r.job_name, r.run_config["ops"]["tweet_files"]["config"]) for r in second.run_requests] == [
        ("ingest_tweets", {"files": ["tweets.jsonl"]})
    ]
    job = build_defs().resolve_job_def("ingest_tweets")
    assert job.execute_in_process(instance=instance, run_config=second.run_requests[0].run_config).success
    third = look(tweets_sensor, instance, second.cursor)
    assert [(r.job_name, r.tags[RANGE_START_TAG]) for r in third.run_requests] == [("process_tweet_days", "2026-06-12")]


def test_a_tick_says_what_of_an_inbox_can_not_be_read_or_is_missing(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    path = drop_tweets(settings)
    work(settings)
    assert look(tweets_sensor, instance).skip_reason is None
    path.unlink()
    found = look(tweets_sensor, instance)
    assert found.run_requests == [] and "missing, as where a mount is lost" in str(found.skip_reason)
    for inbox, sensor in ((settings.tweet_inbox, tweets_sensor), (settings.vod_inbox, vods_sensor)):
        inbox.chmod(0)
        try:
            with bound_by_permissions():
                found = look(sensor, instance)
        finally:
            inbox.chmod(0o755)
        assert found.run_requests == [] and f"{inbox.name}: can't be read: Permission denied" in str(found.skip_reason)


def test_nothing_is_asked_of_tweets_while_a_run_is_under_way(settings: Settings, instance: dg.DagsterInstance) -> None:
    job = build_defs().resolve_job_def("ingest_tweets")
    instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    drop_tweets(settings)
    assert isinstance(look(tweets_sensor, instance), dg.SkipReason)


def test_nothing_is_asked_of_tweets_while_dagster_is_about_to_repeat_a_run(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    lost = failed_run(instance, "process_tweet_days", will_retry="true")
    drop_tweets(settings)
    assert look(tweets_sensor, instance).skip_message == "a run of process_tweet_days is about to be repeated"
    instance.add_run_tags(lost.run_id, {"dagster/auto_retry_run_id": "another"})
    assert not isinstance(look(tweets_sensor, instance), dg.SkipReason)


def test_publishing_is_asked_for_once_there_is_something_new(settings: Settings, instance: dg.DagsterInstance) -> None:
    assert len(look(publish_sensor, instance).run_requests) == 1
    write_wav(settings.vod_inbox / "a.wav", 2)
    work(settings)
    assert isinstance(look(publish_sensor, instance), dg.SkipReason)


def test_the_schedule_takes_the_day_before_the_tick() -> None:
    context = dg.build_schedule_context(scheduled_execution_time=datetime(2026, 3, 1, 0, 30))
    yesterdays_tweets, _ = build_schedules(Settings())
    assert yesterdays_tweets(context).tags[RANGE_START_TAG] == "2026-02-28"


@pytest.fixture
def webhook() -> Iterator[tuple[str, list[dict[str, object]]]]:
    received: list[dict[str, object]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/secret", received
    server.shutdown()
    thread.join()
    server.server_close()


def failure_context(settings: Settings, instance: dg.DagsterInstance) -> dg.RunFailureSensorContext:
    (settings.vod_inbox / "bad.mp4").write_text("no video")
    process(settings)
    run = instance.get_runs(dg.RunsFilter(job_name="process_video"))[0]
    event = next(
        r.dagster_event for r in instance.all_logs(run.run_id) if r.dagster_event and r.dagster_event.is_failure
    )
    return dg.build_run_status_sensor_context("alerts", event, instance, run).for_run_failure()


def test_a_failed_run_is_posted_to_the_webhook(
    settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, webhook
) -> None:
    url, received = webhook
    monkeypatch.setenv("KLIP_ALERT_WEBHOOK", url)
    alerts_sensor(failure_context(settings, instance))
    assert [(alert["job"], alert["partition"]) for alert in received] == [("process_video", "bad")]


def test_a_webhook_that_is_down_harms_nothing_and_its_address_is_not_logged(
    settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("KLIP_ALERT_WEBHOOK", "http://127.0.0.1:9/secret")
    alerts_sensor(failure_context(settings, instance))
    assert "secret" not in "".join(capfd.readouterr())
