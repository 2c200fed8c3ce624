"""What happens to files that are dropped while `klip dev` runs: one real service for the whole module.

Runs are started by a daemon that looks every five seconds, so the files of several tests are dropped together, in two
waves; each test then looks at its own. The same on PostgreSQL: test_daemon_on_postgres.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from klip_assets.contracts import DAY_TABLES, VIDEO_TABLES

pytestmark = pytest.mark.slow

PROCESS_VIDEO, INGEST, DAYS = "process_video", "ingest_tweets", "process_tweet_days"
EARLY, LATE = "2026-06-10", "2026-06-11"
SPOKEN = [
    (0.5, 3.0, "Welcome to the stream everybody."),
    (3.2, 6.5, "This is incredible, what a wonderful run!"),
    (7.0, 10.5, "I hate this corner, it is terrible."),
]
#: The growing file gets a small piece this often until the sensor has looked at it twice, and then the rest.
PIECE_S, PIECE_BYTES = 0.5, 512


@dataclass
class Wave:
    """When things were done to the inbox (time.time()), and what was there before."""

    at: dict[str, float] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)

    def note(self, what: str) -> None:
        self.at[what] = time.time()


@dataclass
class Quiet:
    """The state after the second wave, once every sensor has looked twice and found nothing to do."""

    runs: int
    version: str
    rounds: int


@pytest.fixture(scope="module")
def service(make_service: Callable[..., Any]) -> Iterator[Any]:
    """`klip dev` with Dagster's state in SQLite, as it comes."""
    service = make_service("on_sqlite", KLIP_SENSOR_INTERVAL_S="5")
    service.start()
    yield service
    service.stop()


@pytest.fixture
def dev(service: Any, in_environment_of: Callable[[Any], Any]) -> Any:
    return in_environment_of(service)


@pytest.fixture(scope="module")
def first_wave(service: Any, sound: Callable[..., Path], captions: Callable[..., Path]) -> Iterator[Wave]:
    """Drop three recordings of which one has captions and one is bad, one that grows, and tweets of two days."""
    wave, inbox = Wave(), service.settings.vod_inbox
    wave.note("dropped")
    captions(inbox / "stream.en.vtt", *SPOKEN)
    sound(inbox / "stream.wav", 12)
    deeper = inbox / "2026" / "june"
    deeper.mkdir(parents=True)
    sound(deeper / "wordless.mp4", 4, pitch_hz=330.0)
    (deeper / "bad_one.mp4").write_bytes(b"this is no recording at all " * 400)
    _tweets(service, "first.jsonl", _tweet(1, EARLY, "I love this game"), _tweet(2, LATE, "What a terrible day"))
    whole = sound(service.data_dir.parent / "whole.wav", 6, pitch_hz=550.0).read_bytes()
    looked_at = threading.Event()
    growing = threading.Thread(target=_grow, args=(inbox / "growing.wav", whole, wave, looked_at))
    wave.note("growing")
    growing.start()
    try:
        service.wait_for_scans("vods", 2, since=wave.at["growing"])
    finally:
        looked_at.set()
        growing.join()
    yield wave


@pytest.fixture(scope="module")
def second_wave(service: Any, first_wave: Wave, sound: Callable[..., Path], captions: Callable[..., Path]) -> Wave:
    """Once all is published: touch one recording, change another, give a third captions, and drop a late tweet."""
    wave, inbox = Wave(), service.settings.vod_inbox
    names = ("stream", "wordless", "bad_one", "growing")
    service.wait(lambda: _published(service, *names), "the first wave to be published")
    service.wait(lambda: _days(service) == {EARLY, LATE}, "the days to be published")
    service.wait_for_runs()
    wave.before = {
        "runs": {name: len(service.runs(PROCESS_VIDEO, name)) for name in names},
        "days": _provenance(service, *DAY_TABLES),
    }
    wave.note("began")
    (inbox / "stream.wav").touch()
    sound(inbox / "growing.wav", 9, pitch_hz=660.0)
    captions(inbox / "2026" / "june" / "wordless.en.vtt", (0.2, 3.5, "Late words arrive at last."))
    _tweets(service, "second.jsonl", _tweet(3, EARLY, "A late one, and a happy one"))
    return wave


