"""Taking a video out: of the lake, of what is accepted, and with the next publish of the warehouse."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import duckdb
import pyarrow.parquet as pq
import pytest

from klip_assets.contracts import STAGE_STATUS, TABLES, VIDEO_TABLES, Subject
from klip_assets.errors import InputError, LockHeldError, NotFoundError
from klip_assets.settings import Settings
from klip_assets.store.lake.generations import accepted_generation
from klip_assets.store.lake.stage_status import record_stage
from klip_assets.work.installation import Installation
from klip_assets.work.publishing import publish_accepted, publish_due, waiting
from klip_assets.work.removal import Removed, remove_video
from klip_assets.work.scan import scan
from klip_assets_tests.made import write_vtt, write_wav
from klip_assets_tests.privileges import bound_by_permissions
from klip_assets_tests.processed import query
from klip_assets_tests.worked import work

STREAM = Subject.video("stream")


def test_a_removed_video_is_out_of_everything_and_not_due_again(here: Installation) -> None:
    unlisted: list[str] = []
    removed = remove_video(here, "stream", lambda: unlisted.append("stream"))
    assert removed.tables == len(VIDEO_TABLES) and removed.stays
    assert unlisted == ["stream"]
    assert not any(here.lake.exists(TABLES[name], "stream") for name in (*VIDEO_TABLES, "transcript_sounds"))
    assert not here.lake.exists(STAGE_STATUS, "stream") and accepted_generation(here.lake, STREAM) is None
    assert publish_due(here)
    publish_accepted(here)
    assert query(here.settings, "SELECT count(*) AS n FROM videos") == [{"n": 0}]
    look = scan(here)
    assert [entry.video_id for entry in look.ready] == ["stream"] and look.due.videos == []


def test_a_removed_video_is_due_again_once_its_content_changes(here: Installation) -> None:
    remove_video(here, "stream", lambda: None)
    (here.settings.vod_inbox / "stream.en.vtt").unlink()
    assert [entry.video_id for entry in scan(here).due.videos] == ["stream"]


@pytest.mark.usefixtures("worked_on")
def test_a_video_that_somebody_works_on_stays_whole(here: Installation) -> None:
    with pytest.raises(LockHeldError, match="stream was not removed"):
        remove_video(here, "stream", lambda: pytest.fail("it was taken off the list"))
    assert accepted_generation(here.lake, STREAM) is not None
    assert all(here.lake.exists(TABLES[name], "stream") for name in VIDEO_TABLES)


def test_a_video_that_nobody_knows_is_a_clear_error(here: Installation) -> None:
    with pytest.raises(NotFoundError, match="there is no video 'nobody'"):
        remove_video(here, "nobody", lambda: None)


def test_what_only_a_failed_run_left_can_be_removed(here: Installation) -> None:
    now = datetime.now(UTC).replace(tzinfo=None)
    record_stage(here.lake, "typo", "videos", status="failed", error="unknown", run_id="r", started_at=now)
    publish_accepted(here)
    assert waiting(here) == {"typo": ["videos failed: unknown"]}
    assert remove_video(here, "typo", lambda: None) == Removed(0, 0, stays=False)
    publish_accepted(here)
    assert waiting(here) == {}


def test_a_second_removal_says_that_there_is_nothing(here: Installation) -> None:
    """Regression: it reported success each time."""
    remove_video(here, "stream", lambda: None)
    remove_video(here, "stream", lambda: None)  # Its publish is still to come.
    publish_accepted(here)
    with pytest.raises(NotFoundError, match="there is nothing of stream to remove"):
        remove_video(here, "stream", lambda: pytest.fail("there is nothing"))
    assert publish_due(here) is None


def test_a_recording_that_waits_to_be_processed_can_be_removed_once(settings: Settings) -> None:
    settings.make_folders()
    write_wav(settings.vod_inbox / "new.wav", 2)
    here = Installation(settings)
    assert [entry.video_id for entry in scan(here).due.videos] == ["new"]
    assert remove_video(here, "new", lambda: None) == Removed(0, 0, stays=True)
    assert scan(here).due.videos == []


def test_no_text_of_a_removed_video_is_left_in_lake_quarantine_or_any_version_of_the_warehouse(
    settings: Settings,
) -> None:
    """Regression: it stayed in earlier versions, in free blocks of the next one, and refused lines in quarantine."""
    settings.make_folders()
    words = {"race": "zanzibarquux", "race.final": "kamchatkaquux"}
    for name, word in words.items():
        path = write_wav(settings.vod_inbox / f"{name}.wav", 8, seed=len(name))
        write_vtt(path.with_name(f"{name}.en.vtt"), [(1, 3, f"Hello {word} there."), (4, 6, f"And {word} again.")])
        lines = [{"offset_s": 2, "author": "ann", "text": f"{word} wow"}, {"offset_s": f"never {word}", "text": "x"}]
        path.with_name(f"{name}.chat.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert work(settings).ok
    publish_accepted(Installation(settings))
    reader = duckdb.connect(str(settings.warehouse_path), read_only=True)
    here = Installation(settings)
    assert holding(settings, "zanzibarquux") and holding(settings, "kamchatkaquux")
    removed = remove_video(here, "race", lambda: None)
    assert removed.refused == 1
    assert publish_due(here)
    done = publish_accepted(here)
    assert done.from_nothing and holding(settings, "zanzibarquux") == []
    assert [path.name for path in settings.warehouse_dir.glob(".klip-*.duckdb")] == [f".klip-{done.version}.duckdb"]
    assert reader.execute("SELECT count(*) FROM videos").fetchone() == (2,), "who has a version open keeps it"
    reader.close()
    assert holding(settings, "kamchatkaquux"), "the other recording has all of its own"
    assert query(settings, "SELECT source_file FROM quarantine") == [{"source_file": "race.final.chat.jsonl"}]
    assert publish_due(here) is None
    assert not publish_accepted(here).from_nothing


def holding(settings: Settings, word: str) -> list[str]:
    """Return the files that hold a word, in plain bytes or as rows of a Parquet file; not those of the inbox."""
    found = []
    for path in settings.data_dir.rglob("*"):
        if path.is_file() and not path.is_relative_to(settings.vod_inbox):
            text = path.read_bytes() if path.suffix != ".parquet" else str(pq.read_table(path).to_pylist()).encode()
            if word.encode() in text:
                found.append(str(path.relative_to(settings.data_dir)))
    return found


def test_what_can_not_be_removed_is_named(here: Installation) -> None:
    folder = here.lake.path(TABLES["segments"], "stream").parent
    folder.chmod(0o555)
    try:
        with (
            bound_by_permissions(),
            pytest.raises(InputError, match=r"stream was not removed as a whole: .*Permission"),
        ):
            remove_video(here, "stream", lambda: None)
    finally:
        folder.chmod(0o755)
    assert remove_video(here, "stream", lambda: None).tables > 0
