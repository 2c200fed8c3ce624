"""Odd media, all dropped at once: good ones are processed, bad ones named, in bounded time and memory."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from klip_assets.inbox.media_files import MEDIA_SUFFIXES
from klip_assets.settings import Settings
from klip_assets_tests.made import write_vtt
from klip_assets_tests.processed import drop_stream, query

Run = Callable[..., list[dict[str, Any]]]

MAX_MB = 600
#: Processor seconds.
SECONDS_PER_FILE = 10

#: Short ones that the recognizer listens to; the others have captions, since it takes half their length.
HEARD = ("tessst", "test5", "creative_common", "fire2")


@pytest.mark.slow
def test_every_odd_file_at_once_leaves_the_good_ones_processed_and_the_bad_ones_named_with_the_reason(
    shared_data: Path, settings: Settings, run_module: Run, tmp_path: Path
) -> None:
    dropped = {}
    for folder in ("media-moviepy", "media-pydub"):
        for path in sorted(p for p in (shared_data / folder).rglob("*") if p.is_file()):
            target = settings.vod_inbox / path.relative_to(shared_data)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            dropped[str(target.relative_to(settings.vod_inbox))] = target
    recordings = {name for name, path in dropped.items() if path.suffix in MEDIA_SUFFIXES}
    for name in recordings:
        if dropped[name].stem not in HEARD:
            write_vtt(dropped[name].with_suffix(".en.vtt"), [(0.1, 0.9, "something is said")])
    for n in range(3):
        drop_stream(settings, f"good {n}", 50.0, seed=n)
    whole = (shared_data / "media-moviepy" / "media" / "fire2.mp4").read_bytes()
    bad = {"empty.mp4": b"", "no head.mp4": whole[len(whole) // 3 :], "text.mkv": b"a text, called a film\n" * 99}
    for name, content in bad.items():
        (settings.vod_inbox / name).write_bytes(content)

    (outcome,) = run_module("work_once", cwd=tmp_path)

    assert outcome["peak_mb"] < MAX_MB
    assert outcome["processor_s"] < SECONDS_PER_FILE * len(dropped)
    assert outcome["problems"].keys() == {"empty", "no-head", "text"}
    videos = {row["source_path"]: row for row in query(settings, "SELECT * FROM videos")}
    assert videos.keys() == recordings | set(bad) | {f"good {n}.wav" for n in range(3)}
    for n in range(3):
        assert videos[f"good {n}.wav"]["status"] == "ok"
        found = query(settings, f"SELECT count(*) AS n FROM highlights WHERE video_id = 'good-{n}'")
        assert found[0]["n"] >= 1
    for name in bad:
        assert videos[name]["status"] == "unreadable" and len(videos[name]["error"].split()) > 3
    statuses = {name: videos[name]["status"] for name in recordings}
    assert statuses["media-pydub/test/data/test1_empty.wav"] == "no_audio"
    assert statuses["media-pydub/test/data/wrong_extension.aac"] == "duplicate"
    assert sum(1 for status in statuses.values() if status == "ok") >= 20
    assert set(statuses.values()) <= {"ok", "partial", "no_audio", "silent", "duplicate", "unreadable"}
    refused = {row["source_file"]: row["reason"] for row in query(settings, "SELECT * FROM quarantine")}
    assert dropped.keys() - recordings == refused.keys()
    assert all(len(reason.split()) > 2 for reason in refused.values())