@pytest.fixture(scope="module")
def quiet(service: Any, second_wave: Wave) -> Quiet:
    """Wait until the second wave is published and nothing more is done, although the sensors go on looking."""
    service.wait(lambda: _duration_of(service, "growing") > 8, "the new content to be published")
    service.wait(lambda: _captioned(service, "wordless"), "the words of the captions to be published")
    service.wait(lambda: _tweets_on(service, EARLY) == 2, "the late tweet in its day")
    for rounds in range(1, 5):
        service.wait_for_runs()
        state = len(service.runs()), service.settings.warehouse_path.resolve().name
        since = time.time()
        for sensor in ("vods", "tweets", "publish"):
            service.wait_for_scans(sensor, 2, since=since)
        if state == (len(service.runs()), service.settings.warehouse_path.resolve().name):
            return Quiet(*state, rounds)
    raise AssertionError("runs are started again and again, although nothing changes")


def test_a_recording_that_is_dropped_ends_in_the_published_file_with_no_further_action(
    dev: Any, first_wave: Wave
) -> None:
    (row,) = dev.wait(lambda: dev.sql("SELECT * FROM videos WHERE video_id = 'stream'"), "the video in klip.duckdb")
    assert (row["status"], row["source_path"], row["duration_s"]) == ("ok", "stream.wav", pytest.approx(12, abs=0.1))
    words = dev.sql("SELECT word, engine FROM transcript_words WHERE video_id = 'stream' ORDER BY word_index")
    assert "incredible" in " ".join(word["word"].lower() for word in words)
    assert {word["engine"] for word in words} == {"captions"}
    assert dev.sql("SELECT count(*) AS n FROM audio_features WHERE video_id = 'stream'") == [{"n": 12}]
    (segment,) = dev.sql("SELECT start_s, end_s, word_count FROM segments WHERE video_id = 'stream'")
    assert segment == {"start_s": 0.0, "end_s": pytest.approx(12, abs=0.1), "word_count": 19}
    (run,) = dev.runs(PROCESS_VIDEO, "stream")
    assert run.dagster_run.status is dg.DagsterRunStatus.SUCCESS
    written = _provenance(dev, *VIDEO_TABLES)
    assert {table for table, partition in written if partition == "stream"} == set(VIDEO_TABLES)
    assert written["videos", "stream"]["run_id"] == run.dagster_run.run_id


def test_one_bad_recording_among_three_is_published_as_unreadable_and_stops_neither_of_the_others(
    dev: Any, first_wave: Wave
) -> None:
    dev.wait(lambda: _published(dev, "stream", "wordless", "bad_one"), "all three to be published")
    rows = {row["video_id"]: row for row in dev.sql("SELECT video_id, status, error FROM videos")}
    assert (rows["stream"]["status"], rows["wordless"]["status"]) == ("ok", "ok")
    assert rows["bad_one"]["status"] == "unreadable"
    assert rows["bad_one"]["error"]
    assert dev.sql("SELECT DISTINCT video_id FROM segments WHERE video_id IN ('wordless', 'bad_one')") == [
        {"video_id": "wordless"}
    ]


def test_only_the_run_of_the_bad_recording_is_red(dev: Any, first_wave: Wave) -> None:
    names = ("stream", "wordless", "bad_one")
    dev.wait(lambda: _published(dev, *names), "all three to be published")
    dev.wait(lambda: _ended(dev, *names), "their runs to end")
    red = [
        record.dagster_run.tags["dagster/partition"]
        for record in dev.runs(PROCESS_VIDEO)
        if record.dagster_run.status is dg.DagsterRunStatus.FAILURE
    ]
    assert red == ["bad_one"]


def test_a_file_that_is_still_growing_is_not_taken_up_until_it_stopped(dev: Any, first_wave: Wave) -> None:
    dev.wait(lambda: _published(dev, "growing"), "the grown file to be published")
    run = dev.runs(PROCESS_VIDEO, "growing")[0]
    assert run.create_timestamp.timestamp() > first_wave.at["grown"]
    (row,) = dev.sql("SELECT status, duration_s FROM videos WHERE video_id = 'growing'")
    assert row == {"status": "ok", "duration_s": pytest.approx(6, abs=0.1)}
    scans = dev.wait_for_scans("vods", 2, since=first_wave.at["growing"])
    assert sum(tick.timestamp < first_wave.at["grown"] for tick in scans) >= 2, "the sensor scanned while it grew"


