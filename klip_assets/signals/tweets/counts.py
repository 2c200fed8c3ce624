"""Counts of likes and the like as people and programs write them: "1.2K", "1.234", "2 571", "12万".

A count is optional: what is written in its place never costs the row. It is the number, or NULL where that isn't
certain. What was made NULL is counted per column.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from klip_assets.formats.refused import Refused
from klip_assets.signals.tweets.values import is_absent, shown

COUNTS = ("like_count", "retweet_count", "reply_count", "quote_count", "impression_count")
_LARGEST = 2**63 - 1
_LONGEST = 40

_FACTORS: Mapping[str, int] = {
    word: factor
    for factor, words in {
        10**2: "百",
        10**3: "k tsd tausend thousand mil mille tys тыс тысяч rb ribu bin ألف हज़ार 千 천",
        10**4: "w 万 萬 만",
        10**5: "lakh lac लाख",
        10**6: "m mi mio mn mln mill million millions millionen millones milhões мл млн jt juta مليون 百万 百萬 백만",
        10**7: "cr crore करोड़",
        10**8: "亿 億 억",
        10**9: "b bn bio bln mrd mld md milyar млрд billion",
    }.items()
    for word in unicodedata.normalize("NFKC", words).split()
}
#: Words that say what is counted.
_UNITS = frozenset(
    {
        "like", "likes", "favorite", "favorites", "favourites", "retweet", "retweets", "repost", "reposts", "reply",
        "replies", "quote", "quotes", "view", "views", "impressions",
    }
)  # fmt: skip
_WRITTEN = re.compile(r"[+~≈]?([0-9][0-9 .,'_]{0,39})(?:e\+?([0-9]{1,2}))? ?(\S{0,39}?)\.?(?: (\w{1,39}))?\+?")
_DASHES = frozenset({"—", "–", "‒", "―", "−", "--", "---", "?"})
#: Signs that are written between thousands, as one; the Arabic signs for thousands and decimals.
_SIGNS = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "´": "'", "`": "'", "_": "'", "٬": "'", "٫": ",", "،": ","})
_GROUPED = {sign: re.compile(rf"[1-9][0-9]{{0,2}}(?:{re.escape(sign)}[0-9]{{3}}){{1,12}}") for sign in ".,' "}
#: Indian grouping: 12,34,567.
_INDIAN = re.compile(r"[1-9][0-9]?(?:,[0-9]{2}){0,12},[0-9]{3}")
#: Fractions that can't be thousands: of another length, or behind what is no first group of digits.
_FRACTION = re.compile(r"[0-9]{1,30}([.,])(?:[0-9]{1,2}|[0-9]{4,30})|(?:0|[0-9]{4,30})([.,])[0-9]{3}")
_THREE_DECIMALS = re.compile(r"(?:0|[0-9]{4,30})([.,])[0-9]{3}")
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}([.,])(?!000)[0-9]{3}")
_ZEROS = re.compile(r"[0-9]{1,3}(\.)000")


def count_of(value: object, decimals: str = "") -> int | None:
    """Return a count, None where it is absent or not certain.

    A whole count with exactly three digits behind each sign is written in thousands: "25.000" is 25,000, never 25.
    With a factor ("1.234K") that would be either, so it is None.

    Args:
        value: What is written.
        decimals: Signs ('.', ',' or both) that separate decimals elsewhere in the column: "25.000" is not certain then.
    """
    if type(value) is int:
        return value if 0 <= value <= _LARGEST else None
    number: Decimal | float | None = None
    if isinstance(value, float | Decimal) and math.isfinite(value):
        number = value
    elif isinstance(value, str) and len(value) <= _LONGEST:
        number = Decimal(value) if value.isascii() and value.isdigit() else _number(_plain(value), decimals)
    return int(number) if number is not None and 0 <= number <= _LARGEST and number == int(number) else None


def decimal_signs(values: Iterable[str]) -> str:
    """Return the signs that separate decimals in some of a column's values, or may do so in all of them.

    '.' for "12.0", ',' for "0,5". If all of several values end in ".000", they are either thousands or whole numbers
    with three decimals, as programs write them.
    """
    written = [value.strip() for value in values if not (is_absent(value) or _is_dash(value))]
    found = (_FRACTION.fullmatch(value) for value in written)
    signs = {match[1] or match[2] for match in found if match}
    zeros = {ends[1] if (ends := _ZEROS.fullmatch(value)) else "" for value in written}
    if len(written) > 1 and len(zeros) == 1:
        signs |= zeros
    return "".join(sorted(signs))


def three_decimals(values: Iterable[str]) -> str:
    """Return the signs that separate three decimals in some of a column's values: '.' for "0.000"."""
    found = (_THREE_DECIMALS.fullmatch(value.strip()) for value in values)
    return "".join(sorted({match[1] for match in found if match}))


