"""Every regular expression of the package, and texts on which a careless one tries for minutes before it gives up."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from re import _constants as code  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

from klip_assets.signals.chat.sentiment import _scorer
from klip_assets.signals.chat.values import _splitter
from klip_assets.signals.tweets.entities import hashtag_pattern
from klip_assets_tests.made import REPOSITORY

PACKAGE = REPOSITORY / "klip_assets"

#: The modules of the package.
OWN = {".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts): path for path in PACKAGE.rglob("*.py")}
#: Programs: importing them runs them.
_PROGRAMS = ("klip_assets.cli.__main__", "klip_assets.signals.speech.sphinx_process")

#: Functions that put a pattern together when they are called, with examples of what they build.
BUILT: Mapping[str, Callable[[], list[re.Pattern[Any]]]] = {
    "klip_assets.signals.chat.sentiment.__init__": lambda: [
        found for found in vars(_scorer()).values() if isinstance(found, re.Pattern)
    ],
    "klip_assets.signals.chat.values._splitter": lambda: [
        _splitter(frozenset(names)) for names in (["LUL", "LULW", ":_hi:"], ["a", "aa", "a a"], [":::", "::::"])
    ],
    "klip_assets.signals.tweets.entities.hashtag_pattern": lambda: [hashtag_pattern()],
    "klip_assets.signals.tweets.json_values._elements": lambda: [re.compile(rf"\n{' ' * n}[{{\[]") for n in (0, 2, 40)],
}

#: As long as a cell of a table may easily be.
LONG = 8_000

#: Characters to repeat for every pattern, besides those it names.
_COMMON = " \t\n1a.:/@_\u00e9"
#: Ends of a text, the last of which no pattern accepts.
_ENDS = ("", "x ", "\x00")
_MEMBERS = {
    code.CATEGORY_SPACE: " \n",
    code.CATEGORY_NOT_SPACE: "a1.",
    code.CATEGORY_DIGIT: "1",
    code.CATEGORY_NOT_DIGIT: "a .",
    code.CATEGORY_WORD: "a1_",
    code.CATEGORY_NOT_WORD: " .",
}
_REPEATS = (code.MAX_REPEAT, code.MIN_REPEAT, code.POSSESSIVE_REPEAT)
_FUNCTIONS = ("compile", "match", "search", "fullmatch", "sub", "subn", "split", "findall", "finditer")


def patterns() -> dict[str, re.Pattern[Any]]:
    """Return every pattern of the package: those its modules hold, those written where they are used, and BUILT."""
    found: list[tuple[str, re.Pattern[Any]]] = []
    seen: set[int] = set()
    for name, path in sorted(OWN.items()):
        if name not in _PROGRAMS:
            found += _held(importlib.import_module(name.removesuffix(".__init__")), name, seen)
        found += _written(path, name)
    for name, build in BUILT.items():
        found += [(f"{name}.{number}", pattern) for number, pattern in enumerate(build(), start=1)]
    # A pattern that another module imports is one pattern.
    return {where: pattern for pattern, where in {pattern: where for where, pattern in found}.items()}


def _held(holder: object, where: str, seen: set[int]) -> Iterator[tuple[str, re.Pattern[Any]]]:
    if isinstance(holder, re.Pattern):
        yield where, holder
        return
    if id(holder) in seen:
        return
    seen.add(id(holder))
    parts: Mapping[Any, object] = {}
    if isinstance(holder, ModuleType):
        # What it imports is held by the module it comes from.
        parts = {
            name: part
            for name, part in vars(holder).items()
            if not isinstance(part, ModuleType)
            and not name.startswith("__")
            and (isinstance(part, re.Pattern) or getattr(part, "__module__", holder.__name__) == holder.__name__)
        }
    elif isinstance(holder, FunctionType):
        parts = {**(holder.__kwdefaults__ or {}), **dict(enumerate(holder.__defaults__ or ()))}
    elif isinstance(holder, dict):
        parts = holder
    elif isinstance(holder, (list, tuple, set, frozenset)) and type(holder).__module__ in ("builtins", *OWN):
        parts = dict(enumerate(holder))
    elif getattr(holder, "__module__", "") in OWN:
        parts = getattr(holder, "__dict__", {})
    for name, part in list(parts.items()):
        yield from _held(part, f"{where}.{name}", seen)


def _written(path: Path, module: str) -> Iterator[tuple[str, re.Pattern[Any]]]:
    """Yield the patterns written inside functions; one that is put together there must be in BUILT."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            called = call.func
            if not (isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name)):
                continue
            if called.value.id == "re" and called.attr in _FUNCTIONS:
                if isinstance(call.args[0], ast.Constant):
                    yield f"{module}.{function.name}:{call.lineno}", re.compile(call.args[0].value)
                elif f"{module}.{function.name}" not in BUILT:
                    raise AssertionError(f"{module}.{function.name} builds a pattern: add it to BUILT")


