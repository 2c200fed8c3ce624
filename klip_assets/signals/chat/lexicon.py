"""Meaning of words and names in a chat: bots, commands, laughter, emotes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

#: Accounts that post by machine on Twitch and YouTube, in lower case.
BOTS = frozenset(
    {
        "nightbot", "streamelements", "streamlabs", "moobot", "fossabot", "wizebot", "phantombot", "soundalerts",
        "sery_bot", "pokemoncommunitygame", "botrixoficial", "botrix", "own3d", "streamlootsbot", "stay_hydrated_bot",
        "mirrobot", "coebot", "deepbot", "ankhbot", "xanbot", "ohbot", "scottybot", "vivbot", "streamstickers",
        "kofistreambot", "tangiabot", "blerp", "frostytoolsdotcom", "lolrankbot", "creatisbot", "dixperbro", "supibot",
        "titlechange_bot", "buttsbot", "snusbot", "regressz", "streamcaptainbot", "restreambot", "playwithviewersbot",
        "twitchprimereminder", "logviewer", "commanderroot", "anotherttvviewer", "hnlbot", "academicsbot", "muxybot",
    }
)  # fmt: skip

#: What an entry of sentiment.tsv is matched against; the file's header explains them.
KINDS = ("emote", "cased", "name", "prefix", "suffix", "sarcasm", "word", "drawn", "phrase", "sign")

#: Laughing emotes: Twitch's global ones and the common ones of BTTV, FFZ and 7TV.
LAUGHING_EMOTES = (
    "4Head", "EleGiggle", "Hhhehehe", "hhhehehe", "ICANT", "KEKL", "KEKLEO", "KEKW", "KEKWait", "LUL", "LULE", "LULW",
    "LuL", "OMEGALUL", "PepeLaugh", "ZULUL", "pepeL", "pepeLaugh", "xdd",
)  # fmt: skip

# A '!' directly followed by a word; '!!!' is a reaction.
_COMMAND = re.compile(r"!\w")

_TEXTS_AT_ONCE = 20_000

# The patterns are for RE2, which Arrow uses: no look-around, and \b and \w are ASCII only.
_LATIN = (
    r"l[eu]+lz?|l+m+f?a+o+|rofl\w*|lawl|(?:top)?kek+|(?:ke){3,}k?|kek[wl]\w*|lulw\w*|omegalul\w*"
    r"|(?:b|bw|m?w|m?wu|mu|g|ny|[eouz])?a*h+a+h[ha]*|ha(?:[ -]+ha)+|e*h+e+h[he]*|h+i+h+i[hi]*|tee*-?hee*"
    r"|(?:hue){2,}h?|a?(?:hua){2,}h?|a*j+a+j+a[ja]*|j+e+j+e[je]*|j+i+j+i[ji]*|(?:js){3,}j?|k{4,}|(?:ka){3,}k?"
    r"|(?:rs){2,}r?|mdr+|x?ptdr+|(?:wk){2,}w?|x+d+"
)
_CYRILLIC = r"[ауи]*(?:х+[аеи]+){2,}х*|а*х+а+х+[ах]*|(?:лол|кек|хд)+|лмао+|рофл|ржу|ржач|ору"
_KANA = r"\p{Hiragana}\p{Katakana}ー"
_LAUGHTER = "|".join(
    (
        rf"\b(?:[lL]o+l+(?:o+l+)*[zs]?|l+o+l+(?:o+l+)*[zs]?|L+O+L+(?:O+L+)*[ZS]?|(?i:{_LATIN}))\b",  # LoL is the game.
        rf"(?:^|\s)(?:{'|'.join(LAUGHING_EMOTES)})(?:$|\s)",
        # Suffixes of channels' own emotes.
        r"(?:LUL|LULW|KEKW|Lul|LAUGH|Laugh|LOL|Lol|Lmao|LMAO|ROFL|Giggle|HAHA|Haha)\b",
        # ASCII w is laughter in Japanese: 草www, すごいw. A lone 'www' may be, a host name isn't, WWW is three wins.
        rf"(?:^|[^\w.:/])w{{3,}}(?:$|[^\w.])|[{_KANA}\p{{Han}}]w+(?:$|[^\w.])|ｗ{{2,}}|[{_KANA}\p{{Han}}]ｗ",
        # But not grass or strawberries, and not jokes or smiles.
        r"(?:^|[^\p{Han}])草+(?:$|[^\p{Han}])|大草原|草生え|草不可避",
        r"笑[死爛烂翻哭瘋疯到了]|[好爆大狂超]笑|[(（]笑[)）]|(?:^|[^微可玩嘲冷苦見见])笑+\s*$|(?:^|[^\p{Han}])笑+(?:$|[^\p{Han}])",
        r"わろた|ワロタ|ワロス|わらた|哈{2,}|呵{3,}|嘻{2,}|嘿{3,}|科科|ㄏㄏ|[ㅋㅎ]{2,}|[ᄏᄒ]{2,}|하하",
        rf"(?:^|[^\p{{Cyrillic}}])(?i:{_CYRILLIC})(?:$|[^\p{{Cyrillic}}])",
        # 555 is 'hahaha' in Thai, 233 a laughing face on a Chinese forum; next to ASCII they are plain numbers.
        r"(?:^|[^\x00-\x7f])\s*(?:(?:5{3,}|233+)\+?[ !~]*)+(?:$|[^\x00-\x7f])",
        r"ฮ่าฮ่า|ه{4,}|ח{3,}|(?i:(?:χα){2,})|[😂🤣😹😆]",
        r":(?:joy|rofl|laughing|face_with_tears_of_joy|rolling_on_the_floor_laughing|grinning_squinting_face):",
    )
)
#: An emote for unfunny jokes, spelled like a laugh.
_NOT_FUNNY = "haHAA"


def is_bot_message(text: str, *names: str | None) -> bool:
    """Return whether a known bot sent the message, or it is a bot command.

    Args:
        text: The message.
        names: Names of its author.
    """
    return _COMMAND.match(text.lstrip()) is not None or any(name.strip().casefold() in BOTS for name in names if name)


def emotes_of_words(text: str) -> list[str]:
    """Return the known emotes among the words of a text, in order."""
    known = known_emotes()
    return [word for word in text.split() if word in known]


@cache
def known_emotes() -> frozenset[str]:
    """Return emotes that appear in logs as plain words: Twitch's global and the common ones of BTTV, FFZ and 7TV."""
    return frozenset(read_entries()["emote"]) | frozenset(LAUGHING_EMOTES)


