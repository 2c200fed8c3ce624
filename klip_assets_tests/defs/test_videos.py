"""A video as a run of Dagster: every table, reuse and force from run to run, checks that stop it."""

from __future__ import annotations

from dataclasses import replace

import dagster as dg
import pytest

from klip_assets.contracts import TABLES, VIDEO_TABLES
from klip_assets.defs.instance import dagster_instance
from klip_assets.settings import Settings
from klip_assets.store.lake.lake import Lake
from klip_assets.store.lake.stage_status import read_stages
from klip_assets.store.state.attempts import NEVER_TRIED
from klip_assets.work.installation import Installation
from klip_assets.work.scan import scan
from klip_assets_tests.made import write_vtt, write_wav
from klip_assets_tests.media.clocked import write_clocked
from klip_assets_tests.processed import CUES, drop_stream, drop_tweets, process, query, versions
from klip_assets_tests.worked import work


def outcomes(settings: Settings, **options: object) -> dict[str, str]:
    return {row["what"]: row["outcome"] for row in process(settings, **options).rows}


@pytest.mark.slow
def test_a_recording_ends_in_every_table_of_its_own(settings: Settings, lake: Lake) -> None:
    drop_stream(settings)
    assert outcomes(settings) == {"stream": "done", "warehouse": "done"}
    assert set(versions(lake, "stream")) == set(VIDEO_TABLES)
    top = query(settings, "SELECT * FROM highlights ORDER BY rank")
    assert 38 <= top[0]["peak_s"] <= 47 and "amazing" in top[0]["text"]
    assert query(settings, "SELECT count(*) AS n FROM transcript_words")[0]["n"] == 17
    assert query(settings, "SELECT engine, count(*) AS n FROM transcript_words GROUP BY 1") == [
        {"engine": "captions", "n": 17}
    ]


@pytest.mark.slow
def test_materializing_again_gives_equal_rows_and_the_same_data_versions(published: Settings, lake: Lake) -> None:
    before = versions(lake, "stream")
    rows = {name: lake.read(TABLES[name], "stream") for name in VIDEO_TABLES}
    assert outcomes(published, videos=["stream"], force=True) == {"stream": "done", "warehouse": "done"}
    assert versions(lake, "stream") == before
    for name in VIDEO_TABLES:
        kept = [column for column in rows[name].schema.names if column not in TABLES[name].volatile]
        assert lake.read(TABLES[name], "stream").select(kept).equals(rows[name].select(kept)), name


def test_a_second_process_does_nothing(published: Settings) -> None:
    assert process(published).rows == []


@pytest.mark.slow
def test_captions_that_arrive_late_change_words_and_leave_the_sound_alone(settings: Settings) -> None:
    path = write_wav(settings.vod_inbox / "late.wav", 6)
    assert work(settings).ok
    write_vtt(path.with_name("late.en.vtt"), [(1, 3, "Better late than never.")])
    assert outcomes(settings)["late"] == "done"
    status = {
        r["table_name"]: r["status"] for r in query(settings, "SELECT * FROM stage_status WHERE partition = 'late'")
    }
    assert status["audio_features"] == "reused" and status["transcript_words"] == "ok"
    assert query(settings, "SELECT string_agg(word, ' ' ORDER BY word_index) AS t FROM transcript_words") == [
        {"t": "Better late than never."}
    ]


def test_a_bad_video_is_named_and_stops_no_other(settings: Settings) -> None:
    write_wav(settings.vod_inbox / "good1.wav", 4, seed=1)
    write_wav(settings.vod_inbox / "good2.wav", 4, seed=2)
    (settings.vod_inbox / "bad.mp4").write_text("this is no video")
    report = process(settings)
    assert not report.ok
    assert {r["what"]: r["outcome"] for r in report.rows} == {
        "bad": "failed", "good1": "done", "good2": "done", "warehouse": "done"
    }  # fmt: skip
    rows = {r["video_id"]: r for r in query(settings, "SELECT video_id, status, error FROM videos")}
    assert {key: row["status"] for key, row in rows.items()} == {"bad": "unreadable", "good1": "ok", "good2": "ok"}
    assert "bad.mp4" in rows["bad"]["error"]


def test_what_is_missing_from_a_recording_is_said_where_it_is_processed(settings: Settings) -> None:
    write_clocked(settings.vod_inbox / "hole.mkv", keep_sound=lambda t: not 4 <= t < 7)
    report = process(settings)
    (row,) = (row for row in report.rows if row["what"] == "hole")
    assert report.ok and row["outcome"] == "done" and row["problem"] is None
    assert row["found"].startswith("partial: 3.0 s of audio are missing")
    with dagster_instance(settings) as instance:
        checks = instance.get_records_for_run(
            instance.get_runs(filters=dg.RunsFilter(job_name="process_video"))[0].run_id,
            of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION,
        ).records
    said = [record.event_log_entry.dagster_event.event_specific_data for record in checks]
    (check,) = (check for check in said if check.check_name == "sound_is_complete")
    assert not check.passed and check.severity is dg.AssetCheckSeverity.WARN
    assert "audio are missing" in (check.description or "")


@pytest.mark.slow
def test_a_recording_named_like_a_day_is_a_video_beside_that_day_of_tweets(settings: Settings) -> None:
    write_wav(settings.vod_inbox / "2026-06-12.wav", 3)
    drop_tweets(settings)
    assert process(settings).ok
    assert query(settings, "SELECT video_id, status FROM videos") == [{"video_id": "video-2026-06-12", "status": "ok"}]
    assert query(settings, "SELECT count(*) AS n FROM tweet_daily") == [{"n": 2}]
    stages = query(settings, "SELECT partition, count(*) AS n FROM stage_status GROUP BY ALL ORDER BY ALL")
    assert [row["partition"] for row in stages] == ["2026-06-12", "2026-06-13", "video-2026-06-12"]


@pytest.mark.slow
def test_stages_without_dagster_leave_what_a_run_leaves(settings: Settings, lake: Lake) -> None:
    after_the_end = [(1.0, 2.0, "Captions of"), (300.0, 302.0, "another video.")]
    seeds = {"run": 1, "work": 2}

    def drop(how: str) -> None:
        write_vtt(write_wav(settings.vod_inbox / f"whole-{how}.wav", 5, seed=seeds[how]).with_suffix(".vtt"), CUES[:1])
        stopped = write_wav(settings.vod_inbox / f"stopped-{how}.wav", 6, seed=seeds[how])
        write_vtt(stopped.with_suffix(".vtt"), after_the_end)
        (settings.vod_inbox / f"unreadable-{how}.mp4").write_text(f"this is no video of {how}")

    drop("run")
    ran = process(settings)
    drop("work")
    assert "stopped-run" not in {entry.video_id for entry in scan(Installation(settings)).due.videos}
    worked = work(settings)
    tried = Installation(settings).attempts.all()
    for name in ("whole", "stopped", "unreadable"):
        a, b = f"{name}-run", f"{name}-work"
        outcome, problem = next((row["outcome"], row["problem"]) for row in ran.rows if row["what"] == a)
        assert (worked.outcomes[b], b in worked.problems) == (outcome, bool(problem))
        assert set(versions(lake, b)) == set(versions(lake, a))
        statuses = [{row["table_name"]: row["status"] for row in read_stages(lake, key)} for key in (a, b)]
        assert statuses[0] == statuses[1]
        attempts = [replace(tried.get(key, NEVER_TRIED), version="", failed_at=0.0) for key in (a, b)]
        assert attempts[0] == attempts[1]
