"""The chat beside a recording: whose names are stored, and where messages lie whose log knows only the time of day."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from klip_assets.contracts import CHAT_MESSAGES
from klip_assets.settings import Settings
from klip_assets.store.lake.lake import Lake
from klip_assets_tests.made import write_wav
from klip_assets_tests.processed import query
from klip_assets_tests.worked import work

LINES = ["offset_s,author,text", "1,Ann,hello @Bob", "2,Bob,hi", "3,ann,gg", "4,Nightbot,follow!"]
DAYS = ["created_at,author,text", "2026-06-13T18:00:01Z,Ann,hello", "2026-06-13T20:00:03+02:00,Bob,hi"]
START = 1_781_373_600  # 2026-06-13T18:00:00Z


def drop(settings: Settings, lines: list[str], name: str = "talk.chat.csv") -> Path:
    path = write_wav(settings.vod_inbox / "talk.wav", 6)
    path.with_name(name).write_text("\n".join(lines) + "\n")
    return path


def authors(settings: Settings) -> list[str]:
    return [row["author"] for row in query(settings, "SELECT author FROM chat_messages ORDER BY message_index")]


def test_a_changed_setting_replaces_what_was_stored_and_a_changed_salt_too(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(settings, LINES)
    work(settings)
    hashes = authors(settings)
    monkeypatch.setenv("KLIP_CHAT_KEEP_NAMES", "1")
    work(Settings(), videos=["talk"])
    assert authors(settings) == ["Ann", "Bob", "ann", "Nightbot"]
    monkeypatch.delenv("KLIP_CHAT_KEEP_NAMES")
    work(Settings(), videos=["talk"])
    assert authors(settings) == hashes
    settings.chat_salt_path.unlink()
    work(Settings(), videos=["talk"])
    assert not set(authors(settings)) & set(hashes)


def test_times_of_day_are_placed_by_the_metadata_also_if_that_comes_late(settings: Settings, lake: Lake) -> None:
    path = drop(settings, DAYS)
    work(settings)
    assert query(settings, "SELECT count(*) AS n FROM chat_messages") == [{"n": 0}]
    (refused,) = query(settings, "SELECT source_file, detail FROM quarantine")
    assert refused["source_file"] == "talk.chat.csv"
    assert "its 2 messages have only a time of day" in refused["detail"]
    assert "release_timestamp" in refused["detail"] and "offset_s" in refused["detail"]
    path.with_name("talk.info.json").write_text(json.dumps({"title": "Talk", "release_timestamp": START}))
    work(settings)
    assert query(settings, "SELECT offset_s FROM chat_messages ORDER BY 1") == [{"offset_s": 1.0}, {"offset_s": 3.0}]
    assert query(settings, "SELECT count(*) AS n FROM quarantine") == [{"n": 0}]
    provenance = lake.provenance(CHAT_MESSAGES, "talk")
    assert provenance and provenance.notes["placed_by_time_of_day"] == 2


def test_a_chat_that_goes_on_after_the_end_is_used_up_to_there_and_one_sentence_says_so(settings: Settings) -> None:
    drop(settings, [*LINES, "5.5,ann,bye", "90,ann,still here?", "120,bob,no"])
    assert work(settings).ok
    (video,) = query(settings, "SELECT status, error FROM videos")
    assert video == {
        "status": "ok",
        "error": "the chat goes on for 114 s after the end: 2 of 7 messages of talk.chat.csv lie outside the video and "
        "are not counted",
    }
    assert query(settings, "SELECT max(offset_s) AS last FROM chat_messages") == [{"last": 120.0}]
    assert query(settings, "SELECT sum(messages)::INT AS n FROM chat_activity") == [{"n": 4}]
    (refused,) = query(settings, "SELECT position, reason, detail FROM quarantine")
    assert refused["reason"] == "after the end of the recording" and refused["detail"].startswith("2 of 7 messages")


def test_a_chat_that_ends_about_with_the_video_is_worth_no_sentence(settings: Settings) -> None:
    drop(settings, ["offset_s,author,text", "-30,ann,soon", "1,ann,hello", "7,ann,bye"])
    assert work(settings).ok
    assert query(settings, "SELECT status, error FROM videos") == [{"status": "ok", "error": None}]
    refused = query(settings, "SELECT position FROM quarantine ORDER BY 1")
    assert [row["position"] for row in refused] == ["after the end", "before the start"]


def test_a_chat_of_another_stream_is_not_used_and_one_sentence_says_so(settings: Settings) -> None:
    drop(settings, ["offset_s,author,text", *(f"{600 + n},ann,hi" for n in range(500))])
    assert work(settings).ok
    (video,) = query(settings, "SELECT status, error FROM videos")
    assert video["status"] == "partial"
    assert video["error"].startswith("chat not used: talk.chat.csv: not one of 500 messages falls into the video")
    assert query(settings, "SELECT count(*) AS n FROM chat_messages") == [{"n": 500}]
    # Zeros would say that the chat was silent.
    assert query(settings, "SELECT count(*) AS n FROM chat_activity") == [{"n": 0}]
    assert query(settings, "SELECT position, reason FROM quarantine") == [
        {"position": "file", "reason": "outside the recording"}
    ]


def test_the_chat_of_a_whole_stream_is_moved_once_a_sidecar_says_which_section_it_is(
    settings: Settings, lake: Lake
) -> None:
    path = drop(settings, ["offset_s,author,text", *(f"{n},ann,{n}" for n in range(0, 1000, 2))])
    work(settings)
    (video,) = query(settings, "SELECT status, error FROM videos")
    assert "497 of 500 messages of talk.chat.csv lie outside the video" in video["error"]
    path.with_name("talk.info.json").write_text(json.dumps({"section_start": 600, "section_end": 606}))
    assert work(settings).ok
    assert query(settings, "SELECT status, error FROM videos") == [{"status": "ok", "error": None}]
    inside = "SELECT offset_s, text FROM chat_messages WHERE offset_s BETWEEN 0 AND 6 ORDER BY message_index"
    rows = query(settings, inside)
    assert [(row["offset_s"], row["text"]) for row in rows] == [(0.0, "600"), (2.0, "602"), (4.0, "604"), (6.0, "606")]
    assert query(settings, "SELECT t_s, messages FROM chat_activity WHERE messages > 0 ORDER BY t_s") == [
        {"t_s": second, "messages": 1} for second in (0, 2, 4)
    ]
    (refused,) = query(settings, "SELECT reason, detail FROM quarantine WHERE table_name = 'chat_messages'")
    assert refused["reason"] == "outside this section of the stream" and refused["detail"].startswith(
        "497 of 500 messages"
    )
    provenance = lake.provenance(CHAT_MESSAGES, "talk")
    assert provenance and provenance.notes["moved_back_s"] == 600.0


def test_a_live_chat_of_yt_dlp_is_the_chat_and_what_is_not_a_message_is_counted(settings: Settings, lake: Lake) -> None:
    said = {
        "message": {"runs": [{"text": "what a shot"}]},
        "authorName": {"simpleText": "Ann"},
        "authorExternalChannelId": "UC1",
        "timestampUsec": "1",
    }
    actions = [
        {"addChatItemAction": {"item": {"liveChatTextMessageRenderer": said}}},
        {"removeChatItemAction": {"targetItemId": "x"}},
    ]
    line = json.dumps({"replayChatItemAction": {"actions": actions, "videoOffsetTimeMsec": "2500"}})
    drop(settings, [line], "talk.live_chat.json")
    assert work(settings).ok
    assert query(settings, "SELECT offset_s, text FROM chat_messages") == [{"offset_s": 2.5, "text": "what a shot"}]
    provenance = lake.provenance(CHAT_MESSAGES, "talk")
    assert provenance and provenance.notes["passed_over_kinds"] == {"removeChatItemAction": 1}


def test_messages_stay_one_a_row_beside_their_seconds_and_make_highlights_k13(settings: Settings) -> None:
    said = ["lol", "gg", "nice", "sub hype", "PogChamp"] * 8
    hype = [f"{40 + n / 10},viewer{n},{text}" for n, text in enumerate(said)]
    path = write_wav(settings.vod_inbox / "talk.wav", 90)
    path.with_name("talk.chat.csv").write_text("\n".join(["offset_s,author,text", "2,ann,hi", *hype]) + "\n")
    assert work(settings).ok
    assert query(settings, "SELECT count(*) AS n, sum(messages) AS s FROM chat_activity") == [{"n": 90, "s": 41}]
    assert query(settings, "SELECT count(*) AS n FROM chat_messages") == [{"n": 41}]
    rows = query(settings, "SELECT peak_s, chat_term, why FROM highlights ORDER BY rank")
    assert any(26 <= row["peak_s"] <= 40 and row["chat_term"] > 0.8 and "40 people" in row["why"] for row in rows)


def test_hype_words_are_signal_and_never_dropped_k16(settings: Settings) -> None:
    words = ["lol", "gg", "nice game", "sub", "follow for more", "gift me", "@ann nice", "!clip", "777", "LUL LUL"]
    drop(settings, ["offset_s,author,text", *(f"{1 + n / 10},viewer{n},{word}" for n, word in enumerate(words))])
    assert work(settings).ok
    rows = query(settings, "SELECT text, is_bot FROM chat_messages ORDER BY message_index")
    assert [row["text"] for row in rows] == words
    assert [row["text"] for row in rows if row["is_bot"]] == ["!clip"]
    assert query(settings, "SELECT sum(messages) AS n FROM chat_activity") == [{"n": 9}]