def thousands_signs(values: Iterable[str]) -> str:
    """Return the signs that separate thousands in some of a column's values: '.' for "1.234", not for "1.000"."""
    found = (_THOUSANDS.fullmatch(value.strip()) for value in values)
    return "".join(sorted({match[1] for match in found if match}))


def _plain(text: str) -> str:
    """Return a text with plain spaces, digits 0 to 9 of any script, and one sign for apostrophes."""
    if any(unicodedata.category(sign) == "No" for sign in text):
        return ""  # "1²" is not 12.
    signs = unicodedata.normalize("NFKC", text).translate(_SIGNS)
    digits = (str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in signs)
    return " ".join("".join(digits).casefold().split())


def _number(text: str, decimals: str) -> Decimal | None:
    found = _WRITTEN.fullmatch(text)
    if not found:
        return None
    digits, exponent, word, unit = found.groups()
    if word in _UNITS and not unit:
        word = ""
    elif unit and unit not in _UNITS:
        return None
    factor = 10 ** int(exponent) if exponent and not word else _FACTORS.get(word) if word else 1
    if factor is None or (exponent and word):
        return None
    base = _base(digits.strip(), decimals, is_scaled=factor > 1)
    return None if base is None else base * factor


def _base(digits: str, decimals: str, *, is_scaled: bool) -> Decimal | None:
    """Return the value of digits with signs between them, None where it could be either of two."""
    signs = [sign for sign in ".,' " if sign in digits]
    if not signs:
        return Decimal(digits)
    for sign in signs:
        whole, _, fraction = digits.rpartition(sign)
        if len(signs) == 1 and (_GROUPED[sign].fullmatch(digits) or (sign == "," and _INDIAN.fullmatch(digits))):
            is_one = digits.count(sign) == 1
            if is_one and sign in ".," and (is_scaled or sign in decimals):
                return None
            return Decimal(digits.replace(sign, ""))
        if sign in ".," and whole.count(sign) == 0 and fraction.isdigit():
            between = [other for other in signs if other != sign]
            if not between:
                return Decimal(f"{whole}.{fraction}") if whole.isdigit() else None
            if len(between) == 1 and (_GROUPED[between[0]].fullmatch(whole) or _INDIAN.fullmatch(whole)):
                return Decimal(f"{whole.replace(between[0], '')}.{fraction}")
    return None


@dataclass
class Unread:
    """Counts of one file that were made NULL, by column.

    Attributes:
        counts: How many, by column.
        first: The first of them, by column, as shown in a message.
    """

    counts: dict[str, int] = field(default_factory=dict)
    first: dict[str, str] = field(default_factory=dict)

    def read(self, value: object, name: str, decimals: str = "") -> int | None:
        """Return a count as `count_of` does; one that is there, but can't be read, is noted."""
        if value is None:
            return None
        number = count_of(value, decimals)
        if number is None and not (is_absent(value) or value != value or _is_dash(value)):
            self.counts[name] = self.counts.get(name, 0) + 1
            self.first.setdefault(name, shown(value))
        return number

    def summary(self) -> list[Refused]:
        """Return one entry per column, for `quarantine`."""
        return [
            Refused(
                f"column {name}",
                "not a count, so it is NULL; the row stays",
                f"{count:,} {'value' if count == 1 else 'values'}, the first: {self.first[name]}",
            )
            for name, count in self.counts.items()
        ]


def _is_dash(value: object) -> bool:
    return isinstance(value, str) and value.strip() in _DASHES
