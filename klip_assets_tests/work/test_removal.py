"""Taking a video out: of the lake, of what is accepted, and with the next publish of the warehouse."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from klip_assets.contracts import STAGE_STATUS, TABLES, VIDEO_TABLES, Subject
from klip_assets.errors import LockHeldError, NotFoundError
from klip_assets.store.lake.generations import accepted_generation
from klip_assets.store.lake.stage_status import record_stage
from klip_assets.work.installation import Installation
from klip_assets.work.publishing import publish_accepted, publish_due, waiting
from klip_assets.work.removal import remove_video
from klip_assets.work.scan import scan
from klip_assets_tests.processed import query

STREAM = Subject.video("stream")


def test_a_removed_video_is_out_of_everything_and_not_due_again(here: Installation) -> None:
    unlisted: list[str] = []
    assert remove_video(here, "stream", lambda: unlisted.append("stream"))
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
    assert not remove_video(here, "typo", lambda: None)
    publish_accepted(here)
    assert waiting(here) == {}
