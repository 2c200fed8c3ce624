"""What the name of a file beside a recording says: whose sidecar it is, of what kind, in which language."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from klip_assets.inbox.media_files import MEDIA_SUFFIXES

#: Files with words and their times. Those in formats that Klip does not read are refused by name when they are read.
CAPTION_SUFFIXES = (
    ".vtt", ".srt", ".sbv", ".ttml", ".dfxp", ".json3", ".srv1", ".srv2", ".srv3", ".ass", ".ssa", ".lrc", ".sub",
    ".smi", ".sami", ".scc", ".stl", ".tsv", ".ctm", ".idx", ".textgrid",
)  # fmt: skip
#: Output of recognizers. Any other JSON file is a transcript only if it is named after a recording beside it.
TRANSCRIPT_SUFFIXES = (
    ".transcript.json",
    ".whisper.json",
    ".words.json",
    ".deepgram.json",
    ".assemblyai.json",
    ".elevenlabs.json",
)
#: `.live_chat.json` is yt-dlp's name for the chat of a YouTube stream. The format is detected from the content.
CHAT_SUFFIXES = (".chat.json", ".live_chat.json", ".chat.jsonl", ".chat.csv", ".chat.tsv", ".chat.txt")
INFO_SUFFIX = ".info.json"
#: What may follow any of them but the metadata.
PACKED = (".gz", ".zst")

#: Keys that only entries of chats have: JSON named like a transcript is a chat if its beginning holds one.
CHAT_KEYS = (
    b'"content_offset_seconds"', b'"replayChatItemAction"', b'"liveChatTextMessageRenderer"',
    b'"addChatItemAction"', b'"videoOffsetTimeMsec"', b'"time_in_seconds"', b'"chatroom_id"', b'"displayMessage"',
    b'"commenter"',
)  # fmt: skip
_SNIFFED_BYTES = 1 << 16

_CHAT = frozenset({"chat", "live_chat", "livechat", "rechat"})
#: Words in names that say what a file with words is, not in which language.
_NOTES = frozenset(
    {
        "forced", "sdh", "cc", "auto", "default", "orig", "original", "foreign", "full", "captions", "caption",
        "subtitles", "subtitle", "subs", "live", "replay", "transcript", "transcription", "whisper", "whisperx",
        "words", "deepgram", "assemblyai", "elevenlabs",
    }
)  # fmt: skip
#: Last words of names that say it is no captions, or a copy of some: no such file is taken.
_NO_SIDECARS = frozenset(
    {"chapters", "thumbnails", "storyboard", "storyboards", "sprite", "sprites", "bak", "old", "copy", "backup"}
)
_SIDECARS_OF_JSON = (".json", ".jsonl", ".csv", ".tsv", ".txt")

#: A language tag as in BCP 47: `de`, `pt-BR`, `zh-Hans`; also `pt_BR`.
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,2}")
#: The same with the id of the track behind it, as YouTube has several in one language: `en-eEY6OEpapPo`.
_TRACK = re.compile(r"([A-Za-z]{2,3}(?:-[A-Za-z]{2,4})?)-[A-Za-z0-9_-]{11}")
_BOUNDARY = re.compile(r"[.\s_\-\[(]")
_BRACKETS = re.compile(r"[\s\[\]()]+")


class Kind(Enum):
    """What a sidecar holds."""

    INFO = "metadata"
    CHAT = "chat"
    WORDS = "words"


class Role(NamedTuple):
    """What a name says about a sidecar.

    Attributes:
        kind: What it holds.
        language: Language of the words, '' if the name gives none.
    """

    kind: Kind
    language: str = ""


def plain(name: str) -> str:
    """Return a name without differences of case and of Unicode form, which people do not see."""
    return name.lower() if name.isascii() else unicodedata.normalize("NFC", name).casefold()


def unpacked(name: str) -> str:
    """Return a name without the ending of a compressed file."""
    ending = next((ending for ending in PACKED if name.lower().endswith(ending)), "")
    return name[: len(name) - len(ending)]


def prefixes(name: str) -> Iterator[tuple[str, str]]:
    """Yield the ways to divide a file's name into that of a recording and the rest, the longest first.

    The recording is named with or without its suffix ("talk", "talk.mp4": whisper.cpp writes `talk.wav.vtt`).
    """
    name = unicodedata.normalize("NFC", name)
    for boundary in reversed(list(_BOUNDARY.finditer(name))):
        if boundary.start() > 0:
            yield name[: boundary.start()], name[boundary.start() :]


def role_of(rest: str) -> Role | None:
    """Return what the rest of a name behind its recording's stem says, None if it is not that of a sidecar.

    Args:
        rest: Such as ".en.vtt", ".mp4.vtt", " - Chat.json", "_en.srt".
    """
    lowered = rest.lower()
    if lowered.endswith(INFO_SUFFIX) and lowered[: -len(INFO_SUFFIX)] in ("", *MEDIA_SUFFIXES):
        return Role(Kind.INFO)
    bare = Path(unpacked(rest))
    suffix, middle = bare.suffix.lower(), bare.name[: -len(bare.suffix)] if bare.suffix else ""
    if not suffix and bare.name.lower() in (*CAPTION_SUFFIXES, ".json"):  # ".vtt" alone has no suffix for pathlib.
        suffix, middle = bare.name.lower(), ""
    if suffix not in (*CAPTION_SUFFIXES, *_SIDECARS_OF_JSON):
        return None
    is_words, language, is_chat = suffix in CAPTION_SUFFIXES or suffix == ".json", "", False
    parts = [found for found in _parts(middle) if found[0]]
    if parts and parts[-1][0].lower() in _NO_SIDECARS:
        return None
    has_note = any(part.lower() in _NOTES for part, _ in parts)
    for n, (part, is_dotted) in enumerate(parts):
        word = part.lower()
        if word in _CHAT:
            is_chat = True
        elif word in _NOTES or (n == 0 and f".{word}" in MEDIA_SUFFIXES):
            continue
        elif not language and (found := _language(part, suffix, is_dotted=is_dotted, is_last=n == len(parts) - 1)):
            # "talk.raw.json": three letters are a language only before a known ending.
            if suffix == ".json" and not has_note and len(re.split("[-_]", found)[0]) != 2:
                return None
            language = found
        elif language and len(part) == 2 and part.isupper():  # "talk_pt_BR.srt"
            language = f"{language}-{part}"
        else:
            return None
    if is_chat:
        return Role(Kind.CHAT) if suffix in _SIDECARS_OF_JSON else None
    return Role(Kind.WORDS, language) if is_words else None


def holds_chat(path: Path) -> bool:
    """Return whether a JSON file holds a chat, by what its first 64 KB name; an unreadable or packed one does not."""
    try:
        with path.open("rb") as file:
            head = file.read(_SNIFFED_BYTES)
    except OSError:
        return False
    return any(key in head for key in CHAT_KEYS)


def _parts(middle: str) -> Iterator[tuple[str, bool]]:
    """Yield the words between stem and suffix, each with whether it stands between dots alone."""
    for n, piece in enumerate(middle.split(".")):
        if n and (piece.lower() in _CHAT or _LANGUAGE.fullmatch(piece) or _TRACK.fullmatch(piece)):
            yield piece, True
            continue
        for word in _BRACKETS.split(piece):
            word = word.strip("-–_")
            if word.lower() in _CHAT or "-" in word:
                yield word, False
            else:
                yield from ((part, n > 0 and part == piece) for part in word.split("_"))


def _language(part: str, suffix: str, *, is_dotted: bool, is_last: bool) -> str:
    if track := _TRACK.fullmatch(part):
        return track[1]
    if not is_dotted:  # "talk_en.srt", but not "talk_raw.srt"
        primary = re.split("[-_]", part)[0].lower()
        return part if _LANGUAGE.fullmatch(part) and primary in _ISO_639_1 else ""
    if suffix in CAPTION_SUFFIXES and is_last:  # Of captions, any word may be one: "talk.german.srt".
        return part if 2 <= len(part) <= 12 and part.replace("-", "").replace("_", "").isalpha() else ""
    return part if _LANGUAGE.fullmatch(part) else ""


#: ISO 639-1, as the Library of Congress lists it.
_CODES = (
    "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en",
    "eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv",
    "ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne",
    "ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st",
    "su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu",
)
_ISO_639_1 = frozenset(code for line in _CODES for code in line.split())
