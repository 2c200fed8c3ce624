from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klip_assets.signals.text.bert.plain import plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@somebody look https://t.co/x1 now", "@user look http now"),
        ("mail me@home.com", "mail me@home.com"),
        ("#BestDayEver with #GGWP and #speed_run", "Best Day Ever with GGWP and speed run"),
        ("sooooooo good", "sooo good"),
        ("so funny 😂😂", "so funny face with tears of joy face with tears of joy"),
        ("thumbs 👍🏽 up", "thumbs thumbs up sign up"),
        ("I ❤️ it", "I heavy black heart it"),
        ("fish &amp; chips &lt;3", "fish & chips <3"),
        ("  spaced \n out ", "spaced out"),
        ("naïve café", "naïve café"),
        ("", ""),
    ],
)
def test_handles_links_hashtags_and_emoji_become_words(text: str, expected: str) -> None:
    assert plain(text) == expected


@given(st.text())
def test_any_text_can_be_made_plain(text: str) -> None:
    found = plain(text)
    assert found == found.strip() and "  " not in found
