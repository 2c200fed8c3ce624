"""Small recordings, captions, chats and tweets that tests make for themselves."""

from __future__ import annotations

import json
import wave
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
SAMPLE = REPOSITORY / "data" / "sample"
RATE_HZ = 16_000


def write_wav(path: Path, seconds: float = 4.0, *, seed: int = 0, loud: Sequence[tuple[float, float]] = ()) -> Path:
    """Write noise at -40 dBFS, 20 dB louder in the stretches given; other seeds are other content."""
    rng = np.random.default_rng(seed)
    samples = 0.01 * rng.standard_normal(round(seconds * RATE_HZ))
    for start, end in loud:
        samples[round(start * RATE_HZ) : round(end * RATE_HZ)] *= 10
    pcm = np.clip(samples * 32767, -32768, 32767).astype("<i2")
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(pcm.tobytes())
    return path


def write_vtt(path: Path, cues: Sequence[tuple[float, float, str]]) -> Path:
    """Write WebVTT captions."""
    blocks = [f"{_stamp(start)} --> {_stamp(end)}\n{text}\n" for start, end, text in cues]
    path.write_text("WEBVTT\n\n" + "\n".join(blocks))
    return path


def write_chat(path: Path, messages: Sequence[tuple[float, str, str]]) -> Path:
    """Write a chat log as CSV."""
    lines = ["offset_s,author,text", *(f'{at},{author},"{text}"' for at, author, text in messages)]
    path.write_text("\n".join(lines) + "\n")
    return path


def tweet(tweet_id: str, text: str = "what a run", **more: object) -> dict[str, object]:
    """Return a tweet as the X API v2 delivers it; its time is the one inside its id."""
    milliseconds = (int(tweet_id) >> 22) + 1288834974657
    created = datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return {"id": tweet_id, "text": text, "created_at": created, "author_id": "7", "lang": "en", **more}


def tweet_id_at(day: str, n: int = 0, *, hour: int = 12) -> str:
    """Return a tweet id whose time lies in an hour of a UTC day."""
    moment = datetime.fromisoformat(f"{day}T{hour:02d}:00:00+00:00").timestamp() * 1000 + n * 1000
    return str((int(moment) - 1288834974657) << 22)


def write_tweets(path: Path, tweets: Sequence[dict[str, object]]) -> Path:
    """Write tweets, one a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(entry) + "\n" for entry in tweets))
    return path


def _stamp(seconds: float) -> str:
    return f"{int(seconds // 3600):02d}:{int(seconds % 3600 // 60):02d}:{seconds % 60:06.3f}"
