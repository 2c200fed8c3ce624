from __future__ import annotations

import csv
import io
import json
import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klip_assets.formats.screen import without_controls
from klip_assets.products.editing import EXPORTS
from klip_assets.products.editing.contributions import contributions
from klip_assets.products.editing.edl import edl
from klip_assets.products.editing.lists import CSV_COLUMNS, as_csv, as_json, as_markdown, as_srt
from klip_assets.products.editing.timecode import frame_rate

VIDEO: dict[str, Any] = {
    "video_id": "stream",
    "title": "My stream",
    "source_path": "june/My Stream.mp4",
    "fps": 29.97,
    "video_codec": "h264",
    "audio_codec": "aac",
    "channels": 2,
}

EVENT = re.compile(
    r"(\d{3})  AX       (A    |B    |V    |AA/V ) C        (\S{11}) (\S{11}) (\S{11}) (\S{11})", re.ASCII
)


def highlight(rank: int, start_s: float, end_s: float, **more: Any) -> dict[str, Any]:
    row = {"video_id": "stream", "rank": rank, "start_s": start_s, "end_s": end_s, "peak_s": start_s, "score": 0.5}
    said = {"dominant_emotion": "joy", "sentiment": 0.25, "why": "a raised voice", "text": "what a shot"}
    return {**row, **said, **more}


TWO = [highlight(1, 3601.3, 3630.1), highlight(2, 59.9, 84.1, sentiment=None, dominant_emotion=None)]

times = st.tuples(st.floats(0, 100_000), st.floats(1, 60)).map(lambda t: (t[0], t[0] + t[1]))


def test_an_edl_is_what_cmx_3600_says() -> None:
    assert edl(VIDEO, TWO) == (
        "TITLE: My stream\n"
        "FCM: DROP FRAME\n"
        "\n"
        "001  AX       AA/V  C        00:00:59;25 00:01:24;02 01:00:00;00 01:00:24;05\n"
        "* FROM CLIP NAME: My Stream.mp4\n"
        "* RANK 2, SCORE 0.500: a raised voice\n"
        "* FRAME RATE: 29.97\n"
        "\n"
        "002  AX       AA/V  C        01:00:01;09 01:00:30;02 01:00:24;05 01:00:52;28\n"
        "* FROM CLIP NAME: My Stream.mp4\n"
        "* RANK 1, SCORE 0.500: a raised voice\n"
    )


def test_source_times_count_from_the_start_timecode_and_record_times_from_one_hour() -> None:
    text = edl({**VIDEO, "start_timecode": "23:59:00;02"}, TWO)
    assert [event[2:] for event in EVENT.findall(text)] == [
        ("23:59:59;27", "00:00:24;02", "01:00:00;00", "01:00:24;05"),
        ("00:59:01;11", "00:59:30;04", "01:00:24;05", "01:00:52;28"),
    ]
    text = edl({**VIDEO, "start_timecode": "10:00:00:00"}, TWO)
    assert "FCM: NON-DROP FRAME" in text and EVENT.findall(text)[0][2:4] == ("10:00:59:25", "10:01:24:00")


def test_a_malformed_start_timecode_is_named_and_ignored_in_an_edl() -> None:
    text = edl({**VIDEO, "start_timecode": "10:00\n002  AX"}, TWO)
    assert "* START TIMECODE: '10:00\\n002 AX' is not a timecode: ignored, source times count from 00:00:00:00" in text
    assert EVENT.findall(text) == EVENT.findall(edl(VIDEO, TWO))


@given(st.lists(times, min_size=1, max_size=20), st.sampled_from([23.976, 24.0, 25.0, 29.97, 30.0, 50.0, 59.94, 60.0]))
def test_events_follow_one_another_and_are_as_long_as_their_source(spans: list[Any], fps: float) -> None:
    rows = [highlight(rank, start, end) for rank, (start, end) in enumerate(spans, start=1)]
    events = EVENT.findall(edl({**VIDEO, "fps": fps}, rows))
    rate = frame_rate(fps)
    frames = [tuple(rate.frame_of(label) for label in event[2:]) for event in events]
    assert [int(event[0]) for event in events] == list(range(1, len(spans) + 1))
    assert all(b - a == d - c > 0 for a, b, c, d in frames)
    assert frames[0][2] == rate.frame_of("01:00:00:00")
    assert all(before[3] == after[2] for before, after in pairwise(frames))
    assert sorted(frames) == frames or len({frame[0] for frame in frames}) < len(frames)


@pytest.mark.parametrize(
    ("changes", "channels", "said"),
    [
        ({"video_codec": None, "fps": None}, "A", "no picture: counted at 25 frames per second"),
        ({"audio_codec": None, "channels": None}, "V", "FRAME RATE: 29.97"),
        ({"channels": 1}, "B", "FRAME RATE: 29.97"),
        ({"fps": 57.3}, "AA/V", "counted by the clock at 57"),
    ],
)
def test_channels_and_rate_are_those_of_the_recording(changes: dict[str, Any], channels: str, said: str) -> None:
    text = edl({**VIDEO, **changes}, TWO)
    assert {event[1].strip() for event in EVENT.findall(text)} == {channels}
    assert said in text
    assert ("FCM: NON-DROP FRAME" in text) == ("fps" in changes)


