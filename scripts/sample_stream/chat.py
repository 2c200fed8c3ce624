"""The chat, in TwitchDownloader's format.

Belongs here: viewers and their messages. Does not belong here: when moments are (timeline).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from sample_stream.script import deal
from sample_stream.sidecars import CHANNEL, CHANNEL_ID, GAME, STARTED_AT, TITLE
from sample_stream.truth import Planted, Truth

EMOTES = {
    "PogChamp": "305954156", "KEKW": "9100001", "LUL": "425618", "Kreygasm": "41", "HeyGuys": "30259",
    "porterHype": "9100002", "porterLove": "9100003", "NotLikeThis": "58765",
}  # fmt: skip
"""Names and ids; those starting with "porter" belong to the fictional channel."""

COLOURS = ("#FF0000", "#0000FF", "#008000", "#B22222", "#FF7F50", "#9ACD32", "#1E90FF", "#8A2BE2", None)
VIEWERS = (
    "mossy_kettle", "TurboTurnip", "lenadraws", "quietcomet", "Brickfish", "saltybagel_", "nova_pine",
    "jumpcutjo", "OtterlyOdd", "waffle_iron9", "grimtoast", "pipandpepper", "SlowMotionSam", "ember_wick",
    "coldbrewkid", "vexa_lin", "tinymoose", "RouteNerd", "half_a_heart", "bluewindmill", "Kaprikorn77",
    "softreset", "mapleframe", "dustybutton", "ohnomyrun", "Fernweh_", "pixelplum", "ladderless", "MrGoatee",
    "splitskipper", "yarnball42", "thirdtower", "zephyrine", "crateboss", "lowpolylou", "harbour_ox",
    "gg_greta", "nightshiftnate", "rollcancel", "Wobblecat",
)  # fmt: skip
BOT = "nightowlbot"

BACKGROUND = (
    "hi everyone", "hey from Norway", "how is the run going", "what time is it for you",
    "love this forest music", "first time here, hello", "is this any% or full", "the tea looks good",
    "that jump is so hard", "I always die in this room", "good luck today", "what controller is that",
    "brb dinner", "same splits as yesterday?", "the new route is faster I think", "nice movement", "lol",
    "yep", "I think the left bridge is quicker", "watching from work HeyGuys", "did I miss much",
    "no you are fine", "this part is so long", "the king never stops talking LUL", "hydrate",
    "how many attempts so far", "my cat is watching too porterLove", "sound is good tonight", "cozy stream",
    "when is the next event", "gl on the tower", "I need to practice this", "what about the rope skip",
    "that box is never worth it", "ok that was clean", "NotLikeThis the floor",
    "does anyone have the route notes", "hello chat HeyGuys", "just got home", "he saved so much time there",
    "two minutes behind is fine", "anyone playing the beta", "that guard walks so slow", "evening all",
)  # fmt: skip
REACTIONS = (
    "PogChamp", "PogChamp PogChamp", "PogChamp PogChamp PogChamp", "CLIP IT", "clip it!!", "CLIP THAT",
    "no way", "NO WAY", "no wayyyy", "KEKW", "KEKW KEKW", "LUL", "Kreygasm", "Kreygasm Kreygasm", "WHAT",
    "WHAAAT", "omg", "OMG OMG", "hahahaha", "LMAO", "LETS GOOO", "LETS GOOOOO PogChamp", "holy", "insane",
    "INSANE", "porterHype porterHype", "porterHype porterHype porterHype", "I WAS HERE", "history!!", "gg",
    "GG!!!", "that was unreal", "did that just happen", "I'm crying", "best run ever Kreygasm",
    "someone clip it please", "hahaha he did it", "WR???", "YES YES YES", "my heart",
)  # fmt: skip
LAUGHS = ("LUL", "haha", "KEKW that laugh", "lol he walked right into it", "LUL LUL")
BUMPS = (
    (
        "raid! hi raiders", "welcome raiders HeyGuys", "hi we come from the puzzle stream", "HeyGuys",
        "welcome in everyone", "hello new people", "what game is this", "enjoy the stream raiders",
    ),
    ("1", "2", "voted 1", "poll is up chat", "2 for sure", "1 1 1", "I picked the snow level", "2"),
)  # fmt: skip
COMMANDS = (
    ("!time", "It is a quarter past seven in the evening where {channel} lives."),
    ("!route", "The route notes are at https://example.com/lumen-drift-route"),
    ("!pb", "The best time of {channel} in {game} any% is 41:07."),
    ("!schedule", "We play {game} every Saturday, six in the evening UTC."),
)


@dataclass(frozen=True)
class _Viewer:
    """Somebody in the chat."""

    name: str
    user_id: str
    since: datetime
    badges: tuple[tuple[str, str], ...]
    colour: str | None


@dataclass(frozen=True)
class _Message:
    """A line of chat, `offset_s` seconds from the start of the recording."""

    offset_s: float
    viewer: _Viewer
    body: str


def chat(truth: Truth) -> dict[str, Any]:
    """Return a recording's chat (`<name>.chat.json`)."""
    rng = np.random.default_rng([truth.seed, 4])
    viewers = _viewers(rng)
    messages = [*_background(truth, viewers, rng), *_bot(truth, viewers, rng)]
    reactions = deal(REACTIONS, rng)
    for moment in truth.planted:
        messages += _burst(moment, truth.duration_s, viewers, reactions, rng)
    if truth.laugh is not None:
        offsets_s = truth.laugh.end_s + np.sort(rng.uniform(2.5, 7.0, size=3))
        messages += _messages(offsets_s, viewers, deal(LAUGHS, rng), rng)
    if truth.chat_bump is not None:
        offsets_s = np.sort(rng.uniform(truth.chat_bump.start_s, truth.chat_bump.end_s, size=6))
        messages += _messages(offsets_s, viewers, deal(BUMPS[int(rng.integers(len(BUMPS)))], rng), rng)
    messages = sorted((m for m in messages if m.offset_s < truth.duration_s), key=lambda m: m.offset_s)
    return {
        "FileInfo": {
            "Version": {"Major": 1, "Minor": 4, "Patch": 0},
            "CreatedAt": _stamp(STARTED_AT + timedelta(hours=6)),
            "UpdatedAt": _stamp(STARTED_AT + timedelta(hours=6)),
        },
        "streamer": {"name": CHANNEL, "id": int(CHANNEL_ID)},
        "video": {
            "title": TITLE,
            "id": str(2_000_000_000 + truth.seed),
            "created_at": _stamp(STARTED_AT),
            "start": 0.0,
            "end": truth.duration_s,
            "length": truth.duration_s,
            "viewCount": 1873,
            "game": GAME,
            "chapters": [],
        },
        "comments": [_comment(message, truth, rng) for message in messages],
        "emotes": None,
    }


