from __future__ import annotations

import errno
import os
import time
from pathlib import Path, PurePath

import pytest

from klip_assets.contracts import QUARANTINE
from klip_assets.formats.refused import Refused
from klip_assets.inbox import changes
from klip_assets.inbox.changes import settle
from klip_assets.inbox.recordings import Recording, read_inbox
from klip_assets.inbox.tweet_changes import tweet_changes
from klip_assets.settings import Settings
from klip_assets.store.lake.lake import Lake, read_file
from klip_assets.store.lake.quarantine import quarantine, refused_sources
from klip_assets.store.state.registry import Registry
from klip_assets.work.refusals import TABLE, refuse_unknown


def look(settings: Settings, registry: Registry, before: dict[str, str] | None):
    return settle(read_inbox(settings.vod_inbox).recordings, registry, before)


def test_a_new_recording_counts_once_two_looks_agree(settings: Settings, registry: Registry) -> None:
    path = settings.vod_inbox / "a.mp4"
    path.write_bytes(b"x" * 10)
    first = look(settings, registry, {})
    assert first.ready == [] and list(first.pending) == ["a.mp4"]
    path.write_bytes(b"x" * 20)
    second = look(settings, registry, first.pending)
    assert second.ready == []
    third = look(settings, registry, second.pending)
    assert [entry.video_id for entry in third.ready] == ["a"] and third.pending == {}


def test_a_person_need_not_wait_for_a_second_look(settings: Settings, registry: Registry) -> None:
    (settings.vod_inbox / "a.mp4").write_bytes(b"x")
    assert [entry.video_id for entry in look(settings, registry, None).ready] == ["a"]


def test_touching_keeps_the_fingerprint_and_changing_makes_a_new_one(settings: Settings, registry: Registry) -> None:
    path = settings.vod_inbox / "a.mp4"
    path.write_bytes(b"x")
    first = look(settings, registry, None).ready[0]
    os.utime(path, (1, 1))
    assert look(settings, registry, None).ready[0].fingerprint == first.fingerprint
    path.write_bytes(b"y")
    changed = look(settings, registry, None).ready[0]
    assert changed.video_id == first.video_id and changed.fingerprint != first.fingerprint


def test_two_files_of_one_stem_are_two_videos_and_keep_their_ids(settings: Settings, registry: Registry) -> None:
    for name in ("test1.mp3", "test1.wav"):
        (settings.vod_inbox / name).write_bytes(name.encode())
    ids = {entry.recording.path.name: entry.video_id for entry in look(settings, registry, None).ready}
    assert ids == {"test1.mp3": "test1", "test1.wav": "test1-wav"}
    (settings.vod_inbox / "test1.mp3").unlink()
    ids = {entry.recording.path.name: entry.video_id for entry in look(settings, registry, None).ready}
    assert ids == {"test1.wav": "test1-wav"}


def test_one_look_takes_a_bounded_number(settings: Settings, registry: Registry) -> None:
    for i in range(5):
        (settings.vod_inbox / f"{i}.mp4").write_bytes(bytes([i]))
    recordings = read_inbox(settings.vod_inbox).recordings
    first = settle(recordings, registry, None, at_most=2)
    assert len(first.ready) == 2 and len(first.pending) == 3
    second = settle(recordings, registry, first.pending, at_most=2)
    assert len(second.ready) == 4


def test_the_first_to_hold_a_content_is_the_original(registry: Registry) -> None:
    assert registry.claim_content("sha", "a") == "a"
    assert registry.claim_content("sha", "b") == "a"
    assert registry.claim_content("other", "a") == "a"
    assert registry.claim_content("sha", "b") == "b"


def test_paths_that_are_no_utf8_survive_the_registry(registry: Registry) -> None:
    name = PurePath(os.fsdecode(b"caf\xe9.mp4"))
    video_id = registry.register(name, "s", "f")
    assert registry.path_of(video_id) == name


def test_tweet_files_are_fresh_until_staged_and_again_when_they_change(settings: Settings, registry: Registry) -> None:
    path = settings.tweet_inbox / "sub" / "t.jsonl"
    path.parent.mkdir()
    path.write_text("{}")
    assert tweet_changes(settings.tweet_inbox, registry, {}).fresh == []
    fresh = tweet_changes(settings.tweet_inbox, registry, None).fresh
    assert [str(file.name) for file in fresh] == ["sub/t.jsonl"]
    from klip_assets.store.files import file_sha256

    registry.record_staged(fresh[0].name, fresh[0].signature, file_sha256(path))
    assert tweet_changes(settings.tweet_inbox, registry, None).fresh == []
    os.utime(path, (1, 1))
    assert tweet_changes(settings.tweet_inbox, registry, None).fresh == []
    path.write_text("[]")
    assert len(tweet_changes(settings.tweet_inbox, registry, None).fresh) == 1
    (path.parent / "other.jsonl").write_text("{}")
    other = next(
        file for file in tweet_changes(settings.tweet_inbox, registry, None).fresh if file.path.stem == "other"
    )
    registry.record_staged(other.name, other.signature, other.sha256)
    path.unlink()
    assert tweet_changes(settings.tweet_inbox, registry, None).gone == [PurePath("sub/t.jsonl")]


def test_unknown_files_are_in_the_quarantine_while_they_lie_there(lake: Lake) -> None:
    refuse_unknown(lake, {"a.docx": "no", "b.xyz": "no"}, run_id="")
    written = {path: path.stat().st_mtime_ns for path in lake.paths(QUARANTINE)}
    refuse_unknown(lake, {"a.docx": "no"}, run_id="")
    left = lake.paths(QUARANTINE)
    assert len(left) == 1 and left[0].stat().st_mtime_ns == written[left[0]]


