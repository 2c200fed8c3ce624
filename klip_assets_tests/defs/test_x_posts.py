"""Fetching from X as an asset, a job and a schedule, from the API to the rows of a day."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import dagster as dg
import pytest
from click.testing import CliRunner

from klip_assets.cli import main
from klip_assets.defs.build import build_defs
from klip_assets.defs.schedules import build_schedules
from klip_assets.settings import Settings
from klip_assets.store.locks import hold
from klip_assets_tests.processed import process, query
from klip_assets_tests.sources.x_api.fake_x import NOW, TOKEN, FakeX, error, serving
from klip_assets_tests.worked import work


@pytest.fixture
def x(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeX]:
    with serving(FakeX(clock_s=time.time())) as fake:
        monkeypatch.setenv("KLIP_X_BEARER_TOKEN", TOKEN)
        monkeypatch.setenv("KLIP_X_BASE_URL", fake.base_url)
        monkeypatch.setenv("KLIP_X_QUERIES", "#run; from:anna")
        ago = (NOW.timestamp() - fake.clock_s) / 60
        for minute, text in enumerate(("I love this run", "this is terrible", "te quiero")):
            fake.add(ago + minute + 1, text, lang="es" if text.startswith("te") else "en")
        yield fake


def run(instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    job = build_defs().resolve_job_def("fetch_x_posts")
    return job.execute_in_process(instance=instance, raise_on_error=False)


@pytest.mark.slow
def test_posts_go_from_the_api_to_rows_of_a_day_the_way_of_every_file(
    x: FakeX, settings: Settings, instance: dg.DagsterInstance
) -> None:
    result = run(instance)
    assert result.success
    (event,) = result.get_asset_materialization_events()
    metadata = event.materialization.metadata
    assert (metadata["posts"].value, metadata["pages"].value, metadata["requests"].value) == (6, 2, 3)
    assert process(settings).ok
    rows = query(
        settings,
        "SELECT t.text, t.author, t.observed_at IS NOT NULL AS observed, s.language, s.status, s.error "
        "FROM tweets t JOIN tweet_sentiment s USING (tweet_id) ORDER BY t.created_at DESC",
    )
    assert [(row["text"], row["language"], row["status"]) for row in rows] == [
        ("I love this run", "en", "ok"), ("this is terrible", "en", "ok"), ("te quiero", "es", "skipped")
    ]  # fmt: skip
    assert rows[2]["error"].startswith("written in es; klip-compact-") and rows[0]["observed"]
    assert {row["author"] for row in rows} == {"anna"}
    assert work(settings).outcomes == {}, "what was fetched is in the lake, and published"


def test_a_run_that_fails_says_why_and_the_token_stands_nowhere(
    x: FakeX, settings: Settings, instance: dg.DagsterInstance, capfd: pytest.CaptureFixture[str]
) -> None:
    x.misdeeds = [None, error(401, "Unauthorized", f"bad token {TOKEN}")]
    result = run(instance)
    assert not result.success
    (failed,) = [event for event in result.all_events if event.is_step_failure]
    assert "rejects KLIP_X_BEARER_TOKEN (401)" in str(failed.step_failure_data.user_failure_data.description)
    logs = "".join(str(record) for record in instance.all_logs(result.run_id)) + "".join(capfd.readouterr())
    assert TOKEN not in logs and TOKEN[-6:] not in logs
    for path in settings.data_dir.rglob("*"):
        assert not path.is_file() or TOKEN[-6:].encode() not in path.read_bytes(), path
    assert list(settings.tweet_inbox.rglob("*.jsonl")), "what was fetched before stays"


@pytest.mark.parametrize(
    ("variable", "value", "says_what"),
    [
        ("KLIP_X_BEARER_TOKEN", "", "KLIP_X_BEARER_TOKEN is not set"),
        ("KLIP_X_QUERIES", " ; ", "KLIP_X_QUERIES is not set"),
        ("KLIP_X_QUERIES", "from:two-words", "not a valid X user name"),
        ("KLIP_X_BASE_URL", "http://api.x.com/2", "without https"),
    ],
)
def test_a_setting_that_can_not_be_used_is_named(
    variable: str, value: str, says_what: str, x: FakeX, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    result = run(instance)
    (failed,) = [event for event in result.all_events if event.is_step_failure]
    assert says_what in str(failed.step_failure_data.user_failure_data.description)
    assert x.asked == []


def test_two_runs_do_not_fetch_at_once(x: FakeX, settings: Settings, instance: dg.DagsterInstance) -> None:
    import threading

    entered, leave = threading.Event(), threading.Event()

    def works() -> None:
        with hold(settings.state_dir / "locks" / "x_posts.lock", what="fetching from X", timeout_s=5):
            entered.set()
            leave.wait()

    other = threading.Thread(target=works)
    other.start()
    entered.wait()
    result = run(instance)
    leave.set()
    other.join()
    assert not result.success and x.asked == []


def x_schedule(settings: Settings) -> dg.ScheduleDefinition:
    _, schedule = build_schedules(settings)
    return schedule


def tick(instance: dg.DagsterInstance) -> object:
    with dg.build_schedule_context(instance=instance) as context:
        return x_schedule(Settings())(context)


def test_the_schedule_asks_for_a_run_unless_one_is_under_way_or_nothing_is_configured(
    x: FakeX, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(tick(instance), dg.RunRequest)
    under_way = instance.add_run(dg.DagsterRun(job_name="fetch_x_posts", status=dg.DagsterRunStatus.STARTED))
    assert isinstance(tick(instance), dg.SkipReason)
    instance.report_run_canceled(under_way)
    monkeypatch.delenv("KLIP_X_BEARER_TOKEN")
    assert isinstance(tick(instance), dg.SkipReason)


def test_the_schedule_runs_by_itself_once_a_token_and_queries_are_set(
    x: FakeX, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KLIP_X_EVERY_MIN", "5")
    often = x_schedule(Settings())
    monkeypatch.delenv("KLIP_X_QUERIES")
    monkeypatch.setenv("KLIP_X_EVERY_MIN", "60")
    hourly = x_schedule(Settings())
    assert (often.default_status.name, often.cron_schedule) == ("RUNNING", "*/5 * * * *")
    assert (hourly.default_status.name, hourly.cron_schedule) == ("STOPPED", "0 * * * *")


def test_the_lineage_begins_with_the_posts() -> None:
    graph = build_defs().resolve_asset_graph()
    assert graph.get(dg.AssetKey(["tweet_files"])).parent_keys == {dg.AssetKey(["x_posts"])}


def test_the_doctor_says_what_is_fetched_and_does_not_show_the_token(x: FakeX, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _doctor()["state"] == "ok"
    assert f"1 searches, 1 timelines at {x.base_url}, every 15 min" in _doctor()["detail"]
    assert "token set" in _doctor()["detail"] and TOKEN[-6:] not in str(_doctor())
    monkeypatch.delenv("KLIP_X_BEARER_TOKEN")
    assert _doctor()["state"] == "off" and "token not set" in _doctor()["detail"]
    monkeypatch.setenv("KLIP_X_QUERIES", "nowhere.toml")
    assert _doctor()["state"] == "missing" and "nowhere.toml can't be read" in _doctor()["detail"]


def _doctor() -> dict[str, str]:
    rows = json.loads(CliRunner().invoke(main, ["doctor", "--json"]).stdout)
    return next(row for row in rows if row["what"] == "X API")