def _viewers(rng: np.random.Generator) -> list[_Viewer]:
    """Invent the viewers; the last one is the bot."""
    made = []
    for name in (*VIEWERS, BOT):
        badges: list[tuple[str, str]] = []
        if name == BOT:
            badges.append(("moderator", "1"))
        elif rng.random() < 0.45:
            badges.append(("subscriber", str(rng.choice((0, 3, 6, 12)))))
        since = STARTED_AT - timedelta(seconds=float(rng.uniform(30, 3000)) * 86_400)
        colour = COLOURS[int(rng.integers(len(COLOURS)))]
        made.append(_Viewer(name, str(rng.integers(10**8, 10**9)), since, tuple(badges), colour))
    return made


def _messages(
    offsets_s: np.ndarray, viewers: list[_Viewer], bodies: Iterator[str], rng: np.random.Generator
) -> list[_Message]:
    """Let random viewers, not the bot, write at given offsets in seconds."""
    people = rng.permutation(len(viewers) - 1)
    return [
        _Message(round(float(offset_s), 3), viewers[int(people[n % len(people)])], next(bodies))
        for n, offset_s in enumerate(offsets_s)
    ]


def _background(truth: Truth, viewers: list[_Viewer], rng: np.random.Generator) -> list[_Message]:
    """Return one or two messages every 10 s."""
    offsets_s = [
        rng.uniform(start_s, min(start_s + 10.0, truth.duration_s))
        for start_s in np.arange(0.0, truth.duration_s, 10.0)
        for _ in range(rng.integers(1, 3))
    ]
    return _messages(np.sort(offsets_s), viewers, deal(BACKGROUND, rng), rng)


