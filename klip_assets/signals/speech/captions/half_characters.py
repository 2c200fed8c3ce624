r"""Halves of characters that a program cut in two: whisper.cpp writes `"text": "\xc3"` in a segment of its own.

Invalid bytes are otherwise read as Windows-1252, where this is a letter (https://github.com/ggml-org/whisper.cpp/issues/3760).
"""

from __future__ import annotations

import re
from pathlib import Path

from klip_assets.formats.text import MAX_DOCUMENT_CHARS, open_bytes, utf_16_of

#: The beginning or the rest of a character in UTF-8, alone in its line or its JSON string.
_HALF = re.compile(
    rb'(?<=["\r\n])[ \t]{0,9}((?:[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2}|[\x80-\xbf]{1,3}))'
    rb'[ \t]{0,9}(?=["\r\n]|$)'
)
#: More than a single byte of one between blanks: as a letter of Windows-1252, that would be no word.
_PART = re.compile(
    rb'(?<=[ "\r\n])(?:[\xe0-\xef][\x80-\xbf]|[\xf0-\xf4][\x80-\xbf]{1,2}|[\x80-\xbf]{1,3})(?=[ "\r\n]|$)'
)
#: Letters of Windows-1252 inside a word: then all of the file is in it.
_IN_A_WORD = re.compile(rb"[A-Za-z][\x80-\xff](?![\x80-\xbf])")
_MAYBE = re.compile('["\r\n ][^\\x00-\\x7f]{1,3}[ \t]{0,9}(?:["\r\n ]|$)')


def without_halves(text: str, path: Path) -> str:
    """Return the text of a file without such halves.

    Args:
        text: As decoded by `open_text`.
        path: The file: what was invalid shows in its bytes only.
    """
    if text.isascii() or not _MAYBE.search(text):
        return text
    with open_bytes(path) as file:
        data = file.read(4 * MAX_DOCUMENT_CHARS)
    if utf_16_of(data[:64]) or not (_HALF.search(data) or _PART.search(data)) or _IN_A_WORD.search(data):
        return text
    return _PART.sub(b"", _HALF.sub(b"", data)).decode("utf-8", "klip_cp1252").removeprefix("\ufeff")
