"""Decoding speed per container, compared with the ffmpeg command and faster-whisper's decoder.

    python benchmarks/decode_speed.py [--minutes 60] [--source FILE]

Each way decodes the same file to 16 kHz mono: Klip in blocks of 10 s, faster_whisper.decode_audio whole in memory, the
ffmpeg command (if installed) into a pipe that is read and discarded.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from made import encode, repeat, sample
from record import keep, table

from klip_assets.media.decode import SAMPLE_RATE_HZ, decode_sound

#: Name of the file, codec, sample rate, channels.
KINDS = (
    ("aac.mp4", "aac", 48_000, "stereo"),
    ("aac.mkv", "aac", 48_000, "stereo"),
    ("opus.mkv", "libopus", 48_000, "stereo"),
    ("mp3.mp3", "libmp3lame", 44_100, "stereo"),
    ("flac.mkv", "flac", 48_000, "stereo"),
    ("pcm.wav", "pcm_s16le", 48_000, "stereo"),
)
CONTAINERS = {".mp4": "mp4", ".mkv": "matroska", ".mp3": "mp3", ".wav": "wav"}


def main() -> None:
    """Generate the files, time each way on each, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--source", type=Path, default=sample())
    parser.add_argument("--runs", type=int, default=2)
    arguments = parser.parse_args()
    ways: dict[str, Callable[[Path], float]] = {"Klip": klip, "faster_whisper.decode_audio": faster_whisper}
    if shutil.which("ffmpeg"):
        ways["ffmpeg command"] = ffmpeg
    else:
        print("The ffmpeg command is not installed (apt-get install ffmpeg): skipped.\n")
    rows = []
    with tempfile.TemporaryDirectory(prefix="klip-decode-") as folder:
        for name, codec, rate_hz, layout in KINDS:
            short = encode(arguments.source, Path(folder) / f"short.{name}", codec, rate_hz=rate_hz, layout=layout)
            path = Path(folder) / name
            repeat(short, path, arguments.minutes * 60, container=CONTAINERS[path.suffix])
            speeds = {way: max(decode(path) for _ in range(arguments.runs)) for way, decode in ways.items()}
            row: dict[str, object] = {"file": name} | {f"{way}, x real time": speed for way, speed in speeds.items()}
            for way in list(ways)[1:]:
                row[f"Klip / {way}"] = speeds["Klip"] / speeds[way]
            rows.append(row)
            path.unlink()
    table(rows)
    keep("decode_speed", minutes=arguments.minutes, rows=rows)


def klip(path: Path) -> float:
    """Return the speed of decode_sound as a multiple of real time."""
    began, samples = time.perf_counter(), 0
    for block in decode_sound(path):
        samples += len(block)
    return samples / SAMPLE_RATE_HZ / (time.perf_counter() - began)


def faster_whisper(path: Path) -> float:
    """Return the speed of faster-whisper's decoder as a multiple of real time."""
    from faster_whisper import decode_audio

    began = time.perf_counter()
    samples = len(decode_audio(str(path)))
    return samples / SAMPLE_RATE_HZ / (time.perf_counter() - began)


def ffmpeg(path: Path) -> float:
    """Return the speed of the ffmpeg command as a multiple of real time."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-ac", "1", "-ar", str(SAMPLE_RATE_HZ), "-f", "f32le", "-"]
    began, size = time.perf_counter(), 0
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        while piece := process.stdout.read(1 << 20):
            size += len(piece)
    return size / 4 / SAMPLE_RATE_HZ / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