def test_a_tweet_file_that_is_dropped_leads_to_rows_of_its_days(dev: Any, first_wave: Wave) -> None:
    dev.wait(lambda: _days(dev) >= {EARLY, LATE}, "the days in klip.duckdb")
    rows = dev.sql("SELECT CAST(day AS VARCHAR) AS day, tweets, authors, mean_sentiment FROM tweet_daily ORDER BY day")
    assert [row["day"] for row in rows] == [EARLY, LATE]
    assert all(row["authors"] == 1 for row in rows)
    assert rows[0]["mean_sentiment"] > 0 > rows[1]["mean_sentiment"]
    texts = dev.sql(f"SELECT text FROM tweets WHERE day = DATE '{LATE}'")
    assert [row["text"] for row in texts] == ["What a terrible day"]


def test_touching_a_recording_starts_no_run(dev: Any, second_wave: Wave, quiet: Quiet) -> None:
    assert len(dev.runs(PROCESS_VIDEO, "stream")) == second_wave.before["runs"]["stream"] == 1


def test_changing_the_content_of_a_recording_starts_exactly_one_run(dev: Any, second_wave: Wave, quiet: Quiet) -> None:
    runs = dev.runs(PROCESS_VIDEO, "growing")
    assert len(runs) == second_wave.before["runs"]["growing"] + 1 == 2
    assert runs[-1].dagster_run.status is dg.DagsterRunStatus.SUCCESS
    assert runs[-1].create_timestamp.timestamp() > second_wave.at["began"]
    assert _duration_of(dev, "growing") == pytest.approx(9, abs=0.1)


def test_captions_that_arrive_late_lead_to_one_run_and_to_their_words(
    dev: Any, second_wave: Wave, quiet: Quiet
) -> None:
    words = dev.sql("SELECT word, engine FROM transcript_words WHERE video_id = 'wordless' ORDER BY word_index")
    assert [row["word"].strip(".,").lower() for row in words] == ["late", "words", "arrive", "at", "last"]
    assert {row["engine"] for row in words} == {"captions"}
    assert dev.sql("SELECT caption_languages FROM videos WHERE video_id = 'wordless'") == [
        {"caption_languages": ["en"]}
    ]
    assert len(dev.runs(PROCESS_VIDEO, "wordless")) == second_wave.before["runs"]["wordless"] + 1 == 2


def test_a_bad_recording_is_not_tried_again(dev: Any, quiet: Quiet) -> None:
    assert len(dev.runs(PROCESS_VIDEO, "bad_one")) == 1


def test_one_late_tweet_makes_its_own_day_again_and_no_other(dev: Any, second_wave: Wave, quiet: Quiet) -> None:
    assert len(dev.runs(INGEST)) == 2
    before, now = second_wave.before["days"], _provenance(dev, *DAY_TABLES)
    assert now.keys() == before.keys()
    for (table, day), record in now.items():
        old = before[table, day]
        if day == EARLY:
            assert record["written_at"] > old["written_at"], table
            assert record["data_version"] != old["data_version"], table
        else:
            assert record == old, f"{table} of {day} was written again"
    with dev.instance() as instance:
        for table in DAY_TABLES:
            since = dg.AssetRecordsFilter(dg.AssetKey([table]), after_timestamp=second_wave.at["began"])
            events = instance.fetch_materializations(since, limit=50).records
            assert [event.partition_key for event in events] == [EARLY], table
    (run,) = [run for run in dev.runs(DAYS) if run.create_timestamp.timestamp() > second_wave.at["began"]]
    assert run.dagster_run.status is dg.DagsterRunStatus.SUCCESS


