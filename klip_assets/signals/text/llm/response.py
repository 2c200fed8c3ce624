"""Reading the body of a response: the reply's text, apart from thoughts in fields of their own, and what it used.

Bodies are those of https://platform.openai.com/docs/api-reference/chat/object, and what servers make of them: content
in parts, thoughts beside it, and event streams that nobody asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from klip_assets.signals.text.llm.thoughts import is_of_thoughts
from klip_assets.signals.text.llm.usage import Usage, usage_in, usage_of

_CUT_OFF = frozenset(("length", "max_tokens", "max_output_tokens", "model_length", "max_completion_tokens"))
_FILTERED = frozenset(("content_filter", "safety", "refusal"))
_TOOLS = frozenset(("tool_calls", "function_call", "tool_use", "tool_call"))
_TEXTS = ("text", "content", "value", "output_text", "parts", "json")
_MAX_DEPTH = 8
# Not str.splitlines: a string of JSON may hold other separators.
_LINE_END = re.compile(r"\r\n|\r|\n")


class UnreadableError(ValueError):
    """A response without a reply, as a server in trouble sends it.

    Attributes:
        used: What it used, as far as it says so.
        was_read: Whether a model may have read the request.
    """

    def __init__(self, reason: str, used: Usage | None = None, *, was_read: bool) -> None:
        super().__init__(reason)
        self.used, self.was_read = used, was_read


@dataclass(frozen=True)
class Reply:
    """A model's reply.

    Attributes:
        text: Its text, "" if there is none.
        used: Tokens used, None where the server does not say.
        cut_off: Whether it ends because of the limit on its length.
        thought_chars: Length of thoughts in fields of their own.
        lacks: Why there is no text, in words that do not come from the reply; None if there is one.
        refusal: Why the model or the endpoint refuses to answer, None if it does not.
    """

    text: str
    used: Usage | None = None
    cut_off: bool = False
    thought_chars: int = 0
    lacks: str | None = None
    refusal: str | None = None


def read_response(content: bytes) -> Reply:
    """Read the body of a successful response.

    Raises:
        UnreadableError: It holds no reply.
    """
    documents, is_whole = _documents(content)
    if not documents:
        text = content.decode("utf-8", "replace")
        if used := usage_in(text):
            return Reply("", used, lacks="the response is not JSON")
        was_read = text.lstrip().startswith(("{", "data:"))
        raise UnreadableError(f"the response is not JSON: {text[:60]!r}", was_read=was_read)
    used = next((found for document in reversed(documents) if (found := usage_of(document))), None)
    message = _Message()
    for document in documents:
        if not isinstance(document, Mapping) or (not document.get("choices") and error_in(document)):
            raise UnreadableError(f"the response contains no choice{error_in(document)}", used, was_read=False)
        message.add_choice(document)
    if not is_whole and message.finish is None:
        raise UnreadableError("the event stream broke off", used, was_read=True)
    return message.reply(used)


def error_in(body: object) -> str:
    """Return ": " and the message of the body of an error, "" if there is none."""
    # {"error": {"message": ...}} from OpenAI, {"error": ...} and {"message" or "detail": ...} from others.
    if isinstance(body, Mapping):
        for name in ("error", "message", "detail"):
            found = body.get(name)
            if isinstance(found, Mapping):
                found = found.get("message")
            if found:
                return f": {found}"
    return ""


@dataclass
class _Message:
    # What has been read so far; texts between thoughts are apart, since only the last one is the answer.
    texts: list[list[str]] = field(default_factory=lambda: [[]])
    has_choice: bool = False
    has_content: bool = False
    has_tools: bool = False
    thought_chars: int = 0
    refusal: str = ""
    finish: str | None = None

    def add_choice(self, document: Mapping[str, Any]) -> None:
        choices = document.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, Mapping):
            return
        found = choice.get("message") or choice.get("delta") or {"content": choice.get("text")}
        if isinstance(found, Mapping):
            self.has_choice = True
            self._add_message(found)
        if isinstance(choice.get("finish_reason"), str):
            self.finish = choice["finish_reason"].lower()

    def reply(self, used: Usage | None) -> Reply:
        text = next((found for parts in reversed(self.texts) if (found := "".join(parts)).strip()), "")
        refusal = None
        if not text and (self.refusal or self.finish in _FILTERED):
            refusal = f"the model refuses: {self.refusal}" if self.refusal else "the endpoint's filter holds it back"
        lacks = None if text or refusal else self._lacks()
        if lacks and used is None and not (self.has_tools or self.thought_chars):
            raise UnreadableError(lacks, was_read=True)
        return Reply(text, used, self.finish in _CUT_OFF, self.thought_chars, lacks, refusal)

    def _lacks(self) -> str | None:
        if not self.has_choice:
            return "the response contains no choice"
        if self.has_tools:
            return "the model called a tool instead of answering"
        if self.thought_chars:
            return "only thoughts came, no answer"
        return None if self.has_content else "the response contains no text"

    def _add_message(self, message: Mapping[str, Any]) -> None:
        for name, value in message.items():
            if name == "content":
                self._add(value)
            elif name == "refusal" and isinstance(value, str):
                self.refusal += value
            elif name in _TOOLS:
                self.has_tools |= bool(value)
            elif value and is_of_thoughts(name):
                self.thought_chars += len(str(value))

    def _add(self, content: object, depth: int = 0) -> None:
        if isinstance(content, str):
            self.has_content = True
            self.texts[-1].append(content)
        elif isinstance(content, list) and depth < _MAX_DEPTH:
            for part in content:
                self._add(part, depth + 1)
        elif isinstance(content, Mapping) and depth < _MAX_DEPTH:
            self._add_part(content, depth)

    def _add_part(self, part: Mapping[str, Any], depth: int) -> None:
        kind = str(part.get("type") or "")
        value = next((part[name] for name in _TEXTS if part.get(name)), None)
        if part.get("thought") is True or is_of_thoughts(kind):
            self.thought_chars += len(str(part))
            self.texts.append([])
        elif kind in _TOOLS:
            self.has_tools = True
        elif kind == "refusal":
            self.refusal += str(part.get("refusal") or value or "")
        elif value is None and not kind:
            self._add(json.dumps(part))  # The answer itself, already parsed.
        else:
            self._add(value, depth + 1)


def _documents(content: bytes) -> tuple[Sequence[Any], bool]:
    # The JSON documents of a body, and whether they are all of it.
    try:
        return [json.loads(content)], True
    except (ValueError, RecursionError):
        text = content.decode("utf-8-sig", "replace").strip()
    is_stream = text.startswith(("data:", "event:", "id:", ":"))
    documents: list[Any] = []
    for part in _events(text) if is_stream else [text]:
        at = 0
        while at < len(part):
            try:
                document, end = json.JSONDecoder().raw_decode(part, at)
            except (ValueError, RecursionError):
                return documents, part[at:].strip() == "[DONE]"
            documents.append(document)
            at = end + len(part[end:]) - len(part[end:].lstrip())
    is_repeated = len(documents) > 1 and all(document == documents[0] for document in documents)
    return (documents[:1], True) if is_repeated else (documents, False)


def _events(text: str) -> Iterator[str]:
    # https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
    data: list[str] = []
    for line in [*_LINE_END.split(text), ""]:
        if line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
        elif not line and data:
            yield "\n".join(data)
            data = []
