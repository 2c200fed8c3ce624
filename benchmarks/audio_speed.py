"""Speed of audio analysis: all audio features and the voice detector, compared with librosa on the same sound.

    python benchmarks/audio_speed.py [--hours 1 4 8] [--plain-minutes 10]

Each length runs in a separate process: wall and CPU time, peak memory. The plain way is what a notebook would do:
librosa.load, librosa's functions for the same features (pyin detects voicing; yin, which is faster, does not), and
faster-whisper's detector, with the whole sound in memory.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from made import encode, repeat, sample
from record import keep, table

from klip_assets_tests.made import REPOSITORY


def main() -> None:
    """Measure each length and both ways, print two tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, nargs="+", default=[1.0, 4.0, 8.0])
    parser.add_argument("--plain-minutes", type=float, default=10.0, help="Sound for librosa; 0: leave it out.")
    parser.add_argument("--source", type=Path, default=sample())
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="klip-audio-") as folder:
        rows = []
        for hours in arguments.hours:
            path = repeat(arguments.source, Path(folder) / "long.m4a", hours * 3600, container="mp4")
            figures = run(KLIP, path)
            rows.append({"hours": f"{hours:g}", **shown(figures, hours * 3600)})
            path.unlink()
        table(rows)
        if not arguments.plain_minutes:
            keep("audio_speed", lengths=rows)
            return
        short = repeat(arguments.source, Path(folder) / "short.m4a", arguments.plain_minutes * 60, container="mp4")
        wav = encode(short, Path(folder) / "short.wav", "pcm_s16le", rate_hz=48_000)
        klip, plain, yin = run(KLIP, wav), run(PLAIN, wav), run(PLAIN, wav, KLIP_BENCH_PITCH="yin")
    print()
    named = (("Klip", klip), ("librosa (pyin)", plain), ("librosa (yin)", yin))
    plain_rows = [{"way": way, **shown(figures, arguments.plain_minutes * 60)} for way, figures in named]
    table(plain_rows)
    ratios = {way: figures["cpu_s"] / klip["cpu_s"] for way, figures in named[1:]}
    print(*(f"\nKlip takes 1/{ratio:.1f} of the processor time of {way}." for way, ratio in ratios.items()))
    keep("audio_speed", lengths=rows, plain=plain_rows, cpu_ratio=ratios)


def run(code: str, path: Path, **environment: str) -> dict[str, float]:
    """Run code in a separate process; return what it prints."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
    done = subprocess.run(
        [sys.executable, "-c", FRAME.replace("# CODE", code), str(path)], cwd=REPOSITORY, check=True,
        stdout=subprocess.PIPE, text=True, env=os.environ | threads | environment,
    )  # fmt: skip
    return dict(json.loads(done.stdout.splitlines()[-1]))


def shown(figures: dict[str, float], seconds: float) -> dict[str, object]:
    """Return the figures of a run as a row."""
    return {
        "x real time": seconds / figures["wall_s"],
        "wall s": round(figures["wall_s"], 2),
        "processor s": round(figures["cpu_s"], 2),
        "peak memory": f"{figures['peak_mb']:.0f} MB",
    }


# Imports are not timed: a service pays for them once.
FRAME = """
import json, os, re, sys, time
from pathlib import Path
path = Path(sys.argv[1])
# CODE
once()
began, used = time.perf_counter(), time.process_time()
work(path)
wall_s, cpu_s = time.perf_counter() - began, time.process_time() - used
peak_mb = int(re.findall(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[0]) / 1024
print(json.dumps({"wall_s": wall_s, "cpu_s": cpu_s, "peak_mb": peak_mb}))
"""
KLIP = """
import numpy as np
from klip_assets.signals.audio.features import measure_sound
from klip_assets.media.decode import decode_sound
def work(path):
    assert measure_sound(decode_sound(path), "v").rows.num_rows
def once():
    measure_sound([np.zeros(160_000, np.float32)] * 2, "v")
"""
PLAIN = """
import numpy as np, librosa
from faster_whisper.vad import get_speech_timestamps
def features(sound, rate):
    librosa.feature.rms(y=sound, frame_length=512, hop_length=160)
    librosa.feature.zero_crossing_rate(sound, frame_length=512, hop_length=160)
    spectrum = np.abs(librosa.stft(sound, n_fft=512, hop_length=160))
    librosa.feature.spectral_centroid(S=spectrum, sr=rate)
    mel = librosa.power_to_db(librosa.feature.melspectrogram(S=spectrum**2, sr=rate, n_mels=40))
    librosa.onset.onset_strength(S=mel, sr=rate)
    librosa.feature.mfcc(S=mel, n_mfcc=13)
    pitch = librosa.yin if os.environ.get("KLIP_BENCH_PITCH") == "yin" else librosa.pyin
    pitch(sound, fmin=65, fmax=500, sr=rate, frame_length=1024, hop_length=480)
    get_speech_timestamps(sound)
def work(path):
    features(*librosa.load(path, sr=16_000))
def once():
    features(np.random.default_rng(0).standard_normal(32_000).astype(np.float32), 16_000)
"""

if __name__ == "__main__":
    main()
