"""From features to highlights: time, memory, and how they grow with the length.

Synthetic videos of 1, 2, 5 and 10 hours with 50,000 messages per hour, two words per second and nine moments per hour.
Measured: chat_activity and its lag, segment scores, candidates, highlights. Each length runs in a separate process;
peak memory is that of the whole process, including its input.

    python benchmarks/highlights_speed.py [--hours 1 2 5 10]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pyarrow as pa
from record import keep, table

from klip_assets.contracts import AUDIO_FEATURES, CHAT_ACTIVITY, CHAT_MESSAGES, TRANSCRIPT_WORDS
from klip_assets.products.highlights.scoring import score_segments
from klip_assets.products.highlights.tables import Signals, describe_highlights, find_candidates
from klip_assets.products.highlights.weights import weight_set
from klip_assets.settings import Settings
from klip_assets.signals.audio.contrast import burst_z, loudness_z
from klip_assets.signals.chat.activity import chat_activity, messages_per_second
from klip_assets.signals.chat.lag import estimate_lag
from klip_assets.signals.speech.segments import build_segments
from klip_assets.signals.text.tables import read_segments
from klip_assets.signals.text.tiers import Chain

MESSAGES_AN_HOUR = 50_000


def made(hours: float) -> tuple[Signals, pa.Table]:
    """Return the signals of a video without its chat activity, and its chat."""
    rng = np.random.default_rng(0)
    seconds = round(3600 * hours)
    t = np.arange(seconds)
    heat = sum((np.exp(-(((t - at) / 5.0) ** 2)) for at in rng.uniform(60, seconds - 60, round(9 * hours))), 0.0 * t)
    level = -28 + 2 * rng.standard_normal(seconds) + 12 * heat
    audio = AUDIO_FEATURES.from_columns(
        {
            "video_id": pa.repeat(pa.scalar("v"), seconds),
            "t_s": t.astype(np.int32),
            "loudness_momentary_lufs": level,
            "loudness_short_term_lufs": level,
            "loudness_z": loudness_z(level),
            "burst_z": burst_z(level),
            "speech_share": np.full(seconds, 0.7),
            "shout": np.clip(0.1 + 0.7 * heat, 0, 1),
        }
    )
    starts = np.arange(0.2, seconds - 1, 0.5)
    count = len(starts)
    words = TRANSCRIPT_WORDS.from_columns(
        {
            "video_id": pa.repeat(pa.scalar("v"), count),
            "word_index": np.arange(count, dtype=np.int32),
            "start_s": starts,
            "end_s": starts + 0.4,
            "word": pa.array(["word" if n % 10 else "end." for n in range(count)]),
            "sentence_index": np.arange(count, dtype=np.int32) // 10,
            "engine": pa.repeat(pa.scalar("captions"), count),
        }
    )
    total = round(MESSAGES_AN_HOUR * hours)
    share = np.concatenate([np.zeros(8), 1 + 6 * heat])[:seconds]
    offsets = np.sort(rng.choice(seconds, total, p=share / share.sum()) + rng.random(total))
    texts = np.array([f"text number {n}" for n in range(2000)])
    chat = CHAT_MESSAGES.from_columns(
        {
            "video_id": pa.repeat(pa.scalar("v"), total),
            "message_index": np.arange(total, dtype=np.int32),
            "offset_s": offsets,
            "author": pa.array(rng.integers(0, 5000, total).astype(str)),
            "text": pa.array(texts[rng.integers(0, 2000, total)]),
            "is_bot": np.zeros(total, bool),
            "sentiment": rng.uniform(-1, 1, total),
        }
    )
    segments = build_segments(words, audio, video_id="v", duration_s=float(seconds), heard=True)
    sentiment = read_segments(segments, Chain([], []))
    return Signals("v", float(seconds), words, audio, CHAT_ACTIVITY.empty(), segments, sentiment), chat


def measure(hours: float) -> dict[str, Any]:
    """Measure one length in this process; best of three."""
    signals, chat = made(hours)
    weights, default_s = weight_set(Settings().weights), Settings().chat_lag_s
    duration_s = signals.duration_s or 0.0
    walls, processors = [], []
    for _ in range(3):
        began, processor = time.perf_counter(), time.process_time()
        lag = estimate_lag(signals.audio_features, messages_per_second(chat, duration_s), default_s)
        activity = chat_activity(chat, video_id="v", duration_s=duration_s, lag_s=lag.lag_s, lag_source=lag.source)
        whole = Signals(**{**vars(signals), "chat_activity": activity})
        score_segments(whole.segments, whole.segment_sentiment, weights)
        found = describe_highlights(find_candidates(whole, weights), whole, weights)
        walls.append(time.perf_counter() - began)
        processors.append(time.process_time() - processor)
    return {
        "hours": hours,
        "messages": chat.num_rows,
        "highlights": found.num_rows,
        "lag_s": lag.lag_s,
        "wall_s": round(min(walls), 3),
        "processor_s": round(min(processors), 3),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def main() -> None:
    """Print one line per length, the growth from the shortest to the longest, and a JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, nargs="+", default=[1, 2, 5, 10])
    parser.add_argument("--one", type=float, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measure(args.one)))
        return
    rows = []
    for hours in args.hours:
        command = [sys.executable, __file__, "--one", str(hours)]
        rows.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    table(rows)
    first, last = rows[0], rows[-1]
    growth = (last["processor_s"] / first["processor_s"]) / (last["hours"] / first["hours"])
    print(f"growth of CPU time / growth of length: {growth:.2f} (1 is linear)")
    keep("highlights_speed", rows=rows, growth=round(growth, 2))


if __name__ == "__main__":
    main()
