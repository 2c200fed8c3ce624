"""The small files beside a recording: yt-dlp's metadata and captions.

Belongs here: the stream's fictional identity and its plain sidecars. Does not belong here: chat, tweets.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sample_stream.truth import Truth

STARTED_AT = datetime(2026, 6, 13, 18, 0, tzinfo=UTC)
GAME = "Lumen Drift"
TITLE = "Lumen Drift any% - world record attempts until we get it | Speedrun Saturday"
CHANNEL = "PixelPorter"
CHANNEL_ID = "90210713"


def info(truth: Truth) -> dict[str, Any]:
    """Return metadata in yt-dlp's format (`<name>.info.json`)."""
    started = int(STARTED_AT.timestamp())
    video_id = f"v{2_000_000_000 + truth.seed}"
    minutes, seconds = divmod(round(truth.duration_s), 60)
    return {
        "id": video_id,
        "title": TITLE,
        "description": f"{CHANNEL} plays {GAME}. A made recording: every name and voice in it is invented.",
        "channel": CHANNEL,
        "channel_id": CHANNEL_ID,
        "uploader": CHANNEL,
        "uploader_id": CHANNEL.lower(),
        "webpage_url": f"https://example.com/videos/{video_id}",
        "original_url": f"https://example.com/videos/{video_id}",
        "timestamp": started,
        "release_timestamp": started,
        "upload_date": STARTED_AT.strftime("%Y%m%d"),
        "duration": truth.duration_s,
        "duration_string": f"{minutes}:{seconds:02d}",
        "extractor": "example:vod",
        "extractor_key": "ExampleVod",
        "language": "en",
        "live_status": "was_live",
        "was_live": True,
        "categories": [GAME],
        "tags": ["speedrun", "lumendrift", "any%"],
        "chapters": [],
        "_type": "video",
    }


def captions(truth: Truth) -> str:
    """Return WebVTT captions, one cue per spoken sentence (`<name>.en.vtt`)."""
    cues = [f"{_stamp(s.start_s)} --> {_stamp(s.end_s)}\n{s.line.text}\n" for s in truth.spoken]
    return "\n".join(["WEBVTT\nKind: captions\nLanguage: en\n", *cues])


def _stamp(time_s: float) -> str:
    """Return a time in seconds as hh:mm:ss.mmm."""
    ms = round(time_s * 1000)
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}.{ms % 1000:03d}"
