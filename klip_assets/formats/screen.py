"""Text of strangers on a screen: what would steer a terminal, reorder or hide text is shown as escapes, or left out."""

from __future__ import annotations

import re

#: England, Scotland and Wales: a black flag, and tag characters, which are invisible anywhere else.
_FLAG = "\U0001f3f4\U000e0067\U000e0062(?:{})\U000e007f".format(
    "|".join("".join(chr(0xE0000 + ord(letter)) for letter in name) for name in ("eng", "sct", "wls"))
)

#: C0 except tab and line feed, DEL and C1; marks, embeddings, overrides and isolates of bidirectional text; separators
#: of lines and paragraphs; invisible operators, annotations and tags; lone surrogates. Joiners, variation selectors and
#: spaces of no width stay: scripts and emoji need them.
_CONTROLS = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u180e\u200e\u200f\u2028-\u202e\u2061-\u206f\ufeff\ufff9-\ufffb"
    "\U0001d173-\U0001d17a\U000e0000-\U000e007f\ud800-\udfff"
)
_UNSAFE = re.compile(f"({_FLAG})|[{_CONTROLS}]")
_UNSAFE_ON_A_LINE = re.compile(f"({_FLAG})|[\t\n{_CONTROLS}]")
_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")


def shown(text: str, *, lines: bool = False) -> str:
    r"""Return a text for a terminal: control characters become escapes such as `\x1b` and `\u202e`.

    Args:
        text: Any text, lone surrogates included.
        lines: Keep line feeds, and write tabs as spaces; otherwise both are escaped.
    """
    if lines:
        return _UNSAFE.sub(_escaped, text).replace("\t", "    ")
    return _UNSAFE_ON_A_LINE.sub(_escaped, text)


def shown_json(text: str) -> str:
    r"""Return JSON of equal meaning, safe on a terminal: control characters become escapes such as `\u009b`."""
    return _UNSAFE.sub(_escaped_in_json, text)


def without_controls(text: str) -> str:
    """Return a text for other programs: line ends as line feeds, tabs as spaces, other control characters left out."""
    return _UNSAFE.sub(lambda found: found[1] or "", _LINE_ENDS.sub("\n", text)).replace("\t", " ")


def _escaped(found: re.Match[str]) -> str:
    if found[1]:
        return found[1]
    code = ord(found[0])
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _escaped_in_json(found: re.Match[str]) -> str:
    if found[1]:
        return found[1]
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[n]:02x}{units[n + 1]:02x}" for n in range(0, len(units), 2))
