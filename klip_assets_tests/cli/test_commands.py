from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from klip_assets.cli import main
from klip_assets.contracts import Subject
from klip_assets.settings import Settings
from klip_assets.store.lake.lake import Lake
from klip_assets.store.locks import hold, subject_lock
from klip_assets_tests.made import write_tweets, write_vtt, write_wav
from klip_assets_tests.media.clocked import write_clocked
from klip_assets_tests.processed import drop_stream, drop_tweets, query
from klip_assets_tests.worked import work


def klip(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], prog_name="klip")


def rows_of(result: Result) -> list[dict[str, object]]:
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert isinstance(found, list)
    return found


def error_of(result: Result) -> str:
    assert result.exit_code == 1, (result.exit_code, result.output)
    lines = result.output.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("Error: "), result.output
    return lines[0]


COMMANDS = "add process highlights clip rate videos tweets sql export remove prune dev doctor demo eval"


def test_help_names_every_command() -> None:
    shown = klip("--help").output
    assert all(re.search(rf"^  {name} ", shown, re.MULTILINE) for name in COMMANDS.split())


def test_help_is_quick_to_import() -> None:
    code = "import sys; from klip_assets.cli import main; print({'dagster', 'pyarrow', 'duckdb'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_add_process_and_highlights_work_by_their_names(settings: Settings, tmp_path: Path) -> None:
    path = write_wav(tmp_path / "My Stream.wav", 70, loud=[(40, 44)])
    write_vtt(path.with_name("My Stream.en.vtt"), [(40, 44, "Oh wow, what a shot!")])
    added = klip(
        "add", path, "--title", "A title", "--channel", "ann", "--started-at", "2026-06-13T18:00:00Z", "--json"
    )
    assert [row["file"] for row in rows_of(added)] == ["My Stream.wav", "My Stream.en.vtt"]
    done = rows_of(klip("process", "--json"))
    assert [(row["what"], row["outcome"]) for row in done] == [("my-stream", "done"), ("warehouse", "done")]
    video = rows_of(klip("videos", "--json"))[0]
    assert (video["title"], video["channel"], video["started_at"]) == ("A title", "ann", "2026-06-13T18:00:00")
    best = rows_of(klip("highlights", "my-stream", "--top", "1", "--json"))
    assert len(best) == 1 and "what a shot" in str(best[0]["text"])
    assert "0:00:4" in klip("highlights", "my-stream").output


