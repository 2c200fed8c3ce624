"""Voice activity by WebRTC's detector, which comes with pocketsphinx.

It tells speech from silence and quiet noise, less well from music and crowds; loud noise of all pitches (white noise
above about -30 dBFS) counts as speech. Put here: frame decisions. Keep out:
what is said (`speech`).
"""

from __future__ import annotations

import numpy as np

from klip_assets.media.decode import SAMPLE_RATE_HZ, FloatArray

FRAME_S = 0.02
FRAME = int(FRAME_S * SAMPLE_RATE_HZ)

#: WebRTC's strictness, 0 to 3: 2 keeps quiet speech and drops most music beds.
MODE = 2


class VoiceMeter:
    """Decides for every 20 ms of a stream whether somebody speaks."""

    def __init__(self) -> None:
        from pocketsphinx import Vad

        self._vad = Vad(MODE, SAMPLE_RATE_HZ, FRAME_S)
        self._bytes = self._vad.frame_bytes

    def push(self, block: FloatArray) -> np.ndarray:
        """Return one truth value a whole frame of the block, shape (frames,)."""
        pcm = to_pcm16(block)
        whole = len(pcm) // self._bytes
        frames = (pcm[i * self._bytes : (i + 1) * self._bytes] for i in range(whole))
        return np.fromiter((self._vad.is_speech(frame) for frame in frames), bool, whole)


def to_pcm16(block: FloatArray) -> bytes:
    """Turn float samples into the 16-bit little-endian PCM that speech engines take."""
    return np.clip(np.rint(block * 32767), -32768, 32767).astype("<i2").tobytes()
