"""The language a short text is written in.

What the source says comes first: X looks at more than the text. Where it says nothing, py3langid looks at the letters;
its model comes with it. It is made to err on the side of reading: a text is taken for another language only if it is
hardly English (measured in docs/tweets.md), and what can't be told is read as before.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib.metadata import version
from typing import Any

from klip_assets.signals.text.item import own_words

ENGLISH = "en"

#: Codes that X still writes as they were before 1989, and one that other sources write; what they are today.
_RENAMED = {"in": "id", "iw": "he", "ji": "yi", "eng": "en"}
#: Codes that name no language: undetermined, no words, made up.
_NONE = frozenset({"und", "zxx", "mul", "mis", "art"})
_CODE = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]+)*")
_HASH = re.compile(r"[#＃](?=\w)")
_LONG = re.compile(r"(.)\1{2,}")

#: Scripts that say more than a model can learn from a few letters: languages that are written in them.
_SCRIPTS = {"HANGUL": ("ko",), "HIRAGANA": ("ja",), "KATAKANA": ("ja",), "CJK": ("zh", "ja"), "THAI": ("th",)}

#: A text is not English if the detector gives English less than this share.
HARDLY_ENGLISH = 0.02
#: Latin letters below which nothing can be told: "gg", "lol no".
FEWEST_LETTERS = 20
_LAST_LATIN = "\u024f"


def detector_name() -> str:
    """Name the detector with its version."""
    return f"py3langid-{version('py3langid')}"


def language_of(text: str, declared: str | None) -> str | None:
    """Return the language of a text: what the source says, else what its letters show.

    Args:
        text: The text.
        declared: What the source says; a code that names no language (`und`, X's `qme` and the like) says nothing.

    Returns:
        An ISO 639 code, None where it can't be told.
    """
    return language_of_code(declared) or detect(text)


def language_of_code(code: str | None) -> str | None:
    """Return the language that a BCP 47 code names, without script and region; None where it names none."""
    found = _CODE.fullmatch(code.strip()) if code else None
    if not found:
        return None
    language = found[1].lower()
    # q.. are private codes; X has qme (media only), qht (hashtags only), qst (too short) and others.
    if language in _NONE or (len(language) == 3 and language.startswith("q")):
        return None
    return _RENAMED.get(language, language)


def detect(text: str) -> str | None:
    """Return the language that the letters of a text show, links and mentions aside; None where they don't."""
    # Said many times over ("lol lol lol", "aaaaa"), a word tells no more.
    words = dict.fromkeys(_LONG.sub(r"\1\1", _HASH.sub("", own_words(text)).lower()).split())
    letters = [character for word in words for character in word if character.isalpha()]
    latin = sum(character <= _LAST_LATIN for character in letters)
    if not letters or (2 * latin >= len(letters) and len(letters) < FEWEST_LETTERS):
        return None
    ranked: list[tuple[str, float]] = _identifier().rank(" ".join(words))
    best = ranked[0][0]
    if best != ENGLISH and dict(ranked)[ENGLISH] >= HARDLY_ENGLISH:
        return None
    possible = _possible(letters)
    return next((language for language, _ in ranked if language in possible), best) if possible else best


def _possible(letters: list[str]) -> tuple[str, ...]:
    """Return the languages that most letters' script is of; none where the script is that of many."""
    scripts = [unicodedata.name(letter, "").partition(" ")[0] for letter in letters]
    known = [script for script in scripts if script in _SCRIPTS]
    if 2 * len(known) <= len(scripts):
        return ()
    # Japanese is written with signs of Chinese among its own.
    return _SCRIPTS[next((script for script in known if script != "CJK"), "CJK")]


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
