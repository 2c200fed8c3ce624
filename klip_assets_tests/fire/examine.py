"""Read the files of a folder as the stages do, one after the other, and say which: `python -m ...fire.examine FOLDER`.

A decoder that crashes or hangs takes this process with it; the last line it wrote names the file.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path

import numpy as np

from klip_assets.contracts import CHAT_MESSAGES, SOUND_EVENTS, TRANSCRIPT_WORDS, TWEETS_RAW, VIDEOS
from klip_assets.errors import UnreadableMediaError, UnreadableSidecarError
from klip_assets.inbox.media_files import MEDIA_SUFFIXES
from klip_assets.inbox.sidecars import CAPTION_SUFFIXES, TRANSCRIPT_SUFFIXES
from klip_assets.media.decode import Decoding, decode_sound, has_any_sound
from klip_assets.media.info import read_info
from klip_assets.media.probe import probe
from klip_assets.media.scan import read_timeline
from klip_assets.signals.chat.readers import read_chat
from klip_assets.signals.speech.captions.reader import read_captions
from klip_assets.signals.speech.captions.sounds import sound_table, to_notes
from klip_assets.signals.tweets.staging import stage
from klip_assets.store.lake.validate import conform
from klip_assets_tests.fire.memory import peak_mb

#: Processor seconds; a decoder that hangs without using any is ended by the watchdog of the tests.
SECONDS_PER_FILE = 30


def examine(path: Path) -> str:
    """Read one file and check what comes of it; 'refused: ...' if it is refused with a sentence."""
    name = path.name.lower()
    try:
        if path.suffix.lower() in MEDIA_SUFFIXES:
            return _media(path)
        if name.endswith((*CAPTION_SUFFIXES, *TRANSCRIPT_SUFFIXES)):
            transcript = read_captions(path, "en")
            conform(SOUND_EVENTS, sound_table(to_notes(transcript.sounds), "v", transcript.engine))
            rows = conform(TRANSCRIPT_WORDS, transcript.table("v"))
        elif ".chat." in name:
            rows = conform(CHAT_MESSAGES, read_chat(path, "v").messages)
        elif name.endswith(".info.json"):
            return f"info {read_info(path).title is not None}"
        else:
            staged = stage(path)
            rows_out = sum(conform(TWEETS_RAW, rows).num_rows for rows in staged.parts.values())
            assert staged.rows_in >= rows_out + staged.duplicates
            assert all(entry.reason for entry in staged.refused)
            return f"{rows_out} tweets, {len(staged.refused)} refused"
    except (UnreadableMediaError, UnreadableSidecarError) as error:
        sentence = str(error)
        assert len(sentence.split()) > 2 and "\n" not in sentence.partition(": ")[0], sentence
        assert sentence.encode(), sentence
        return f"refused: {sentence}"
    return f"{rows.num_rows} rows"


def _media(path: Path) -> str:
    info = probe(path)
    timeline = read_timeline(path)
    length = timeline.duration_s or None
    row = {
        "video_id": "v", "duration_s": length, "width": info.width, "height": info.height, "fps": info.fps,
        "sample_rate_hz": info.sample_rate_hz, "channels": info.channels, "container": info.container,
    }  # fmt: skip
    conform(VIDEOS, VIDEOS.from_rows([row]))
    decoding = Decoding()
    if has_any_sound(path, decoding):
        heard = 0
        for block in decode_sound(path, decoding, timeline=timeline):
            assert np.isfinite(block).all()
            heard += len(block)
        return f"{length} s long, {heard / 16_000:.2f} s heard"
    return f"{length} s long, no sound: {decoding.first_error}"


def main(folder: Path) -> None:
    """Examine every file; each is announced before it is read, and has a bounded time."""
    slowest = 0.0
    for path in sorted(folder.iterdir()):
        print(json.dumps({"file": ascii(path.name)}), flush=True)  # noqa: T201
        signal.setitimer(signal.ITIMER_PROF, SECONDS_PER_FILE)
        began = time.process_time()
        outcome = examine(path)
        signal.setitimer(signal.ITIMER_PROF, 0)
        slowest = max(slowest, time.process_time() - began)
        print(json.dumps({"file": ascii(path.name), "outcome": ascii(outcome)}), flush=True)  # noqa: T201
    peak = peak_mb()
    print(json.dumps({"slowest_s": slowest, "peak_mb": peak}), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
