"""Speech from flite, the only external command needed.

Belongs here: calling flite and trimming its output. Does not belong here: levels and mixing (sound).
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from scipy.io import wavfile
from scipy.signal import resample_poly

from sample_stream.truth import Line

RATE_HZ = 44_100
FLITE_RATE_HZ = 16_000
HYPE_STRETCH = 0.83
HYPE_PITCH_HZ = {"slt": 250, "awb": 205, "rms": 160}


class FliteMissingError(RuntimeError):
    """The flite command is not on the PATH."""


class Speakers:
    """Renders lines with flite, each once.

    Args:
        folder: Folder for flite's wave files, used by nothing else.

    Raises:
        FliteMissingError: flite is not installed.
    """

    def __init__(self, folder: Path) -> None:
        """See the class."""
        if shutil.which("flite") is None:
            raise FliteMissingError("the command flite was not found: install the Debian package flite")
        self._folder = folder
        self._clips: dict[Line, np.ndarray] = {}

    def render(self, lines: Iterable[Line]) -> None:
        """Render the lines not rendered yet, a few at a time."""
        fresh = [line for line in dict.fromkeys(lines) if line not in self._clips]
        paths = [self._folder / f"{len(self._clips) + n}.wav" for n in range(len(fresh))]
        with ThreadPoolExecutor() as pool:
            self._clips.update(zip(fresh, pool.map(_speak, fresh, paths), strict=True))

    def clip(self, line: Line) -> np.ndarray:
        """Return a line's voice: (samples,) float32 at 44.1 kHz, of RMS 1, without silence at its ends."""
        self.render([line])
        return self._clips[line]

    def seconds(self, line: Line) -> float:
        """Return how long a line takes, in seconds."""
        return len(self.clip(line)) / RATE_HZ


def _speak(line: Line, path: Path) -> np.ndarray:
    """Let flite say a line; returns (samples,) float32 at 44.1 kHz of RMS 1."""
    command = ["flite", "-voice", line.voice]
    if line.kind == "hype":
        command += ["--setf", f"duration_stretch={HYPE_STRETCH}"]
        command += ["--setf", f"int_f0_target_mean={HYPE_PITCH_HZ[line.voice]}"]
    subprocess.run([*command, "-t", line.text, "-o", str(path)], check=True, capture_output=True, timeout=60)
    rate_hz, pcm = wavfile.read(path)
    if rate_hz != FLITE_RATE_HZ:
        raise RuntimeError(f"flite's voice {line.voice} gave {rate_hz} Hz, not {FLITE_RATE_HZ} Hz")
    loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) > 300)
    if loud.size == 0:
        raise RuntimeError(f"flite's voice {line.voice} said nothing for {line.text!r}")
    margin = FLITE_RATE_HZ // 50
    pcm = pcm[max(0, loud[0] - margin) : loud[-1] + margin].astype(np.float64)
    clip = resample_poly(pcm, RATE_HZ // 100, FLITE_RATE_HZ // 100)
    return (clip / np.sqrt(np.mean(clip**2))).astype(np.float32)