def test_publishes_are_joined_rather_than_one_for_every_run(dev: Any, quiet: Quiet) -> None:
    runs = dev.runs()
    publishes = [run for run in runs if run.dagster_run.job_name == "publish_warehouse"]
    assert all(run.dagster_run.status is dg.DagsterRunStatus.SUCCESS for run in publishes)
    assert 2 <= len(publishes) <= len(runs) - len(publishes)


def test_once_all_is_published_nothing_goes_on(dev: Any, quiet: Quiet) -> None:
    assert quiet.rounds <= 2
    assert len(dev.runs()) == quiet.runs
    assert dev.settings.warehouse_path.resolve().name == quiet.version


def test_no_scan_of_a_sensor_failed(dev: Any, quiet: Quiet) -> None:
    with dev.instance() as instance:
        states = {state.instigator_name: state for state in instance.all_instigator_state()}
        assert states.keys() >= {"vods", "tweets", "publish", "alerts"}
        for name, state in states.items():
            ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=200)
            failed = [tick.error.message for tick in ticks if tick.error]
            assert failed == [], name


def test_everything_that_dagster_writes_lies_in_the_data_folder(dev: Any, quiet: Quiet) -> None:
    files = [path for path in dev.home.rglob("*") if path.is_file() and path.name != "dagster.yaml"]
    assert files == []


def test_ctrl_c_ends_klip_dev_and_leaves_no_process_behind(dev: Any) -> None:
    if dev.process is None:
        dev.start()
    # It waits until nothing is left, too.
    assert dev.stop() == 0
    assert dev.processes() == {}


def _grow(path: Path, content: bytes, wave: Wave, looked_at: threading.Event) -> None:
    # A wav file has its length in the header, so a part of it would be taken for a shorter recording.
    with path.open("wb", buffering=0) as file:
        written = 0
        while not looked_at.wait(PIECE_S) and written + PIECE_BYTES < len(content):
            written += file.write(content[written : written + PIECE_BYTES])
        wave.note("grown")
        file.write(content[written:])


def _tweet(number: int, day: str, text: str) -> dict[str, Any]:
    # The time stands in the id too: milliseconds since Twitter's epoch, shifted by 22 bits.
    made = datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=UTC) + timedelta(minutes=number)
    identity = (int(made.timestamp() * 1000) - 1288834974657) << 22 | number
    return {
        "id": str(identity),
        "text": text,
        "created_at": made.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "author_id": "7",
        "lang": "en",
        "public_metrics": {"like_count": 1, "retweet_count": 0, "reply_count": 0, "quote_count": 0},
    }


def _tweets(service: Any, name: str, *tweets: dict[str, Any]) -> None:
    hidden = service.settings.tweet_inbox / f".{name}"
    hidden.write_text("".join(json.dumps(tweet) + "\n" for tweet in tweets))
    hidden.rename(service.settings.tweet_inbox / name)


def _published(service: Any, *names: str) -> bool:
    return {row["video_id"] for row in service.sql("SELECT video_id FROM videos")} >= set(names)


def _ended(service: Any, *names: str) -> bool:
    runs = [run.dagster_run for name in names for run in service.runs(PROCESS_VIDEO, name)]
    return len(runs) >= len(names) and all(run.is_finished for run in runs)


def _days(service: Any) -> set[str]:
    return {row["day"] for row in service.sql("SELECT CAST(day AS VARCHAR) AS day FROM tweet_daily")}


def _provenance(service: Any, *tables: str) -> dict[tuple[str, str], dict[str, Any]]:
    rows = service.sql("SELECT table_name, partition, run_id, data_version, rows, written_at FROM provenance")
    return {(row["table_name"], row["partition"]): row for row in rows if row["table_name"] in tables}


def _duration_of(service: Any, video: str) -> float:
    rows = service.sql(f"SELECT duration_s FROM videos WHERE video_id = '{video}'")
    return rows[0]["duration_s"] if rows else 0.0


def _captioned(service: Any, video: str) -> bool:
    return bool(service.sql(f"SELECT 1 FROM transcript_words WHERE video_id = '{video}' AND engine = 'captions'"))


def _tweets_on(service: Any, day: str) -> int:
    rows = service.sql(f"SELECT tweets FROM tweet_daily WHERE day = DATE '{day}'")
    return rows[0]["tweets"] if rows else 0
