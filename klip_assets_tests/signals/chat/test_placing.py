"""Where a chat lies in a recording: at its place in the video, moved to a section's clock, or not used."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from klip_assets.errors import OtherClockError
from klip_assets.media.sidecar_clock import Place
from klip_assets.signals.chat.readers import Chat, read_chat

Drop = Callable[..., Path]


def rows(*times: float) -> str:
    return "offset_s,user,text\n" + "".join(f"{time},ann,{time:.3f}\n" for time in times)


def youtube(*times: float) -> str:
    def entry(time: float) -> str:
        said = {"message": {"runs": [{"text": f"{time:.3f}"}]}, "authorName": {"simpleText": "ann"}}
        action = {"addChatItemAction": {"item": {"liveChatTextMessageRenderer": said}}}
        return json.dumps(
            {"replayChatItemAction": {"actions": [action], "videoOffsetTimeMsec": str(round(time * 1000))}}
        )

    return "\n".join(map(entry, times)) + "\n"


def comments(*times: float) -> list[dict[str, object]]:
    return [{"content_offset_seconds": time, "message": {"body": f"{time:.3f}"}} for time in times]


def downloaded(times: list[float], start: float, end: float, *, video_first: bool = True) -> str:
    """Return a chat as TwitchDownloader writes it for a part of a stream."""
    said, video = comments(*times), {"title": "t", "start": start, "end": end}
    ordered = {"video": video, "comments": said} if video_first else {"comments": said, "video": video}
    return json.dumps({"streamer": {"name": "s"}, **ordered, "embeddedData": {"thirdParty": []}})


def offsets(chat: Chat) -> list[float]:
    found: list[float] = chat.messages["offset_s"].to_pylist()
    return found


def outside(chat: Chat) -> list[tuple[str, str]]:
    return [(entry.reason, entry.detail) for entry in chat.refused]


def elsewhere(chat: Chat) -> str:
    """Return the sentence about a chat of which nothing lies in the recording."""
    assert chat.placed.is_elsewhere and chat.placed.inside == 0
    ((reason, detail),) = outside(chat)
    assert reason == "outside the recording"
    return detail


def test_messages_before_and_after_the_recording_are_kept_and_counted(drop: Drop) -> None:
    chat = read_chat(drop(rows(-600, -5, 0, 30, 59.9, 60, 60.5, 400)), "v", place=Place(60.0))
    assert offsets(chat) == [-600.0, -5.0, 0.0, 30.0, 59.9, 60.0, 60.5, 400.0]
    assert chat.messages["message_index"].to_pylist() == list(range(8))
    assert outside(chat) == [
        ("before the start of the recording", "2 of 8 messages, the first at -600.0 s"),
        ("after the end of the recording", "3 of 8 messages, the last at 400.0 s; it ends at 60.0 s"),
    ]
    assert (chat.placed.shift_s, chat.placed.inside, chat.placed.goes_on_s) == (0.0, 3, 340.0)


def test_a_chat_that_waits_long_for_a_short_stream_is_its_chat(drop: Drop) -> None:
    chat = read_chat(drop(rows(*range(-900, 0), 10, 20)), "v", place=Place(60.0))
    assert offsets(chat)[-2:] == [10.0, 20.0] and chat.placed.inside == 2
    chat = read_chat(drop(rows(*range(-900, 0))), "v", place=Place(60.0))
    assert elsewhere(chat) == (
        "not one of 900 messages falls into the video: sent at -900.0 to -1.0 s, it ends at 60.0 s"
    )
    assert elsewhere(read_chat(drop(rows(700)), "v", place=Place(60.0))).startswith("its only message does not fall")


def test_a_chat_that_mostly_lies_behind_the_end_counts_as_far_as_it_lies_inside(drop: Drop) -> None:
    chat = read_chat(drop(rows(10, 20, 600, 601, 602)), "v", place=Place(60.0))
    assert offsets(chat) == [10.0, 20.0, 600.0, 601.0, 602.0] and chat.placed.inside == 2
    assert outside(chat) == [
        ("after the end of the recording", "3 of 5 messages, the last at 602.0 s; it ends at 60.0 s")
    ]
    # Within the tolerance of lengths, an end is not another clock.
    chat = read_chat(drop(rows(61.5, 61.6, 61.7)), "v", place=Place(60.0))
    assert chat.placed.inside == 0 and not chat.placed.is_elsewhere


@pytest.mark.parametrize("write", [rows, youtube], ids=["plain", "yt-dlp"])
def test_the_chat_of_a_whole_stream_is_moved_to_the_section_that_was_downloaded(
    drop: Drop, write: Callable[..., str]
) -> None:
    chat = read_chat(drop(write(*range(0, 10_800, 10))), "v", place=Place(60.0, 3600.0))
    placed = dict(zip(offsets(chat), chat.messages["text"].to_pylist(), strict=True))
    assert [at for at in placed if 0 <= at < 60] == [0.0, 10.0, 20.0, 30.0, 40.0, 50.0]
    assert (placed[0.0], placed[-3600.0]) == ("3600.000", "0.000")
    detail = "1,074 of 1,080 messages; it is 3600.0 to 3660.0 s of it"
    assert outside(chat) == [("outside this section of the stream", detail)]
    assert (chat.placed.shift_s, chat.placed.inside, chat.placed.goes_on_s) == (3600.0, 6, 0.0)


def test_a_plain_log_that_was_cut_to_the_section_already_is_not_moved(drop: Drop) -> None:
    assert offsets(read_chat(drop(rows(5, 50)), "v", place=Place(60.0, 3600.0))) == [5.0, 50.0]


def test_a_log_of_a_program_that_counts_from_the_stream_is_moved_also_if_it_would_fit_unmoved(drop: Drop) -> None:
    """A section that begins at 10 s: everything would also lie inside the recording, ten seconds off."""
    place = Place(60.0, 10.0)
    assert offsets(read_chat(drop(youtube(5, 12, 60)), "v", place=place)) == [-5.0, 2.0, 50.0]
    assert offsets(read_chat(drop(comments(5, 12, 60)), "v", place=place)) == [-5.0, 2.0, 50.0]
    assert elsewhere(read_chat(drop(youtube(2, 5)), "v", place=place))


def test_times_of_day_are_those_of_the_stream_also_beside_a_section(drop: Drop) -> None:
    from datetime import datetime

    log = "created_at,user,text\n2026-06-13T19:00:05Z,ann,a\n2026-06-13T18:00:05Z,ann,b\n"
    chat = read_chat(drop(log), "v", datetime(2026, 6, 13, 18), place=Place(60.0, 3600.0))
    assert offsets(chat) == [-3595.0, 5.0] and chat.messages["text"].to_pylist() == ["b", "a"]


@pytest.mark.parametrize("video_first", [True, False], ids=["before the comments", "behind them"])
def test_a_part_of_a_chat_that_says_so_is_moved_beside_the_same_part_of_the_video(
    drop: Drop, video_first: bool
) -> None:
    log = drop(downloaded([605, 630, 658], 600, 660, video_first=video_first))
    assert offsets(read_chat(log, "v", place=Place(61.0))) == [5.0, 30.0, 58.0]
    # Beside the whole stream, its messages are where they say; and of a section, the section says more.
    assert offsets(read_chat(log, "v", place=Place(7200.0))) == [605.0, 630.0, 658.0]
    assert offsets(read_chat(log, "v", place=Place(900.0, 500.0))) == [105.0, 130.0, 158.0]
    with pytest.raises(OtherClockError, match=r"from 600\.0 to 660\.0 s of a stream, and the recording, 640\.0 s long"):
        read_chat(log, "v", place=Place(640.0))


@pytest.mark.parametrize(
    "video", [None, 5, {}, {"start": "600", "end": 660}, {"start": True, "end": 9}, {"start": 9, "end": 1e300}]
)
def test_a_crop_that_makes_no_sense_is_none(drop: Drop, video: object) -> None:
    log = drop({"video": video, "comments": comments(5, 50)})
    assert offsets(read_chat(log, "v", place=Place(60.0))) == [5.0, 50.0]


def test_what_follows_the_comments_may_be_cut_off(drop: Drop) -> None:
    whole = downloaded([5, 50], 0, 60, video_first=False)
    for end in ('"video"', '"title"', '"embeddedData"', "}"):
        chat = read_chat(drop(whole[: whole.rindex(end)]), "v", place=Place(60.0))
        assert offsets(chat) == [5.0, 50.0] and chat.refused == []


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    times=st.lists(st.integers(-1_000_000, 20_000_000).map(lambda ms: ms / 1000), min_size=1, max_size=30),
    end_s=st.integers(1, 10_000).map(float),
    section_s=st.one_of(st.just(0.0), st.integers(1, 10_000_000).map(lambda ms: ms / 1000)),
    write=st.sampled_from([rows, youtube]),
)
def test_every_message_is_at_its_second_or_counted(
    drop: Drop, times: list[float], end_s: float, section_s: float, write: Callable[..., str]
) -> None:
    if write is youtube:
        times = [abs(time) for time in times]  # YouTube gives no milliseconds before the start.
    place = Place(end_s, section_s)
    chat = read_chat(drop(write(*times)), "v", place=place)
    placed, found = chat.placed, np.array(offsets(chat))
    assert placed.shift_s in (0.0, section_s)
    assert found == pytest.approx(sorted(time - placed.shift_s for time in times), abs=1e-6)
    said = [float(text) for text in chat.messages["text"].to_pylist()]
    assert np.allclose(np.subtract(said, found), placed.shift_s, rtol=1e-5, atol=0.01)
    if placed.is_elsewhere:
        assert not any(0 <= round(time - section_s, 6) < end_s for time in times)
        assert elsewhere(chat)
        return
    assert placed.inside == np.count_nonzero((found >= 0) & (found < end_s))
    counted = sum(int(entry.detail.split()[0].replace(",", "")) for entry in chat.refused)
    assert counted == len(times) - placed.inside
