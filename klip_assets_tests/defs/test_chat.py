"""The chat beside a recording, in a run of Dagster."""

from __future__ import annotations

import pytest

from klip_assets.settings import Settings
from klip_assets_tests.made import write_wav
from klip_assets_tests.processed import process, query

LINES = ["offset_s,author,text", "1,Ann,hello @Bob", "2,Bob,hi", "3,ann,gg", "4,Nightbot,follow!"]


@pytest.mark.slow
def test_names_are_stored_as_salted_hashes_and_bots_are_known_all_the_same(settings: Settings) -> None:
    path = write_wav(settings.vod_inbox / "talk.wav", 6)
    path.with_name("talk.chat.csv").write_text("\n".join(LINES) + "\n")
    assert process(settings).ok
    rows = query(settings, "SELECT author, text, is_bot FROM chat_messages ORDER BY message_index")
    ann, bob, ann_again, bot = [row["author"] for row in rows]
    assert ann == ann_again and len({ann, bob, bot}) == 3
    assert all(len(name) == 16 and int(name, 16) >= 0 for name in (ann, bob, bot))
    assert settings.chat_salt_path.stat().st_mode & 0o777 == 0o600
    assert [row["is_bot"] for row in rows] == [False, False, False, True]
    assert rows[0]["text"] == "hello @Bob"
    assert query(settings, "SELECT max(unique_chatters) AS n FROM chat_activity") == [{"n": 2}]
