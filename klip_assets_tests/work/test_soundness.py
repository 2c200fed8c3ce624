"""What is missing from a recording is said in one sentence, and the rest is published."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime

import pytest

from klip_assets.contracts import Subject
from klip_assets.media.decode import Decoding
from klip_assets.media.pieces import Jump
from klip_assets.media.timeline import Timeline
from klip_assets.settings import Settings
from klip_assets.store.lake.stage_status import record_stage
from klip_assets.work.findings import found_in
from klip_assets.work.installation import Installation
from klip_assets.work.removal import remove_video
from klip_assets.work.scan import scan
from klip_assets.work.stages.soundness import sound_findings, timeline_findings
from klip_assets_tests.made import write_vtt, write_wav
from klip_assets_tests.media.clocked import write_clocked
from klip_assets_tests.processed import query
from klip_assets_tests.worked import run_stages, work

HZ = 16_000


def said(found: object) -> list[tuple[str, bool, str]]:
    return [(finding.text, finding.partial, finding.told_in) for finding in found]  # type: ignore[attr-defined]


def test_of_an_ordinary_recording_nothing_is_said() -> None:
    timeline = Timeline(60.0, (0.0, 60.0), (0.064, 60.0))
    assert said(timeline_findings(timeline, claimed_s=60.4, unread_bytes=0)) == []
    assert said(sound_findings(Decoding(samples=60 * HZ, missing=[(8 * HZ, 8 * HZ + 2000)]), timeline)) == []


@pytest.mark.parametrize(
    ("timeline", "claimed_s", "text", "partial", "column"),
    [
        (Timeline(57.0, (0, 57)), 60.0, "57.0 s are there of the 60.0 s", True, "error"),
        (Timeline(60.0, (0, 60)), 30.0, "states 30.0 s, but the recording has 60.0 s", False, "error"),
        (
            Timeline(60.0, (0, 60), jumps=(Jump(30.0, 600.0),)),
            None,
            "jump forward by 600.0 s at 0:00:30",
            False,
            "error",
        ),
        (Timeline(60.0, (0, 60), jumps=(Jump(30.0, -30.0),)), None, "jump back by 30.0 s at 0:00:30", False, "error"),
        (Timeline(60.0, (0, 60), (0, 20)), 60.0, "the picture ends at 0:00:20", False, "video_error"),
        (Timeline(60.0, (0, 60), (6, 60)), 60.0, "the picture starts at 0:00:06", False, "video_error"),
        (Timeline(60.0, (0, 60), counted=True), None, "timestamps of the audio are unusable", False, "error"),
    ],
)
def test_each_oddity_of_a_clock_is_one_sentence(
    timeline: Timeline, claimed_s: float | None, text: str, partial: bool, column: str
) -> None:
    ((found, is_partial, told_in),) = said(timeline_findings(timeline, claimed_s=claimed_s, unread_bytes=0))
    assert text in found and is_partial is partial and told_in == column


def test_a_file_of_which_a_part_was_not_read_says_how_much() -> None:
    ((text, partial, _),) = said(timeline_findings(Timeline(8.0, (0, 8)), claimed_s=None, unread_bytes=3 << 20))
    assert "the last 3.0 MB of the file can't be read" in text and partial


@pytest.mark.parametrize(("claimed_s", "partial"), [(None, True), (8.1, False)])
def test_a_file_that_lacks_its_last_bytes_is_incomplete_unless_all_of_its_length_is_there(
    claimed_s: float | None, partial: bool
) -> None:
    found = said(timeline_findings(Timeline(8.0, (0, 8)), claimed_s=claimed_s, missing_bytes=12_000))
    assert found == [("cut off: the last 12 kB of the file are missing", partial, "error")]


@pytest.mark.parametrize("claimed_s", [9.5, 20.0])
def test_a_file_that_is_cut_off_says_so_once_and_how_much_is_there(claimed_s: float) -> None:
    ((text, partial, _),) = said(timeline_findings(Timeline(8.0, (0, 8)), claimed_s=claimed_s, missing_bytes=12_000))
    assert f"8.0 s are there of the {claimed_s:.1f} s" in text and partial


@pytest.mark.parametrize(
    ("decoding", "text", "partial"),
    [
        (Decoding(samples=60 * HZ, missing=[(0, 5 * HZ)]), "the audio starts at 0:00:05", False),
        (Decoding(samples=60 * HZ, missing=[(20 * HZ, 25 * HZ)]), "5.0 s of audio are missing at 0:00:20", True),
        (Decoding(samples=48 * HZ), "the audio ends at 0:00:48", True),
        (Decoding(samples=60 * HZ, overlap_s=2.0), "2.0 s of audio were dropped", True),
        (
            Decoding(samples=60 * HZ, missing=[(HZ * t, HZ * t + HZ // 2) for t in range(4, 24, 2)]),
            "5.0 s of audio are missing in 10 places between 0:00:04 and 0:00:22",
            True,
        ),
        (
            Decoding(samples=60 * HZ, missing=[(4 * HZ, 5 * HZ)], beyond_s=1.0),
            "missing at 0:00:04: damaged, as the samples there are far beyond full scale",
            True,
        ),
    ],
)
def test_where_audio_is_missing_is_one_sentence(decoding: Decoding, text: str, partial: bool) -> None:
    ((found, is_partial, _),) = said(sound_findings(decoding, Timeline(60.0, (0, 60))))
    assert text in found and is_partial is partial


def test_a_recording_with_a_hole_is_published_without_it_and_says_so(settings: Settings) -> None:
    settings.make_folders()
    write_clocked(settings.vod_inbox / "hole.mkv", keep_sound=lambda t: not 4 <= t < 7)
    assert work(settings).outcomes["hole"] == "done"
    (video,) = query(settings, "SELECT status, error, duration_s FROM videos")
    assert video["status"] == "partial" and video["error"].startswith("3.0 s of audio are missing at 0:00:0")
    assert found_in(Installation(settings).lake, "hole") == f"partial: {video['error']}"
    rows = query(settings, "SELECT t_s, rms_dbfs, speech_share, heard_share FROM audio_features ORDER BY t_s")
    assert len(rows) in (20, 21)
    assert [row["t_s"] for row in rows if row["heard_share"] == 0] == [5, 6] or rows[5]["heard_share"] == 0
    assert all((row["rms_dbfs"] is None) == (row["heard_share"] == 0) for row in rows)
    loudest = max(rows, key=lambda row: row["rms_dbfs"] if row["rms_dbfs"] is not None else -99)
    assert loudest["t_s"] == 12


def test_audio_that_ends_early_keeps_the_highlight_before(settings: Settings) -> None:
    settings.make_folders()
    write_clocked(settings.vod_inbox / "short.mp4", 60, burst_s=30, keep_sound=lambda t: t < 48)
    assert work(settings).outcomes["short"] == "done"
    (video,) = query(settings, "SELECT status, error FROM videos")
    assert video == {"status": "partial", "error": "the audio ends at 0:00:48"}
    found = query(settings, "SELECT start_s, end_s FROM highlights")
    assert any(row["start_s"] <= 30 <= row["end_s"] for row in found)


def test_a_copy_of_a_recording_that_failed_is_processed_itself(settings: Settings) -> None:
    settings.make_folders()
    here = Installation(settings)
    first = write_wav(settings.vod_inbox / "a.wav", 5)
    write_vtt(first.with_name("a.en.vtt"), [(1, 2, "Hello.")])
    scan(here)
    run_stages(here, [Subject.video("a")], {"videos"})
    now = datetime.now(UTC).replace(tzinfo=None)
    record_stage(here.lake, "a", "transcript_words", status="failed", run_id="r", started_at=now, error="no model")
    shutil.copy(first, settings.vod_inbox / "b.wav")
    assert work(settings, videos=["b"]).outcomes["b"] == "done"
    rows = query(settings, "SELECT video_id, status, error FROM videos ORDER BY video_id")
    assert rows[1] == {"video_id": "b", "status": "ok", "error": None}
    assert rows[0]["status"] == "partial" and "transcript_words failed: no model" in rows[0]["error"]


@pytest.fixture
def copied(settings: Settings) -> Installation:
    """`a` and its copy `b`, both published."""
    settings.make_folders()
    shutil.copy(write_wav(settings.vod_inbox / "a.wav", 5), settings.vod_inbox / "b.wav")
    work(settings)
    assert statuses(settings) == {"a": "ok", "b": "duplicate"}
    return Installation(settings)


def statuses(settings: Settings) -> dict[str, str]:
    return {row["video_id"]: row["status"] for row in query(settings, "SELECT video_id, status FROM videos")}


def test_a_copy_of_a_removed_recording_is_processed_by_itself(copied: Installation) -> None:
    """Regression: it stayed a copy of a video that was not there, and its content was in no table."""
    assert scan(copied).due.videos == []
    remove_video(copied, "a", lambda: None)
    assert [entry.video_id for entry in scan(copied).due.videos] == ["b"]
    assert work(copied.settings).ok and statuses(copied.settings) == {"b": "ok"}
    assert scan(copied).due.videos == []


def test_a_copy_of_a_recording_that_was_replaced_is_processed_by_itself(copied: Installation) -> None:
    write_wav(copied.settings.vod_inbox / "a.wav", 6, seed=5)
    work(copied.settings)
    assert work(copied.settings).ok and statuses(copied.settings) == {"a": "ok", "b": "ok"}
    assert scan(copied).due.videos == []


def test_a_copy_of_a_recording_that_fails_later_is_processed_by_itself(copied: Installation) -> None:
    now = datetime.now(UTC).replace(tzinfo=None)
    copied.attempts.give_up("a", copied.registry.fingerprint_of("a"))
    record_stage(copied.lake, "a", "segments", status="failed", run_id="r", started_at=now, error="no memory")
    (due,) = scan(copied).due.videos
    assert due.video_id == "b"
    assert work(copied.settings).ok and statuses(copied.settings)["b"] == "ok"
    assert scan(copied).due.videos == []


def test_of_several_copies_one_stands_for_the_rest_once_the_original_is_replaced_or_removed(
    copied: Installation,
) -> None:
    """Regression: the others went on naming the original, whose content was another by then."""
    settings = copied.settings
    shutil.copy(settings.vod_inbox / "b.wav", settings.vod_inbox / "c.wav")
    work(settings)
    write_wav(settings.vod_inbox / "a.wav", 6, seed=5)
    work(settings)
    work(settings)
    originals = "SELECT video_id, duplicate_of FROM videos WHERE video_id <> 'a' ORDER BY video_id"
    assert [row["duplicate_of"] for row in query(settings, originals)] == [None, "b"]
    assert scan(copied).due.videos == []
    remove_video(copied, "b", lambda: None)
    work(settings)
    assert [(row["video_id"], row["duplicate_of"]) for row in query(settings, originals)] == [("c", None)]
    assert scan(copied).due.videos == []
