"""Finding JSON objects in the text of a reply."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

#: Places of a text that are tried; a reply has one object, a model that thinks aloud some dozens.
MAX_TRIES = 2_000

_START = re.compile(r'\{\s*["}]')


class Found(NamedTuple):
    """An object, and where it stands: from `start` up to but not including `end`."""

    start: int
    end: int
    value: Mapping[str, Any]


def json_objects(text: str) -> Iterator[Found]:
    """Yield the outermost JSON objects of a text, wherever they start."""
    decoder = json.JSONDecoder(parse_constant=_refuse)
    at = 0
    for _ in range(MAX_TRIES):
        begin = _START.search(text, at)
        if begin is None:
            return
        try:
            value, at = decoder.raw_decode(text, begin.start())
        except (ValueError, RecursionError):
            at = begin.start() + 1
        else:
            yield Found(begin.start(), at, value)


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not valid JSON")
