from __future__ import annotations

import contextlib
import gzip
import json
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from klip_assets.contracts import CHAT_MESSAGES
from klip_assets.errors import UnreadableSidecarError
from klip_assets.formats import json_stream
from klip_assets.signals.chat.readers import Chat, log, read_chat
from klip_assets.store.lake.validate import conform
from klip_assets_tests.suite.examples import examples

Drop = Callable[..., Path]


def read(path: Path, began: datetime | None = None) -> Chat:
    """Read a log and check what must hold of any."""
    chat = read_chat(path, "v", began)
    conform(CHAT_MESSAGES, chat.messages)
    offsets = chat.messages["offset_s"].to_pylist()
    assert offsets == sorted(offsets)
    assert chat.messages["message_index"].to_pylist() == list(range(len(offsets)))
    positions = [refused.position for refused in chat.refused]
    assert len(set(positions)) == len(positions)
    return chat


def comment(offset_s: object, body: str, name: str = "Ann", **message: object) -> dict[str, object]:
    return {
        "content_offset_seconds": offset_s,
        "commenter": {"display_name": name, "name": name.lower()},
        "message": {"body": body, **message},
    }


def test_the_real_twitchdownloader_log_is_read_whole(shared_data: Path) -> None:
    path = shared_data / "chat-twitchdownloader" / "pseudonymised" / "chat.json"
    comments = json.loads(path.read_text(encoding="utf-8"))["comments"]
    chat = read(path)
    assert (chat.messages.num_rows, chat.refused) == (2299, [])
    assert chat.messages["offset_s"][-1].as_py() == 13587.449
    assert chat.messages["offset_s"].to_pylist() == [c["content_offset_seconds"] for c in comments]
    assert chat.messages["text"].to_pylist() == [c["message"]["body"] for c in comments]
    assert chat.messages["author"].to_pylist() == [c["commenter"]["display_name"] for c in comments]
    marked = [f["text"] for c in comments for f in c["message"]["fragments"] or [] if f["emoticon"]]
    found = [emote for emotes in chat.messages["emotes"].to_pylist() for emote in emotes]
    assert len(marked) == 219
    assert not set(marked) - set(found)


def test_emotes_come_from_marked_fragments_and_known_words_in_order(drop: Drop) -> None:
    fragments = [
        {"text": "KEKW so "},
        {"text": "annHi", "emoticon": {"emoticon_id": "1"}},
        {"text": " fun", "emoticon": None},
    ]
    chat = read(drop({"comments": [comment(1, "KEKW so annHi fun", fragments=fragments)]}))
    assert chat.messages["emotes"].to_pylist() == [["KEKW", "annHi"]]


def test_messages_are_sorted_by_time_then_by_place_and_those_before_the_start_stay(drop: Drop) -> None:
    chat = read(drop({"comments": [comment(5, "c"), comment(-3.5, "a"), comment(5, "d"), comment(0, "b")]}))
    assert chat.messages["text"].to_pylist() == ["a", "b", "c", "d"]
    assert chat.messages["offset_s"].to_pylist() == [-3.5, 0.0, 5.0, 5.0]


def test_a_comment_of_a_deleted_account_has_no_author(drop: Drop) -> None:
    chat = read(drop({"comments": [{**comment(1, "x"), "commenter": None}]}))
    assert chat.messages["author"].to_pylist() == [None]


def test_bots_and_commands_are_marked_and_have_no_sentiment(drop: Drop) -> None:
    chat = read(drop({"comments": [comment(1, "I love it", "Nightbot"), comment(2, "!love"), comment(3, "I love it")]}))
    assert chat.messages["is_bot"].to_pylist() == [True, True, False]
    assert [score is None for score in chat.messages["sentiment"].to_pylist()] == [True, True, False]


@pytest.mark.parametrize(
    "text",
    [
        "offset_s,author,text\n1.5,ann,hi\n3661,bob,KEKW\n",
        "Time;User;Message\n0:00:01.5;ann;hi\n1:01:01;bob;KEKW\n",
        "timestamp\tname\tbody\n[00:01.5]\tann\thi\n61:01\tbob\tKEKW",
        "\ufeffoffset,username,message\n1.5s,ann,hi\n1h1m1s,bob,KEKW\n",
        '{"offset_s": 1.5, "author": "ann", "text": "hi"}\n{"offset_s": "1:01:01", "author": "bob", "text": "KEKW"}\n',
        '[{"time_in_seconds": 1.5, "author": {"name": "ann"}, "message": "hi"},\n'
        '{"time_in_seconds": 3661, "author": {"name": "bob"}, "message": "KEKW"}]',
        json.dumps({"comments": [comment(1.5, "hi", "ann"), comment(3661, "KEKW", "bob")]}, indent=2),
        json.dumps(comment(1.5, "hi", "ann")) + "\n" + json.dumps(comment(3661, "KEKW", "bob")),
    ],
)
def test_every_shape_gives_the_same_messages_whatever_the_files_name(drop: Drop, text: str) -> None:
    rows = read(drop(text, "x.bin")).messages.to_pylist()
    assert [(r["offset_s"], r["author"], r["text"], r["emotes"]) for r in rows] == [
        (1.5, "ann", "hi", []), (3661.0, "bob", "KEKW", ["KEKW"]),
    ]  # fmt: skip


