from __future__ import annotations

import csv
import io
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import duckdb
import pytest
from click.testing import CliRunner, Result

from klip_assets.cli import main
from klip_assets.products.editing.timecode import source_clock
from klip_assets.settings import Settings
from klip_assets.store.lake.lake import Lake
from klip_assets_tests.media.clocked import write_timecoded
from klip_assets_tests.processed import due, process, query


def klip(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], prog_name="klip")


def error_of(result: Result) -> str:
    assert result.exit_code == 1, (result.exit_code, result.output)
    assert result.output.startswith("Error: ") and len(result.output.splitlines()) == 1, result.output
    return result.output


def rows_of(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return list(json.loads(result.stdout))


def best_first(settings: Settings) -> list[dict[str, Any]]:
    """The published highlights of the stream."""
    return query(settings, "SELECT * FROM highlights ORDER BY rank")


@pytest.fixture
def ranked(published_to_read: Settings) -> list[dict[str, Any]]:
    """The published highlights of the stream, best first, for tests that change nothing."""
    return best_first(published_to_read)


@pytest.mark.parametrize("form", ["csv", "edl", "srt", "json", "md"])
def test_a_list_goes_to_the_terminal_or_to_a_file_that_is_never_overwritten(
    published_to_read: Settings, tmp_path: Path, form: str
) -> None:
    shown = klip("highlights", "stream", "--export", form)
    assert shown.exit_code == 0 and "what a shot" in shown.stdout
    file = tmp_path / f"list.{form}"
    written = klip("highlights", "stream", "--export", form, "--output", file)
    assert written.exit_code == 0 and written.stdout == ""
    assert file.read_bytes() == shown.stdout_bytes
    file.write_text("mine")
    assert "exists (--force overwrites it)" in error_of(
        klip("highlights", "stream", "--export", form, "--output", file)
    )
    assert file.read_text() == "mine"
    assert klip("highlights", "stream", "--export", form, "--output", file, "--force").exit_code == 0
    assert file.read_bytes() == shown.stdout_bytes
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_all_highlights_are_exported_unless_top_says_how_many(ranked: list[dict[str, Any]]) -> None:
    rows = list(csv.DictReader(io.StringIO(klip("highlights", "stream", "--export", "csv").stdout)))
    assert [int(row["rank"]) for row in rows] == [row["rank"] for row in ranked]
    assert [float(row["start_s"]) for row in rows] == [row["start_s"] for row in ranked]
    best = json.loads(klip("highlights", "stream", "--export", "json", "--top", "1").stdout)
    assert [row["highlight_id"] for row in best] == [ranked[0]["highlight_id"]]


def test_a_recording_of_sound_alone_is_cut_on_an_audio_channel(ranked: list[dict[str, Any]]) -> None:
    text = klip("highlights", "stream", "--export", "edl").stdout
    assert (
        "001  AX       A     C " in text and "25 frames per second" in text and "* FROM CLIP NAME: stream.wav" in text
    )


@pytest.mark.slow
def test_source_timecodes_count_from_that_of_the_recording_also_once_it_is_gone(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = settings.vod_inbox / "camera.mov"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_timecoded(path, "10:00:00;02", 30.0)
    assert process(settings).ok
    rows = best_first(settings)
    clock = source_clock(30_000 / 1001, "10:00:00;02")
    shown = klip("highlights", "camera", "--export", "edl").stdout
    for row in rows:
        times = (clock.label(clock.rate.frame_at(row[name])) for name in ("start_s", "end_s"))
        assert f" {' '.join(times)} 01:00:" in shown
    assert rows and "FCM: DROP FRAME" in shown and " 10:00:" in shown
    path.rename(path.with_suffix(".away"))
    assert klip("highlights", "camera", "--export", "edl").stdout == shown
    # An older Klip did not record it: it is read from the recording, and without that times count from 0.
    provenance = Lake.provenance

    def older(lake: Lake, *named: Any) -> Any:
        record = provenance(lake, *named)
        kept = {name: value for name, value in record.notes.items() if name != "timecode"} if record else {}
        return record and replace(record, notes=kept)

    monkeypatch.setattr(Lake, "provenance", older)
    assert " 00:00:" in klip("highlights", "camera", "--export", "edl").stdout
    path.with_suffix(".away").rename(path)
    assert klip("highlights", "camera", "--export", "edl").stdout == shown


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("highlights", "--export", "csv"), "--export requires a VIDEO."),
        (("highlights", "--rejected"), "--rejected requires a VIDEO."),
        (("highlights", "stream", "--why", "--rejected"), "--why and --rejected can't be combined."),
        (("highlights", "stream", "--export", "csv", "--json"), "use --export json"),
        (("highlights", "stream", "--output", "x"), "--output and --force require --export."),
        (("highlights", "stream", "--export", "xml"), "'xml' is not one of"),
        (("highlights", "nope", "--export", "csv"), "no video 'nope' is published"),
        (("clip", "stream"), "Name one or more RANKs, or --all."),
        (("clip", "stream", "1", "--all"), "Name one or more RANKs, or --all."),
        (("clip", "stream", "0"), "0 is not in the range x>=1."),
        (("clip", "stream", "1", "98", "99"), "stream has no highlight 98, 99 (its ranks are 1 to "),
        (("clip", "nope", "1"), "no video 'nope' is published"),
        (("rate", "stream", "99", "good"), "stream has no highlight 99"),
        (("rate", "stream", "1", "fine"), "'fine' is not one of 'good', 'bad'."),
    ],
)
def test_a_wrong_word_is_one_clear_line(published_to_read: Settings, words: tuple[str, ...], message: str) -> None:
    assert message in error_of(klip(*words))


