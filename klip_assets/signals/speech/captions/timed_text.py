"""Cues of TTML and DFXP files.

The XML is read as a stream, with the line number of each cue. Entities are not expanded and nothing outside the file is
read: a file that declares entities is refused. Where the XML is damaged, reading resumes at the next paragraph. A
paragraph becomes a cue as in WebVTT, with the times of its spans as inline times, so that all captions are turned into
words the same way.

Times are those of the most common profile: clock times, frames and ticks at the rates given in the root, offsets with a
unit; children are relative to their parent's begin, as in the standard. Sequential containers (`timeContainer="seq"`),
drop-frame and wall-clock times are not supported.
"""

from __future__ import annotations

import html
import math
import re
from dataclasses import dataclass, field
from xml.parsers import expat

from klip_assets.errors import UnreadableSidecarError
from klip_assets.formats.refused import Refused
from klip_assets.signals.speech.captions.caption_format import MAX_CUE_CHARS, Cue, Cues
from klip_assets.signals.speech.captions.cues import begins_as_webvtt
from klip_assets.signals.speech.captions.spoken import LONGEST_S

#: Damaged spots after which reading resumes; a file with more is not TTML.
MAX_DAMAGE = 100
MAX_DEPTH = 100

_MAX_DETAIL = 200
_FED_BYTES = 1 << 16
#: Suffixes of such files.
SUFFIXES = (".ttml", ".dfxp")
_XML = re.compile(r"(?:<\?xml|<!--|<!DOCTYPE|<(?:\w{1,20}:)?tt[\s>])")
_CLOCK = re.compile(r"(\d{1,4}):(\d{1,2}):(\d{1,2})(?:[.,](\d{1,9})|:(\d{1,3})(?:\.\d{1,3})?)?")
_OFFSET = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)(h|ms|m|s|f|t)")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
# XML defines five entities; files made from HTML use more, or leave ampersands unescaped.
_AMPERSAND = re.compile(r"&(?!#\d{1,7};|#x[0-9a-fA-F]{1,6};|(?:amp|lt|gt|quot|apos);)(\w{2,31};)?")
_PARAGRAPH = re.compile(rb"<(?:\w{1,20}:)?p[\s>]")
_ROOT_NAME = "klip-resume"
_ROOT = f"<{_ROOT_NAME}>".encode()
_CONTAINERS = frozenset(("body", "div"))
_TEXT_OF = frozenset(("p", "span"))


@dataclass
class _Element:
    """An open element: its name and the time it spans; None where it gives none."""

    name: str
    start_s: float | None
    end_s: float | None


@dataclass
class _Paragraph:
    """A paragraph being read: its line, its times, its text cut where a span has a time."""

    line: int
    start_s: float | None
    end_s: float | None
    chars: int = 0
    pieces: list[tuple[float | None, list[str]]] = field(default_factory=lambda: [(None, [])])
    problem: tuple[str, str] | None = None


def is_timed_text(text: str, suffix: str) -> bool:
    """Return whether a file is TTML or DFXP.

    Args:
        text: The whole file.
        suffix: Its suffix in lower case; .ttml and .dfxp count however the file begins, unless it says it is WebVTT.
    """
    return not begins_as_webvtt(text) and (_XML.match(text.lstrip()) is not None or suffix in SUFFIXES)


def read_timed_text(text: str, name: str) -> Cues:
    """Read the cues of a TTML or DFXP file.

    Args:
        text: The whole file.
        name: Its name, for messages.

    Returns:
        The cues in file order, and the text without times, or with unreadable times or XML.

    Raises:
        UnreadableSidecarError: It declares entities.
    """
    text = _CONTROLS.sub("\ufffd", text)
    text = _AMPERSAND.sub(_entity, text)
    return _Reader(text.encode("utf-8", "replace"), name).read()


