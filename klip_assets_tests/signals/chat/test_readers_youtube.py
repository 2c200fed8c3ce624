"""Chats of YouTube: actions as yt-dlp writes them, renderer objects alone, chat-downloader's JSON, CSV."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from klip_assets.errors import UnreadableSidecarError
from klip_assets.signals.chat.readers import Chat, read_chat

Drop = Callable[..., Path]
Json = dict[str, Any]

START = datetime(2020, 12, 16, 14, 0, 0)
START_US = 1_608_127_200_000_000
HEART = {"emojiId": "❤", "shortcuts": [":red_heart:"], "searchTerms": ["heart"]}
WAVE = {"emojiId": "UC1/abc", "shortcuts": [":_wave:", ":wave:"], "isCustomEmoji": True}


def renderer(*runs: str | Json, at_us: int = START_US, shown: str = "0:01", name: str = "Ann", **more: Any) -> Json:
    spoken = [{"text": run} if isinstance(run, str) else {"emoji": run} for run in runs]
    return {
        "message": {"runs": spoken}, "authorName": {"simpleText": name}, "authorExternalChannelId": f"UC-{name}",
        "id": f"{name}-{at_us}-{shown}", "timestampUsec": str(at_us), "timestampText": {"simpleText": shown}, **more,
    }  # fmt: skip


def add(content: Json, kind: str = "liveChatTextMessageRenderer") -> Json:
    return {"clickTrackingParams": "x", "addChatItemAction": {"item": {kind: content}, "clientId": "y"}}


def replayed(offset_ms: int, *actions: Json) -> Json:
    return {"replayChatItemAction": {"actions": list(actions), "videoOffsetTimeMsec": str(offset_ms)}}


def lines(entries: Iterable[Json]) -> str:
    return "".join(json.dumps(entry) + "\n" for entry in entries)


def said(chat: Chat) -> list[tuple[float, str | None, str, list[str]]]:
    return [(row["offset_s"], row["author"], row["text"], row["emotes"]) for row in chat.messages.to_pylist()]


def test_a_replay_of_yt_dlp_is_read_with_signs_and_emotes(drop: Drop) -> None:
    log = [
        replayed(2664, add(renderer("hi ", WAVE, WAVE, " KEKW ", HEART))),
        replayed(
            3269,
            add(
                renderer("for you", name="Bob", purchaseAmountText={"simpleText": "$5"}), "liveChatPaidMessageRenderer"
            ),
        ),
    ]
    chat = read_chat(drop(lines(log), "talk.live_chat.json"), "v")
    assert said(chat) == [
        (2.664, "Ann", "hi :_wave::_wave: KEKW ❤", [":_wave:", ":_wave:", "KEKW"]),
        (3.269, "Bob", "for you", []),
    ]
    assert (chat.refused, chat.passed_over, chat.by_day) == ([], {}, 0)


def test_what_people_pay_or_celebrate_with_words_is_a_message_and_a_new_member_is_none(drop: Drop) -> None:
    wordless = {k: v for k, v in renderer(purchaseAmountText={"simpleText": "$5"}).items() if k != "message"}
    member = {k: v for k, v in renderer(headerSubtext={"runs": [{"text": "New member"}]}).items() if k != "message"}
    log = [
        replayed(1000, add(wordless, "liveChatPaidMessageRenderer")),
        replayed(2000, add(renderer("a year!"), "liveChatMembershipItemRenderer")),
        replayed(3000, add(member, "liveChatMembershipItemRenderer")),
    ]
    chat = read_chat(drop(lines(log)), "v")
    assert [text for _, _, text, _ in said(chat)] == ["", "a year!"]
    assert chat.passed_over == {"liveChatMembershipItemRenderer": 1}


def test_what_is_not_a_message_is_counted_and_not_refused(drop: Drop) -> None:
    paid = renderer("once", purchaseAmountText={"simpleText": "$5"})
    ticker = {"showItemEndpoint": {"showLiveChatItemEndpoint": {"renderer": {"liveChatPaidMessageRenderer": paid}}}}
    banner = {"bannerRenderer": {"liveChatBannerRenderer": {"contents": {"liveChatTextMessageRenderer": paid}}}}
    log = [
        replayed(0, add({"message": {"runs": []}}, "liveChatViewerEngagementMessageRenderer")),
        replayed(1000, {"addLiveChatTickerItemAction": {"item": {"liveChatTickerPaidMessageItemRenderer": ticker}}}),
        replayed(1000, add(paid, "liveChatPaidMessageRenderer")),
        replayed(2000, {"addBannerToLiveChatCommand": banner}),
        replayed(3000, {"markChatItemAsDeletedAction": {"targetItemId": "x"}}, {"removeChatItemAction": {}}),
        replayed(4000, add({"id": "p", "timestampUsec": "1"}, "liveChatPlaceholderItemRenderer")),
        replayed(
            4000,
            {"replaceChatItemAction": {"replacementItem": {"liveChatTextMessageRenderer": renderer("held back")}}},
        ),
    ]
    chat = read_chat(drop(lines(log)), "v")
    assert [text for _, _, text, _ in said(chat)] == ["once", "held back"]
    assert chat.refused == []
    assert chat.passed_over == {
        "liveChatViewerEngagementMessageRenderer": 1,
        "addLiveChatTickerItemAction": 1,
        "addBannerToLiveChatCommand": 1,
        "markChatItemAsDeletedAction": 1,
        "removeChatItemAction": 1,
        "liveChatPlaceholderItemRenderer": 1,
    }


def test_a_log_of_which_nothing_is_a_message_is_empty(drop: Drop) -> None:
    chat = read_chat(drop(lines([replayed(0, {"removeChatItemAction": {}})] * 3)), "v")
    assert (chat.messages.num_rows, chat.passed_over) == (0, {"removeChatItemAction": 3})


def test_messages_from_before_the_stream_keep_their_places_and_do_not_pile_up_at_its_start(drop: Drop) -> None:
    log = [replayed(0, add(renderer("early", shown="-3:51"))), replayed(0, add(renderer("start", shown="0:00")))]
    assert [at for at, *_ in said(read_chat(drop(lines(log)), "v"))] == [-231.0, 0.0]


def test_a_chat_recorded_live_counts_from_where_the_recording_began(drop: Drop) -> None:
    def live(text: str) -> Json:
        action = add(renderer(text, at_us=START_US + 3_600_000_000))
        return {"replayChatItemAction": {"actions": [action]}, "videoOffsetTimeMsec": "1500", "isLive": True}

    chat = read_chat(drop(lines([live("now"), live("here")])), "v", START)
    assert [at for at, *_ in said(chat)] == [1.5, 1.5]


@pytest.mark.parametrize(
    "wrap",
    [add, lambda content: {"liveChatTextMessageRenderer": content}, lambda content: content],
    ids=["action", "named", "alone"],
)
@pytest.mark.parametrize("as_lines", [True, False])
def test_renderers_alone_are_placed_by_when_the_video_began(
    drop: Drop, wrap: Callable[[Json], Json], as_lines: bool
) -> None:
    log = [wrap(renderer("a", at_us=START_US + 5_250_000)), wrap(renderer("b", at_us=START_US - 1_000_000))]
    path = drop(lines(log) if as_lines else log)
    chat = read_chat(path, "v", START)
    assert said(chat) == [(-1.0, "Ann", "b", []), (5.25, "Ann", "a", [])]
    assert chat.by_day == 2
    with pytest.raises(UnreadableSidecarError, match=r"its 2 messages have only a time of day.*release_timestamp"):
        read_chat(path, "v")


def test_an_author_is_known_by_the_channel(drop: Drop) -> None:
    log = [replayed(1, add(renderer("a"))), replayed(2, add(renderer("b", authorName={"simpleText": "@new-name"})))]
    chat = read_chat(drop(lines(log)), "v", author_key=lambda author: author)
    assert chat.messages["author"].to_pylist() == ["id:UC-Ann", "id:UC-Ann"]


def test_a_bot_is_known_by_its_handle(drop: Drop) -> None:
    log = [replayed(n, add(renderer("hi", name=name))) for n, name in enumerate(["Nightbot", "@StreamElements", "Ann"])]
    assert read_chat(drop(lines(log)), "v").messages["is_bot"].to_pylist() == [True, True, False]
    text = "time,user,text\n1,@nightbot,hi\n2,@ann,hi\n"
    assert read_chat(drop(text), "v").messages["is_bot"].to_pylist() == [True, False]


@pytest.mark.parametrize("broken", ["{", "5", '{"replayChatItemAction": {"actions": 5}}', '{"addChatItemAction": 5}'])
def test_a_broken_line_between_actions_loses_only_itself(drop: Drop, broken: str) -> None:
    good, better = (json.dumps(replayed(1000, add(renderer(text)))) for text in ("a", "b"))
    chat = read_chat(drop(f"{good}\n{broken}\n{better}\n"), "v")
    assert chat.messages.num_rows == 2
    assert [entry.position for entry in chat.refused] == ["line 2"]


def downloaded(seconds: float | None, text: str | None, kind: str = "text_message", **more: Any) -> Json:
    base = {
        "action_type": "add_chat_item", "message_id": "x", "message_type": kind, "time_text": "0:07",
        "author": {"id": "UC-Ann", "name": "Ann", "images": [{"url": "u", "id": "source"}]},
    }  # fmt: skip
    spoken = {} if text is None else {"message": text}
    return base | spoken | ({} if seconds is None else {"time_in_seconds": seconds}) | more


@pytest.mark.parametrize("shape", ["list", "indented", "lines"])
def test_chat_downloaders_json_is_read_in_every_shape(drop: Drop, shape: str) -> None:
    emotes = [
        {"id": "UC1/abc", "name": ":_wave:", "is_custom_emoji": True},
        {"id": "❤", "name": ":red_heart:", "is_custom_emoji": False},
    ]
    log = [
        downloaded(7.25, "hi :_wave::_wave: :red_heart: KEKW", emotes=emotes, timestamp=START_US),
        downloaded(-3.0, "early"),
        downloaded(8.5, "for you", "paid_message", money={"amount": 5}),
        downloaded(9.0, "Welcome to the club", "membership_item"),
        downloaded(9.5, "once", "ticker_paid_message_item"),
        downloaded(9.5, None, "raid"),
    ]
    text = lines(log) if shape == "lines" else json.dumps(log, indent=4 if shape == "indented" else None)
    chat = read_chat(drop(text), "v")
    assert said(chat) == [
        (-3.0, "Ann", "early", []),
        (7.25, "Ann", "hi :_wave::_wave: :red_heart: KEKW", [":_wave:", ":_wave:", "KEKW"]),
        (8.5, "Ann", "for you", []),
    ]
    assert chat.passed_over == {"membership_item": 1, "ticker_paid_message_item": 1, "raid": 1}
    assert chat.refused == []


def test_emotes_of_twitch_are_found_where_they_stand_and_not_inside_other_words(drop: Drop) -> None:
    author = {"id": "12", "name": "ann", "display_name": "アン"}
    emotes = [{"id": "1", "name": "annHi", "locations": "0-4,12-16"}, {"id": "2", "name": "Lo"}]
    entry = downloaded(1.0, "annHi annHiX annHi LoLo Lo", emotes=emotes, author=author)
    chat = read_chat(drop([entry]), "v")
    assert said(chat) == [(1.0, "アン", "annHi annHiX annHi LoLo Lo", ["annHi", "annHi", "Lo"])]


def test_a_live_chat_of_chat_downloader_is_placed_by_its_microseconds(drop: Drop) -> None:
    entry = {k: v for k, v in downloaded(None, "now", timestamp=START_US + 2_000_001).items() if k != "time_text"}
    assert [at for at, *_ in said(read_chat(drop([entry]), "v", START))] == [2.000001]


def test_a_csv_with_times_of_day_is_placed_by_when_the_video_began(drop: Drop) -> None:
    text = (
        "video_id,author,message,published_at\n"
        'abc,ann,"hi, all",2020-12-16T22:00:00.750015+08:00\n'
        "abc,bob,lol,2020-12-16T14:01:00Z\n"
        "abc,cid,gg,2020-12-16 13:59:59\n"
        "abc,dan,never,2020-12-16\n"
    )
    chat = read_chat(drop(text), "v", START)
    assert [(at, text) for at, _, text, _ in said(chat)] == [(-1.0, "gg"), (0.750015, "hi, all"), (60.0, "lol")]
    assert [(entry.position, entry.reason) for entry in chat.refused] == [("row 5", "time not understood")]
    assert chat.by_day == 3


def test_the_real_actions_are_one_message_and_eighteen_others(shared_data: Path) -> None:
    chat = read_chat(shared_data / "chat-youtube-actions" / "tests" / "youtube_actions.json", "v", START)
    assert (chat.messages.num_rows, sum(chat.passed_over.values()), chat.refused) == (1, 18, [])


@pytest.mark.parametrize(("name", "count"), [("producer2", 6_685), ("producer3", 7_459)])
@pytest.mark.parametrize("kind", ["csv", "json"])
def test_the_real_chats_of_youtube_are_read_whole(shared_data: Path, name: str, count: int, kind: str) -> None:
    path = shared_data / "chat-youtube-live" / "pseudonymised" / f"{name}.{kind}"
    chat = read_chat(path, "v", datetime(2025, 3, 17, 17, 0, 0))
    assert (chat.messages.num_rows, chat.by_day, chat.refused) == (count, count, [])
    with pytest.raises(UnreadableSidecarError, match=f"its {count:,} messages have only a time of day"):
        read_chat(path, "v")