def test_why_shows_each_term_and_what_it_adds_to_the_base_score(ranked: list[dict[str, Any]]) -> None:
    result = klip("highlights", "stream", "--why", "--top", "1")
    assert result.exit_code == 0
    best = ranked[0]
    assert best["why"] in " ".join(result.stdout.split())
    assert f"base {best['base_score']:.3f}" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 140
    terms = rows_of(klip("highlights", "stream", "--why", "--top", "1", "--json"))[0]["terms"]
    assert sum(term["share"] or 0 for term in terms) == pytest.approx(best["base_score"])
    for term in terms:
        assert term["value"] == best[term["term"]]
        assert term["term"].removesuffix("_term").replace("_", " ") in result.stdout


def test_why_of_all_videos_names_each(published_to_read: Settings) -> None:
    assert "stream  1  0:00:4" in klip("highlights", "--why").stdout


def test_rejected_shows_the_near_misses_best_first_and_what_beat_them(published: Settings) -> None:
    ranked = best_first(published)
    found = query(published, "SELECT * FROM highlight_candidates ORDER BY candidate_index")
    winner = next(row for row in found if row["peak_s"] == ranked[0]["peak_s"])
    # The stream has no peak within reach of another: one is written beside its highlight.
    near = {
        **winner,
        "candidate_index": len(found),
        "peak_s": winner["peak_s"] + 9,
        "kept": False,
        "reason": "in reach",
    }
    near |= {"score": winner["score"] - 1e-6, "beaten_by": winner["candidate_index"]}
    file = published.warehouse_path.resolve()
    file.chmod(0o644)
    with duckdb.connect(str(file)) as connection:
        marks = ", ".join("?" for _ in near)
        connection.execute(
            f"INSERT INTO highlight_candidates ({', '.join(near)}) VALUES ({marks})", list(near.values())
        )
    rows = rows_of(klip("highlights", "stream", "--rejected", "--json"))
    missed = sorted((row["score"] for row in [*found, near] if not row["kept"]), reverse=True)
    assert [row["score"] for row in rows] == missed and len(missed) > 1
    assert (rows[0]["beaten_by_peak_s"], rows[0]["beaten_by_rank"]) == (winner["peak_s"], 1)
    assert {row["beaten_by_rank"] for row in rows[1:]} == {None}
    shown = klip("highlights", "stream", "--rejected").stdout.splitlines()
    assert len(shown) == len(rows) + 1 and "(rank 1)" in shown[1] and "in reach" in shown[1]
    assert "below the threshold" in shown[2]
    assert len(rows_of(klip("highlights", "stream", "--rejected", "--top", "1", "--json"))) == 1


