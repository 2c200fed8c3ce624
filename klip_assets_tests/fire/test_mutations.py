"""2,000 broken files: each gives rows by the contract or one sentence, and none touches anything else."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from klip_assets.settings import Settings
from klip_assets.store.state.video_ids import video_id_for
from klip_assets_tests.fire.mutations import (
    CHANGES,
    HOSTILE_STEMS,
    Mutation,
    is_media,
    media_sources,
    mutations,
    text_sources,
)
from klip_assets_tests.made import tweet, tweet_id_at, write_tweets, write_vtt, write_wav
from klip_assets_tests.processed import query

Run = Callable[..., list[dict[str, Any]]]

MEDIA, TEXTS, AT_ONCE = 1_200, 760, 40
BATCH = 300
MAX_MB = 600


def drop(folder: Path, broken: list[Mutation]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for mutation in broken:
        Path(os.fsdecode(os.fsencode(folder) + b"/" + mutation.file_name)).write_bytes(mutation.content)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "count", "seed"), [("media", MEDIA, 1), ("texts", TEXTS, 2)])
def test_every_mutation_is_rows_by_the_contract_or_one_sentence_in_bounded_time_and_memory(
    kind: str, count: int, seed: int, tmp_path: Path, shared_or_none: Path | None, run_module: Run
) -> None:
    (tmp_path / "sources").mkdir()
    sources = {"media": media_sources, "texts": text_sources}[kind](tmp_path / "sources", shared_or_none)
    broken = list(mutations(sources, count, seed=seed))
    assert {mutation.what.partition(" of ")[0] for mutation in broken} == set(CHANGES)
    outcomes: Counter[str] = Counter()
    for start in range(0, count, BATCH):
        folder = tmp_path / f"batch-{start}"
        drop(folder, broken[start : start + BATCH])
        *lines, summary = run_module("examine", str(folder), cwd=tmp_path)
        assert summary["peak_mb"] < MAX_MB
        outcomes.update("refused" if "refused: " in line["outcome"] else "read" for line in lines if "outcome" in line)
    assert outcomes.total() == count
    assert min(outcomes["read"], outcomes["refused"]) > count / 10, outcomes


def listing(base: Path, *, without: Path) -> dict[str, tuple[int, int, int]]:
    found = {}
    for folder, folders, names in os.walk(base):
        folders[:] = [name for name in folders if Path(folder, name) != without]
        for name in [*folders, *names]:
            path = Path(folder, name)
            state = path.lstat()
            # A folder's own time and size change with what is made in it; that is seen by itself.
            file = not path.is_dir()
            found[ascii(str(path))] = (state.st_mode, state.st_size if file else 0, state.st_mtime_ns if file else 0)
    return found


@pytest.mark.slow
def test_broken_files_with_hostile_names_all_at_once_stop_no_good_one_and_touch_nothing_else(
    settings: Settings, tmp_path: Path, shared_or_none: Path | None, run_module: Run
) -> None:
    work, sources = tmp_path / "work", tmp_path / "sources"
    for folder in (work, sources):
        folder.mkdir()
    (work / "canary").write_text("still here")
    (settings.data_dir.parent / "canary").write_text("still here")
    broken = list(mutations(media_sources(sources, shared_or_none), 13 * AT_ONCE // 2, seed=3))[::13]
    broken += list(mutations(text_sources(sources, shared_or_none), 13 * AT_ONCE // 2, seed=4))[::13]
    for mutation in broken:
        is_tweets = mutation.ending in (".jsonl", ".json", ".csv", ".jsonl.gz")
        drop(settings.tweet_inbox if is_tweets else settings.vod_inbox / 'it\'s "one";\n', [mutation])
    for n, name in enumerate(("good.wav", "good too.wav", "Robert'); DROP TABLE videos;--.wav")):
        path = write_wav(settings.vod_inbox / name, 6.0, seed=100 + n)
        write_vtt(path.with_suffix(".en.vtt"), [(1.0, 3.0, "a good one")])
    write_tweets(settings.tweet_inbox / "good.jsonl", [tweet(tweet_id_at("2026-06-14", n)) for n in range(3)])
    places = [(settings.data_dir.parent, settings.data_dir), (tmp_path, tmp_path / "none")]
    places.append((settings.data_dir / "inbox", settings.data_dir / "none"))
    before = [listing(base, without=without) for base, without in places]

    (outcome,) = run_module("process_once", cwd=work)

    assert [listing(base, without=without) for base, without in places] == before
    assert outcome["peak_mb"] < MAX_MB
    # Not to be read is a failure of that video alone, and so are captions that do not fit it.
    failed = [row["problem"] for row in outcome["rows"] if row["outcome"] == "failed"]
    named = ("recording_is_readable: ", "words_are_in_order_and_inside: ")
    assert failed and [problem for problem in failed if not problem.startswith(named)] == []
    videos = query(settings, "SELECT * FROM videos")
    assert {v["video_id"]: v["status"] for v in videos if v["video_id"].startswith(("good", "robert"))} == {
        "good": "ok", "good-too": "ok", "robert-drop-table-videos": "ok"
    }  # fmt: skip
    # A name that begins with a dot is hidden; captions that do not fit hold their video back, and are named above.
    visible = [m for m in broken if is_media(m.ending) and not m.stem.startswith(b".")]
    held_back = [problem for problem in failed if problem.startswith("words_are_in_order_and_inside: ")]
    assert len(visible) > 15
    assert len(videos) == 3 + len(visible) - len(held_back)
    assert all(v["error"] for v in videos if v["status"] == "unreadable")
    assert {v["status"] for v in videos} >= {"ok", "unreadable"}
    assert query(settings, "SELECT count(*) AS n FROM tweets WHERE day = '2026-06-14'") == [{"n": 3}]
    heard = query(settings, "SELECT count(*) AS n FROM audio_features WHERE video_id IN ('good', 'good-too')")
    assert heard == [{"n": 12}]
    assert query(settings, "FROM quarantine WHERE reason IS NULL OR reason = ''") == []


@pytest.mark.parametrize("stem", HOSTILE_STEMS)
def test_a_hostile_name_becomes_an_id_that_can_only_be_a_name(stem: bytes) -> None:
    video_id = video_id_for(Path(os.fsdecode(stem + b".mp4")), set())
    assert video_id and all(c.isascii() and (c.isalnum() or c in "-_") for c in video_id)
    assert video_id[0].isalnum() and len(video_id) <= 100


def test_mutations_are_the_same_for_the_same_seed_and_others_for_another(tmp_path: Path) -> None:
    sources = text_sources(tmp_path, None)
    first, again = (list(mutations(sources, 150, seed=5)) for _ in range(2))
    assert first == again
    assert first != list(mutations(sources, 150, seed=6))
    changed = [m for m in first if m.content not in {source.content for source in sources}]
    assert len(changed) > 100
    assert len({m.file_name for m in first}) == 150


@pytest.mark.parametrize("what", sorted(set(CHANGES) - {"wrong extension", "doubled", "two days claimed"}))
def test_each_change_alters_a_recording(tmp_path: Path, what: str) -> None:
    content = write_wav(tmp_path / "a.wav", 2.0).read_bytes()
    rng = np.random.default_rng(0)
    assert any(CHANGES[what](content, rng) != content for _ in range(3))