@pytest.mark.parametrize("given", ["Pog annHi", "Pog,annHi", '["Pog", "annHi"]', "['Pog', 'annHi']"])
def test_a_column_of_emotes_is_read_as_people_write_lists(drop: Drop, given: str) -> None:
    quoted = given.replace('"', '""')
    chat = read(drop(f'time,user,text,emotes\n1,ann,x,"{quoted}"\n'))
    assert chat.messages["emotes"].to_pylist() == [["Pog", "annHi"]]


@pytest.mark.parametrize("bad", ["soon", "", "nan", "2021-06-06T23:37:55Z", "1623022675", "inf"])
def test_a_message_without_a_place_in_the_video_is_refused_and_the_others_stay(drop: Drop, bad: str) -> None:
    chat = read(drop(f"time,user,text\n1,ann,a\n{bad},ann,b\n3,ann,c\n"))
    assert chat.messages["text"].to_pylist() == ["a", "c"]
    assert [refused.position for refused in chat.refused] == ["row 3"]


def test_a_broken_line_or_comment_loses_only_itself(drop: Drop) -> None:
    line = '{"offset_s": 1, "text": "a"}\n'
    chat = read(drop("{broken\n" + line + "5\n" + line))
    assert chat.messages.num_rows == 2
    assert [refused.position for refused in chat.refused] == ["line 1", "line 3"]
    chat = read(drop({"comments": [comment(1, "a"), None, comment("x", "b"), {"message": {}}]}))
    assert chat.messages.num_rows == 1
    assert [refused.position for refused in chat.refused] == ["item 2", "item 3", "item 4"]


@pytest.mark.parametrize(
    ("text", "read_until", "lost"),
    [
        ('{"comments": [%s, %s, %s', 2, "item 3"),
        ("[%s, %s, %s", 2, "item 3"),
        ("[%s, %s} %s]", 2, ""),
        ("[%s,\n%s,\n%s] and more", 3, ""),
        ('{"comments": [%s, %s, %s]} what follows the comments', 3, None),
    ],
)
def test_a_document_that_is_cut_or_breaks_off_gives_what_came_before(
    drop: Drop, text: str, read_until: int, lost: str | None
) -> None:
    comments = [json.dumps(comment(n, f"message {n}")) for n in range(3)]
    content = text % tuple(comments)
    chat = read(drop(content[:-5] if lost and lost.startswith("item") else content))
    assert chat.messages.num_rows == read_until
    ends = [(refused.position, refused.reason) for refused in chat.refused]
    reason = "invalid JSON from here on, possibly truncated; everything before was read"
    assert ends == ([] if lost is None else [("end of file", reason)])


def test_a_document_longer_than_what_is_read_at_once_is_read_whole(drop: Drop) -> None:
    comments = [comment(n / 4, f"message {n}", bio="x" * 600) for n in range(5000)]
    path = drop({"streamer": {"name": "x"}, "comments": comments, "embeddedData": {"data": "A" * 100_000}})
    assert path.stat().st_size > 3 * json_stream.READ_CHARS
    assert read(path).messages["text"].to_pylist() == [f"message {n}" for n in range(5000)]


@pytest.mark.slow
def test_hundred_thousand_messages_are_read_in_seconds(drop: Drop) -> None:
    words = ["gg", "that was close", "KEKW", "lol", "no way he did that", "PogU"]
    lines = (f'{{"offset_s": {n / 10}, "author": "viewer{n % 999}", "text": "{words[n % 6]}"}}' for n in range(100_000))
    path = drop("\n".join(lines))
    started = time.process_time()
    assert read(path).messages.num_rows == 100_000
    assert time.process_time() - started < 10


@pytest.mark.parametrize("empty", [{"comments": []}, "offset_s,author,text\n", "[]"])
def test_a_log_without_messages_is_an_empty_table(drop: Drop, empty: object) -> None:
    assert read(drop(empty)).messages.num_rows == 0


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "empty"),
        ("just words\nmore words", "not a chat log"),
        ("a,b\n1,2\n", "not a chat log"),
        ({"video": {}}, "not a chat log"),
        ([{"id": 7, "message": "x"}], "not a chat log"),
        ([{"published_at": "2025", "message": "x"}], "none of its 1 messages can be used"),
        ('{"comments": [{"content_off', "invalid JSON, possibly truncated: no JSON value at character 14"),
        ("[" * 100_000, "invalid JSON, possibly truncated: nested too deeply"),
        (b"\x00\x01\xff", "not a chat log"),
        ("time,author,message\nsoon,ann,hi\n", "none of its 1 messages can be used"),
    ],
)
def test_a_file_that_is_not_a_chat_log_is_named_with_what_is_supported(
    drop: Drop, content: object, problem: str
) -> None:
    with pytest.raises(UnreadableSidecarError, match=problem) as error:
        read_chat(drop(content, "talk.chat.json"), "v")
    assert "talk.chat.json" in str(error.value)
    assert "TwitchDownloader" in str(error.value)


