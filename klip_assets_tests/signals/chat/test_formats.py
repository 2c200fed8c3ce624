"""The registry of chat formats: each knows its own, reads it, and is spoken of."""

from __future__ import annotations

import json
import subprocess
import sys
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
    "DiscordChatExporter": {
        "id": "1",
        "type": "Default",
        "timestamp": "2026-06-13T18:00:01.5+00:00",
        "timestampEdited": None,
        "isPinned": False,
        "content": "hi there",
        "author": {"id": "9", "name": "ann", "nickname": "Ann"},
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


def test_the_next_dialect_is_one_file(tmp_path: Path) -> None:
    """A module put into the package is found, reads its entries, and is named to who drops something else."""
    (tmp_path / "next.py").write_text(
        "from klip_assets.signals.chat.readers.item_format import ItemFormat\n"
        "from klip_assets.signals.chat.readers.log import Message\n"
        "from klip_assets.signals.chat.times import time_of\n"
        "def read(position, item):\n"
        "    yield Message(position, time_of(item['at'], 1.0), item['by'], None, item['next'], [], False)\n"
        "FORMAT = ItemFormat('The Next', lambda item: 'next' in item, read, container='said')\n"
    )
    (tmp_path / "v.chat.json").write_text(json.dumps({"said": [{"at": 1.5, "by": "ann", "next": "hi"}]}))
    code = (
        "import sys, pathlib, importlib\n"
        "from klip_assets.signals.chat.readers import dialects, formats, reader\n"
        "dialects.__path__.append(sys.argv[1])\n"
        "for module in (formats, reader):\n"
        "    importlib.reload(module)\n"
        "rows = reader.read_chat(pathlib.Path(sys.argv[1], 'v.chat.json'), 'v').messages.to_pylist()\n"
        "print(rows[0]['offset_s'], rows[0]['text'], 'The Next' in formats.SUPPORTED)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPOSITORY)
    assert done.stdout.split() == ["1.5", "hi", "True"], done.stderr


def test_any_object_is_of_some_chat_format() -> None:
    assert ITEM_FORMATS[-1].sniff({})


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_page_of_chats_and_the_refusal_name_every_chat_format(name: str, drop: Callable[..., Path]) -> None:
    row = next(line for line in (REPOSITORY / "README.md").read_text().splitlines() if "`stream.chat.json`" in line)
    assert "docs/chats.md" in row
    table = (REPOSITORY / "docs" / "chats.md").read_text().splitlines()
    assert any(line.startswith(f"| {name} |") for line in table)
    with pytest.raises(UnreadableSidecarError) as refusal:
        read_chat(drop("no chat"), "v")
    assert name in (refusal.value.hint or "")
