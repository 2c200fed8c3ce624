"""What words and names in a chat stand for: bots, commands, laughter, emotes.

Put here: lists and patterns, and asking them about a message. Keep out: reading logs (`chat.readers`) and adding up
seconds (`chat.activity`).
"""

from __future__ import annotations

import re

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

#: Emotes that logs deliver as plain words: Twitch's global ones and the common ones of BTTV, FFZ and 7TV.
EMOTES = frozenset(
    {
        "4Head", "ANELE", "AYAYA", "Aware", "BabyRage", "Bedge", "BibleThump", "BlessRNG", "BloodTrail", "BrokeBack",
        "COPIUM", "Clap", "Clueless", "CoolStoryBob", "DansGame", "EZ", "EleGiggle", "FailFish", "FeelsAmazingMan",
        "FeelsBadMan", "FeelsGoodMan", "FeelsOkayMan", "FeelsStrongMan", "FeelsWeirdMan", "FrankerZ", "GIGACHAD",
        "HUH", "HUHH", "HYPERS", "HeyGuys", "HypeHype", "ICANT", "Jebaited", "KEKL", "KEKLEO", "KEKW", "KEKWait",
        "KKona", "KKonaW", "Kappa", "KappaPride", "Keepo", "Kreygasm", "LETSGO", "LUL", "LULW", "LuL", "Madge",
        "MingLee", "MrDestructoid", "NODDERS", "NOPERS", "NaM", "NotLikeThis", "OMEGALUL", "OhMyDog", "OpieOP",
        "PJSalt", "POGGERS", "POGGIES", "POGSLIDE", "PauseChamp", "PepeHands", "PepeLaugh", "PepeMeltdown", "Pog",
        "PogChamp", "PogU", "Pogey", "Poggers", "PowerUpL", "PowerUpR", "Prayge", "ResidentSleeper", "SMOrc", "Sadge",
        "SeemsGood", "SourPls", "Stare", "Susge", "SwiftRage", "TriHard", "TwitchUnity", "VoHiYo", "WICKED",
        "WeirdChamp", "WutFace", "YEP", "catJAM", "forsenE", "gachiBASS", "gachiGASM", "hackerCANS", "monkaGIGA",
        "monkaHmm", "monkaS", "monkaTOS", "monkaW", "peepoClap", "peepoHappy", "peepoHey", "peepoSad", "pepeD",
        "pepeJAM", "ratJAM", "widepeepoHappy", "widepeepoSad", "xqcL", "xqcM",
    }
)  # fmt: skip

# A '!' with a word right behind it; '!!!' is a reaction.
_COMMAND = re.compile(r"\s*!\w")

# For RE2, which Arrow uses: no look-around, \b knows ASCII only. Each branch is a whole word where words have ends.
_LAUGHTER = (
    r"(?i:\b(?:l+o+l+(?:o+l+)*z*|l+m+f*a+o+|rofl(?:mao)?|lawl|kek+|kekw\w*|kekl\w*|lulw?|omegalul\w*|icant|pepelaugh"
    r"|e?z?a*h*(?:ha+){2,}h*|b?wa+ha+(?:ha+)*h*|(?:he+){2,}h*|(?:hi+){2,}h*|(?:hue){2,}|(?:ja+){2,}j*|x+d+|k{4,}"
    r"|mdr+|ptdr+|5{4,})\b)"
    r"|(?:LUL|LULW|KEKW|LAUGH|Laugh)\b"
    r"|(?:^|[^\w.])w{3,}(?:$|[^\w.])"
    r"|ㅋㅋ|ㅎㅎ|笑|草|(?i:(?:[ах]*ха){2,})|😂|🤣|😹|😆"
)


def is_bot_message(text: str, *names: str | None) -> bool:
    """Return whether a known bot sent the message, or it is a command to one.

    Args:
        text: The message.
        names: The names its author goes by.
    """
    return _COMMAND.match(text) is not None or any(name.strip().casefold() in BOTS for name in names if name)


def emotes_of_words(text: str) -> list[str]:
    """Return the known emotes among the words of a text, in order."""
    return [word for word in text.split() if word in EMOTES]


def laughs(texts: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Return for each text whether it laughs; NULL counts as silence."""
    return pc.fill_null(pc.match_substring_regex(texts, _LAUGHTER), False)
