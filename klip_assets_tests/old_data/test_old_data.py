"""A data folder of an earlier Klip goes on working: `88ecca5.tar.gz`, as `make.py` made it with that commit.

Every test runs on the folder as it was left, and on what later changes of Klip make of it. Whoever changes what is
stored adds to `CHANGES` what a Klip of that kind does to the folder.
"""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import duckdb
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from klip_assets.cli import main
from klip_assets.cli.process import run_stale
from klip_assets.contracts import AUDIO_FEATURES, PUBLISHED_TABLES, TABLES
from klip_assets.contracts.table import DOUBLE, column
from klip_assets.settings import Settings
from klip_assets.work.installation import Installation
from klip_assets.work.learnt_weights import learn_from_verdicts
from klip_assets.work.stages.catalogue import STAGES, STAGES_OF
from klip_assets.work.stages.stage import Output, Stage
from klip_assets_tests.old_data.make import LLM_MODEL, LLM_URL
from klip_assets_tests.processed import due, point_at, process, query
from klip_assets_tests.programs import load

ARCHIVE = Path(__file__).with_name("88ecca5.tar.gz")

#: Views name the folder that their file was published in; it is gone.
VIEWS = frozenset(name for name in PUBLISHED_TABLES if TABLES[name].published_as == "view")

#: What tells of runs and their versions, and what other tests add to.
OF_RUNS = frozenset({"provenance", "stage_status", "evaluations", "llm_calls"})


#: Stages whose version has changed since that Klip: one clock for all (videos, words, audio, chat), captions and chats
#: that are read differently now, and a score that keeps a term which a part of the video lacks.
SINCE = frozenset(
    (
        "videos", "transcript_words", "audio_features", "chat_messages", "chat_activity", "segment_scores",
        "highlight_candidates", "highlights",
    )
)  # fmt: skip

#: The same for days: of copies of a tweet, the whole text wins, and of a name and an id, one author.
SINCE_OF_DAYS = frozenset({"tweets", "tweet_daily"})

#: Columns that have come since; NULL in the folder.
NEW_COLUMNS = frozenset({"heard_share", "audio_track_why"})

#: Tables whose rows the new score rule changes, and those that differ in the last digits from processor to processor.
RESCORED = frozenset({"highlight_candidates", "highlights"})
OF_SOUND = frozenset({"segments", "segment_scores"})


def klip(*words: str | Path) -> Result:
    done = CliRunner().invoke(main, [str(word) for word in words], prog_name="klip")
    assert done.exit_code == 0, done.output
    return done