class _Reader:
    """Feeds the parser, and restarts it after damage."""

    def __init__(self, data: bytes, name: str) -> None:
        self._data, self._name = data, name
        self._cues: list[Cue] = []
        self._refused: list[Refused] = []
        self._stack: list[_Element] = []
        self._paragraph: _Paragraph | None = None
        self._count = 0
        self._frames_per_second, self._ticks_per_second = 30.0, 0.0
        self._line = 1  # Of the byte at which the current parser began.
        self._parser = self._new_parser()

    def read(self) -> Cues:
        begin = 0
        for _ in range(MAX_DAMAGE):
            damaged_at = self._parse(begin)
            if damaged_at is None:
                break
            found = _PARAGRAPH.search(self._data, max(damaged_at, begin + 1))
            if found is None:
                break
            self._line += self._data.count(b"\n", begin, found.start())
            begin = found.start()
        else:
            self._refused.append(Refused("rest", "too much damage", "the rest was not read"))
        return self._cues, self._refused

    def _parse(self, begin: int) -> int | None:
        """Parse from a byte onwards; return the byte at which the XML is damaged, None if the rest is intact."""
        parser = self._parser = self._new_parser()
        # The text after damage is not a document: it is wrapped in our own root.
        root = _ROOT if begin else b""
        try:
            parser.Parse(root, False)
            for start in range(begin, len(self._data), _FED_BYTES):
                parser.Parse(self._data[start : start + _FED_BYTES], False)
            if not begin or self._paragraph is not None:
                parser.Parse(b"", True)
        except expat.ExpatError as error:
            at = begin + max(0, parser.ErrorByteIndex - len(root))
            # The end of a container that was open where we began is not damage.
            if not (root and error.code == _MISMATCH and self._paragraph is None):
                detail = f"{expat.ErrorString(error.code)}; reading resumes at the next paragraph"
                where = f"line {self._line + error.lineno - 1}, byte {at}"
                self._refused.append(Refused(where, "damaged XML", detail))
            self._paragraph = None
            self._stack = [element for element in self._stack if element.name in _CONTAINERS]
            return at
        return None

    def _new_parser(self) -> expat.XMLParserType:
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        parser.EntityDeclHandler = self._entity_declared
        parser.ExternalEntityRefHandler = lambda *_: 0
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        return parser

    def _entity_declared(self, *_: object) -> None:
        raise UnreadableSidecarError(f"{self._name}: declares XML entities, which captions do not need; not read")

    def _begin(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2].lower()
        if tag == _ROOT_NAME:
            return
        stated = {key.rpartition(":")[2]: value for key, value in attributes.items()}
        if name == "tt":
            self._take_rates(stated)
        if name == "br":
            self._append("\n")
        if len(self._stack) >= MAX_DEPTH:
            raise UnreadableSidecarError(f"{self._name}: XML elements nested more than {MAX_DEPTH} deep; not read")
        element = _Element(name, None, None)
        self._stack.append(element)
        if name not in _CONTAINERS | _TEXT_OF:
            return
        try:
            begin, end, lasts = (
                self._seconds(stated[key]) if key in stated else None for key in ("begin", "end", "dur")
            )
        except ValueError as error:
            reason = "unreadable times"
            if name == "p":
                self._open(None, None).problem = reason, str(error)[:_MAX_DETAIL]
            else:
                self._refuse_here(f"{reason}; the content was read without them", str(error)[:_MAX_DETAIL])
            return
        if name == "span":
            if self._paragraph is not None and begin is not None:
                self._paragraph.pieces.append((begin, []))
            return
        outer = next((e for e in reversed(self._stack[:-1]) if e.start_s is not None), None)
        offset = outer.start_s if outer is not None and outer.start_s is not None else 0.0
        element.start_s = None if begin is None else offset + begin
        if end is not None:
            element.end_s = offset + end
        elif lasts is not None:
            element.end_s = (offset if element.start_s is None else element.start_s) + lasts
        if name == "p":
            paragraph = self._open(element.start_s, element.end_s)
            if paragraph.start_s is None and outer is not None:
                paragraph.start_s = outer.start_s
            if paragraph.end_s is None:
                ends = (e.end_s for e in reversed(self._stack[:-1]) if e.end_s is not None)
                paragraph.end_s = next(ends, None)

    def _open(self, start_s: float | None, end_s: float | None) -> _Paragraph:
        if self._paragraph is not None:
            self._close(self._paragraph)  # One inside another: the outer one was never closed.
        self._count += 1
        self._paragraph = _Paragraph(self._line + self._parser.CurrentLineNumber - 1, start_s, end_s)
        return self._paragraph

    def _end(self, tag: str) -> None:
        name = tag.rpartition(":")[2].lower()
        if self._stack:
            self._stack.pop()
        paragraph = self._paragraph
        if paragraph is None:
            return
        if name == "p":
            self._paragraph = None
            self._close(paragraph)

    def _text(self, text: str) -> None:
        if self._stack and self._stack[-1].name in _TEXT_OF:
            self._append(text.replace("\n", " "))  # Line breaks in the file are not line breaks of the caption.

    def _append(self, text: str) -> None:
        paragraph = self._paragraph
        if paragraph is None:
            return
        paragraph.chars += len(text)
        if paragraph.chars <= MAX_CUE_CHARS:
            paragraph.pieces[-1][1].append(text)

    def _close(self, paragraph: _Paragraph) -> None:
        where = f"line {paragraph.line}, paragraph {self._count}"
        if paragraph.problem is not None:
            self._refused.append(Refused(where, *paragraph.problem))
            return
        if paragraph.chars > MAX_CUE_CHARS:
            detail = f"{paragraph.chars:,} characters, at most {MAX_CUE_CHARS:,}"
            self._refused.append(Refused(where, "too long for a caption", detail))
            return
        spoken = any(part.strip() for _, parts in paragraph.pieces for part in parts)
        inner = [start for start, _ in paragraph.pieces if start is not None]
        if paragraph.start_s is None and inner:
            paragraph.start_s = 0.0
        if paragraph.start_s is None:
            if spoken:
                text = " ".join("".join(part for _, parts in paragraph.pieces for part in parts).split())
                self._refused.append(Refused(where, "text without times", text[:_MAX_DETAIL]))
            return
        end_s = paragraph.end_s if paragraph.end_s is not None else max([paragraph.start_s, *inner])
        # In the standard, times are relative to the paragraph; some writers make them relative to the video.
        offset = paragraph.start_s
        if inner and max(inner) + offset > end_s + 0.05 and offset <= min(inner) and max(inner) <= end_s + 0.05:
            offset = 0.0
        text = "".join(
            ("" if start is None else f"<{_stamp(offset + start)}>") + html.escape("".join(parts), quote=False)
            for start, parts in paragraph.pieces
        )
        lines = [line for line in text.split("\n") if line.strip()]
        self._cues.append(Cue(paragraph.start_s, end_s, paragraph.line, lines, paragraph.chars, where))

    def _refuse_here(self, reason: str, detail: str) -> None:
        line, column = self._line + self._parser.CurrentLineNumber - 1, self._parser.CurrentColumnNumber
        self._refused.append(Refused(f"line {line}, column {column}", reason, detail))

    def _take_rates(self, stated: dict[str, str]) -> None:
        rate = _number(stated.get("frameRate"))
        if rate:
            self._frames_per_second = rate
            parts = [_number(part) for part in re.split(r"[\s:]+", stated.get("frameRateMultiplier", ""))]
            if len(parts) == 2 and parts[0] and parts[1]:
                self._frames_per_second *= parts[0] / parts[1]
        self._ticks_per_second = _number(stated.get("tickRate")) or (self._frames_per_second if rate else 1.0)

    def _seconds(self, value: str) -> float:
        """Return a time expression in seconds.

        Raises:
            ValueError: It is not one.
        """
        text = value.strip()
        if clock := _CLOCK.fullmatch(text):
            hours, minutes, seconds, fraction, frames = clock.groups()
            result = int(hours) * 3600.0 + int(minutes) * 60 + int(seconds)
            if fraction:
                result += int(fraction) / 10 ** len(fraction)
            if frames:
                result += int(frames) / self._frames_per_second
        elif offset := _OFFSET.fullmatch(text):
            per_second = {
                "h": 1 / 3600, "m": 1 / 60, "s": 1.0, "ms": 1000.0, "f": self._frames_per_second,
                "t": self._ticks_per_second or 1.0,
            }[offset[2]]  # fmt: skip
            result = float(offset[1]) / per_second
        else:
            raise ValueError(value)
        if not result <= LONGEST_S:
            raise ValueError(value)
        return result


_MISMATCH = expat.errors.codes[expat.errors.XML_ERROR_TAG_MISMATCH]


def _number(text: str | None) -> float | None:
    if text is None or not re.fullmatch(r"\d{1,9}(?:\.\d{1,6})?", text.strip()):
        return None
    return float(text) or None


def _entity(found: re.Match[str]) -> str:
    name = found[1]
    if name is None:
        return "&amp;"
    text = html.unescape(f"&{name}")
    # The character for HTML entities; anything else is kept as text.
    return html.escape(text) if text != f"&{name}" else f"&amp;{name}"


def _stamp(seconds: float) -> str:
    micros = min(round(seconds * 1e6), math.floor(LONGEST_S * 1e6))
    whole, micros = divmod(micros, 1_000_000)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}.{micros:06}"