class Hostile(NamedTuple):
    """A text of any length: a start, something over and over, and an end."""

    start: str
    run: str
    end: str

    def text(self, length: int) -> str:
        """Return it in about this length."""
        return self.start + self.run * ((length - len(self.start)) // len(self.run)) + self.end


def hostile_texts(pattern: re.Pattern[Any]) -> Iterator[Hostile]:
    """Yield texts on which a pattern that tries too much would take long.

    Runs of one and of two characters, also behind a text that the pattern accepts; and for each part of it that may
    repeat, what it accepts before that part, then that part over and over. Each with ends that spoil the match.

    Args:
        pattern: The pattern.
    """
    tree = parser.parse(pattern.pattern, pattern.flags)
    signs = list(dict.fromkeys(_COMMON + "".join(_literals(tree))))[:24]
    accepted = [text for text in dict.fromkeys(_example(tree, full) for full in (False, True)) if text]
    parts = list(_pumps(tree, ""))
    pumped = [
        *(("", run) for run in (*signs, *(a + b for a in signs[:10] for b in signs if a != b))),
        *((start, run) for start in accepted for run in signs),
        *parts,
        # Whatever begins a match, over and over: from each of them, a pattern may search to the end.
        *(("", start) for start in dict.fromkeys((*accepted, *(start for start, _ in parts))) if start),
    ]
    for start, run in dict.fromkeys(pumped):
        for end in _ENDS:
            yield Hostile(start, run, end)


def _pumps(tree: Any, before: str) -> Iterator[tuple[str, str]]:
    """Yield each part that may repeat often: what comes before it, and one repetition."""
    so_far = {before}
    for part in tree:
        operation, argument = part
        inner: list[Any] = []
        if operation in _REPEATS:
            _, high, body = argument
            inner = [body]
            if high is code.MAXREPEAT or high > 50:
                for start in so_far:
                    for run in _variants(body):
                        yield start, run
        elif operation is code.BRANCH:
            inner = argument[1]
        elif operation is code.SUBPATTERN:
            inner = [argument[-1]]
        elif operation is code.ATOMIC_GROUP:
            inner = [argument]
        elif operation in (code.ASSERT, code.ASSERT_NOT):
            inner = [argument[1]]
        for body in inner:
            for start in so_far:
                yield from _pumps(body, start)
        so_far = {start + text for start in so_far for text in {_example([part], False), _example([part], True)}}
        if len(so_far) > 2:
            by_length = sorted(so_far, key=lambda text: (len(text), text))
            so_far = {by_length[0], by_length[-1]}


def _variants(tree: Any) -> list[str]:
    """Return a few different texts that a part accepts, none of them empty."""
    found = [_example(tree, full, pick) for full in (False, True) for pick in range(6)]
    return [text for text in dict.fromkeys(found) if text]


def _example(tree: Any, full: bool, pick: int = 0) -> str:
    """Return a text that a pattern accepts, as far as that can be read off it.

    Args:
        tree: The parsed pattern.
        full: Take what is optional once, rather than leaving it out.
        pick: Which of several characters to take.
    """
    text = ""
    for operation, argument in tree:
        if operation is code.LITERAL:
            text += chr(argument)
        elif operation is code.NOT_LITERAL:
            text += next(sign for sign in "a1. " if ord(sign) != argument)
        elif operation is code.ANY:
            text += "a1. :"[pick % 5]
        elif operation is code.IN:
            members = _members(argument)
            text += members[pick % len(members)]
        elif operation in _REPEATS:
            low, _, body = argument
            text += _example(body, full, pick) * max(min(low, 40), 1 if full else 0)
        elif operation is code.BRANCH:
            text += _example(argument[1][pick % len(argument[1])], full, pick)
        elif operation is code.SUBPATTERN:
            text += _example(argument[-1], full, pick)
        elif operation is code.ATOMIC_GROUP:
            text += _example(argument, full, pick)
    return text


def _members(choices: Any) -> str:
    if choices[0][0] is code.NEGATE:
        taken = set(_members(choices[1:])) if len(choices) > 1 else set()
        return "".join(sign for sign in "a1. \u00e9-:" if sign not in taken) or "\u4e00"
    found = ""
    for operation, argument in choices:
        if operation is code.LITERAL:
            found += chr(argument)
        elif operation is code.RANGE:
            found += chr(argument[0]) + chr(argument[1])
        elif operation is code.CATEGORY:
            found += _MEMBERS[argument]
    return found


def _literals(tree: Any) -> Iterator[str]:
    for operation, argument in tree:
        if operation in (code.LITERAL, code.NOT_LITERAL):
            yield chr(argument)
        elif operation is code.IN:
            yield _members(argument)
        elif operation in _REPEATS:
            yield from _literals(argument[2])
        elif operation is code.BRANCH:
            for body in argument[1]:
                yield from _literals(body)
        elif operation is code.SUBPATTERN:
            yield from _literals(argument[-1])
        elif operation is code.ATOMIC_GROUP:
            yield from _literals(argument)
        elif operation in (code.ASSERT, code.ASSERT_NOT):
            yield from _literals(argument[1])