def test_adding_again_says_so_and_another_file_of_the_name_needs_replace(settings: Settings, tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", 2, seed=1)
    klip("add", path)
    assert rows_of(klip("add", path, "--json"))[0]["done"] == "was there already"
    other = write_wav(tmp_path / "b" / "a.wav", 2, seed=2)
    assert "exists and is a different file" in error_of(klip("add", other))
    assert rows_of(klip("add", other, "--replace", "--json"))[0]["done"] in ("linked", "copied")
    assert (settings.vod_inbox / "a.wav").read_bytes() == other.read_bytes()


def test_a_folder_is_added_with_all_it_holds(settings: Settings, tmp_path: Path) -> None:
    write_wav(tmp_path / "vods" / "a.wav", 2)
    write_wav(tmp_path / "vods" / "sub" / "b.wav", 2)
    write_vtt(tmp_path / "vods" / "sub" / "b.en.vtt", [(0, 1, "hi")])
    assert len(rows_of(klip("add", tmp_path / "vods", "--json"))) == 3
    assert (settings.vod_inbox / "sub" / "b.en.vtt").exists()


def test_tweet_files_go_to_the_tweet_inbox_as_copies(settings: Settings, tmp_path: Path) -> None:
    path = write_tweets(tmp_path / "t.jsonl", [])
    rows_of(klip("add", path, "--json"))
    added = settings.tweet_inbox / "t.jsonl"
    assert added.exists() and not added.samefile(path)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("frobnicate",), "No such command 'frobnicate'. (klip --help shows how)"),
        (("highlights", "--top", "0"), "0 is not in the range x>=1. (klip highlights --help shows how)"),
        (("add",), "Missing argument 'PATH...'. (klip add --help shows how)"),
        (("sql",), "Missing argument 'STATEMENT'"),
        (("add", "nope.mp4"), "nope.mp4: no such file"),
        (("process", "nope"), "no recording 'nope' in the inbox"),
        (("process", "--tweets", "13.6.2026"), "'13.6.2026' is not a valid date"),
        (("process", "--tweets", "2001-01-01"), "2001-01-01 is out of range (2006-03-21 to today)"),
        (("highlights",), "there is no warehouse"),
        (("videos",), "there is no warehouse"),
        (("tweets",), "there is no warehouse"),
        (("sql", "SELECT 1"), "there is no warehouse"),
        (("export", "x.duckdb"), "there is no warehouse"),
        (("remove", "nope"), "there is no video 'nope'"),
        (("eval",), "has not been processed"),
        (("eval", "."), "no golden set in ."),
    ],
)
def test_a_wrong_word_is_one_clear_line(settings: Settings, words: tuple[str, ...], message: str) -> None:
    assert message in error_of(klip(*words))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("highlights", "nope"), "no video 'nope' is published"),
        (("tweets", "yesterday"), "'yesterday' is not a valid date"),
        (("sql", "SELECT * FROM nope"), "nope does not exist"),
        (("sql", "DELETE FROM videos"), "read-only"),
    ],
)
def test_a_wrong_question_is_one_clear_line(published_to_read: Settings, words: tuple[str, ...], message: str) -> None:
    assert message in error_of(klip(*words))