def _burst(
    moment: Planted,
    duration_s: float,
    viewers: list[_Viewer],
    bodies: Iterator[str],
    rng: np.random.Generator,
) -> list[_Message]:
    """Return the chat's reaction to a moment: 10-25 messages in 8 s, starting 4-6 s after its peak."""
    first_s = moment.peak_s + rng.uniform(4.2, 5.6)
    room_s = min(8.0, duration_s - 0.2 - first_s)
    offsets_s = first_s + room_s * np.sort(rng.beta(1.2, 2.0, size=rng.integers(13, 24)))
    return _messages(np.concatenate(([first_s], offsets_s)), viewers, bodies, rng)


def _bot(truth: Truth, viewers: list[_Viewer], rng: np.random.Generator) -> list[_Message]:
    """Return commands and the bot's replies, about one every 70 s, none during the decoy."""
    messages: list[_Message] = []
    for start_s in np.arange(0.0, truth.duration_s, 70.0):
        asked_s = round(start_s + float(rng.uniform(8, 60)), 3)
        command, reply = COMMANDS[int(rng.integers(len(COMMANDS)))]
        asker = viewers[int(rng.integers(len(viewers) - 1))]
        if truth.decoy.start_s - 5 < asked_s < truth.decoy.end_s + 5:
            continue
        answered_s = round(asked_s + float(rng.uniform(0.6, 1.4)), 3)
        messages.append(_Message(asked_s, asker, command))
        messages.append(_Message(answered_s, viewers[-1], reply.format(channel=CHANNEL, game=GAME)))
    return messages


def _comment(message: _Message, truth: Truth, rng: np.random.Generator) -> dict[str, Any]:
    """Return a message as TwitchDownloader writes it."""
    written_at = _stamp(STARTED_AT + timedelta(seconds=message.offset_s))
    viewer = message.viewer
    fragments, emoticons = _fragments(message.body)
    return {
        "_id": str(uuid.UUID(bytes=rng.bytes(16), version=4)),
        "created_at": written_at,
        "updated_at": written_at,
        "channel_id": CHANNEL_ID,
        "content_type": "video",
        "content_id": str(2_000_000_000 + truth.seed),
        "content_offset_seconds": message.offset_s,
        "commenter": {
            "display_name": viewer.name,
            "_id": viewer.user_id,
            "name": viewer.name.lower(),
            "type": "user",
            "bio": None,
            "created_at": _stamp(viewer.since),
            "updated_at": _stamp(STARTED_AT),
            "logo": "https://example.com/avatars/x.png",
        },
        "source": "chat",
        "state": "published",
        "message": {
            "body": message.body,
            "bits_spent": 0,
            "fragments": fragments,
            "is_action": False,
            "user_badges": [{"_id": badge, "version": version} for badge, version in viewer.badges] or None,
            "user_color": viewer.colour,
            "user_notice_params": {"msg-id": None},
            "emoticons": emoticons or None,
        },
        "more_replies": False,
    }


def _fragments(body: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Split a message into text and emotes; an emote's `end` is its last character."""
    fragments: list[dict[str, Any]] = []
    emoticons: list[dict[str, Any]] = []
    text, at = "", 0
    for word in body.split(" "):
        if word in EMOTES:
            if text:
                fragments.append({"text": text, "emoticon": None})
            emote = {"emoticon_id": EMOTES[word], "emoticon_set_id": ""}
            fragments.append({"text": word, "emoticon": emote})
            emoticons.append({"_id": EMOTES[word], "begin": at, "end": at + len(word) - 1})
            text = " "
        else:
            text += word + " "
        at += len(word) + 1
    if text.rstrip():
        fragments.append({"text": text[:-1], "emoticon": None})
    return fragments, emoticons


def _stamp(at: datetime) -> str:
    """Return a UTC time as TwitchDownloader writes it, to the millisecond."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
