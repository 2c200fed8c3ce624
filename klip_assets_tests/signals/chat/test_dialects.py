"""Chats in other dialects: nested authors, emotes spelled out, lines of text, messages that come again."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klip_assets.errors import UnreadableSidecarError
from klip_assets.formats.text import BrokenRecord
from klip_assets.media.sidecar_clock import Place
from klip_assets.signals.chat.readers import Chat, read_chat
from klip_assets.signals.chat.readers.lines import is_log, read_lines
from klip_assets.signals.chat.readers.log import Message
from klip_assets.signals.chat.values import name_of, spelled_out

Drop = Callable[..., Path]
START = datetime(2026, 6, 13, 18)


def said(chat: Chat) -> list[tuple[float, str | None, str]]:
    return [(row["offset_s"], row["author"], row["text"]) for row in chat.messages.to_pylist()]


@pytest.mark.parametrize(
    "holder",
    [
        {"user": {"login": "ann"}}, {"author": {"username": "ann"}}, {"chatter": {"userName": "ann"}},
        {"userInfo": {"displayName": "ann"}}, {"from": {"name": "ann"}}, {"author": {"nickname": "ann"}},
        {"sender": {"identity": {"username": "ann"}}}, {"member": {"nick": "ann"}}, {"nickname": "ann"},
        {"sender_name": "ann"}, {"profile": {"user": {"screen_name": "ann"}}},
    ],
)  # fmt: skip
def test_an_author_is_found_under_every_name_and_inside_objects(drop: Drop, holder: dict[str, object]) -> None:
    assert said(read_chat(drop([{"offset_s": 5, "text": "hi", **holder}]), "v")) == [(5.0, "ann", "hi")]


def test_an_author_described_in_circles_is_none() -> None:
    nested: object = {"name": "ann"}
    for _ in range(500):
        nested = {"user": nested}
    assert name_of(nested) is None


def test_emotes_that_are_written_as_codes_are_named_by_the_text(drop: Drop) -> None:
    assert spelled_out("nice [emote:37226:KEKW] one") == ("nice KEKW one", ["KEKW"])
    assert spelled_out("[emote:1:a][emote:1:a]") == ("a a", ["a", "a"])
    assert spelled_out("[emote:x:KEKW] [emote:1:]") == ("[emote:x:KEKW] [emote:1:]", [])
    log = [{"created_at": "2026-06-13T18:00:05Z", "content": "[emote:1:kkHuh] ok", "sender": {"username": "otto"}}]
    for document in (log, {"data": {"messages": log}}, {"messages": log}):
        (row,) = read_chat(drop(document), "v", START).messages.to_pylist()
        assert (row["offset_s"], row["author"], row["text"], row["emotes"]) == (5.0, "otto", "kkHuh ok", ["kkHuh"])


def test_a_message_that_is_delivered_again_counts_once(drop: Drop) -> None:
    lines = [json.dumps({"message_id": n, "offset_s": 5, "text": "LUL", "user": "ann"}) for n in (1, 1, 1, 2)]
    chat = read_chat(drop("\n".join(lines), "talk.chat.jsonl"), "v")
    assert chat.messages.num_rows == 2 and chat.passed_over == {"delivered again": 2}


def test_equal_words_are_different_messages_unless_an_id_says_otherwise(drop: Drop) -> None:
    assert read_chat(drop("offset_s,user,text\n5,ann,LUL\n5,ann,LUL\n"), "v").messages.num_rows == 2
    # The id in a table may be that of the person.
    assert read_chat(drop("id,offset_s,user,text\n7,5,ann,LUL\n7,9,ann,LUL\n"), "v").messages.num_rows == 2
    comment = {"_id": "", "content_offset_seconds": 5, "message": {"body": "hi"}}
    assert read_chat(drop({"comments": [comment, comment]}), "v").messages.num_rows == 2


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "\ufeffsep=;", "SEP=;\r"])
def test_a_line_that_states_the_delimiter_is_no_header(drop: Drop, first: str) -> None:
    chat = read_chat(drop(f"{first}\noffset_s;user;text\n5;ann;a,b\n6;bob\n".encode()), "v")
    assert said(chat) == [(5.0, "ann", "a,b")]
    assert [entry.position for entry in chat.refused] == ["row 4"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[0:01:05] Ann: hello", (65.0, "Ann", "hello")), ("[0:01:05] <Ann> hello: you", (65.0, "Ann", "hello: you")),
        ("0:05 | (Moderator) Ann: hi", (5.0, "Ann", "hi")), ("0:05\tAnn\thi\tthere", (5.0, "Ann", "hi\tthere")),
        ("00:01:05 <@Ann> a|b", (65.0, "Ann", "a|b")), ("(0:05) Ann B.: hi", (5.0, "Ann B.", "hi")),
        ("[5.5] Ann:   hi", (5.5, "Ann", "hi")), ("6:00:05 PM <ann> hi", (5.0, "ann", "hi")),
        ("[2026-06-13 18:00:05 UTC] Ann: hi", (5.0, "Ann", "hi")), ("2026-06-13 18:00:05 <ann> hi", (5.0, "ann", "hi")),
    ],
)  # fmt: skip
def test_a_log_of_lines_is_read_whatever_stands_around_the_time(
    drop: Drop, line: str, message: tuple[float, str, str]
) -> None:
    chat = read_chat(drop(f"# Start logging\n\n{line}\n", "talk.chat.txt"), "v", START)
    assert said(chat) == [message] and chat.refused == []


def test_lines_without_an_author_are_passed_over_and_without_a_time_refused(drop: Drop) -> None:
    log = "[0:00:05] Ann: hi\n[0:00:06] bob has joined\nand more\n[0:00:09] Bob: ho\n"
    chat = read_chat(drop(log, "talk.chat.txt"), "v")
    assert said(chat) == [(5.0, "Ann", "hi"), (9.0, "Bob", "ho")]
    assert chat.passed_over == {"notice": 1}
    assert [(entry.position, entry.detail) for entry in chat.refused] == [("line 3", "no time in front")]


@given(st.lists(st.text(max_size=60), max_size=5))
def test_any_lines_are_messages_notices_or_refused(lines: list[str]) -> None:
    is_log(lines)
    for found in read_lines([*lines, BrokenRecord("too long")]):
        assert not isinstance(found, Message) or (found.author and found.author.strip())


@pytest.mark.parametrize("text", ["Dear Ann: hello\n", "[1, 2, 3]\n", "12 May: hi\n"])
def test_text_without_times_is_no_chat(drop: Drop, text: str) -> None:
    with pytest.raises(UnreadableSidecarError) as refusal:
        read_chat(drop(text, "talk.chat.txt"), "v")
    assert "lines such as [0:01:05] Ann: hello" in (refusal.value.hint or "")


CLOCKS = "time,user,text\n" + "".join(f"18:00:{second:02},ann,{second}\n" for second in (5, 10, 15))


def offsets(drop: Drop, log: str, started_at: datetime | None, end_s: float = 20.0) -> list[float]:
    chat = read_chat(drop(log), "v", started_at, place=Place(end_s))
    found: list[float] = chat.messages["offset_s"].to_pylist()
    return found


def test_clocks_are_times_of_day_where_only_so_they_fall_into_the_video(drop: Drop) -> None:
    assert offsets(drop, CLOCKS, START) == [5.0, 10.0, 15.0]
    # Where they fall into the video as they are, they count from its start.
    assert offsets(drop, CLOCKS, START, 70_000.0) == [64_805.0, 64_810.0, 64_815.0]


def test_clocks_without_a_start_say_what_is_missing(drop: Drop) -> None:
    chat = read_chat(drop(CLOCKS), "v", place=Place(20.0))
    (entry,) = chat.refused
    assert entry.detail.startswith("not one of 3 messages falls into the video") and "--started-at" in entry.detail
    with pytest.raises(UnreadableSidecarError, match="its 1 messages have only a time of day"):
        read_chat(drop("time,user,text\n6:00:05 PM,ann,hi\n"), "v", place=Place(20.0))


@pytest.mark.parametrize("times", [("23:59:55", "00:00:03"), ("11:59:55 PM", "12:00:03 AM")])
def test_clocks_go_on_over_midnight(drop: Drop, times: tuple[str, str]) -> None:
    log = "time,user,text\n" + "".join(f"{time},ann,hi\n" for time in times)
    assert offsets(drop, log, datetime(2026, 6, 13, 23, 59, 50)) == [5.0, 13.0]


def test_clocks_from_before_midnight_are_before_a_video_that_begins_after_it(drop: Drop) -> None:
    log = "time,user,text\n11:59:55 PM,ann,soon\n12:00:08 AM,ann,hi\n"
    assert offsets(drop, log, datetime(2026, 6, 14, 0, 0, 5)) == [-10.0, 3.0]


@given(
    begin_s=st.integers(0, 86_399),
    steps=st.lists(st.integers(0, 40_000), min_size=1, max_size=12),
    is_twelve=st.booleans(),
)
def test_every_clock_of_a_stream_over_days_is_at_its_second(begin_s: int, steps: list[int], is_twelve: bool) -> None:
    from datetime import timedelta
    from tempfile import TemporaryDirectory

    start = datetime(2026, 6, 13) + timedelta(seconds=begin_s)
    at, rows, expected = 0, ["time,user,text"], []
    for step in steps:
        at += step
        expected.append(float(at))
        rows.append(f"{(start + timedelta(seconds=at)).strftime('%I:%M:%S %p' if is_twelve else '%H:%M:%SZ')},ann,hi")
    with TemporaryDirectory() as folder:
        path = Path(folder, "a.chat.csv")
        path.write_text("\n".join(rows) + "\n")
        found = read_chat(path, "v", start, place=Place(float(at + 1))).messages["offset_s"].to_pylist()
    assert found == expected


def test_offsets_that_miss_the_video_give_way_to_the_times_at_which_messages_were_sent(drop: Drop) -> None:
    log = "offset_s,created_at,user,text\n" + "".join(
        f"{1800 + second},2026-06-13T18:00:{second:02}Z,ann,{second}\n" for second in (5, 10, 15)
    )
    chat = read_chat(drop(log + "1819,,ann,late\n"), "v", START, place=Place(20.0))
    assert chat.messages["offset_s"].to_pylist() == [5.0, 10.0, 15.0, 19.0]
    assert chat.placed.way == "times of day"
    # Offsets that fit are believed; without a start, nothing else is known.
    assert offsets(drop, log, datetime(2026, 6, 13, 17), 1900.0) == [1805.0, 1810.0, 1815.0]
    assert read_chat(drop(log), "v", place=Place(20.0)).placed.is_elsewhere


def clocks(*times: str) -> str:
    return "time,user,text\n" + "".join(f"{time},ann,{time}\n" for time in times)


@pytest.mark.parametrize(
    ("start", "end_s", "times", "expected"),
    [
        # Over midnight, with messages after the end or before the start.
        ("23:59:50", 20, ["23:59:55", "00:00:03", "00:00:05", "00:00:15"], [5, 13, 15, 25]),
        ("23:50:00", 7200, ["23:49:00", "23:50:30", "00:10:00", "01:51:40"], [-60, 30, 1200, 7300]),
        # Shortly after midnight, clocks are places in the video, too.
        ("00:02:00", 1500, ["00:02:05", "00:20:00", "00:26:55"], [5, 1080, 1495]),
        ("00:30:00", 36_000, ["00:30:10", "10:29:00"], [10, 35_940]),
        ("00:02:00", 600, ["00:02:05", "00:11:55", "00:13:40"], [5, 595, 700]),
        # Without seconds.
        ("18:00:00", 3600, ["18:00", "18:03", "18:57"], [0, 180, 3420]),
        ("18:00:30", 3600, ["18:00", "18:03"], [0, 150]),
        # Places in the video stay what they are.
        ("18:00:00", 3600, ["00:05", "18:03", "59:30"], [5, 1083, 3570]),
        ("00:02:00", 600, ["00:00:05", "00:09:55", "00:11:40"], [5, 595, 700]),
        ("18:00:00", 72_000, ["00:00:05", "18:30:00", "19:59:00"], [5, 66_600, 71_940]),
    ],
)
def test_clocks_are_times_of_day_only_where_that_does_better(
    drop: Drop, start: str, end_s: float, times: list[str], expected: list[float]
) -> None:
    assert offsets(drop, clocks(*times), datetime.fromisoformat(f"2026-06-13T{start}"), end_s) == expected


@pytest.mark.parametrize(
    ("times", "end_s", "expected"),
    [
        ([3, *range(100, 18_000, 97)], 20.0, None),
        ([4, 30, 2500, 5000, 15_000], 20.0, None),
        ([15_000], 20.0, None),
        (list(range(1000, 60_000, 5000)), 1800.0, [float(second) for second in range(1, 60, 5)]),
    ],
)
def test_a_chat_in_seconds_beside_a_short_recording_is_not_squeezed_into_it(
    drop: Drop, times: list[int], end_s: float, expected: list[float] | None
) -> None:
    log = "time,user,text\n" + "".join(f"{time},ann,{time}\n" for time in times)
    assert offsets(drop, log, None, end_s) == (expected or [float(time) for time in times])


def live(*entries: tuple[float, float], is_live: bool = True) -> str:
    lines = []
    for n, (offset_s, sent_s) in enumerate(entries):
        said = {
            "id": f"m{n}",
            "message": {"runs": [{"text": f"m{n}"}]},
            "timestampUsec": str(int((UNIX + sent_s) * 1e6)),
        }
        action = {"addChatItemAction": {"item": {"liveChatTextMessageRenderer": said}}}
        entry = {"replayChatItemAction": {"actions": [action]}, "videoOffsetTimeMsec": str(int(offset_s * 1000))}
        lines.append(json.dumps(entry | ({"isLive": True} if is_live else {})))
    return "\n".join(lines) + "\n"


UNIX = int(START.replace(tzinfo=UTC).timestamp())


def test_a_chat_that_was_recorded_live_lies_where_its_messages_were_sent_unless_the_video_began_with_the_log(
    drop: Drop,
) -> None:
    assert offsets(drop, live((10, 5), (15, 10), (19, 14)), START) == [5.0, 10.0, 14.0]
    # Half an hour in the waiting room of a stream of two hours.
    waited = [(1800 + at, at) for at in range(60, 7200, 60)]
    assert offsets(drop, live(*waited), START, 7200.0) == [float(at) for _, at in waited]
    # Log and recording began half an hour after the stream.
    joined = [(at, 1800 + at) for at in range(60, 5400, 60)]
    assert offsets(drop, live(*joined), START, 5400.0) == [float(at) for at, _ in joined]
    # Of a replay, YouTube itself gives the place in the video.
    assert offsets(drop, live((10, 5), (15, 10), is_live=False), START) == [10.0, 15.0]


def test_one_stray_message_does_not_move_a_chat_to_a_section_or_part(drop: Drop) -> None:
    log = "offset_s,user,text\n" + "".join(f"{at},ann,{at}\n" for at in (5, 10, 15, 605))
    assert read_chat(drop(log), "v", place=Place(20.0, 600.0)).messages["offset_s"].to_pylist() == [5, 10, 15, 605]
    comments = [{"content_offset_seconds": at, "message": {"body": str(at)}} for at in (5, 10, 15, 19)]
    part = {"video": {"start": 10, "end": 30}, "comments": comments}
    assert read_chat(drop(part), "v", place=Place(20.0)).messages["offset_s"].to_pylist() == [5, 10, 15, 19]


def test_an_id_that_all_messages_share_makes_no_two_of_them_one(drop: Drop) -> None:
    comments = [
        {"_id": "00000000", "content_offset_seconds": at, "message": {"body": "LUL"}, "commenter": {"name": "ann"}}
        for at in (3, 5, 7)
    ]
    assert read_chat(drop({"comments": comments}), "v").messages.num_rows == 3
    assert read_chat(drop("id,offset_s,user,text\n7,5,ann,LUL\n7,5,ann,LUL\n"), "v").messages.num_rows == 2


def test_what_discord_says_itself_is_no_message(drop: Drop) -> None:
    base = {
        "timestamp": "2026-06-13T18:00:05+00:00",
        "timestampEdited": None,
        "isPinned": False,
        "author": {"name": "a"},
    }
    document = {
        "messages": [
            {**base, "type": "GuildMemberJoin", "content": "Joined the server."},
            {**base, "type": "Default", "content": "hi"},
        ]
    }
    chat = read_chat(drop(document), "v", START)
    assert said(chat) == [(5.0, "a", "hi")] and chat.passed_over == {"GuildMemberJoin": 1}


def test_a_colon_inside_a_word_ends_no_name(drop: Drop) -> None:
    chat = read_chat(drop("[0:00:05] Ann: hi\n[0:00:09] 12:30 is lunch\n[0:00:10] * bob waves: hi\n"), "v")
    assert said(chat) == [(5.0, "Ann", "hi")] and chat.passed_over == {"notice": 2}
