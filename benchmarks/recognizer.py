"""Speed and quality of pocketsphinx: two processes compared with one, and its word error rate per set.

    python benchmarks/recognizer.py [DATA] [--seconds 300]

The word error rate (substitutions, deletions and insertions over words said; ignoring case and punctuation, counted by
jiwer) is over all utterances of a set. DATA contains the public sets (by default ../shared/data next to the checkout);
the shipped sample is always measured.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import jiwer
import numpy as np
from made import sample
from record import keep, table

from klip_assets.media.decode import SAMPLE_RATE_HZ, decode_sound
from klip_assets.signals.speech import sphinx
from klip_assets.signals.speech.utterances import Span, hear, plan
from klip_assets_tests.made import REPOSITORY, SAMPLE

JFK = "and so my fellow americans ask not what your country can do for you ask what you can do for your country"
RAVDESS = {"01": "kids are talking by the door", "02": "dogs are sitting by the door"}

#: A recording and its reference text.
Said = tuple[Path, str]


def main() -> None:
    """Time both ways on the sample, then count errors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=REPOSITORY.parent / "shared" / "data")
    parser.add_argument("--seconds", type=float, default=300, help="Length of the timed sound in seconds.")
    parser.add_argument("--only-speed", action="store_true", help="Count no errors, and accept a short sound.")
    arguments = parser.parse_args()
    # Long enough that Klip starts a second decoder by itself (`sphinx.WORTH_S` of speech).
    sound = np.resize(np.concatenate(list(decode_sound(sample()))), round(arguments.seconds * SAMPLE_RATE_HZ))
    speech_s = sum(span.end_s - span.start_s for span in spans_of(sound))
    assert speech_s >= sphinx.WORTH_S or arguments.only_speed, "too short for two decoders"
    took: dict[int, list[float]] = {1: [], 2: []}
    for workers in (1, 2) if arguments.only_speed else (1, 2, 1, 2):
        took[workers].append(seconds_for(sound, workers))
    times = {workers: min(seconds) for workers, seconds in took.items()}
    length_s = len(sound) / SAMPLE_RATE_HZ
    table([{"processes": str(n), "wall s": round(s, 1), "x real time": length_s / s} for n, s in times.items()])
    print(f"\nTwo processes are {times[1] / times[2]:.2f} times as fast as one.\n")
    rows = []
    for name, utterances in () if arguments.only_speed else sets(arguments.data):
        said, heard = [], []
        for path, text in utterances:
            words = sphinx.transcribe(lambda path=path: decode_sound(path)).words  # type: ignore[misc]
            said.append(plain(text))
            heard.append(plain(" ".join(word.text for word in words)))
        counted = jiwer.process_words(said, heard)
        rows.append(
            {"set": name, "utterances": len(said), "words": sum(len(text.split()) for text in said),
             "word error rate": f"{100 * counted.wer:.0f} %", "wrong": counted.substitutions,
             "missed": counted.deletions, "added": counted.insertions}
        )  # fmt: skip
    if rows:
        table(rows)
    keep("recognizer", seconds=times, ratio=times[1] / times[2], word_error_rates=rows)


def spans_of(sound: np.ndarray) -> list[Span]:
    """Return the spans of a sound that are recognized."""
    return plan(hear([sound]), pause_s=sphinx.PAUSE_S, enough_s=0, longest_s=sphinx.LONGEST_S)


def seconds_for(sound: np.ndarray, workers: int) -> float:
    """Return the wall time of recognition, including loading the model."""
    began = time.perf_counter()
    assert sphinx.transcribe(lambda: [sound], workers=workers).words
    return time.perf_counter() - began


def sets(data: Path) -> Iterator[tuple[str, list[Said]]]:
    """Yield the available sets: their names and utterances."""
    truth = json.loads((SAMPLE / "truth.json").read_text())
    yield "sample (flite voices, game noise)", [(sample(), " ".join(line["text"] for line in truth["spoken"]))]
    for name, find in SETS.items():
        found = list(find(data)) if data.is_dir() else []
        if found:
            yield name, found


def plain(text: str) -> str:
    """Return text normalized for comparison: lower case, no punctuation."""
    return " ".join(re.sub(r"[^\w' ]", " ", text.lower().replace("’", "'")).split())


def _librispeech(data: Path) -> Iterator[Said]:
    for file in (data / "sp-librispeech4").rglob("*.trans.txt"):
        for line in file.read_text().splitlines():
            name, _, text = line.partition(" ")
            if (path := file.with_name(f"{name}.flac")).exists():
                yield path, text


def _jfk(data: Path) -> Iterator[Said]:
    yield from ((path, JFK) for path in (data / "sp-jfk").rglob("jfk.flac"))


def _ldc(data: Path) -> Iterator[Said]:
    for file in (data / "sp-deepspeech").rglob("LDC93S1.txt"):
        yield file.with_suffix(".wav"), file.read_text().split(maxsplit=2)[2]


def _leopard(data: Path) -> Iterator[Said]:
    for file in (data / "sp-leopard").rglob("test_data.json"):
        for case in json.loads(file.read_text())["tests"]["language_tests"]:
            if case["language"] == "en":
                yield file.parents[1] / "audio_samples" / case["audio_file"], case["transcript"]


def _call(data: Path) -> Iterator[Said]:
    for file in (data / "sp-ami-pyannote").rglob("sample.stm"):
        lines = [line.split(maxsplit=5) for line in file.read_text().splitlines()]
        yield file.with_suffix(".wav"), " ".join(line[5] for line in lines if len(line) > 5)


def _ravdess(data: Path) -> Iterator[Said]:
    for path in sorted((data / "sp-ravdess-dev").rglob("*.wav")):
        yield path, RAVDESS[path.stem.split("-")[4]]


SETS = {
    "librispeech (read books)": _librispeech,
    "jfk (speech, 1961)": _jfk,
    "ldc93s1 (read sentence)": _ldc,
    "leopard (read sentence)": _leopard,
    "phone call, two speakers": _call,
    "ravdess (acted emotions)": _ravdess,
}

if __name__ == "__main__":
    main()
