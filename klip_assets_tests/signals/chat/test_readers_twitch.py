"""Comments of Twitch: as TwitchDownloader writes them, old and new, and as the API v5 delivered them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from klip_assets.signals.chat.readers import read_chat

Drop = Callable[..., Path]

START = datetime(2021, 6, 6, 23, 37, 55)


def comment(offset_s: float | None, body: str, login: str = "ann", **more: object) -> dict[str, Any]:
    return {
        "_id": "c1", "created_at": "2021-06-06T23:38:00.547Z", "channel_id": "7", "content_offset_seconds": offset_s,
        "commenter": {"display_name": login.title(), "_id": f"1{len(login)}", "name": login, "type": "user"},
        "message": {"body": body, "fragments": [{"text": body, "emoticon": None}], "is_action": False, **more},
    }  # fmt: skip


COMMENTS = [comment(33.847, "yo"), comment(43.426, "sup", "bob"), comment(12.0, "first")]


@pytest.mark.parametrize(
    "content",
    [
        {
            "streamer": {"name": "x", "id": 7},
            "comments": COMMENTS,
            "video": {"start": 0.0, "end": 99.0},
            "emotes": None,
        },
        {
            "FileInfo": {"Version": {"Major": 1, "Minor": 4, "Patch": 0}, "CreatedAt": "2025-01-01T00:00:00Z"},
            "streamer": {"name": "x", "login": "x", "id": 7},
            "video": {"title": "[x] {y", "id": "v1", "start": 0, "end": 99, "length": 99, "chapters": []},
            "comments": COMMENTS,
            "embeddedData": {"thirdParty": [{"id": "1", "data": "AAAA"}], "twitchBadges": []},
        },
        {"embeddedData": {"thirdParty": [{"comments": [1, 2]}]}, "comments": COMMENTS},
        {"comments": COMMENTS, "_next": "abc"},
        COMMENTS,
        "\n".join(map(json.dumps, COMMENTS)),
        "\r\n\r\n".join(json.dumps({"comments": [entry], "_next": "abc"}) for entry in COMMENTS),
        json.dumps({"comments": COMMENTS[:1]}) + "\n" + json.dumps(COMMENTS[1:]),
    ],
    ids=["old", "new", "embedded first", "v5 page", "list", "lines", "a page a line", "a page and a list"],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_comments_are_read_in_whatever_they_are_wrapped(drop: Drop, content: Any, indent: int | None) -> None:
    chat = read_chat(drop(content if isinstance(content, str) else json.dumps(content, indent=indent), "x.bin"), "v")
    rows = chat.messages.to_pylist()
    assert [(row["offset_s"], row["author"], row["text"]) for row in rows] == [
        (12.0, "Ann", "first"), (33.847, "Ann", "yo"), (43.426, "Bob", "sup"),
    ]  # fmt: skip
    assert (chat.refused, chat.by_day) == ([], 0)


def test_a_comment_alone_is_a_log_of_one(drop: Drop) -> None:
    assert read_chat(drop(json.dumps(comment(0.768, "LIVE"), indent=4)), "v").messages["offset_s"].to_pylist() == [
        0.768
    ]


def test_a_comment_on_a_bad_line_is_named_with_its_page_and_the_others_stay(drop: Drop) -> None:
    pages = [{"comments": [comment(1, "a"), comment(2, "b")]}, {"comments": [comment(3, "c"), {"message": {}}, None]}]
    chat = read_chat(drop("\n".join(map(json.dumps, pages)) + "\n{broken"), "v")
    assert chat.messages["text"].to_pylist() == ["a", "b", "c"]
    assert [entry.position for entry in chat.refused] == ["line 2, item 2", "line 2, item 3", "line 3"]


def test_a_comment_without_an_offset_is_placed_by_its_time_of_day(drop: Drop) -> None:
    chat = read_chat(drop([comment(None, "a"), comment(9, "b")]), "v", START.replace(tzinfo=UTC))
    assert chat.messages["offset_s"].to_pylist() == [5.547, 9.0]
    assert chat.by_day == 1
    without = read_chat(drop([comment(None, "a"), comment(9, "b")]), "v")
    assert without.messages["text"].to_pylist() == ["b"]
    assert [(entry.position, entry.reason) for entry in without.refused] == [
        ("item 1", "has only a time of day, and the start time of the video is unknown")
    ]


def test_a_bot_is_known_by_its_login_also_under_another_name_and_a_hash(drop: Drop) -> None:
    disguised = comment(1, "follow the stream")
    disguised["commenter"] |= {"display_name": "ナイトボット", "name": "nightbot"}
    people = [comment(2, "gg"), comment(3, "Kappa Kappa"), comment(4, "!clip"), comment(5, "lol")]
    chat = read_chat(drop({"comments": [disguised, *people]}), "v", author_key=lambda author: f"<{author}>")
    rows = chat.messages.to_pylist()
    assert [row["is_bot"] for row in rows] == [True, False, False, True, False]
    assert [row["text"] for row in rows] == ["follow the stream", "gg", "Kappa Kappa", "!clip", "lol"]
    assert {row["author"] for row in rows} == {"<id:13>"}


def test_an_author_is_known_by_the_platforms_id_or_else_by_the_name_in_lower_case(drop: Drop) -> None:
    renamed, nameless = comment(1, "a"), comment(4, "@Ann hi")
    renamed["commenter"] |= {"display_name": "Anna", "name": "anna"}
    nameless["commenter"] = None
    chat = read_chat(
        drop({"comments": [renamed, comment(2, "b"), comment(3, "c", "robert"), nameless]}), "v", author_key=str.upper
    )
    assert chat.messages["author"].to_pylist() == ["ID:13", "ID:13", "ID:16", None]
    assert chat.messages["text"][3].as_py() == "@Ann hi"
    plain = read_chat(drop("time,user,text\n1,Ann,a\n2,ANN,b\n3,,c\n"), "v", author_key=str.upper)
    assert plain.messages["author"].to_pylist() == ["NAME:ANN", "NAME:ANN", None]


def test_the_real_example_of_the_api_v5_is_one_message_with_one_emote(shared_data: Path) -> None:
    chat = read_chat(shared_data / "chat-twitch-v5-examples" / "docs" / "examples" / "comment.json", "v")
    assert chat.messages["offset_s"].to_pylist() == [0.768]
    assert [len(emotes) for emotes in chat.messages["emotes"].to_pylist()] == [1]
    assert (chat.refused, chat.passed_over) == ([], {})
