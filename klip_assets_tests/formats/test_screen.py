"""Texts of strangers on a screen."""

from __future__ import annotations

import ast
import json
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from klip_assets.formats.screen import shown, shown_json, without_controls
from klip_assets.formats.text import shown_name

#: Steers a terminal, reorders or hides what follows.
HOSTILE = [
    *map(chr, range(0x09)), *map(chr, range(0x0B, 0x20)), *map(chr, range(0x7F, 0xA0)),
    *"\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029\ufeff\U000e0041\U000e007f",
    *"\u206a\ufff9", "\ud800", "\udcff",
]  # fmt: skip
texts = st.text(st.characters() | st.sampled_from(HOSTILE))
ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


def is_hostile(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs") or character in HOSTILE


@example("\ud801")
@example("\ud800\udcff")
@given(texts)
def test_nothing_that_is_shown_steers_a_terminal(text: str) -> None:
    assert not any(map(is_hostile, shown(text)))
    assert not any(map(is_hostile, shown(text, lines=True).replace("\n", "")))
    assert not any(map(is_hostile, shown_name(text)))
    assert not any(map(is_hostile, without_controls(text).replace("\n", "")))


@given(texts)
def test_json_on_a_terminal_means_the_same(text: str) -> None:
    written = shown_json(json.dumps({text: [text]}, ensure_ascii=False, indent=2))
    assert json.loads(written) == {text: [text]}
    assert not any(map(is_hostile, written.replace("\n", "")))


@pytest.mark.parametrize("control", HOSTILE)
def test_each_control_character_is_shown_as_its_escape(control: str) -> None:
    escape = shown(f"a{control}b")[1:-1]
    assert escape.isascii() and escape.startswith("\\") and ast.literal_eval(f"'{escape}'") == control


@pytest.mark.parametrize(
    "text",
    [
        "Grüße, мир, 世界, שלום, مرحبا",
        "👩‍👩‍👧 ❤️ 👍🏽",
        "می‌خواهم",
        "🏴 flag",
        ENGLAND,
        "a\\x1b",
        "[bold]a[/bold] :smile:",
    ],
)
def test_scripts_emoji_and_brackets_stay_as_they_are(text: str) -> None:
    assert shown(text) == shown(text, lines=True) == without_controls(text) == text


def test_line_ends_stay_only_where_lines_are_wanted() -> None:
    assert shown("a\nb\tc") == r"a\x0ab\x09c"
    assert shown("a\nb\tc\r", lines=True) == "a\nb    c\\x0d"
    assert without_controls("a\r\nb\rc\u2028d\te") == "a\nb\nc\nd e"


def test_tags_hide_nothing_outside_a_flag() -> None:
    assert shown("\U000e0068\U000e0069") == r"\U000e0068\U000e0069"