def test_clips_are_cut_named_and_listed(ranked: list[dict[str, Any]], tmp_path: Path) -> None:
    out = tmp_path / "clips"
    made = rows_of(klip("clip", "stream", "--all", "--output", out, "--json"))
    assert [row["rank"] for row in made] == [row["rank"] for row in ranked]
    assert sorted(path.name for path in out.iterdir()) == sorted(Path(row["clip"]).name for row in made)
    for row, highlight in zip(made, ranked, strict=True):
        start = int(highlight["start_s"])
        assert Path(row["clip"]).name == f"stream-{highlight['rank']:02d}-0h{start // 60:02d}m{start % 60:02d}s.wav"
        with av.open(row["clip"]) as opened:
            assert (opened.duration or 0) / av.time_base == pytest.approx(highlight["end_s"] - row["start_s"], abs=0.3)
    again = klip("clip", "stream", "1", "--output", out)
    assert again.exit_code == 1 and "exists (--force overwrites)" in " ".join(again.stderr.split())
    shown = klip("clip", "stream", "1", "1", "--output", out, "--force")
    assert shown.exit_code == 0 and shown.stdout.count("stream-01-") == 1
    exact = rows_of(klip("clip", "stream", "1", "--output", out, "--exact", "--json"))
    assert exact[0]["clip"].endswith(".m4a") and exact[0]["start_s"] == ranked[0]["start_s"]


def test_a_clip_that_fails_does_not_stop_the_others(
    ranked: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first = Path(rows_of(klip("clip", "stream", "1", "--json"))[0]["clip"])
    first.write_text("mine")
    result = klip("clip", "stream", "--all", "--json")
    assert result.exit_code == 1 and "failed" in result.stderr and first.name in " ".join(result.stderr.split())
    assert [row["rank"] for row in json.loads(result.stdout)] == [row["rank"] for row in ranked][1:]
    assert first.read_text() == "mine"


def test_a_recording_that_moved_is_a_clear_error(published: Settings, tmp_path: Path) -> None:
    (published.vod_inbox / "stream.wav").rename(tmp_path / "stream.wav")
    assert "the recording of stream is not in the inbox: stream.wav (put it back" in error_of(
        klip("clip", "stream", "1")
    )


def test_a_recording_that_changed_is_a_clear_error_and_one_that_was_touched_is_not(
    published: Settings, tmp_path: Path
) -> None:
    path = published.vod_inbox / "stream.wav"
    os.utime(path, (1, 1))
    assert klip("clip", "stream", "1", "--output", tmp_path).exit_code == 0
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    said = error_of(klip("clip", "stream", "1", "--output", tmp_path, "--force"))
    assert "stream.wav has changed since its highlights were published (run klip process stream first)" in said


def test_an_unchanged_recording_is_not_read_whole_to_know_that(
    published: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from klip_assets.work import recording_file

    hashed: list[Path] = []

    def note(path: Path) -> str:
        hashed.append(path)
        return "other"

    monkeypatch.setattr(recording_file, "file_sha256", note)
    assert klip("clip", "stream", "1", "--output", tmp_path).exit_code == 0 and not hashed
    os.utime(published.vod_inbox / "stream.wav", (1, 1))
    assert klip("clip", "stream", "1", "--output", tmp_path, "--force").exit_code == 1 and len(hashed) == 1


def test_a_verdict_is_added_and_published_and_the_latest_counts(published: Settings) -> None:
    ranked = best_first(published)
    said = klip("rate", "stream", "1", "good")
    assert said.exit_code == 0 and "highlight 1 of stream" in said.stdout and "is good." in said.stdout
    second = rows_of(klip("rate", "stream", "1", "bad", "--json"))[0]
    assert due(published)
    process(published)
    found = query(published, "SELECT * FROM feedback ORDER BY given_at")
    assert [row["verdict"] for row in found] == ["good", "bad"]
    assert found[1]["feedback_id"] == second["feedback_id"] != found[0]["feedback_id"]
    for name in ("video_id", "highlight_id", "start_s", "end_s", "weights_version"):
        assert {row[name] for row in found} == {ranked[0][name]}


def test_help_names_the_commands_of_editors() -> None:
    shown = klip("--help").output
    assert "\n  clip " in shown and "\n  rate " in shown
