"""Why a moment was picked, in words for the editor.

Put here: sentences from signals. Keep out: any influence on scores.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

#: A signal is worth a word from here on.
LOUD_Z, BURST, CHAT_Z, FAST_WPS = 1.0, 0.5, 2.0, 2.8


def why(*, loudness_z: float, burst: float | None, words_per_s: float, chat_z: float, chatters: float) -> str:
    """Say what stands out at a peak.

    Args:
        loudness_z: Robust sigmas above the minutes around; NaN if unknown.
        burst: Burst term, None if it was not used.
        words_per_s: Rate of speech; NaN if unknown.
        chat_z: Robust sigmas of the chat's rate; NaN without a chat.
        chatters: People who wrote; NaN without a chat.

    Returns:
        Phrases joined by "; "; a plain sentence if nothing stands out by itself.
    """
    phrases = []
    if math.isfinite(loudness_z) and loudness_z >= LOUD_Z:
        phrases.append(f"loudness {loudness_z:.1f} sigma above the minutes around")
    if burst is not None and burst >= BURST:
        phrases.append("a sudden rise of loudness")
    if math.isfinite(chat_z) and chat_z >= CHAT_Z:
        people = f", {chatters:.0f} people" if math.isfinite(chatters) and chatters >= 1 else ""
        phrases.append(f"chat {chat_z:.1f} sigma above its usual rate{people}")
    if math.isfinite(words_per_s) and words_per_s >= FAST_WPS:
        phrases.append(f"{words_per_s:.1f} words a second")
    return "; ".join(phrases) or "several signals a little above their usual level"


def dominant_emotion(emotions: Mapping[str, float | None]) -> str | None:
    """Return the emotion with the highest score, None if none is known."""
    known = {name: value for name, value in emotions.items() if value is not None}
    return max(known, key=lambda name: (known[name], name)) if known else None
