"""Prompts: instructions from a versioned file, and the text as data that can't pass for instructions.

The instructions are the system message, the same for every text. The text is in the user message, as JSON between two
tags; angle brackets in the JSON are escaped, so whatever is said on a stream can neither close the block nor reach the
instructions (OWASP LLM01, "segregate external content").
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from klip_assets.signals.text.item import Item

#: Characters of context on each side, and of the text itself; three minutes of fast speech are about 3,000.
CONTEXT_CHARS = 400
MAX_CHARS = 6_000

OPEN, CLOSE = "<data>", "</data>"

Message = dict[str, str]


@dataclass(frozen=True)
class Prompt:
    """A prompt file.

    Attributes:
        version: Its name, such as `segment-1`. A published file is never edited; a new one gets the next number.
        instructions: Its text.
    """

    version: str
    instructions: str

    @property
    def is_for_speech(self) -> bool:
        """Whether texts come with context and loudness."""
        return self.version.startswith("segment-")

    def messages(self, item: Item) -> list[Message]:
        """Return the messages for one text."""
        return [
            {"role": "system", "content": self.instructions},
            {"role": "user", "content": f"{OPEN}\n{self._data(item)}\n{CLOSE}"},
        ]

    def _data(self, item: Item) -> str:
        fields = {"text": _quoted(item.text[:MAX_CHARS])}
        if self.is_for_speech:
            fields = {
                "transcript": _quoted(item.text[:MAX_CHARS]),
                "before": _quoted(item.before[-CONTEXT_CHARS:] if item.before else None),
                "after": _quoted(item.after[:CONTEXT_CHARS] if item.after else None),
                "speech_rate": _two_decimals(item.speech_rate_wps),
                "absolute_loudness": _two_decimals(item.absolute_loudness),
                "relative_loudness": _two_decimals(item.relative_loudness),
            }
        return "{" + ", ".join(f'"{name}": {value}' for name, value in fields.items()) + "}"


def _quoted(text: str | None) -> str:
    # Valid JSON that can't contain a tag. A lone surrogate could not be sent.
    encoded = json.dumps(text, ensure_ascii=False).encode("utf-8", "replace").decode()
    return encoded.replace("<", "\\u003c").replace(">", "\\u003e")


def _two_decimals(value: float | None) -> str:
    return "null" if value is None else f"{value:.2f}"


@cache
def prompt(version: str) -> Prompt:
    """Return a prompt by its version."""
    text = files("klip_assets.signals.text.llm").joinpath(f"prompts/{version}.md").read_text("utf-8")
    return Prompt(version, text.strip())


#: The prompts in use.
SEGMENT, TWEET = "segment-1", "tweet-1"
