"""Where a message lies in the video: units that only the whole log shows, and times of day."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from klip_assets.errors import UnreadableSidecarError
from klip_assets.media.sidecar_clock import Place
from klip_assets.signals.chat.readers import read_chat

Drop = Callable[..., Path]

START = datetime(2026, 6, 13, 18, 0, 0)
UNIX = int(START.replace(tzinfo=UTC).timestamp())


def offsets(path: Path, started_at: datetime | None = None, duration_s: float | None = None) -> list[float]:
    place = Place(duration_s)
    found: list[float] = read_chat(path, "v", started_at, place=place).messages["offset_s"].to_pylist()
    return found


def log(name: str, times: Sequence[object]) -> str:
    return f"{name},user,text\n" + "".join(f"{time},ann,hi\n" for time in times)


@pytest.mark.parametrize("name", ["offset_ms", "videoOffsetTimeMsec", "Time (ms)", "video_offset_milliseconds"])
def test_a_name_that_says_milliseconds_is_believed_also_of_a_few_seconds(drop: Drop, name: str) -> None:
    assert offsets(drop(log(name, [1500, 250, -40]))) == [-0.04, 0.25, 1.5]


@pytest.mark.parametrize("name", ["offset_s", "time_in_seconds", "Offset Seconds"])
def test_a_name_that_says_seconds_is_believed_also_of_days(drop: Drop, name: str) -> None:
    assert offsets(drop(log(name, [400_000, 500_000]))) == [400_000.0, 500_000.0]


def test_numbers_without_a_unit_are_of_one_unit_in_the_whole_log(drop: Drop) -> None:
    milliseconds = [n * 60_000 + 7 for n in range(60)]
    assert offsets(drop(log("time", milliseconds))) == [n * 60 + 0.007 for n in range(60)]
    assert offsets(drop(log("time", [n * 60 for n in range(60)]))) == [n * 60.0 for n in range(60)]
    assert offsets(drop(log("time", [5000, 61_000, 290_000])), duration_s=300.0) == [5.0, 61.0, 290.0]
    assert offsets(drop(log("time", [5000, 61_000, 290_000]))) == [5000.0, 61_000.0, 290_000.0]


def test_clocks_between_milliseconds_stay_what_they_say(drop: Drop) -> None:
    assert offsets(drop(log("time", [600_000, "0:02:00", 1_200_000, 1_800_000]))) == [120.0, 600.0, 1200.0, 1800.0]


def test_a_number_that_is_not_a_place_in_a_video_is_refused_once_the_unit_is_known(drop: Drop) -> None:
    chat = read_chat(drop(log("time", [*range(0, 500, 10), 2_000_000, 900_000_000])), "v")
    assert chat.messages.num_rows == 50
    assert [(entry.position, entry.reason) for entry in chat.refused] == [
        ("row 52", "the time is not a position in a video"), ("row 53", "the time is not a position in a video"),
    ]  # fmt: skip
    with pytest.raises(UnreadableSidecarError, match=r"none of its 1 messages can be used; the first \(row 2\)"):
        read_chat(drop(log("time", [2_000_000.5])), "v")


@pytest.mark.parametrize(
    "times",
    [
        [UNIX + 5, UNIX + 60],
        [(UNIX + 5) * 1000, (UNIX + 60) * 1000],
        [(UNIX + 5) * 10**6, (UNIX + 60) * 10**6],
        ["2026-06-13T18:00:05Z", "2026-06-13T20:01:00+02:00"],
        ["2026-06-13 18:00:05", "2026-06-13 18:01"],
        [UNIX + 5, "2026-06-13T18:01:00Z"],
    ],
    ids=["seconds", "milliseconds", "microseconds", "zones", "no zone", "mixed"],
)
@pytest.mark.parametrize("name", ["timestamp", "time", "created_at"])
def test_times_of_day_are_placed_by_when_the_video_began(drop: Drop, name: str, times: list[object]) -> None:
    lines = "".join(json.dumps({name: time, "user": "ann", "text": "hi"}) + "\n" for time in times)
    for path in (drop(log(name, times)), drop(lines, "b.jsonl")):
        assert offsets(path, START) == [5.0, 60.0]
        assert offsets(path, START.replace(tzinfo=timezone(timedelta(hours=-1)))) == [5.0 - 3600, 60.0 - 3600]


def test_without_a_start_the_error_says_what_to_do(drop: Drop) -> None:
    with pytest.raises(UnreadableSidecarError) as error:
        read_chat(drop(log("created_at", [UNIX, UNIX + 1])), "v")
    for word in ("talk.chat.json: its 2 messages", ".info.json", "release_timestamp", "column offset_s"):
        assert word in str(error.value)


def test_among_places_a_time_of_day_is_placed_or_refused_alone(drop: Drop) -> None:
    path = drop(log("time", [10, UNIX + 5, "0:20"]))
    assert offsets(path, START) == [5.0, 10.0, 20.0]
    chat = read_chat(path, "v")
    assert chat.messages["offset_s"].to_pylist() == [10.0, 20.0]
    assert [(entry.position, entry.reason) for entry in chat.refused] == [
        ("row 3", "has only a time of day, and the start time of the video is unknown")
    ]


def test_a_message_of_another_month_is_refused(drop: Drop) -> None:
    chat = read_chat(drop(log("created_at", [UNIX + 5, UNIX - 86_400 * 40])), "v", START)
    assert chat.messages.num_rows == 1
    assert [(entry.reason, entry.detail) for entry in chat.refused] == [
        ("not sent at the time of the video", "40.0 days before it began")
    ]


def test_a_chat_of_another_day_is_not_taken_for_that_of_the_video(drop: Drop) -> None:
    path = drop(log("created_at", [UNIX + 86_400, UNIX + 86_460]))
    chat = read_chat(path, "v", START, place=Place(7200.0))
    assert chat.placed.is_elsewhere and offsets(path, START, 7200.0) == [86_400.0, 86_460.0]
    assert [(entry.position, entry.reason) for entry in chat.refused] == [("file", "outside the recording")]
    for word in ("not one of 2 messages falls into the video", "another video", "start time in .info.json wrong?"):
        assert word in chat.refused[0].detail
    # Where its length is not known, nothing speaks against it.
    assert offsets(path, START) == [86_400.0, 86_460.0]
    half = read_chat(drop(log("created_at", [UNIX + 60, UNIX + 86_460])), "v", START, place=Place(7200.0))
    assert half.messages["offset_s"].to_pylist() == [60.0, 86_460.0] and half.placed.inside == 1
    assert [(entry.reason, entry.detail) for entry in half.refused] == [
        ("after the end of the recording", "1 of 2 messages, the last at 86460.0 s; it ends at 7200.0 s")
    ]


def test_many_messages_that_cannot_be_placed_are_counted_and_listed_up_to_a_limit(
    drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from klip_assets.signals.chat.readers import log as limits

    monkeypatch.setattr(limits, "MAX_REFUSED", 10)
    chat = read_chat(drop(log("time", [*range(100), *[5_000_000 + n for n in range(11)], UNIX])), "v")
    assert chat.messages.num_rows == 100
    assert len(chat.refused) == 10
    assert chat.refused[-1].position == "rest" and chat.refused[-1].detail == "3 more"
