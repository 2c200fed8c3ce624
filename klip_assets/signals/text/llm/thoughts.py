"""Telling the answer in a reply from what the model thinks aloud before it.

Models mark their thoughts in many ways: tags (`<think>`, `[THINK]`, `◁think▷`, `<|START_THINKING|>`), channels
(https://cookbook.openai.com/articles/openai-harmony), or fenced blocks. What counts is the general kind: a bracketed
mark whose name has to do with thinking. A draft inside thoughts is never taken for the answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from klip_assets.signals.text.llm.objects import json_objects

# Each alternative reads a bounded number of characters from where it starts, so that the search is linear.
_MARK = re.compile(
    r"<\|channel\|?>[ \t]{0,9}(?P<channel>\w{1,40})"
    r"|<!--(?P<comment>[^\n{>-]{0,80})|(?P<uncomment>-->)"
    r"|[<\[{◁＜【⟨«](?P<tag>[^<>\[\]{}◁▷＜＞【】⟨⟩«»]{1,200})[>\]}▷＞】⟩»]"
    r"|^[ \t]{0,9}(?:```|~~~)[ \t]{0,9}(?P<fence>\w{0,40})"
    r"|(?-i:assistant[ \n]?(?P<glued>final|analysis|commentary))"
    r"|^[ \t]{0,9}(?P<line>final)[ \t]{0,9}$"
    r"|^[ \t#*>_-]{0,9}(?P<prose>(?:here(?: is|'s) )?(?:my |the )?(?:final )?(?:answer|response|output))"
    r"[ \t*_]{0,9}(?::|$)"
    r"|^(?P<begun>thinking\.\.\.)$|(?P<done>\.\.\.done thinking\.?)",
    re.IGNORECASE | re.MULTILINE,
)
# The channels of gpt-oss where a server has removed the marks around their names.
_BARE_CHANNEL = re.compile(r"\s{0,9}(?:assistant)?(?:analysis|commentary)(?![:;,.!?*)\]'’-])")
_TAG = re.compile(r"[^\W\d][\w:.\-▁]*")
_SEPARATORS = re.compile(r"[_\-.\s▁]+")
_QUOTES = frozenset("\"'`“”‘’")

_STEMS = re.compile(
    r"think|thought|reason|reflect|analy[sz]|scratch|monolog|ponder|deliberat|rationale|brainstorm|contemplat"
    r"|introspect|critique|musing|consideration"
)
_WORDS = frozenset(("cot", "plan", "planning", "draft", "drafts", "inner", "internal", "hidden"))
_OF_ANSWERS = re.compile(r"sentiment|emotion|label|json")
_ANSWERS = frozenset(("answer", "final", "response", "output", "solution", "result", "reply"))
_ENDS = frozenset(("end", "stop", "close", "finish", "suffix"))
_CHANNEL_ENDS = frozenset(("end", "return", "call", "start"))
# MedGemma's tags have no name.
_NAMELESS = {"unused94": "thought", "unused95": "/thought"}

_CHANNEL, _FENCE, _DETAILS, _COMMENT = "channel", "fence", "details", "comment"

# Signs of a sentence that goes on; a mark after them, and before a space, is only spoken of.
_GOES_ON = re.compile(r"[\w,(][ \t]{1,9}\Z")
_TAG_BRACKETS = "<[{◁＜【⟨«"
# Brackets of headings, too: "[Analysis]".
_HEADING_BRACKETS = "[{【«"
_WORD = re.compile(r"\w+")
# Words before an object that call it a draft.
_UNCERTAIN = _WORDS | {"idea", "first", "guess", "attempt", "try"}
# Removing marks that are none may change what the others close.
_MOST_PASSES = 3

# Thoughts inside thoughts; a reply with more is none.
_MOST_OPEN = 100


class _Kind(Enum):
    OPENS = "thoughts begin"
    CLOSES = "thoughts end"
    CLOSES_IF_OPEN = "thoughts end, if they began with such a mark"
    FINAL = "all thoughts end, the answer begins"
    ANSWER = "the answer begins"


@dataclass(frozen=True)
class _Mark:
    start: int
    end: int
    kind: _Kind
    name: str


@dataclass(frozen=True)
class Said:
    """A reply without its thoughts.

    Attributes:
        text: What comes after them, or before them if nothing comes after; "" if they never end.
        thought_chars: Length of all else.
        never_ends: Whether the reply ends within thoughts.
    """

    text: str
    thought_chars: int = 0
    never_ends: bool = False


def is_of_thoughts(name: str) -> bool:
    """Return whether a tag, field or type of this name holds thoughts."""
    name = name.lower()
    if _OF_ANSWERS.search(name):
        return False
    return bool(_STEMS.search(name)) or not _WORDS.isdisjoint(_SEPARATORS.split(name))


def without_thoughts(text: str) -> Said:
    """Return what a reply says after the last thought that ends.

    Thoughts after a JSON object, with none after them, do not undo it: the reply is then what stands before them. A
    mark that no other closes is none in the middle of a sentence, or if it is a heading ("[Analysis]").

    Args:
        text: The reply. Marks in strings of its JSON objects, or in quotation marks, are not looked at.
    """
    if "&lt;" in text or "\\u003c" in text:
        text = text.replace("&lt;", "<").replace("&gt;", ">").replace("\\u003c", "<").replace("\\u003e", ">")
    marks = [*_marks(text)]
    for _ in range(_MOST_PASSES):
        said, opened = _said(text, marks)
        no_marks = [mark for mark in opened if _is_spoken_of(text, mark) or _is_heading(text, mark)]
        if not no_marks:
            break
        marks = [mark for mark in marks if mark not in no_marks]
    return said


def _said(text: str, marks: list[_Mark]) -> tuple[Said, list[_Mark]]:
    # What is said, and the marks that nothing closes.
    cut, answer = 0, None
    opened: list[_Mark] = []
    earlier: list[tuple[int, int]] = []
    for mark in marks:
        if mark.kind is _Kind.OPENS:
            opened = _with(opened, mark, text)
        elif mark.kind is _Kind.FINAL:
            opened, cut, answer = [], mark.end, None
            earlier.clear()
        elif mark.kind is _Kind.ANSWER:
            answer = mark.end if answer is None and not opened else answer
        elif mark.kind is _Kind.CLOSES or any(other.name == mark.name for other in opened):
            outermost = opened[0] if opened else None
            opened = _closed(opened, mark.name)
            if outermost is None:
                earlier.clear()  # All before it are thoughts, whose beginning is missing.
                cut, answer = mark.end, None
            elif not opened and text[outermost.end : mark.start].strip():
                earlier.append((_begin(text, cut, answer, outermost.start), outermost.start))
                cut, answer = mark.end, None
        if len(opened) > _MOST_OPEN:
            break
    if opened:
        earlier.append((_begin(text, cut, answer, opened[0].start), opened[0].start))
    elif "{" in text[cut:]:
        earlier.clear()
    for start, end in reversed(earlier):
        if "{" in text[start:end]:
            before = text[start:end]
            found = next(json_objects(before), None)
            if found and _UNCERTAIN.isdisjoint(_WORD.findall(before[: found.start].lower())):
                return Said(before, len(text) - len(before)), opened
            break
    if opened:
        return Said("", len(text), never_ends=True), opened
    return Said(text[_begin(text, cut, answer, len(text)) :], cut), opened


def _begin(text: str, cut: int, answer: int | None, end: int) -> int:
    return answer if answer is not None and "{" in text[answer:end] else cut


def _is_spoken_of(text: str, mark: _Mark) -> bool:
    follows = text[mark.end : mark.end + 1]
    is_tag = text[mark.start] in _TAG_BRACKETS and mark.name not in (_CHANNEL, _COMMENT)
    is_apart = not follows or follows.isspace() or follows in ",.;:!?)"
    return is_tag and is_apart and _GOES_ON.search(text[max(0, mark.start - 10) : mark.start]) is not None


def _is_heading(text: str, mark: _Mark) -> bool:
    if text[mark.start] not in _HEADING_BRACKETS:
        return False
    inside = text[mark.start + 1 : mark.end - 1].strip()
    return inside[:1].isupper() and not (inside.isupper() and inside.startswith("THINK"))


def _with(opened: list[_Mark], mark: _Mark, text: str) -> list[_Mark]:
    # A channel ends where the next begins; a mark written twice is one.
    innermost = opened[-1] if opened else None
    is_same = innermost is not None and innermost.name == mark.name
    if innermost and is_same and (mark.name == _CHANNEL or not text[innermost.end : mark.start].strip()):
        return opened
    return [*opened, mark]


def _closed(opened: list[_Mark], name: str) -> list[_Mark]:
    # Whatever began inside ends, too; a mark of another name ends the innermost.
    for index in range(len(opened) - 1, -1, -1):
        if opened[index].name == name:
            return opened[:index]
    return opened[:-1]


def _marks(text: str) -> Iterator[_Mark]:
    found = [mark for match in _MARK.finditer(text) if (mark := _mark(match)) and not _is_quoted(text, mark)]
    if begin := _BARE_CHANNEL.match(text):
        found = [_Mark(0, begin.end(), _Kind.OPENS, _CHANNEL), *(mark for mark in found if mark.start >= begin.end())]
    if not found:
        return
    objects = json_objects(text)
    current = next(objects, None)
    for mark in found:
        while current and current.end <= mark.start:
            current = next(objects, None)
        if not current or mark.start < current.start:
            yield mark


def _mark(match: re.Match[str]) -> _Mark | None:
    channel = match["channel"] or match["glued"] or match["line"]
    kind_and_name: tuple[_Kind, str] | None
    if match["line"]:
        kind_and_name = _Kind.CLOSES_IF_OPEN, _CHANNEL
    elif channel:
        is_answer = channel.lower() in _ANSWERS
        kind_and_name = (_Kind.FINAL if is_answer else _Kind.OPENS), _CHANNEL
    elif match["prose"]:
        kind_and_name = _Kind.ANSWER, ""
    elif match["begun"] or match["done"]:
        kind_and_name = (_Kind.OPENS if match["begun"] else _Kind.CLOSES), "thinking"
    elif match["tag"]:
        kind_and_name = _tag(match["tag"], match[0][0])
    elif match["comment"] is not None:
        kind_and_name = (_Kind.OPENS, _COMMENT) if any(map(is_of_thoughts, _WORD.findall(match["comment"]))) else None
    elif match["uncomment"]:
        kind_and_name = _Kind.CLOSES_IF_OPEN, _COMMENT
    elif match["fence"]:
        kind_and_name = (_Kind.OPENS, _FENCE) if is_of_thoughts(match["fence"]) else None
    else:
        kind_and_name = _Kind.CLOSES_IF_OPEN, _FENCE
    return _Mark(match.start(), match.end(), *kind_and_name) if kind_and_name else None


def _tag(inside: str, bracket: str) -> tuple[_Kind, str] | None:
    inside = inside.strip()
    inside = _NAMELESS.get(inside.lower(), inside)
    bars = "|｜"
    bare = inside.strip(bars + " ")
    closes = bare[:1] in ("/", "\\") or (inside[-1:] in bars and inside[:1] not in bars)
    if not bare or (bare.endswith("/") and not closes):
        return None
    bare = bare.strip("/\\ ")
    named = _TAG.match(bare)
    if named is None:
        return None
    is_shouted = bare.isupper() and all(part.isalpha() for part in bare.split())
    if bracket in "[{«" and named.end() < len(bare) and not is_shouted:
        return None  # Prose in brackets.
    name = (bare if is_shouted else named[0]).lower().rpartition(":")[2]
    words = set(_SEPARATORS.split(name))
    if name == _CHANNEL and closes:
        return _Kind.CLOSES, _CHANNEL
    if inside[:1] in bars and name in _CHANNEL_ENDS:
        return _Kind.CLOSES_IF_OPEN, _CHANNEL
    if name == _DETAILS:
        is_thoughts = is_of_thoughts(bare[named.end() :])
        return (_Kind.CLOSES_IF_OPEN, _DETAILS) if closes else (_Kind.OPENS, _DETAILS) if is_thoughts else None
    if is_of_thoughts(name):
        pure = "_".join(sorted(words - _ENDS - {"begin", "start", "of", "prefix"}))
        return (_Kind.CLOSES if closes or words & _ENDS else _Kind.OPENS), pure
    if words & _ANSWERS and not closes and not words & _ENDS:
        return _Kind.ANSWER, name
    return None


def _is_quoted(text: str, mark: _Mark) -> bool:
    around = text[mark.start - 1 : mark.start], text[mark.end : mark.end + 1]
    return all(character in _QUOTES for character in around) if all(around) else False
