"""A recognizer process that transcribes what it is sent; `sphinx` starts one or two of them.

pocketsphinx holds the GIL while it decodes, so threads of one process would take turns, and a crash here does not end
a run. It is started as a file, not as a module: nothing of Klip needs to be imported.

Input, repeatedly: four bytes (little endian) with the length of the data, then 16-bit samples at 16 kHz.
Output for each: one line of JSON, a list of [word, first frame, last frame, probability].
"""

import ctypes
import json
import os
import signal
import sys
from typing import BinaryIO

SAMPLE_RATE_HZ = 16_000

_PR_SET_PDEATHSIG = 1


def main(parent: int) -> None:
    """Recognize until the input ends."""
    # If the run is killed, this process dies too, even in the middle of an utterance.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        return
    from pocketsphinx import Decoder

    # The second pass (fwdflat) costs time and hardly improves the words.
    decoder = Decoder(samprate=SAMPLE_RATE_HZ, fwdflat=False, loglevel="FATAL")
    source, answers = sys.stdin.buffer, sys.stdout
    while samples := _read(source):
        # Channel adaptation is reset: words must not depend on what was decoded before.
        decoder.reinit_feat()
        decoder.start_utt()
        decoder.process_raw(samples, full_utt=True)
        decoder.end_utt()
        words = [(word.word, word.start_frame, word.end_frame, float(word.prob)) for word in decoder.seg() or ()]
        answers.write(json.dumps(words) + "\n")
        answers.flush()


def _read(source: BinaryIO) -> bytes:
    length = int.from_bytes(source.read(4), "little")
    return source.read(length)


if __name__ == "__main__":
    main(int(sys.argv[1]))