@pytest.fixture(scope="module")
def as_it_was(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder as that Klip left it; to be copied. Beside it `then.duckdb`, as it was published."""
    base = tmp_path_factory.mktemp("old")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(base, filter="tar")
    shutil.copy((base / "data" / "warehouse" / "klip.duckdb").resolve(), base / "then.duckdb")
    return base


def nothing(change: pytest.MonkeyPatch) -> set[str]:
    """The Klip of today, as it is."""
    return set()


def a_release(change: pytest.MonkeyPatch) -> set[str]:
    """A Klip of a higher number in which no stage changed."""
    change.setattr("klip_assets.__version__", "99.0.0")
    change.setattr("klip_assets.work.stages.run.__version__", "99.0.0")
    return set()


def a_newer_stage(change: pytest.MonkeyPatch) -> set[str]:
    """A stage whose rows come out as before."""
    newer(change, "segments")
    return {"segments"}


def a_column_of_audio_features(change: pytest.MonkeyPatch) -> set[str]:
    """A column that no stage reads yet; the stage that writes it leaves it NULL."""
    later = AUDIO_FEATURES.schema.append(column("came_later", DOUBLE, "A column of a later Klip."))
    change.setitem(AUDIO_FEATURES.__dict__, "schema", later)
    compute = STAGES["audio_features"].compute

    def with_column(stage: Stage) -> Output:
        made = compute(stage)
        assert isinstance(made, Output)
        # Sums differ in the last digits from processor to processor: the rows are those of the folder, once compared.
        before = stage.lake.read(AUDIO_FEATURES, stage.key)
        for name in set(before.schema.names) & set(made.rows.schema.names) - {"video_id", *NEW_COLUMNS}:
            for old, new in zip(before[name].to_pylist(), made.rows[name].to_pylist(), strict=True):
                assert new == (old if old is None else pytest.approx(old, abs=1e-3)), name
        return replace(made, rows=before)

    newer(change, "audio_features", compute=with_column)
    return {"audio_features"}


def newer(change: pytest.MonkeyPatch, name: str, **more: Any) -> None:
    spec = replace(STAGES[name], version="99", **more)
    change.setitem(STAGES, name, spec)
    change.setitem(STAGES_OF, "video_id", tuple(spec if old.name == name else old for old in STAGES_OF["video_id"]))


CHANGES = (nothing, a_release, a_newer_stage, a_column_of_audio_features)


@pytest.fixture(scope="module", params=CHANGES, ids=lambda change: change.__name__)
def changed(request: pytest.FixtureRequest) -> Iterator[set[str]]:
    """A change of Klip; the stages that are stale by it."""
    with pytest.MonkeyPatch.context() as change:
        yield request.param(change) | SINCE | SINCE_OF_DAYS


@pytest.fixture(scope="module")
def processed_again(changed: set[str], as_it_was: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder, processed once by the changed Klip: nothing but the warehouse is made."""
    base = tmp_path_factory.mktemp("again")
    shutil.copytree(as_it_was, base, symlinks=True, dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as environment:
        point_at(base, environment)
        report = process(Settings())
        assert report.rows == [{"what": "warehouse", "outcome": "done", "problem": None, "found": None}]
        assert report.waiting == {}
    return base


@pytest.fixture
def old(processed_again: Path, isolated: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """The installation on it. Tests share it: none may change what another reads."""
    point_at(processed_again, monkeypatch)
    yield Settings()


def computed(settings: Settings) -> set[str]:
    """Stages of the recording and the days that their last runs computed."""
    rows = query(settings, "SELECT table_name, status FROM stage_status")
    return {row["table_name"] for row in rows if row["status"] != "reused"}


def test_everything_it_published_is_published_again_and_nothing_is_due(old: Settings, processed_again: Path) -> None:
    compare = load("scripts/compare_warehouses.py").compare
    found, _ = compare(processed_again / "then.duckdb", old.warehouse_path.resolve(), skip=VIEWS)
    assert len(found) == len(PUBLISHED_TABLES) - len(VIEWS)
    assert [entry for entry in found if not entry.same] == []
    assert query(old, "SELECT count(*) AS n FROM transcript_words") == [{"n": 17}]
    assert query(old, "SELECT count(*) AS n FROM audio_features") == [{"n": 71}]
    assert due(old) is None
    assert process(old).rows == []


def test_its_highlights_are_evaluated(old: Settings, tmp_path: Path) -> None:
    shutil.copy(old.vod_inbox / "race.mp4", tmp_path)
    truth = {"name": "race", "duration_s": 70, "planted": [{"start_s": 40.0, "end_s": 44.0, "peak_s": 42.0}]}
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    figures = json.loads(klip("eval", tmp_path, "--json").stdout)
    assert {row["value"] for row in figures if row["system"] == "klip" and row["metric"].startswith("moments")} == {1.0}


def test_its_highlights_are_cut_out_and_listed(old: Settings, tmp_path: Path) -> None:
    (row,) = query(old, "SELECT start_s, end_s FROM highlights")
    (made,) = json.loads(klip("clip", "race", "1", "--output", tmp_path, "--exact", "--json").stdout)
    assert made["length_s"] == pytest.approx(row["end_s"] - row["start_s"], abs=0.3)
    with av.open(made["clip"]) as opened:
        assert opened.streams.video and opened.streams.audio
    assert "AX" in klip("highlights", "race", "--export", "edl").stdout


def test_its_warehouse_is_exported(old: Settings, tmp_path: Path) -> None:
    klip("export", tmp_path / "all.duckdb")
    with duckdb.connect(str(tmp_path / "all.duckdb"), read_only=True) as exported:
        for name in PUBLISHED_TABLES:
            (rows,) = exported.execute(f"SELECT count(*) FROM {name}").fetchone() or (0,)
            assert [{"n": rows}] == query(old, f"SELECT count(*) AS n FROM {name}"), name


def test_a_verdict_keeps_its_moment(old: Settings) -> None:
    rows = query(
        old,
        "SELECT verdict, rank FROM feedback f JOIN highlights h ON h.video_id = f.video_id "
        "AND h.start_s < f.end_s AND f.start_s < h.end_s",
    )
    assert rows == [{"verdict": "good", "rank": 1}]


@pytest.mark.slow
def test_a_reply_that_was_paid_for_is_not_asked_for_again(
    old: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = json.loads(klip("cache", "stats", "--json").stdout)
    assert [(row["model"], row["endpoint"]) for row in kept] == [(LLM_MODEL, LLM_URL)]
    shutil.copytree(old.data_dir.parent, tmp_path / "own", symlinks=True)
    point_at(tmp_path / "own", monkeypatch)
    monkeypatch.setenv("KLIP_LLM_BASE_URL", LLM_URL)
    monkeypatch.setenv("KLIP_LLM_MODELS", LLM_MODEL)
    mine = Settings()
    before = query(old, "SELECT * FROM segment_sentiment ORDER BY ALL")
    assert process(mine, videos=["race"], force=True).ok
    assert query(mine, "SELECT * FROM segment_sentiment ORDER BY ALL") == before
    calls = query(mine, "SELECT cached, status, count(*) AS n FROM llm_calls GROUP BY ALL ORDER BY cached")
    assert [(row["cached"], row["status"]) for row in calls] == [(False, "ok"), (True, "ok")]
    assert calls[0]["n"] == calls[1]["n"] == len(before)


def test_weights_are_learnt_from_its_verdicts(old: Settings) -> None:
    found = learn_from_verdicts(Installation(old))
    assert found.figures["good"] == 1 and found.figures["passed_over"] == []
    assert "verdicts" in found.verdict or "videos" in found.verdict


@pytest.mark.slow
def test_what_is_stale_is_said_and_made_and_nothing_else(
    old: Settings, processed_again: Path, changed: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(processed_again, tmp_path / "own", symlinks=True)
    point_at(tmp_path / "own", monkeypatch)
    monkeypatch.setenv("KLIP_LLM_BASE_URL", LLM_URL)
    monkeypatch.setenv("KLIP_LLM_MODELS", LLM_MODEL)
    mine = Settings()
    planned = json.loads(klip("process", "--stale", "--dry-run", "--json").stdout)
    assert {row["table"] for row in planned if row["remade"]} == changed
    assert query(mine, "SELECT count(*) AS n FROM stage_status WHERE status = 'reused'") == [{"n": 0}]
    (said,) = (row for row in json.loads(klip("doctor", "--json").stdout) if row["what"] == "stale")
    assert said["state"] == ("off" if changed else "ok")
    report = run_stale(mine, quiet=True)
    assert report.ok and report.waiting == {}
    # The audio is measured anew, on another processor: what reads it may differ in the last digits.
    assert changed <= computed(mine)
    assert not computed(mine) & {"sound_events"}, "what reads rows that came out as before is reused"
    assert json.loads(klip("process", "--stale", "--dry-run", "--json").stdout) == []
    compare = load("scripts/compare_warehouses.py").compare
    then = processed_again / "then.duckdb"
    found, _ = compare(then, mine.warehouse_path.resolve(), skip=VIEWS | OF_RUNS | RESCORED | OF_SOUND)
    assert [entry for entry in found if not entry.same] == []
    for name in OF_SOUND:
        with duckdb.connect(str(then), read_only=True) as older:
            rows = older.execute(f"FROM {name} ORDER BY ALL").df()
        now = pd.DataFrame(query(mine, f"SELECT {', '.join(rows.columns)} FROM {name} ORDER BY ALL"))
        pd.testing.assert_frame_equal(now, rows, check_dtype=False, atol=1e-3)
    assert process(mine).rows == []


@pytest.mark.slow
def test_its_tweets_stay_where_their_files_are_lost_and_its_recording_is_removed_as_a_whole(
    as_it_was: Path, tmp_path: Path, isolated: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(as_it_was, tmp_path / "own", symlinks=True)
    point_at(tmp_path / "own", monkeypatch)
    mine = Settings()
    for path in list(mine.tweet_inbox.iterdir()):
        path.rename(tmp_path / path.name)
    report = process(mine)
    assert [row["outcome"] for row in report.rows if row["what"] == "tweets"] == ["waits"]
    tweets = query(mine, "SELECT count(*) AS n FROM tweets")
    assert tweets != [{"n": 0}]
    assert "Removed race" in klip("remove", "race").stdout
    assert query(mine, "SELECT count(*) AS n FROM videos") == [{"n": 0}]
    assert query(mine, "SELECT count(*) AS n FROM tweets") == tweets
    assert len(list(mine.warehouse_dir.glob(".klip-*.duckdb"))) == 1
