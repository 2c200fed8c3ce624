"""Actions and renderers of YouTube's live chat, as written by yt-dlp (`<name>.live_chat.json`) or on their own."""

from __future__ import annotations

from collections.abc import Iterator

from klip_assets.formats.refused import Refused, RowRefused
from klip_assets.formats.text import valid_unicode
from klip_assets.signals.chat.lexicon import emotes_of_words, is_bot_message
from klip_assets.signals.chat.readers.item_format import Item, ItemFormat
from klip_assets.signals.chat.readers.log import NO_MESSAGE, Message, PassedOver
from klip_assets.signals.chat.times import Kind, Time, time_of, time_of_day, unix_s
from klip_assets.signals.chat.values import id_of, name_of, text_of

#: What people write. A new membership has no message; a milestone does.
_SPOKEN = frozenset({"liveChatTextMessageRenderer", "liveChatPaidMessageRenderer", "liveChatMembershipItemRenderer"})
_OF_RENDERERS, _OF_ACTIONS = "Renderer", ("Action", "Command")
_REPLAY = "replayChatItemAction"


def is_youtube(item: Item) -> bool:
    """Return whether a JSON object is an action, a named renderer, or the content of one."""
    message = item.get("message")
    if isinstance(message, dict):
        return "runs" in message or "simpleText" in message
    return any(name.endswith((_OF_RENDERERS, *_OF_ACTIONS)) for name in item)


def read_youtube(position: str, item: Item) -> Iterator[Message | Refused | PassedOver]:
    """Read an object for which `is_youtube` holds: a message, or several actions at one time.

    Tickers, banners, deletions, polls and YouTube's own notices are skipped: they are not messages, or repeat one.

    Args:
        position: Its position in the file.
        item: The object.
    """
    if isinstance(item.get("message"), dict):
        yield _read_renderer(position, item, item.get("videoOffsetTimeMsec"))
        return
    is_live = item.get("isLive") is True
    replay = item.get(_REPLAY)
    # A replay holds the offset itself; where yt-dlp recorded a live chat, it added one next to it.
    offset_ms = item.get("videoOffsetTimeMsec")
    actions: object = [item]
    if isinstance(replay, dict):
        actions = replay.get("actions")
        offset_ms = replay.get("videoOffsetTimeMsec", offset_ms)
    if not isinstance(actions, list):
        yield Refused(position, NO_MESSAGE, "an action without its content")
        return
    for n, action in enumerate(actions, start=1):
        where = position if len(actions) == 1 else f"{position}, item {n}"
        yield _read_action(where, action, offset_ms, is_live=is_live)


def _read_action(position: str, action: object, offset_ms: object, *, is_live: bool) -> Message | Refused | PassedOver:
    if isinstance(action, dict):
        kind = next((name for name in action if name.endswith((_OF_RENDERERS, *_OF_ACTIONS))), None)
        content = action.get(kind) if kind else None
        if kind and isinstance(content, dict):
            if kind.endswith(_OF_RENDERERS):
                return _read_named(position, action, kind, offset_ms, is_live=is_live)
            # A message held for review replaces its placeholder.
            added = content.get({"addChatItemAction": "item", "replaceChatItemAction": "replacementItem"}.get(kind, ""))
            if not isinstance(added, dict):
                return PassedOver(valid_unicode(kind))
            renderer = next((name for name in added if name.endswith(_OF_RENDERERS)), kind)
            return _read_named(position, added, renderer, offset_ms, is_live=is_live)
    return Refused(position, NO_MESSAGE, "an action without its content")


def _read_named(
    position: str, holder: Item, name: str, offset_ms: object, *, is_live: bool
) -> Message | Refused | PassedOver:
    renderer = holder.get(name)
    if name not in _SPOKEN or not isinstance(renderer, dict):
        return PassedOver(valid_unicode(name))
    if name == "liveChatMembershipItemRenderer" and not renderer.get("message"):
        return PassedOver(name)
    return _read_renderer(position, renderer, offset_ms, is_live=is_live)


def _read_renderer(position: str, renderer: Item, offset_ms: object, *, is_live: bool = False) -> Message | Refused:
    author = name_of(renderer.get("authorName"))
    author_id = id_of(renderer.get("authorExternalChannelId"))
    try:
        when = _time(renderer, offset_ms)
        if is_live and when.kind is Kind.OFFSET:
            when = when._replace(kind=Kind.LIVE)
        text, emotes = _text_and_emotes(renderer)
        text = text_of(text)
    except RowRefused as refusal:
        return Refused(position, refusal.reason, refusal.detail)
    # YouTube shows handles since 2025: "@Nightbot".
    is_bot = is_bot_message(text, author.removeprefix("@") if author else None)
    sent_s = unix_s(renderer.get("timestampUsec"))
    message_id = id_of(renderer.get("id"))
    identity = message_id and (message_id, when.value if sent_s is None else sent_s)
    return Message(position, when, author, author_id, text, emotes, is_bot, identity, sent_s)


def _time(renderer: Item, offset_ms: object) -> Time:
    shown = renderer.get("timestampText")
    text = shown.get("simpleText") if isinstance(shown, dict) else None
    if offset_ms is not None:
        when = time_of(offset_ms, 1e-3)
        if when.value <= 0 and isinstance(text, str) and text.lstrip().startswith(("-", "−")):
            # Before the start YouTube gives no milliseconds; all these messages would be placed at 0.
            return time_of(text)
        return when
    if renderer.get("timestampUsec") is not None:
        when = time_of(renderer["timestampUsec"], 1e-6)
        return when if when.kind is Kind.DAY else time_of_day(renderer["timestampUsec"])
    return time_of(text)


def _text_and_emotes(renderer: Item) -> tuple[str, list[str]]:
    message = renderer.get("message")
    if message is None and "purchaseAmountText" in renderer:
        return "", []  # Paid without a message.
    runs = message.get("runs") if isinstance(message, dict) else None
    if not isinstance(runs, list):
        text = text_of(message.get("simpleText") if isinstance(message, dict) else None)
        return text, emotes_of_words(text)
    text, emotes = "", []
    for run in runs:
        if not isinstance(run, dict):
            continue
        emoji = run.get("emoji")
        if isinstance(emoji, dict):
            name = _name_of_emoji(emoji)
            text += name
            if emoji.get("isCustomEmoji") and name:
                emotes.append(name)
        elif isinstance(piece := run.get("text"), str):
            text += piece
            emotes += emotes_of_words(piece)
    return text, emotes


def _name_of_emoji(emoji: Item) -> str:
    """Return the emoji itself or, for one of the channel, its name in the chat: ":_hi:"."""
    shortcuts = emoji.get("shortcuts")
    shortcut = shortcuts[0] if isinstance(shortcuts, list) and shortcuts else None
    sign = emoji.get("emojiId")
    name = shortcut or sign if emoji.get("isCustomEmoji") else sign or shortcut
    return valid_unicode(name) if isinstance(name, str) else ""


FORMAT = ItemFormat("yt-dlp", is_youtube, read_youtube, of_stream=True, order=1)