def test_files_that_are_neither_recording_nor_tweets_are_refused(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_text("x")
    (tmp_path / "a.en.vtt").write_text("WEBVTT")
    (tmp_path / "empty").mkdir()
    assert "neither a recording nor a tweet file" in error_of(klip("add", tmp_path / "a.docx"))
    assert "are added with the recording" in error_of(klip("add", tmp_path / "a.en.vtt"))
    assert "contains no recording" in error_of(klip("add", tmp_path / "empty"))
    assert "is not a valid time" in error_of(klip("add", tmp_path / "a.docx", "--started-at", "noon"))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("KLIP_WEIGHTS", "nope", "unknown weight set 'nope'"),
        ("KLIP_SEGMENT_TIERS", "magic", "KLIP_SEGMENT_TIERS"),
        ("KLIP_LEXICON", "latin", "KLIP_LEXICON"),
    ],
)
def test_a_setting_that_cant_be_used_is_named(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    drop_stream(settings, "short", 4)
    monkeypatch.setenv(name, value)
    result = klip("process")
    assert result.exit_code == 1 and message in result.output


def test_debug_shows_the_traceback(settings: Settings) -> None:
    result = klip("--debug", "process", "nope")
    assert result.exit_code == 1 and result.exc_info and result.exc_info[0].__name__ == "NotFoundError"


@pytest.mark.slow
def test_a_failed_video_makes_the_exit_code_1_and_the_rest_is_published(settings: Settings) -> None:
    write_wav(settings.vod_inbox / "good.wav", 3)
    (settings.vod_inbox / "bad.mp4").write_text("no video")
    result = klip("process")
    assert result.exit_code == 1
    assert "failed  bad: recording_is_readable: bad.mp4" in result.output and "done  good" in result.output
    assert "can't be read" in error_of(klip("highlights", "bad"))


def test_every_table_can_be_printed_as_json(published_to_read: Settings) -> None:
    for words in (
        ("highlights",),
        ("videos",),
        ("tweets",),
        ("tweets", "2026-06-12"),
        ("sql", "FROM weights"),
        ("doctor",),
    ):
        found = rows_of(klip(*words, "--json"))
        assert found and all(isinstance(row, dict) for row in found), words


def test_export_writes_a_file_of_its_own(published_to_read: Settings, tmp_path: Path) -> None:
    rows = rows_of(klip("export", tmp_path / "copy.duckdb", "--json"))
    assert {
        "table": "highlights",
        "rows": query(published_to_read, "SELECT count(*) AS n FROM highlights")[0]["n"],
    } in rows


@pytest.mark.slow
def test_remove_takes_a_video_out_of_everything_and_process_brings_it_back(published: Settings, lake: Lake) -> None:
    assert klip("remove", "stream").exit_code == 0
    assert query(published, "SELECT count(*) AS n FROM videos") == [{"n": 0}]
    assert query(published, "SELECT count(*) AS n FROM stage_status WHERE partition = 'stream'") == [{"n": 0}]
    assert query(published, "SELECT count(*) AS n FROM tweets")[0]["n"] == 4
    assert not list(lake.root.glob("*/video_id=stream/*"))
    assert rows_of(klip("process", "--json")) == []
    assert rows_of(klip("process", "stream", "--json"))[0]["outcome"] == "done"
    assert query(published, "SELECT count(*) AS n FROM videos") == [{"n": 1}]


def test_remove_is_put_off_while_a_run_of_the_video_is_in_progress(published: Settings, lake: Lake) -> None:
    import threading

    ready, over = threading.Event(), threading.Event()

    def run() -> None:
        with hold(subject_lock(lake.root, Subject.video("stream")), what="video stream", timeout_s=1):
            ready.set()
            over.wait()

    thread = threading.Thread(target=run)
    thread.start()
    ready.wait()
    try:
        assert "stream was not removed" in error_of(klip("remove", "stream"))
    finally:
        over.set()
        thread.join()
    assert query(published, "SELECT count(*) AS n FROM videos") == [{"n": 1}]


def test_prune_deletes_finished_runs_and_no_data(published: Settings) -> None:
    assert "Deleted 0" in klip("prune").output
    assert re.search(r"Deleted [1-9]", klip("prune", "--older-than", "0").output)
    assert query(published, "SELECT count(*) AS n FROM videos") == [{"n": 1}]
    assert rows_of(klip("process", "--json")) == []


def test_prune_says_what_came_back_by_kind_and_the_second_time_that_nothing_did(published: Settings) -> None:
    output = next(published.dagster_storage_dir.glob("*/compute_logs"))
    (output / "a.out").write_bytes(bytes(1500))
    assert "Would free at least" in klip("prune", "--older-than", "0", "--dry-run").output
    promised = rows_of(klip("prune", "--older-than", "0", "--dry-run", "--json"))
    assert {row["kind"] for row in promised} == {"run history", "logs"}
    shown = klip("prune", "--older-than", "0").output
    assert re.search(r"Freed [\d.]+ MB: [\d.]+ MB run history, [\d.]+ k?B logs\.", shown), shown
    assert klip("prune", "--older-than", "0").output.splitlines() == [
        "Deleted 0 finished runs older than 0 days.",
        "Freed nothing.",
    ]
    assert rows_of(klip("prune", "--older-than", "0", "--json")) == []


def test_doctor_shows_how_much_room_each_kind_takes_as_numbers_too(published: Settings) -> None:
    (published.data_dir / "notes.txt").write_bytes(bytes(1234))
    rows = {row["what"]: row for row in rows_of(klip("doctor", "--json"))}
    assert rows["size: other files"] == {
        "what": "size: other files", "state": "ok", "detail": "1.2 kB in 1 file", "fix": "", "bytes": 1234,
    }  # fmt: skip
    assert "klip prune" in str(rows["size: run history"]["fix"]) and rows["python"]["bytes"] is None
    heading = klip("doctor").output.splitlines()[0]
    assert heading.split() == ["what", "state", "detail", "fix"]


def test_doctor_says_what_reads_and_why_not_the_rest(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {row["what"]: row for row in rows_of(klip("doctor", "--json"))}
    detail = str(rows["tier for segments"]["detail"])
    assert "compact model" in detail and "llm not configured" in detail
    assert "pocketsphinx" in str(rows["speech engine"]["detail"])
    monkeypatch.setenv("KLIP_TWEET_TIERS", "llm")
    result = klip("doctor", "--json")
    assert result.exit_code == 1
    assert {row["what"]: row["state"] for row in json.loads(result.stdout)}["tier for tweets"] == "missing"


def test_a_run_whose_process_died_is_marked_as_failed(settings: Settings) -> None:
    import dagster as dg

    from klip_assets.defs.build import build_defs
    from klip_assets.defs.instance import dagster_instance
    from klip_assets.defs.tags import PROCESS_TAG
    from klip_assets.store.processes import this_process

    with dagster_instance(settings) as instance:
        job = build_defs().resolve_job_def("publish_warehouse")
        tags = {
            "dead": this_process().replace(f"{os.getpid()}:", "999999999:", 1),
            "dead, as 0.1.0 named it": "999999999:1",
            "alive": this_process(),
            "of another host": "999999999:1:00000000:11111111",
        }
        runs = {
            name: instance.create_run_for_job(job, tags={PROCESS_TAG: tag}, status=dg.DagsterRunStatus.STARTED)
            for name, tag in tags.items()
        }
    result = klip("process")
    assert result.exit_code == 0, result.output
    with dagster_instance(settings) as instance:
        status = {name: instance.get_run_by_id(run.run_id).status.value for name, run in runs.items()}
    assert status == {
        "dead": "FAILURE",
        "dead, as 0.1.0 named it": "FAILURE",
        "alive": "STARTED",
        "of another host": "STARTED",
    }


def read_only_row(environment: dict[str, str], *prefix: str) -> dict[str, str]:
    done = subprocess.run(
        [*prefix, sys.executable, "-m", "klip_assets.cli", "doctor", "--json"],
        env=environment, capture_output=True, text=True,
    )  # fmt: skip
    rows = [row for row in json.loads(done.stdout) if row["what"] == "warehouse" and "0444" in row["detail"]]
    assert len(rows) == 1, done.stdout + done.stderr
    return dict(rows[0])


def test_doctor_warns_whom_the_mode_of_the_warehouse_does_not_bind(published_to_read: Settings) -> None:
    with_rights = os.access(published_to_read.warehouse_path.resolve(), os.W_OK)
    row = read_only_row(dict(os.environ))
    assert row["state"] == ("warning" if with_rights else "ok")
    assert with_rights == ("duckdb -readonly" in row["fix"]) == (os.geteuid() == 0)
    setpriv = shutil.which("setpriv")
    if setpriv and with_rights:
        dropped = "-dac_override,-dac_read_search"
        row = read_only_row(dict(os.environ), setpriv, "--bounding-set", dropped, "--inh-caps", dropped)
        assert row["state"] == "ok" and "(0444) keeps this user from writing" in row["detail"]


def test_the_users_data_is_never_touched_by_tests() -> None:
    assert str(Settings().data_dir) == os.environ["KLIP_DATA_DIR"]
    assert "pytest" in str(Settings().data_dir)


TWEET_ID = "1380242611781386245"


@pytest.mark.parametrize(
    "name", ["a.jsonl", "a.NDJSON", "a.json.gz", "tweets.js", "a.csv.zst", "a.tsv", "a.txt", "a.parquet"]
)
def test_tweet_files_of_every_kind_are_taken(settings: Settings, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("x")
    (row,) = rows_of(klip("add", tmp_path / name, "--json"))
    assert row["to"] == str(settings.tweet_inbox / name)


def test_a_map_of_columns_is_laid_beside_the_file(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text(f"ident,body\n{TWEET_ID},hello\n")
    rows_of(klip("add", path, "--map", "text=body", "--map", "tweet_id=ident", "--json"))
    beside = settings.tweet_inbox / "odd.csv.map.json"
    assert json.loads(beside.read_text()) == {"text": "body", "tweet_id": "ident"}
    rows_of(klip("process", "--json"))
    assert query(settings, "SELECT tweet_id, text FROM tweets") == [{"tweet_id": TWEET_ID, "text": "hello"}]


def test_a_map_that_lies_beside_a_tweet_file_comes_with_it(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_text("ident,body\n")
    (tmp_path / "odd.csv.map.json").write_text('{"text": "body", "tweet_id": "ident"}')
    rows_of(klip("add", tmp_path / "odd.csv", "--json"))
    assert (settings.tweet_inbox / "odd.csv.map.json").is_file()


def test_a_map_that_can_not_be_one_is_a_clear_error(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text("ident,body\n")
    assert "is not of the form COLUMN=NAME (e.g. text=body)" in error_of(klip("add", path, "--map", "body"))
    assert "unknown column 'colour'" in error_of(klip("add", path, "--map", "colour=body"))
    assert "either all columns must be given by number" in error_of(
        klip("add", path, "--map", "text=#1", "--map", "lang=x")
    )
    (tmp_path / "a.mp4").write_text("x")
    assert "--map is for tweet files" in error_of(klip("add", tmp_path / "a.mp4", "--map", "text=body"))


def test_videos_lists_what_is_odd_about_a_picture(settings: Settings) -> None:
    settings.make_folders()
    write_clocked(settings.vod_inbox / "dark.mkv", 8, burst_s=4, keep_picture=lambda t: t >= 6)
    work(settings)
    assert "the picture starts at 0:00:06" in " ".join(klip("videos").output.split())


@pytest.mark.slow
def test_process_says_again_what_is_not_published_and_why(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    write_wav(settings.vod_inbox / "short.wav", 5)
    # No input is known to break this rule.
    said = "the last word ends at 302.0 s, after the end of the video at 5.0 s"
    monkeypatch.setattr("klip_assets.work.invariants.word_problems", lambda *_: [said])
    first = klip("process")
    assert first.exit_code == 1 and "waits" not in first.output, "what failed has said why"
    (video,) = rows_of(klip("videos", "--json"))
    assert video["status"] == "partial" and str(video["error"]).startswith(f"not published: {said}")
    again = klip("process")
    assert again.exit_code == 0
    assert "waits  short: the last word ends at 302.0 s, after the end of the video at 5.0 s\n" in again.output
    assert "everything in the inbox is processed, but the items above are not published." in again.output
    (row,) = rows_of(klip("process", "--json"))
    assert row["what"] == "short" and row["outcome"] == "waits" and "the last word ends" in str(row["problem"])
    (told,) = (row for row in rows_of(klip("doctor", "--json")) if row["what"] == "stale")
    assert "1 not published in their current state" in str(told["detail"])


@pytest.mark.parametrize(
    "words", [("--dry-run",), ("--table", "segments"), ("--stale", "--force"), ("--stale", "--table", "no_table")]
)
def test_options_of_process_that_do_not_go_together_are_refused(settings: Settings, words: tuple[str, ...]) -> None:
    assert "process --help" in error_of(klip("process", *words))


@pytest.mark.slow
def test_a_stale_stage_is_counted_first_and_then_remade_alone(
    published: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KLIP_WEIGHTS", "klipstream-1")
    shown = klip("process", "--stale", "--dry-run", "stream").output
    assert "segment_scores" in shown and "input weights changed" in shown and "audio_features" not in shown
    assert "1 video and 0 days of tweets" in shown and "To start: klip process --stale" in shown
    assert query(published, "SELECT DISTINCT weights_version FROM highlights") == [{"weights_version": "klip-2"}]
    done = klip("process", "stream", "--stale", "--table", "segment_scores")
    assert done.exit_code == 0 and "done  stream" in done.output
    remade = query(published, "SELECT table_name FROM stage_status WHERE partition = 'stream' ORDER BY started_at")
    assert remade[-1] == {"table_name": "segment_scores"}
    left = {row["table"] for row in rows_of(klip("process", "--stale", "--dry-run", "--json")) if row["remade"]}
    assert left == {"highlight_candidates", "highlights"}
    assert klip("process", "--stale").exit_code == 0
    assert "Nothing is stale" in klip("process", "--stale", "--dry-run").output
    assert query(published, "SELECT DISTINCT weights_version FROM highlights") == [{"weights_version": "klipstream-1"}]
    assert "Nothing is stale" in klip("process", "--stale").output


@pytest.mark.slow
def test_an_evaluation_names_the_weights_that_the_highlights_were_made_with(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KLIP_WEIGHTS", "klipstream-1")
    recording = drop_stream(settings, seconds=70)
    assert work(Settings()).ok
    golden = tmp_path / "golden"
    golden.mkdir()
    shutil.copy(recording, golden)
    truth = {"name": "stream", "duration_s": 70, "planted": [{"peak_s": 42}]}
    (golden / "truth.json").write_text(json.dumps(truth))
    monkeypatch.setenv("KLIP_WEIGHTS", "klip-1")
    rows = rows_of(klip("eval", golden, "--json"))
    assert {row["weights_version"] for row in rows} == {"klipstream-1"}
    assert "stream (klipstream-1)" in klip("eval", golden).stdout


@pytest.mark.slow
def test_stale_tables_of_videos_and_of_days_can_be_named_together(
    published: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KLIP_WEIGHTS", "klipstream-1")
    monkeypatch.setenv("KLIP_TWEET_TIERS", "lexicon")
    done = klip("process", "--stale", "--table", "segment_scores", "--table", "tweet_sentiment")
    assert done.exit_code == 0, done.output
    assert "done  stream" in done.output and "done  tweets 2026-06-12 to 2026-06-13" in done.output
    assert query(published, "SELECT DISTINCT tier FROM tweet_sentiment") == [{"tier": "lexicon"}]
    left = {row["table"] for row in rows_of(klip("process", "--stale", "--dry-run", "--json")) if row["remade"]}
    assert left == {"highlight_candidates", "highlights"}


def test_a_stale_video_whose_recording_is_gone_is_named_and_left(
    published: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KLIP_WEIGHTS", "klipstream-1")
    (published.vod_inbox / "stream.wav").unlink()
    assert "their recordings are not in the inbox: stream" in klip("process", "--stale", "--dry-run").output
    done = klip("process", "--stale")
    assert done.exit_code == 0 and "skipped: its recording is not in the inbox  stream" in done.output
    assert "has not been processed" in error_of(klip("process", "--stale", "nobody"))
    assert "'nonsense' is not a valid date" in error_of(klip("process", "--stale", "--tweets", "nonsense"))


@pytest.mark.slow
def test_scattered_stale_days_are_remade_and_no_day_between_them_is_made(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = [f"2026-0{month}-{day}" for month in (4, 5) for day in ("01", "05", "09", "13", "17")]
    for n, some in enumerate((days[:5], days[5:])):
        drop_tweets(settings, f"{n}.jsonl", tuple(some))
        assert work(settings).ok
    there = query(settings, "SELECT day FROM tweet_daily ORDER BY day")
    monkeypatch.setenv("KLIP_TWEET_TIERS", "lexicon")
    done = klip("process", "--stale", "--table", "tweet_sentiment")
    assert done.exit_code == 0, done.output
    assert query(settings, "SELECT day FROM tweet_daily ORDER BY day") == there
    assert query(settings, "SELECT DISTINCT tier FROM tweet_sentiment") == [{"tier": "lexicon"}]


def test_a_video_is_named_by_its_file_and_counted_once(published: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KLIP_WEIGHTS", "klipstream-1")
    shown = klip("process", "--stale", "--dry-run", "stream.wav", "stream").output
    assert "1 video and 0 days of tweets" in shown


def test_doctor_names_a_weight_set_that_does_not_exist(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KLIP_WEIGHTS", "nope")
    told = {row["what"]: row for row in json.loads(klip("doctor", "--json").stdout)}
    assert told["weights"]["state"] == "missing" and "nope" in told["weights"]["detail"]
