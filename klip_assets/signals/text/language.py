"""Language identification of short texts.

The source takes precedence: X uses more than the text. Otherwise py3langid decides, whose model ships with it. It errs
on the side of reading: a text counts as another language only if it is very unlikely English (measured in
docs/tweets.md), and a text of unknown language is read.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib.metadata import version
from typing import Any

from klip_assets.signals.text.item import own_words

ENGLISH = "en"

#: Codes from before 1989 that X still uses, and one used by other sources -> today's code.
_RENAMED = {"in": "id", "iw": "he", "ji": "yi", "eng": "en"}
#: Codes that name no language: undetermined, no linguistic content, multiple, uncoded, constructed.
_NONE = frozenset({"und", "zxx", "mul", "mis", "art"})
_CODE = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]+)*")
_HASH = re.compile(r"[#＃](?=\w)")
_LONG = re.compile(r"(.)\1{2,}")

#: Scripts that identify a language better than a model can from a few letters -> languages written in them.
_SCRIPTS = {"HANGUL": ("ko",), "HIRAGANA": ("ja",), "KATAKANA": ("ja",), "CJK": ("zh", "ja"), "THAI": ("th",)}

#: A text is not English if the detector gives English less than this probability.
HARDLY_ENGLISH = 0.02
#: Texts with fewer Latin letters are too short to tell: "gg", "lol no".
FEWEST_LETTERS = 20
_LAST_LATIN = "\u024f"


def detector_name() -> str:
    """Return the name and version of the detector."""
    return f"py3langid-{version('py3langid')}"


def language_of(text: str, declared: str | None) -> str | None:
    """Return the language of a text, as declared by the source or else as detected.

    Args:
        text: The text.
        declared: The source's language code; one that names no language (`und`, X's `qme` and the like) is ignored.

    Returns:
        An ISO 639 code, None if it can't be determined.
    """
    return language_of_code(declared) or detect(text)


def language_of_code(code: str | None) -> str | None:
    """Return the language of a BCP 47 code, without script and region; None where it names none."""
    found = _CODE.fullmatch(code.strip()) if code else None
    if not found:
        return None
    language = found[1].lower()
    # q.. are private codes; X has qme (media only), qht (hashtags only), qst (too short) and others.
    if language in _NONE or (len(language) == 3 and language.startswith("q")):
        return None
    return _RENAMED.get(language, language)


def detect(text: str) -> str | None:
    """Detect the language of a text, ignoring links and mentions; None if it can't be determined."""
    # Repetition ("lol lol lol", "aaaaa") adds no information.
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
    """Return the languages of the script of most letters; none if the script is used by many."""
    scripts = [unicodedata.name(letter, "").partition(" ")[0] for letter in letters]
    known = [script for script in scripts if script in _SCRIPTS]
    if 2 * len(known) <= len(scripts):
        return ()
    # Japanese also uses Chinese characters.
    return _SCRIPTS[next((script for script in known if script != "CJK"), "CJK")]


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
