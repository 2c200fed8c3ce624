"""Chat logs on another timeline, in other dialects, and with odd entries."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from odd_text.case import Judge, Odd, Outcome

#: When the streams began: 2024-03-01 18:00:00 UTC.
START = 1_709_316_000


def cases() -> Iterator[Odd]:
    """Yield the inputs."""
    for kinds in (_clocks, _of_day, _elsewhere, _repeated, _authors, _dialects):
        yield from kinds()


def messages_at(*seconds: float, authors: Sequence[str | None] | None = None, emotes: Sequence[str] = ()) -> Judge:
    """Judge that the messages inside the recording lie at these seconds."""

    def judge(outcome: Outcome) -> list[str]:
        sql = "SELECT offset_s, author, emotes FROM chat_messages WHERE video_id = $id ORDER BY message_index"
        rows = [row for row in outcome.rows(sql) if 0 <= row[0] < 20]
        wrong = []
        if (found := [round(row[0], 3) for row in rows]) != [float(second) for second in seconds]:
            wrong.append(f"messages at {found}, not {list(seconds)}")
        if authors is not None and len({row[1] for row in rows} - {None}) != len(set(authors)):
            wrong.append(f"authors {[row[1] for row in rows]}")
        if emotes and (given := [name for row in rows for name in row[2]]) != list(emotes):
            wrong.append(f"emotes {given}")
        counted = outcome.rows("SELECT sum(messages) FROM chat_activity WHERE video_id = $id")[0][0] or 0
        if counted != len(seconds):
            wrong.append(f"{counted} messages are counted")
        return wrong

    return judge


def said(count: int, *words: str) -> Judge:
    """Judge that no second of chat is claimed, the messages are kept, and one sentence with these words says why."""

    def judge(outcome: Outcome) -> list[str]:
        wrong = [f"nothing says {word!r}" for word in words if word not in outcome.reasons]
        if not outcome.reasons:
            wrong.append("nothing is said")
        if outcome.rows("SELECT count(*) FROM chat_activity WHERE video_id = $id")[0][0]:
            wrong.append("seconds of a silent chat are claimed")
        kept = outcome.rows("SELECT count(*) FROM chat_messages WHERE video_id = $id")[0][0]
        return wrong if kept == count else [*wrong, f"{kept} messages are kept, not {count}"]

    return judge


def youtube(*entries: tuple[float, float | None], live: bool = False) -> bytes:
    """Return a live chat of yt-dlp: (offset, seconds from the start by the day) of each message."""
    lines = []
    for n, (offset_s, sent_s) in enumerate(entries):
        said = {
            "id": f"m{n}",
            "message": {"runs": [{"text": f"message {n}"}]},
            "authorName": {"simpleText": f"@fan{n}"},
        }
        if sent_s is not None:
            said["timestampUsec"] = str(int((START + sent_s) * 1e6))
        replay: dict[str, Any] = {
            "actions": [{"addChatItemAction": {"item": {"liveChatTextMessageRenderer": said}}}],
        }
        (outer := {"replayChatItemAction": replay} | ({"isLive": True} if live else {}))
        (outer if live else replay)["videoOffsetTimeMsec"] = str(round(offset_s * 1000))
        lines.append(json.dumps(outer))
    return "\n".join(lines).encode()


def twitch(*seconds: float, video: object = None, sent: bool = False, last: bool = False) -> bytes:
    """Return a chat of TwitchDownloader."""
    comments = [
        {
            "_id": f"c{n}", "content_offset_seconds": at, "commenter": {"display_name": f"Fan{n}", "_id": str(n)},
            "message": {"body": f"message {n}", "fragments": [{"text": f"message {n}", "emoticon": None}]},
            **({"created_at": f"2024-03-01T18:00:{n * 5 + 5:02}Z"} if sent else {}),
        }
        for n, at in enumerate(seconds)
    ]  # fmt: skip
    parts = {"comments": comments} | ({"video": video} if video else {})
    return json.dumps(parts if last else dict(reversed(parts.items()))).encode()


def table(header: str, *rows: str) -> bytes:
    """Return rows of a CSV file."""
    return "\n".join((header, *rows, "")).encode()


def info(**fields: object) -> bytes:
    """Return a metadata sidecar."""
    return json.dumps(fields).encode()


def _named(kind: str, inputs: Iterable[tuple[str, dict[str, bytes], Judge]]) -> Iterator[Odd]:
    # Endings of files -> those of a recording with this name.
    for name, files, judge in inputs:
        yield Odd(kind, name, judge, {f"{name}{ending}": content for ending, content in files.items()})


def _clocks() -> Iterator[Odd]:
    fits = messages_at(5, 10, 15)
    crop = {"start": 3600, "end": 3620}
    yield from _named(
        "chat of a trimmed VOD or a section",
        [
            ("crop-first", {".chat.json": twitch(3605, 3610, 3615, video=crop)}, fits),
            ("crop-last", {".chat.json": twitch(3605, 3610, 3615, video=crop, last=True)}, fits),
            ("crop-fraction", {".chat.json": twitch(7205.5, 7210.5, 7215.5, video={"start": 7200.5, "end": 7220.5})}, fits),
            ("crop-without-end", {".chat.json": twitch(3605, 3610, 3615, video={"start": 3600})}, fits),
            ("crop-of-whole", {".chat.json": twitch(5, 10, 15, video={"start": 0, "end": 20})}, fits),
            (
                "section-youtube",
                {".live_chat.json": youtube(*((at, None) for at in (605, 610, 615, 30))),
                 ".info.json": info(section_start=600.0, section_end=620.0)},
                fits,
            ),
            (
                "section-plain",
                {".chat.csv": table("offset_s,user,message", *(f"{at},a,{at}" for at in range(5, 5000, 5))),
                 ".info.json": info(section_start=600, section_end=620)},
                messages_at(0, 5, 10, 15),
            ),
            (
                "section-cut-already",
                {".chat.csv": table("offset_s,user,message", "5,a,hi", "10,b,ho", "15,c,hu"),
                 ".info.json": info(section_start=600, section_end=620)},
                fits,
            ),
        ],
    )  # fmt: skip
    waits = ((1200, -600), (1805, 5), (1810, 10), (1815, 15))
    yield from _named(
        "chat from the waiting room, or joined mid-stream",
        [
            ("waiting-room", {".live_chat.json": youtube(*waits, live=True), ".info.json": info(release_timestamp=START)}, fits),
            ("waiting-replay", {".live_chat.json": youtube(*waits), ".info.json": info(release_timestamp=START)}, fits),
            ("joined-twitch", {".chat.json": twitch(3605, 3610, 3615, sent=True), ".info.json": info(timestamp=START)}, fits),
            (
                "joined-downloader",
                {".chat.json": json.dumps([
                    {"message_id": str(n), "time_in_seconds": 1800 + at, "timestamp": int((START + at) * 1e6),
                     "author": {"id": str(n), "name": f"a{n}"}, "message": f"m{n}"}
                    for n, at in enumerate((5, 10, 15))
                ]).encode(), ".info.json": info(timestamp=START)},
                fits,
            ),
            (
                "joined-columns",
                {".chat.csv": table("offset_s,created_at,user,message", *(
                    f"{900 + at},2024-03-01T18:00:{at:02}Z,a,hi{at}" for at in (5, 10, 15))),
                 ".info.json": info(timestamp=START)},
                fits,
            ),
            ("waits-only-before", {".chat.csv": table("offset_s,user,message", "-300,a,hi", "5,a,ho", "10,b,hu")}, messages_at(5, 10)),
        ],
    )  # fmt: skip
    yield from _named(
        "chat in milliseconds",
        [
            ("ms-half", {".chat.csv": table("time,user,message", "2000,a,hi", "4000,b,ho", "7000,c,hu")}, messages_at(2, 4, 7)),
            ("ms-whole", {".chat.csv": table("time,user,message", "2000,a,hi", "9000,b,ho", "18500,c,hu")}, messages_at(2, 9, 18.5)),
            ("ms-named", {".chat.csv": table("offset_ms,user,message", "200,a,hi", "4000,b,ho")}, messages_at(0.2, 4)),
            ("ms-lines", {".chat.jsonl": b"\n".join(b'{"time": %d, "text": "hi", "user": "u"}' % at for at in (3100, 6200, 12400))}, messages_at(3.1, 6.2, 12.4)),
            ("ms-seconds-elsewhere", {".chat.csv": table("time,user,message", "3605,a,hi", "3610,b,ho", "3615,c,hu")}, said(3, "not one of 3")),
        ],
    )  # fmt: skip


def _of_day() -> Iterator[Odd]:
    fits = messages_at(5, 10, 15)
    start = info(timestamp=START)

    def clocks(*times: str, header: str = "time,user,message") -> bytes:
        return table(header, *(f"{time},fan{n},text {n}" for n, time in enumerate(times)))

    late = info(timestamp=START + 5 * 3600 + 59 * 60 + 50)
    yield from _named(
        "times of day, start known",
        [
            ("day-plain", {".chat.csv": clocks("18:00:05", "18:00:10", "18:00:15"), ".info.json": start}, fits),
            ("day-json", {".chat.jsonl": b"\n".join(b'{"time": "18:00:%02d", "text": "hi", "user": "u"}' % at for at in (5, 10, 15)), ".info.json": start}, fits),
            ("day-midnight", {".chat.csv": clocks("23:59:55", "00:00:03"), ".info.json": late}, messages_at(5, 13)),
            ("day-midnight-12", {".chat.csv": clocks("11:59:55 PM", "12:00:03 AM"), ".info.json": late}, messages_at(5, 13)),
            ("day-twelve", {".chat.csv": clocks("6:00:05 PM", "6:00:10 PM", "6:00:15 p.m."), ".info.json": start}, fits),
            ("day-narrow-blank", {".chat.csv": clocks("6:00:05\u202fPM", "6:00:10\u202fPM", "6:00:15\u202fPM"), ".info.json": start}, fits),
            ("day-zone", {".chat.csv": clocks("20:00:05+02:00", "20:00:10+02:00", "20:00:15+02:00"), ".info.json": start}, fits),
            ("day-fraction", {".chat.csv": clocks("18:00:05.250", "18:00:10.500"), ".info.json": start}, messages_at(5.25, 10.5)),
            ("day-date-column", {".chat.csv": table("date,time,user,message", "2024-03-01,6:00:05 PM,a,hi", "2024-03-01,18:00:09,b,ho"), ".info.json": start}, messages_at(5, 9)),
            ("day-lines", {".chat.txt": b"# Start logging at 2024-03-01 18:00:00 UTC\n[18:00:05] fan: hello\n[18:00:10]  otto: hi: there\n", ".info.json": start}, messages_at(5, 10)),
            ("day-micro", {".chat.json": json.dumps([{"author": "A", "author_id": "UC1", "message": "one", "time_in_seconds": None, "timestamp": (START + 5) * 10**6}]).encode(), ".info.json": start}, messages_at(5)),
        ],
    )  # fmt: skip
    yield from _named(
        "times of day, start unknown",
        [
            ("no-start-plain", {".chat.csv": clocks("18:00:05", "18:00:10", "18:00:15")}, said(3, "start", "not one of 3")),
            ("no-start-twelve", {".chat.csv": clocks("6:00:05 PM", "6:00:10 PM")}, said(0, "start")),
            ("no-start-zone", {".chat.csv": clocks("18:00:05Z", "18:00:10Z")}, said(0, "start")),
            ("no-start-iso", {".chat.csv": clocks("2024-03-01T18:00:05Z")}, said(0, "start")),
            ("no-start-lines", {".chat.txt": b"[18:00:05] fan: hello\n[18:00:10] otto: hi\n"}, said(2, "start", "not one of 2")),
        ],
    )  # fmt: skip


def _elsewhere() -> Iterator[Odd]:
    late = [f"{3000 + n},a,late {n}" for n in range(297)]

    def share(outcome: Outcome) -> list[str]:
        kept = outcome.rows("SELECT count(*) FROM chat_messages WHERE video_id = $id")[0][0]
        wrong = [] if kept == 298 else [f"{kept} messages are kept"]
        return wrong if "297 of 298" in outcome.reasons else [*wrong, "nothing says that 297 of 298 lie outside"]

    yield from _named(
        "chat of which little or nothing falls into the video",
        [
            ("else-twitch", {".chat.json": twitch(3605, 3610, 3615)}, said(3, "not one of 3 messages falls into the video")),
            ("else-before", {".chat.json": twitch(-399.58, -390, -380.2)}, said(3, "not one of 3")),
            ("else-one", {".chat.csv": table("offset_s,user,message", "500,a,hi")}, said(1, "does not fall")),
            ("else-youtube", {".live_chat.json": youtube((900, None), (905, None))}, said(2, "not one of 2")),
            ("else-day", {".chat.csv": table("created_at,user,message", "2024-03-02T18:00:05Z,a,hi"), ".info.json": info(timestamp=START)}, said(1, "start time")),
            ("else-most", {".chat.csv": table("offset_s,user,message", "5,a,hi", *late)}, share),
        ],
    )  # fmt: skip


def _repeated() -> Iterator[Odd]:
    one, other = youtube((5, 5)), youtube((5, 5), (9, 9)).splitlines()[1]
    comment = json.loads(twitch(5, 9))["comments"]
    flat = '{"message_id": "m%d", "offset_s": %d, "text": "LUL", "user": "ann"}'
    yield from _named(
        "messages delivered again",
        [
            ("again-youtube", {".live_chat.json": b"\n".join([one, one, one, other])}, messages_at(5, 9)),
            ("again-twitch", {".chat.json": json.dumps({"comments": [comment[0], comment[0], *comment]}).encode()}, messages_at(5, 9)),
            ("again-lines", {".chat.jsonl": "\n".join([flat % (1, 5), flat % (1, 5), flat % (2, 5)]).encode()}, messages_at(5, 5)),
            ("again-columns", {".chat.csv": table("message_id,offset_s,user,message", "7,5,a,hi", "7,5,a,hi", "8,5,a,hi")}, messages_at(5, 5)),
            ("again-ids-of-people", {".chat.csv": table("id,offset_s,user,message", "7,5,a,LUL", "7,9,a,LUL")}, messages_at(5, 9)),
            ("again-without-ids", {".chat.csv": table("offset_s,user,message", "5,a,LUL", "5,a,LUL")}, messages_at(5, 5)),
        ],
    )  # fmt: skip


def _authors() -> Iterator[Odd]:
    holders: list[dict[str, object]] = [
        {"user": {"login": "a1"}}, {"author": {"username": "a2"}}, {"chatter": {"userName": "a3"}},
        {"userInfo": {"displayName": "a4"}}, {"from": {"name": "a5"}}, {"author": {"nickname": "a6"}},
        {"sender": {"identity": {"username": "a7"}}}, {"user": {"display_name": "a8"}}, {"member": {"nick": "a9"}},
        {"sender": {"user": {"screen_name": "a10"}}}, {"nickname": "a11"}, {"sender_name": "a12"},
    ]  # fmt: skip
    for n, holder in enumerate(holders, start=1):
        line = json.dumps({"offset_s": 5, "text": "hi", **holder}).encode()
        yield Odd(
            "authors under other names", f"author-{n}", messages_at(5, authors=["x"]), {f"author-{n}.chat.jsonl": line}
        )


def _dialects() -> Iterator[Odd]:
    start = info(timestamp=START)
    kick = [
        {"id": "1", "content": "hello", "created_at": "2024-03-01T18:00:05Z", "sender": {"id": 9, "username": "maria"}},
        {"id": "2", "content": "nice [emote:37226:KEKW] one [emote:39286:kkHuh]", "created_at": "2024-03-01T18:00:06Z",
         "sender": {"username": "otto"}},
    ]  # fmt: skip
    kicked = messages_at(5, 6, authors=["maria", "otto"], emotes=["KEKW", "kkHuh"])
    api = [
        {"id": f"L{at}", "snippet": {"type": "textMessageEvent", "displayMessage": f"m{at}", "publishedAt": f"2024-03-01T18:00:0{at}Z"},
         "authorDetails": {"channelId": "UC1", "displayName": "maria"}}
        for at in (3, 5)
    ]  # fmt: skip
    discord = {"guild": {"id": "1"}, "messages": [
        {"id": "1", "type": "Default", "timestamp": "2024-03-01T18:00:05+00:00", "content": "hello",
         "author": {"id": "9", "name": "maria", "nickname": "M"}}]}  # fmt: skip
    yield from _named(
        "dialects of chats",
        [
            ("kick-list", {".chat.json": json.dumps(kick).encode(), ".info.json": start}, kicked),
            ("kick-api", {".chat.json": json.dumps({"status": {"error": False}, "data": {"messages": kick}}).encode(), ".info.json": start}, kicked),
            ("kick-glued", {".chat.csv": table("offset_s,user,message", "5,otto,[emote:1:KEKW][emote:1:KEKW]")}, messages_at(5, emotes=["KEKW", "KEKW"])),
            ("api-lines", {".chat.jsonl": b"\n".join(json.dumps(one).encode() for one in api), ".info.json": start}, messages_at(3, 5, authors=["maria"])),
            ("api-list", {".chat.json": json.dumps({"kind": "youtube#liveChatMessageListResponse", "items": api}).encode(), ".info.json": start}, messages_at(3, 5)),
            ("discord", {".chat.json": json.dumps(discord).encode(), ".info.json": start}, messages_at(5, authors=["maria"])),
            ("sep-line", {".chat.csv": b"sep=;\noffset_s;user;message\n5;a;hi\n6;b;ho\n"}, messages_at(5, 6)),
            ("sep-line-quoted", {".chat.csv": b'\xef\xbb\xbf"sep=|"\noffset_s|user|message\n5|a|hi\n'}, messages_at(5)),
            ("tab-table", {".chat.tsv": b"offset_s\tuser\tmessage\n5\ta\thi\n"}, messages_at(5)),
            ("lines-brackets", {".chat.txt": b"[0:00:05] Fan: hello\n[0:00:09] Otto: a: b\n"}, messages_at(5, 9, authors=["a", "b"])),
            ("lines-angles", {".chat.txt": b"[0:00:05] <Fan> hello\n0:09 <otto> hi\n"}, messages_at(5, 9, authors=["a", "b"])),
            ("lines-bars", {".chat.txt": b"0:05 | (Moderator) Fan: hello\n0:09 | Otto: hi\n"}, messages_at(5, 9, authors=["a", "b"])),
        ],
    )  # fmt: skip