def test_thousands_of_unknown_files_cost_a_few_partitions_and_are_not_written_again(lake: Lake) -> None:
    unknown = {f"thumb-{number:05d}.jpg": "unknown kind of file" for number in range(10_000)}
    refuse_unknown(lake, unknown, run_id="")
    written = {path: path.stat().st_mtime_ns for path in lake.paths(QUARANTINE)}
    assert len(written) <= 16
    began = time.process_time()
    refuse_unknown(lake, unknown, run_id="")
    assert time.process_time() - began < 2
    assert {path: path.stat().st_mtime_ns for path in lake.paths(QUARANTINE)} == written
    assert refused_sources(lake, TABLE) == unknown
    refuse_unknown(lake, {}, run_id="")
    assert lake.paths(QUARANTINE) == []


def test_an_unknown_file_keeps_the_time_it_was_first_seen_until_its_reason_changes(lake: Lake) -> None:
    def seen() -> dict[str, object]:
        rows = [row for path in lake.paths(QUARANTINE) for row in read_file(path, QUARANTINE).to_pylist()]
        return {row["source_file"]: row["seen_at"] for row in rows}

    files = {f"{number}.xyz": "no" for number in range(40)}
    refuse_unknown(lake, files, run_id="")
    first = seen()
    refuse_unknown(lake, {**files, "0.xyz": "another reason", "new.xyz": "no"}, run_id="")
    now = seen()
    assert now.keys() - first.keys() == {"new.xyz"}
    assert {name for name in first if first[name] != now[name]} == {"0.xyz"}


def test_what_an_older_klip_wrote_for_each_unknown_file_is_folded_in(lake: Lake) -> None:
    for name in ("kept.xyz", "gone.xyz"):
        quarantine(lake, name, TABLE, [Refused("file", "no", "not part of videos")], run_id="")
    quarantine(lake, "kept.xyz", "tweets", [Refused("line 1", "not JSON", "")], run_id="")
    refuse_unknown(lake, {"kept.xyz": "no"}, run_id="")
    assert refused_sources(lake, TABLE) == {"kept.xyz": "no"}
    assert refused_sources(lake, "tweets") == {"kept.xyz": "not JSON"}
    assert len(lake.paths(QUARANTINE)) == 2
    # The older one ran once more on the same folder.
    quarantine(lake, "kept.xyz", TABLE, [Refused("file", "no", "not part of videos")], run_id="")
    refuse_unknown(lake, {"kept.xyz": "no"}, run_id="")
    assert len(lake.paths(QUARANTINE)) == 2


def test_a_damaged_list_of_unknown_files_is_written_anew(lake: Lake) -> None:
    refuse_unknown(lake, {"a.docx": "no"}, run_id="")
    lake.paths(QUARANTINE)[0].write_bytes(b"damaged")
    refuse_unknown(lake, {"a.docx": "no"}, run_id="")
    assert refused_sources(lake, TABLE) == {"a.docx": "no"}


def test_no_temporary_files_of_ours_are_taken_for_recordings(tmp_path: Path) -> None:
    (tmp_path / ".a.mp4.123.tmp").write_bytes(b"x")
    assert read_inbox(tmp_path).recordings == []


def test_a_recording_in_a_bad_spot_of_the_disk_stops_no_other_and_is_tried_again(
    settings: Settings, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.mp4", "b.mp4"):
        (settings.vod_inbox / name).write_bytes(name.encode())
    whole = changes.fingerprint

    def fails(recording: Recording) -> str:
        if recording.path.name == "a.mp4":
            raise OSError(errno.EIO, "Input/output error")
        return whole(recording)

    monkeypatch.setattr(changes, "fingerprint", fails)
    first = {entry.video_id: entry.fingerprint for entry in look(settings, registry, None).ready}
    assert first.keys() == {"a", "b"}
    again = {entry.video_id: entry.fingerprint for entry in look(settings, registry, None).ready}
    assert again == first
    monkeypatch.undo()
    healed = {entry.video_id: entry.fingerprint for entry in look(settings, registry, None).ready}
    assert healed["b"] == first["b"] and healed["a"] != first["a"]


def test_a_tweet_file_is_named_so_that_any_table_can_hold_it_and_is_known_again(
    settings: Settings, registry: Registry
) -> None:
    Path(os.fsdecode(os.fsencode(settings.tweet_inbox) + b"/caf\xe9.jsonl")).write_text("{}")
    (file,) = tweet_changes(settings.tweet_inbox, registry, None).fresh
    assert str(file.name) == "caf\\xe9.jsonl" and file.path.read_text() == "{}"
    registry.record_staged(file.name, file.signature, "sha")
    found = tweet_changes(settings.tweet_inbox, registry, None)
    assert (found.fresh, found.gone) == ([], [])


def test_a_tweet_file_that_can_not_be_read_does_not_stop_the_look(settings: Settings, registry: Registry) -> None:
    path = settings.tweet_inbox / "a.jsonl"
    path.write_text("{}")
    (settings.tweet_inbox / "good.jsonl").write_text("{}")
    (file, _) = tweet_changes(settings.tweet_inbox, registry, None).fresh
    registry.record_staged(file.name, file.signature, "sha")
    path.unlink()
    path.symlink_to("/proc/self/mem")
    found = tweet_changes(settings.tweet_inbox, registry, None)
    assert [str(file.name) for file in found.fresh] == ["a.jsonl", "good.jsonl"]