@cache
def read_entries() -> Mapping[str, Mapping[str, float]]:
    """Read sentiment.tsv: kind -> entry -> valence.

    Raises:
        ValueError: A line cannot be parsed, or an entry is listed twice; names the line.
    """
    entries: dict[str, dict[str, float]] = {kind: {} for kind in KINDS}
    text = files("klip_assets.signals.chat").joinpath("sentiment.tsv").read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("#"):
            continue
        kind, valence, _, listed = line.split("\t")
        for entry in listed.split():
            if entry in entries[kind]:
                raise ValueError(f"sentiment.tsv, line {number}: {kind} {entry} is listed twice")
            entries[kind][entry] = float(valence)
    return entries


def phrases_of(texts: Sequence[str]) -> list[str]:
    """Normalize messages so that variants of a phrase are equal; empty where a message says nothing.

    Case, spaces, repeated letters and signs, and repeated words make no difference: 'NO  WAYYY!!' is 'no way!', 'KEKW
    KEKW' is 'kekw'. Digits are kept: 11 is not 1.
    """
    phrases: list[str] = []
    for first in range(0, len(texts), _TEXTS_AT_ONCE):
        # All in one string, one line each: handling texts one by one takes five times as long.
        lines = "\n".join(" ".join(text.split()) for text in texts[first : first + _TEXTS_AT_ONCE]).casefold()
        letters = np.frombuffer(lines.encode("utf-32-le"), dtype=np.uint32)
        kept = np.ones(len(letters), dtype=bool)
        kept[1:] = (letters[1:] != letters[:-1]) | (letters[1:] == ord("\n"))
        kept |= (letters >= ord("0")) & (letters <= ord("9"))
        short = letters[kept].tobytes().decode("utf-32-le")
        phrases.extend(_without_repeats(line) for line in short.split("\n"))
    return phrases


def _without_repeats(line: str) -> str:
    words = line.split(" ")
    if len(set(words)) == len(words):
        return line
    return " ".join(word for at, word in enumerate(words) if at == 0 or word != words[at - 1])


def laughs(texts: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Return for each text whether it contains laughter; NULL counts as not laughing.

    Covers English (lol, lmao, haha, KEKW), Japanese (www, 草), Chinese (哈哈, 233), Korean (ㅋㅋ), Thai (555),
    Spanish (jaja), Portuguese (kkkk, rsrs), French (mdr), Indonesian (wkwk), Russian (хаха) and emoji.
    """
    plain = pc.replace_substring(texts, _NOT_FUNNY, " ")
    return pc.fill_null(pc.match_substring_regex(plain, _LAUGHTER), False)
