"""The embedded recognizer: pocketsphinx with the US English model from its wheel. Works offline, anywhere.

On real speech most of its words are wrong (see docs/figures.md); it is the engine of last resort.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from klip_assets.media.decode import FloatArray
from klip_assets.signals.audio.voice import to_pcm16
from klip_assets.signals.speech.chunks import ChunkLog
from klip_assets.signals.speech.utterances import Utterance, hear, plan, utterances
from klip_assets.signals.speech.words import Transcript, Word

Item = TypeVar("Item")
Result = TypeVar("Result")

MODEL = "pocketsphinx en-us"

#: Pauses up to this length stay inside an utterance.
PAUSE_S = 0.6
#: An utterance is cut at its quietest frame once it is this long.
LONGEST_S = 20.0
#: Utterances decoded in parallel, each by one process.
WORKERS = 2
#: Each process loads its own model: less speech than this does not justify a second one.
WORTH_S = 120.0

_DECODER_FRAME_S = 0.01


def transcribe(
    sound: Callable[[], Iterable[FloatArray]],
    on_progress: Callable[[float], None] | None = None,
    *,
    log: ChunkLog | None = None,
    workers: int = WORKERS,
) -> Transcript:
    """Recognize English speech.

    Args:
        sound: Opens the sound from its start: 16 kHz mono float32 blocks (`media.decode.decode_sound`).
        on_progress: Called with the seconds of sound done.
        log: Utterances recognized before; new ones are added.
        workers: Utterances decoded in parallel if there is enough speech; the words do not depend on it.

    Raises:
        ChildProcessError: A recognizer died; everything recognized so far is in the log.
    """
    log = log if log is not None else ChunkLog(None)
    spans = plan(hear(sound()), pause_s=PAUSE_S, enough_s=0, longest_s=LONGEST_S)
    todo = [span for span in spans if log.words(span.name) is None]
    if sum(span.end_s - span.start_s for span in todo) < WORTH_S:
        workers = 1
    if on_progress and todo:
        on_progress(todo[0].start_s)
    with contextlib.ExitStack() as to_close:
        idle: queue.SimpleQueue[Recognizer] = queue.SimpleQueue()
        for _ in range(workers if todo else 0):
            recognizer = Recognizer()
            to_close.callback(recognizer.close)
            idle.put(recognizer)

        def recognize(utterance: Utterance) -> tuple[Utterance, list[Word]]:
            recognizer = idle.get()
            try:
                return utterance, recognizer.words(utterance)
            finally:
                idle.put(recognizer)

        pool = to_close.enter_context(ThreadPoolExecutor(workers, thread_name_prefix="pocketsphinx"))
        for utterance, words in _in_order(pool, recognize, utterances(sound(), todo), 4 * workers):
            log.add(utterance.span.name, words)
            if on_progress:
                on_progress(utterance.end_s)
    words = [word for span in spans for word in log.words(span.name) or ()]
    return Transcript(words, "en", "pocketsphinx", MODEL)


def _in_order(
    pool: ThreadPoolExecutor, work: Callable[[Item], Result], items: Iterable[Item], limit: int
) -> Iterator[Result]:
    # Results in the order of the items, at most `limit` of which are in flight.
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            # Finished results are passed on at once, so that a kill loses little.
            while waiting and (len(waiting) >= limit or waiting[0].done()):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


class Recognizer:
    """A recognizer process."""

    def __init__(self) -> None:
        file = Path(__file__).with_name("sphinx_process.py")
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(file), str(os.getpid())], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def words(self, utterance: Utterance) -> list[Word]:
        """Return the words of an utterance.

        Raises:
            ChildProcessError: The process died (it crashed or ran out of memory).
        """
        assert self._process.stdin and self._process.stdout
        samples = to_pcm16(utterance.samples)
        try:
            self._process.stdin.write(len(samples).to_bytes(4, "little") + samples)
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = b""
        start_s, end_s = utterance.span.start_s, utterance.end_s
        if not line:
            raise ChildProcessError(f"the recognizer died between {start_s:.1f} and {end_s:.1f} s")
        words = []
        for text, first, last, probability in json.loads(line):
            word = text.split("(")[0]
            if word and not word.startswith(("<", "[", "+")):
                begin = start_s + first * _DECODER_FRAME_S
                end = min(end_s, start_s + (last + 1) * _DECODER_FRAME_S)
                words.append(Word(begin, end, word, min(1.0, max(0.0, probability))))
        return words

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin and self._process.stdout
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()
