"""The registry of chat formats: each knows its own, reads it, and is spoken of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from klip_assets.errors import UnreadableSidecarError
from klip_assets.signals.chat.readers import ITEM_FORMATS, read_chat
from klip_assets_tests.made import REPOSITORY

#: Name of a format -> an entry as it is found in a log of that kind.
EXAMPLES: dict[str, dict[str, object]] = {
    "yt-dlp": {
        "replayChatItemAction": {
            "videoOffsetTimeMsec": "1500",
            "actions": [
                {
                    "addChatItemAction": {
                        "item": {
                            "liveChatTextMessageRenderer": {
                                "message": {"runs": [{"text": "hi there"}]},
                                "authorName": {"simpleText": "@ann"},
                            }
                        }
                    }
                }
            ],
        }
    },
    "TwitchDownloader": {
        "content_offset_seconds": 1.5,
        "commenter": {"display_name": "Ann", "name": "ann"},
        "message": {"body": "hi there", "fragments": [{"text": "hi there", "emoticon": None}]},
    },
    "YouTube's Data API": {
        "id": "LCC.1",
        "snippet": {"type": "textMessageEvent", "displayMessage": "hi there", "publishedAt": "2026-06-13T18:00:01.5Z"},
        "authorDetails": {"channelId": "UC1", "displayName": "Ann"},
    },
    "chat-downloader": {
        "time_in_seconds": 1.5,
        "author": {"id": "7", "name": "ann"},
        "message": "hi there",
        "message_type": "text_message",
    },
}


def test_every_chat_format_has_a_name_of_its_own_and_an_example_here() -> None:
    names = [kind.name for kind in ITEM_FORMATS]
    assert len(set(names)) == len(names)
    assert set(names) == set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_chat_format_knows_its_own_and_reads_it(name: str, drop: Callable[..., Path]) -> None:
    example = EXAMPLES[name]
    assert next(kind.name for kind in ITEM_FORMATS if kind.sniff(example)) == name
    chat = read_chat(drop([example]), "v", datetime(2026, 6, 13, 18))
    assert (chat.messages["offset_s"].to_pylist(), chat.messages["text"].to_pylist()) == ([1.5], ["hi there"])
    assert chat.refused == []


def test_any_object_is_of_some_chat_format() -> None:
    assert ITEM_FORMATS[-1].sniff({})


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_readme_and_the_refusal_name_every_chat_format(name: str, drop: Callable[..., Path]) -> None:
    row = next(line for line in (REPOSITORY / "README.md").read_text().splitlines() if "`stream.chat.json`" in line)
    assert name in row
    with pytest.raises(UnreadableSidecarError) as refusal:
        read_chat(drop("no chat"), "v")
    assert name in (refusal.value.hint or "")
