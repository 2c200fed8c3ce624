"""Voice activity by Silero's detector, whose ONNX file ships with faster-whisper; run without torch.

The detector is a small recurrent network over frames of 32 ms. faster-whisper's own wrapper needs the whole recording
in memory; here the state is carried from block to block. Its first layer is a Fourier transform written as a
convolution, a third of its computation; here an FFT replaces it. The probabilities are the same (tested).

Source: Silero VAD v6, https://github.com/snakers4/silero-vad.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from klip_assets.media.decode import SAMPLE_RATE_HZ, FloatArray

FRAME = 512
FRAME_S = FRAME / SAMPLE_RATE_HZ

#: Samples of the previous frame that the network gets with each frame.
_CONTEXT = 64
_STATE = (1, 1, 128)
#: The network's own Fourier transform: Hann window, hop, and the samples reflected at a frame's end.
_WINDOW, _HOP, _REFLECTED = 256, 128, 64
#: Tensor through which its result, the magnitudes, enters the rest of the network.
_MAGNITUDES = "/encoder/feature_extractor/Sqrt_output_0"


class VoiceMeter:
    """Gives the probability of speech in every 32 ms of a stream."""

    def __init__(self) -> None:
        self._network = _network()
        self._hidden, self._cell = np.zeros(_STATE, np.float32), np.zeros(_STATE, np.float32)
        self._tail = np.zeros(_CONTEXT, np.float32)

    def push(self, block: FloatArray, *, last: bool = False) -> FloatArray:
        """Return the probability of speech in the frames completed by this block.

        Args:
            block: The next samples.
            last: Whether they are the last; a partial frame is then padded with silence.

        Returns:
            Probabilities, shape (frames,).
        """
        samples = np.concatenate([self._tail, block.astype(np.float32, copy=False)])
        new = len(samples) - _CONTEXT
        if last and new % FRAME:
            samples = np.concatenate([samples, np.zeros(FRAME - new % FRAME, np.float32)])
        count = (len(samples) - _CONTEXT) // FRAME
        self._tail = samples[count * FRAME :]
        if count == 0:
            return np.zeros(0, np.float32)
        frames = sliding_window_view(samples, _CONTEXT + FRAME)[: count * FRAME : FRAME]
        inputs = {_MAGNITUDES: _magnitudes(frames), "h": self._hidden, "c": self._cell}
        probability, self._hidden, self._cell = self._network.run(None, inputs)
        return np.asarray(probability, np.float32).reshape(-1)


@cache
def _network() -> Any:
    """Load the detector without its first layer; one session is shared, as it has no state and one thread."""
    from onnx import load, shape_inference
    from onnx.utils import Extractor
    from onnxruntime import InferenceSession, SessionOptions

    # Locates the package without importing it and its libraries.
    package = find_spec("faster_whisper")
    assert package is not None and package.origin is not None
    whole = shape_inference.infer_shapes(load(Path(package.origin).parent / "assets" / "silero_vad_v6.onnx"))
    rest = Extractor(whole).extract_model([_MAGNITUDES, "h", "c"], ["speech_probs", "hn", "cn"])
    options = SessionOptions()
    # On two cores, two sessions with many threads each would wait for one another.
    options.inter_op_num_threads = options.intra_op_num_threads = 1
    options.log_severity_level = 4
    return InferenceSession(rest.SerializeToString(), options, providers=["CPUExecutionProvider"])


def _magnitudes(frames: FloatArray) -> FloatArray:
    """Compute the first layer: magnitudes of four windows per frame, shape (frames, 129, 4)."""
    from scipy.fft import rfft

    reflected = frames[:, -2 : -2 - _REFLECTED : -1]
    windows = sliding_window_view(np.concatenate([frames, reflected], axis=1), _WINDOW, axis=1)[:, ::_HOP]
    hann = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW)).astype(np.float32)
    spectrum = rfft(windows * hann, axis=2)
    return np.ascontiguousarray(np.sqrt(np.square(spectrum.real) + np.square(spectrum.imag)).transpose(0, 2, 1))


@dataclass(frozen=True)
class Gate:
    """How probabilities become decisions.

    Attributes:
        sure: A stretch is speech if its frames reach this probability...
        sure_s: ...for this long in total: shorter ones are laughs, cries and clinks.
        perhaps: Frames that reach this belong to a stretch.
        fill_s: Pauses up to this long stay inside a stretch.
        pad_s: A stretch is widened by this much on both sides, for soft beginnings and ends.
    """

    sure: float
    sure_s: float
    perhaps: float
    fill_s: float
    pad_s: float


#: What counts as speech in `speech_share`: close to where people mark it (benchmarks/voice.py).
SHARE = Gate(sure=0.5, sure_s=0.25, perhaps=0.35, fill_s=0.64, pad_s=0.32)

#: What recognizers are given. Wider, because what is lost here is lost for good: quiet answers between louder speakers
#: often stay below any threshold. Stretches without a sure core (laughter, music, rain) are still excluded.
LISTEN = Gate(sure=0.5, sure_s=0.25, perhaps=0.2, fill_s=5.0, pad_s=1.0)


def speech_spans(probability: FloatArray, gate: Gate) -> list[tuple[int, int]]:
    """Find the stretches of speech.

    Args:
        probability: Probability of speech in each frame, shape (frames,).
        gate: What counts as speech.

    Returns:
        First frame (inclusive) and last frame (exclusive) of each stretch; in order, not adjacent.
    """
    fill, pad, minimum = (round(seconds / FRAME_S) for seconds in (gate.fill_s, gate.pad_s, gate.sure_s))
    sure = np.concatenate([[0], np.cumsum(probability >= gate.sure)])
    spans = [
        (max(0, first - pad), min(len(probability), last + pad))
        for first, last in _joined(_runs(probability >= gate.perhaps), fill)
        if sure[last] - sure[first] >= minimum
    ]
    return list(_joined(spans, 0))


def speech_frames(probability: FloatArray, gate: Gate) -> NDArray[np.bool_]:
    """Return whether each frame lies in a stretch of speech, shape (frames,)."""
    inside = np.zeros(len(probability), bool)
    for first, last in speech_spans(probability, gate):
        inside[first:last] = True
    return inside


def _runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]])))
    return [(int(first), int(last)) for first, last in zip(edges[::2], edges[1::2], strict=True)]


def _joined(spans: list[tuple[int, int]], gap: int) -> Iterator[tuple[int, int]]:
    # Merges spans with at most `gap` frames between them.
    current: tuple[int, int] | None = None
    for first, last in spans:
        if current is not None and first - current[1] <= gap:
            current = (current[0], max(current[1], last))
        else:
            if current is not None:
                yield current
            current = (first, last)
    if current is not None:
        yield current


def to_pcm16(block: FloatArray) -> bytes:
    """Convert float samples to the 16-bit little-endian PCM that speech engines expect."""
    return np.clip(np.rint(block * 32767), -32768, 32767).astype("<i2").tobytes()