def test_of_more_than_999_highlights_an_edl_holds_the_best() -> None:
    rows = [highlight(rank, 100_000 - 30.0 * rank, 100_010 - 30.0 * rank) for rank in range(1, 1201)]
    text = edl(VIDEO, rows)
    assert len(EVENT.findall(text)) == 999 and "* THE BEST 999 OF 1200" in text
    assert "* RANK 999," in text and "* RANK 1000," not in text


def test_line_ends_in_a_title_or_text_make_no_lines_of_an_edl() -> None:
    rows = [highlight(1, 1, 20, why="a\n002  AX       V     C        00:00:00:00")]
    text = edl({**VIDEO, "title": "two\nlines"}, rows)
    assert "TITLE: two lines\n" in text and len(EVENT.findall(text)) == 1


@given(st.lists(st.tuples(times, st.text() | st.from_regex("[-=+@].*"), st.text()), max_size=8))
def test_csv_gives_back_every_value_and_text(entries: list[Any]) -> None:
    rows = [highlight(n, *span, why=why, text=text) for n, (span, why, text) in enumerate(entries, start=1)]
    read = list(csv.DictReader(io.StringIO(as_csv(VIDEO, rows), newline="")))
    for found, row in zip(read, rows, strict=True):
        assert (float(found["start_s"]), float(found["end_s"])) == (row["start_s"], row["end_s"])
        for name in ("why", "text"):
            meant = without_controls(row[name])
            assert found[name] == (f"'{meant}" if re.match(r"\s*[=+\-@＝＋－＠]", meant) else meant)


def test_csv_has_the_columns_it_promises_and_leaves_unknown_values_empty() -> None:
    lines = as_csv(VIDEO, TWO).splitlines()
    assert lines[0] == "rank,start_s,end_s,start,end,score,emotion,sentiment,why,text" == ",".join(CSV_COLUMNS)
    assert lines[1] == "1,3601.3,3630.1,01:00:01.300,01:00:30.100,0.5,joy,0.25,a raised voice,what a shot"
    assert lines[2] == "2,59.9,84.1,00:00:59.900,00:01:24.100,0.5,,,a raised voice,what a shot"


def test_subtitles_are_in_the_order_of_time() -> None:
    assert as_srt(VIDEO, TWO) == (
        "1\n00:00:59,900 --> 00:01:24,100\n#2 a raised voice\nwhat a shot\n\n"
        "2\n01:00:01,300 --> 01:00:30,100\n#1 a raised voice\nwhat a shot\n"
    )


@given(st.lists(st.tuples(times, st.text(), st.text()), min_size=1, max_size=8))
def test_no_text_breaks_a_cue(entries: list[Any]) -> None:
    rows = [highlight(n, *span, why=why, text=text) for n, (span, why, text) in enumerate(entries, start=1)]
    cues = as_srt(VIDEO, rows).removesuffix("\n").split("\n\n")
    assert len(cues) == len(rows)
    for number, cue in enumerate(cues, start=1):
        assert re.match(rf"{number}\n[\d:,]+ --> [\d:,]+\n#\d+ ", cue) and cue.count("-->") == 1


def test_json_is_the_rows_of_the_table() -> None:
    assert json.loads(as_json(VIDEO, TWO)) == TWO


@given(st.lists(st.tuples(times, st.text() | st.from_regex("[-=+@].*"), st.text()), max_size=8))
def test_every_highlight_is_one_row_of_the_markdown_table(entries: list[Any]) -> None:
    rows = [highlight(n, *span, why=why, text=text) for n, (span, why, text) in enumerate(entries, start=1)]
    lines = as_markdown(VIDEO, rows).removesuffix("\n").split("\n")
    assert len(lines) == len(rows) + 2
    assert {len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in lines} == {8}


def test_every_format_is_made_of_the_same_rows() -> None:
    assert all("a raised voice" in export.write(VIDEO, TWO) for export in EXPORTS)


WEIGHTS = {"a_term": 0.15, "b_term": 0.10, "c_term": 0.25, "model_score": 0.5}


def test_shares_add_up_to_the_base_score_of_the_terms_that_are_known() -> None:
    row = {"a_term": 0.4, "b_term": None, "c_term": 0.8, "model_score": 0.9}
    found = contributions(row, WEIGHTS)
    assert [c.term for c in found] == ["c_term", "a_term", "b_term"]
    assert sum(c.share or 0 for c in found) == pytest.approx((0.15 * 0.4 + 0.25 * 0.8) / 0.40)
    assert (found[2].value, found[2].share, found[2].weight) == (None, None, 0.10)


def test_without_any_term_nothing_is_shared() -> None:
    assert [c.share for c in contributions({"model_score": 0.9}, WEIGHTS)] == [None, None, None]
