"""Links in a text, as the platform itself finds them.

The rules are those of twitter-text 3: with or without a protocol, any domain with an existing top-level domain, CJK
text directly around it, a path that ends before closing punctuation, with balanced parentheses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SPACES = "\t-\r \x85\xa0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
PUNCTUATION = r"!'#%&'()*+,\\\-./:;<=>?@\[\]\^_{|}~$"
LATIN = (
    "\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0253\u0254\u0256\u0257\u0259\u025b\u0263\u0268\u026f\u0272\u0289\u028b"
    "\u02bb\u0300-\u036f\u1e00-\u1eff"
)
_CYRILLIC = "\u0400-\u04ff"
_INVALID = "\ufffe\ufeff\uffff"
_DIRECTIONS = "\u202a-\u202e\u061c\u200e\u200f\u2066-\u2069"
_LONGEST = 4096
_LONGEST_SLUG = 40

_D = f"[^{PUNCTUATION}{SPACES}{_INVALID}{_DIRECTIONS}]"
#: Domain names have no longer labels.
_LONGEST_LABEL = 63
# Each part is bounded, or costs what it matches: a text in which no link is found must not be searched again from each
# of its characters.
_LABEL = rf"{_D}(?:[_\-]{{0,62}}+{_D}){{0,62}}+"
_HOST = re.compile(rf"(?:[^A-Za-z0-9@＠$#＃{_INVALID}]|^)((https?://)?({_LABEL}(?:\.{_LABEL})++))", re.IGNORECASE)
_GENERAL = rf"a-z0-9!*';:=+,.$/%#\[\]\-\u2013_~@|&{_CYRILLIC}{LATIN}"
_ENDING = rf"+\-a-z0-9=_#/{_CYRILLIC}{LATIN}"
_PARENTHESES = rf"\((?:[{_GENERAL}]++|[{_GENERAL}]*+\([{_GENERAL}]++\)[{_GENERAL}]*+)\)"
# Up to 99 characters that can't end a path or query, then one that can, over and over.
_QUERY = r"\?(?:[!?*'@();:+$%\[\].,~|]{0,99}+[a-z0-9\-_&=#/]++)++"
_REST = re.compile(
    rf"(?::[0-9]++)?(/(?:[!*';:,.$%\[\]\u2013~@|&]{{0,99}}+(?:[{_ENDING}]++|{_PARENTHESES}))*+)?(?:{_QUERY})?",
    re.IGNORECASE,
)
_SHORT = re.compile(rf"https?://t\.co/([a-z0-9]+)(?:{_QUERY})?", re.IGNORECASE)
_ASCII_LABEL = rf"[\-a-z0-9{LATIN}]"
_ASCII_HOST = re.compile(rf"(?:{_ASCII_LABEL}{{1,{_LONGEST_LABEL}}}+\.)++", re.IGNORECASE)
_IN_A_LABEL = re.compile(_ASCII_LABEL, re.IGNORECASE)
_LETTERS = re.compile("[A-Za-z]+")
_PUNYCODE = re.compile(r"xn--[\-0-9a-z]+", re.IGNORECASE)
_OTHER_SIGNS = frozenset("＠＃")
_NO_END = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz@+-")
#: Every link has a dot with something on both sides.
_DOT = re.compile(r"[^\s.]\.[^\s.\d]")


@dataclass(frozen=True)
class Link:
    """A link and its position: characters from `start` up to and excluding `end`."""

    url: str
    start: int
    end: int


def links_of(text: str) -> list[Link]:
    """Find the links of a text, in text order."""
    if not _DOT.search(text):
        return []
    found: list[Link] = []
    at = 0
    while match := _HOST.search(text, at):
        # What follows the last dot may begin with a protocol.
        at = text.rfind(".", match.start(3), match.end())
        domain_end = _domain_end(text, match.start(3), match.end())
        if domain_end < 0 or not _OTHER_SIGNS.isdisjoint(text[match.start(3) : domain_end]):
            continue
        rest = _REST.match(text, domain_end)
        end = rest.end() if rest else domain_end
        start = match.start(1)
        if end - start > _LONGEST:
            at = end
            continue
        if match[2]:
            if not _is_host(text[match.start(3) : domain_end]):
                at = end
                continue
            if short := _SHORT.match(text, start, end):
                if len(short[1]) > _LONGEST_SLUG:
                    continue
                end = short.end()
            found.append(Link(text[start:end], start, end))
        elif start == 0 or text[start - 1] not in "-_./":
            ascii_links = _ascii_links(text, match.start(3), domain_end)
            if not ascii_links:
                continue
            if rest and rest[1] is not None:
                # Path and query belong to the last of them; the platform leaves the text in between unchanged.
                ascii_links[-1] = Link(text[ascii_links[-1].start : end], ascii_links[-1].start, end)
            found += ascii_links
        at = end
    return found


def _ascii_links(text: str, start: int, end: int) -> list[Link]:
    """Return the domains in Latin letters within a domain without a protocol, which may be surrounded by CJK text."""
    found: list[Link] = []
    at = start
    while match := _ASCII_HOST.search(text, at, end):
        at, begin = match.end(), match.start()
        if begin and text.find(".", begin) - begin == _LONGEST_LABEL and _IN_A_LABEL.match(text, begin - 1):
            continue  # The end of a label that is too long.
        # The longest run of labels that ends in a top-level domain.
        dot = match.end()
        while dot > match.start():
            tld_end = _tld_end(text, dot, end)
            if tld_end > 0:
                if _is_host(text[match.start() : tld_end]):
                    found.append(Link(text[match.start() : tld_end], match.start(), tld_end))
                at = tld_end
                break
            dot = text.rfind(".", match.start(), dot - 1) + 1
            if dot <= match.start():
                break
    return found


def _is_host(host: str) -> bool:
    """Return whether a name can be a host's: each label has at most 63 characters in Punycode, and is in it only once.

    As in twitter-text (https://github.com/twitter/twitter-text/blob/master/js/src/lib/idna.js), by RFC 3492: a host
    that begins with "xn--" is in Punycode already and has only ASCII letters. Here this goes for each label.
    """
    if host.isascii():
        return all(len(label) <= _LONGEST_LABEL for label in host.split("."))
    if host[:4].lower() == "xn--":
        return False
    for label in host.split("."):
        if len(label) > _LONGEST_LABEL:
            return False
        if not label.isascii():
            encoded = label.encode("punycode", "surrogatepass")
            if label[:4].lower() == "xn--" or len(encoded) + len("xn--") > _LONGEST_LABEL:
                return False
    return True


def _domain_end(text: str, start: int, end: int) -> int:
    """Return where a domain ends within a run of labels, -1 if none of them is a top-level domain."""
    dot = text.rfind(".", start, end)
    while dot > start:
        tld_end = _tld_end(text, dot + 1, end)
        previous = text.rfind(".", start, dot)
        if tld_end > 0 and "_" not in text[max(previous + 1, start) : dot]:
            return tld_end
        dot = previous
    return -1


def _tld_end(text: str, at: int, end: int) -> int:
    """Return where the top-level domain that begins here ends, -1 if there is none."""
    if letters := _LETTERS.match(text, at, end):
        if letters.end() - at == 2 and (punycode := _PUNYCODE.match(text, at, end)):
            return punycode.end()
        is_one = letters[0].lower() in top_level_domains()
        return letters.end() if is_one and text[letters.end() : letters.end() + 1] not in _NO_END else -1
    for length in range(min(end - at, 12), 1, -1):
        if text[at : at + length].lower() in top_level_domains() and text[at + length : at + length + 1] not in _NO_END:
            return at + length
    return -1


@cache
def top_level_domains() -> frozenset[str]:
    """Return all top-level domains, in lower case."""
    lines = Path(__file__).with_name("tlds.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(name for line in lines if not line.startswith("#") for name in line.split())
