"""Why a moment was picked, in words for the editor. The phrases are published data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

#: Signals are mentioned from these values on.
LOUD_Z, BURST, CHAT_RATIO, FAST_WPS, RAISED, FELT = 1.0, 0.5, 1.5, 2.8, 0.25, 0.5
#: Maximum number of words quoted.
QUOTED_WORDS = 10


def why(
    *,
    loudness_z: float,
    burst: float | None,
    voice: float | None,
    words_per_s: float,
    chat_ratio: float,
    chatters: float,
    emotion: tuple[str, float] | None,
    said: Sequence[str],
) -> str:
    """Describe what stands out at a peak.

    Args:
        loudness_z: Robust sigmas above the minutes around; NaN if unknown.
        burst: Burst term, None if not used.
        voice: Raised-voice term, None if not used.
        words_per_s: Speech rate; NaN if unknown.
        chat_ratio: Chat rate relative to its typical rate; NaN without a chat.
        chatters: People who wrote; NaN without a chat.
        emotion: The strongest emotion except neutral and its score, None if no tier gave any.
        said: Words spoken around the peak.

    Returns:
        Phrases joined by "; "; a plain sentence if no single signal stands out.
    """
    phrases = []
    if math.isfinite(loudness_z) and loudness_z >= LOUD_Z:
        phrases.append(f"loudness {loudness_z:.1f} sigma above the minutes around")
    if burst is not None and burst >= BURST:
        phrases.append("a sudden rise of loudness")
    if voice is not None and voice >= RAISED:
        phrases.append("a raised voice")
    if math.isfinite(chat_ratio) and chat_ratio >= CHAT_RATIO:
        people = f", {chatters:.0f} people" if math.isfinite(chatters) and chatters >= 1 else ""
        phrases.append(f"chat {chat_ratio:.1f}x its usual rate{people}")
    if math.isfinite(words_per_s) and words_per_s >= FAST_WPS:
        phrases.append(f"{words_per_s:.1f} words a second")
    if emotion is not None and emotion[1] >= FELT:
        phrases.append(f"{emotion[0]} {emotion[1]:.2f}")
    if phrases and said:
        phrases.append(f'"{" ".join(said[:QUOTED_WORDS])}{" ..." if len(said) > QUOTED_WORDS else ""}"')
    return "; ".join(phrases) or "several signals a little above their usual level"


def dominant_emotion(emotions: Mapping[str, float | None]) -> str | None:
    """Return the emotion with the highest score, None if none is known."""
    known = {name: value for name, value in emotions.items() if value is not None}
    return max(known, key=lambda name: (known[name], name)) if known else None