CSV = 'offset_s,author,text\n1,ann,"hi é"\n2,bob,KEKW 😂\n0:00:03,c,"a\nb"\n'
JSONL = '{"offset_s": 1, "author": "ann", "text": "hi é"}\n{"offset_s": 2, "author": "b", "text": "lol"}\n'
ACTIONS = (
    '{"replayChatItemAction": {"actions": [{"addChatItemAction": {"item": {"liveChatTextMessageRenderer": {"message": '
    '{"runs": [{"text": "hi"}, {"emoji": {"emojiId": "x", "shortcuts": [":x:"], "isCustomEmoji": true}}]}, '
    '"authorName": {"simpleText": "ann"}, "timestampUsec": "1781373600000000"}}}}], "videoOffsetTimeMsec": "1500"}}\n'
) * 3
DOCUMENT = json.dumps({"comments": [comment(1, "hi", fragments=[{"text": "hi"}]), comment(2, "lol")]}, indent=1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(300), deadline=None)
@given(
    st.sampled_from([CSV, JSONL, DOCUMENT, ACTIONS]),
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 9), st.binary(max_size=4)), max_size=5),
)
def test_a_damaged_log_is_read_or_refused_and_nothing_else(
    drop: Drop, text: str, damage: list[tuple[int, int, bytes]]
) -> None:
    data = text.encode()
    for place, length, noise in damage:
        data = data[:place] + noise + data[place + length :]
    with contextlib.suppress(UnreadableSidecarError):
        read(drop(data))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(200), deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["comments", "message", "body", "fragments", "text", "emoticon", "commenter", "name", "offset_s",
                 "content_offset_seconds", "emotes", "author", "created_at", "time", "message_type", "is_custom_emoji",
                 "replayChatItemAction", "actions", "videoOffsetTimeMsec", "addChatItemAction", "item", "runs", "emoji",
                 "replaceChatItemAction", "replacementItem", "liveChatTextMessageRenderer", "simpleText", "shortcuts",
                 "liveChatMembershipItemRenderer", "isCustomEmoji", "timestampUsec", "timestampText", "authorName"]
            ),
            inner,
            max_size=5,
        ),
        max_leaves=20,
    )
)  # fmt: skip
def test_json_of_any_shape_is_read_or_refused_and_nothing_else(drop: Drop, value: object) -> None:
    for content in (json.dumps(value), json.dumps({"comments": [comment(1, "x"), value]})):
        for began in (None, datetime(2026, 6, 13)):
            with contextlib.suppress(UnreadableSidecarError):
                read(drop(content), began)


def test_a_message_longer_than_any_platform_allows_is_refused(drop: Drop) -> None:
    chat = read_chat(drop('{"time": 1, "text": "fine"}\n' + json.dumps({"time": 2, "text": "😀" * 9000})), "v")
    assert chat.messages["text"].to_pylist() == ["fine"]
    assert [entry.reason for entry in chat.refused] == ["too long for a chat message"]


def test_a_packed_log_that_is_cut_says_so_beside_what_was_read(drop: Drop) -> None:
    lines = "".join(json.dumps({"time": n, "text": f"message {n * 7919}"}) + "\n" for n in range(5000)).encode()
    packed = gzip.compress(lines)
    chat = read_chat(drop(packed[: len(packed) // 2]), "v")
    assert 1000 < chat.messages.num_rows < 4000
    assert chat.refused[-1].position == "end of file" and "cut short" in chat.refused[-1].reason


def test_no_more_messages_are_kept_than_fit_in_memory(drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "MAX_MESSAGES", 10)
    lines = [json.dumps({"time": n, "text": "x"}) for n in range(11)]
    assert read_chat(drop("\n".join(lines[:10])), "v").refused == []
    chat = read_chat(drop("\n".join(lines)), "v")
    assert chat.messages.num_rows == 10
    assert "more than 10 messages" in chat.refused[-1].reason


def test_a_file_of_other_lines_is_given_up_after_the_first_of_them(drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "MAX_REFUSED", 10)
    lines, message = ["{}"] * 10, json.dumps({"time": 1, "text": "x"})
    assert read_chat(drop("\n".join([*lines, message])), "v").messages.num_rows == 1
    with pytest.raises(UnreadableSidecarError, match="not a chat log"):
        read_chat(drop("\n".join([*lines, "{}", message])), "v")
