"""Sentiment of chat messages."""

from __future__ import annotations

import math
import re
import string
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import pyarrow as pa

from klip_assets.signals.chat.lexicon import laughs, read_entries

#: Messages at or above this are positive, at or below its negative are negative, in between neutral.
FEELING_FROM = 0.05

#: Valence of laughter, added once per message, however often it laughs.
LAUGHTER = 1.8
#: Extra weight of a repeated emote for each doubling.
_REPEATED = 0.2
#: Factor applied to praise next to a sarcastic emote.
_SARCASM = -0.5
#: VADER's own constant: a sum of 4 is .72.
_ALPHA = 15.0
#: VADER rounds its result, so that the underlying sum can't be recovered beyond this.
_MAX_COMPOUND = 0.99
#: Platforms allow 200 to 500 characters; VADER's time grows with the square of the words.
_MAX_CHARS = 500

_DRAWN = re.compile(r"(\w)\1{2,}")
#: Appended to a drawn-out word; not punctuation, which VADER would strip.
_LONG = "ː"
_PUNCTUATION = string.punctuation + "…“”„«»¡¿、。，！？"


def message_scores(texts: Iterable[str | None]) -> list[float | None]:
    """Score messages by words, emotes, emoji and laughter.

    Words and phrases go through VADER's rules (Hutto and Gilbert, 2014) with VADER's lexicon as changed by
    `sentiment.tsv`; emotes, signs and laughter are added, and the sum is scaled to -1 to 1 as VADER does.

    Args:
        texts: Messages, of which the first 500 characters count.

    Returns:
        -1 to 1 for each; None for None and for blank texts. Chats are repetitive: each distinct text is scored once.
    """
    texts = list(texts)
    distinct = list(dict.fromkeys(text for text in texts if text is not None and text.strip()))
    laughing = laughs(pa.array(distinct, pa.string())).to_pylist()
    scorer = _scorer()
    scores = {text: scorer.score(text, laugh) for text, laugh in zip(distinct, laughing, strict=True)}
    return [None if text is None else scores.get(text) for text in texts]


@cache
def _scorer() -> _Scorer:
    return _Scorer(read_entries())


class _Scorer:
    """The lexicon, prepared for look-ups."""

    def __init__(self, entries: Mapping[str, Mapping[str, float]]) -> None:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

        self._vader: Any = SentimentIntensityAnalyzer()
        self._emotes = {**entries["emote"], **entries["cased"]}
        self._names = entries["name"]
        self._sarcastic = frozenset(entries["sarcasm"])
        self._prefixes = entries["prefix"]
        self._suffixes = entries["suffix"]
        self._drawn = entries["drawn"]
        self._phrases = {tuple(phrase.split("_")): phrase for phrase in entries["phrase"]}
        self._longest_from: dict[str, int] = {}
        for phrase in self._phrases:
            self._longest_from[phrase[0]] = max(len(phrase), self._longest_from.get(phrase[0], 0))
        self._signs = entries["sign"]
        self._sign = re.compile("|".join(map(re.escape, sorted(self._signs, key=len, reverse=True))))
        self._prefix = re.compile(f"({'|'.join(self._prefixes)})(?=[A-Z0-9])")
        ends = "|".join(sorted(self._suffixes, key=len, reverse=True))
        self._suffix = re.compile(f"[a-z][a-z0-9]{{2,11}}?({ends})")
        lexicon: dict[str, float] = self._vader.lexicon
        lexicon.update(entries["word"])
        lexicon.update(entries["phrase"])
        lexicon.update({word + _LONG: valence for word, valence in self._drawn.items()})
        # Laughter is scored separately; numbers are pager codes to VADER, and plain numbers in a chat.
        laughing = laughs(pa.array(list(lexicon))).to_pylist()
        for word, laugh in zip(list(lexicon), laughing, strict=True):
            if laugh or word.isdigit() or lexicon[word] == 0:
                del lexicon[word]
        self._lexicon = lexicon
        self._other_signs = dict.fromkeys((ord(sign) for sign in self._vader.emojis if len(sign) == 1), " ")

    def score(self, text: str, laughing: bool) -> float:
        """Score one message, -1 to 1."""
        text = text[:_MAX_CHARS]
        total = 0.0
        if not text.isascii():
            total += _sum(Counter(self._sign.findall(text)), self._signs)
            text = self._sign.sub(" ", text).translate(self._other_signs)
        emotes: dict[str, float] = {}
        times: Counter[str] = Counter()
        words: list[str] = []
        praise_is_meant = True
        for token in text.split():
            if token[0] == "@" or token.startswith("www.") or "://" in token[1:]:
                continue  # Mentions and URLs are not what the message says.
            praise_is_meant = praise_is_meant and token not in self._sarcastic
            valence = self._emote(token)
            if valence is None:
                words.append(self._word(token))
            else:
                emotes[token] = valence
                times[token] += 1
        spoken = self._spoken(words, text)
        total += _sum(times, emotes) + (spoken if praise_is_meant or spoken < 0 else _SARCASM * spoken)
        if laughing and spoken >= 0:  # Next to blame, laughter is mockery.
            total += LAUGHTER
        return total / math.sqrt(total * total + _ALPHA)

    def _emote(self, token: str) -> float | None:
        for form in (token, token.strip(_PUNCTUATION)):
            known = self._emotes.get(form)
            if known is None:
                known = self._names.get(form.lower())
            if known is not None:
                return known
        if token.islower() or not token.isascii():
            return None
        if start := self._prefix.match(token):
            return self._prefixes[start[1]]
        if end := self._suffix.fullmatch(token):
            return self._suffixes[end[1]]
        short = _DRAWN.sub(r"\1", token)
        return self._emotes.get(short) if short != token else None

    def _word(self, token: str) -> str:
        """Return a token as VADER should see it: no punctuation unless it is an emoticon, drawn-out letters cut."""
        core = token.strip(_PUNCTUATION).replace("’", "'")
        if len(core) <= 2 and token.lower() in self._lexicon:
            return token
        if not _DRAWN.search(core):
            return core
        once, twice = _DRAWN.sub(r"\1", core), _DRAWN.sub(r"\1\1", core)
        for form in (once, twice):
            if form.lower() in self._drawn:
                return form + _LONG
        return twice if twice.lower() in self._lexicon else once

    def _spoken(self, words: list[str], text: str) -> float:
        """Return VADER's sum of valences of words, phrases and exclamation marks."""
        plain = [word.lower().removesuffix(_LONG) for word in words]
        joined: list[str] = []
        at = 0
        while at < len(words):
            for count in range(min(self._longest_from.get(plain[at], 0), len(words) - at), 1, -1):
                phrase = self._phrases.get(tuple(plain[at : at + count]))
                if phrase:
                    joined.append(phrase)
                    at += count
                    break
            else:
                joined.append(words[at])
                at += 1
        if not any(word.lower() in self._lexicon for word in joined):
            return 0.0
        marks = "!" * text.count("!") + "?" * text.count("?")
        compound = float(self._vader.polarity_scores(f"{' '.join(joined)} {marks}")["compound"])
        compound = min(_MAX_COMPOUND, max(-_MAX_COMPOUND, compound))
        return compound * math.sqrt(_ALPHA / (1 - compound * compound))


def _sum(times: Counter[str], valences: Mapping[str, float]) -> float:
    return sum(valences[entry] * (1 + _REPEATED * math.log2(count)) for entry, count in times.items())
