"""Quality of voice activity detection, compared with WebRTC's detector, on hand-marked meetings and a phone call.

    python benchmarks/voice.py [DATA]

DATA contains the public sets (by default ../shared/data next to the checkout): the RTTM files of sp-ami-pyannote mark
where somebody speaks. Frames of 32 ms are compared. Then, for files without a word (silence, laughter, music, noise):
what recognizers would be given, and how many words pocketsphinx finds in it. An engine that is given nothing finds no
words.
"""

from __future__ import annotations

import argparse
import time
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from record import keep, skip, table

from klip_assets.media.decode import SAMPLE_RATE_HZ, decode_sound
from klip_assets.signals.audio.voice import FRAME, FRAME_S, LISTEN, SHARE, VoiceMeter, speech_frames, to_pcm16
from klip_assets.signals.speech import sphinx
from klip_assets_tests.made import REPOSITORY

WORDLESS = (
    "sp-whisper-timestamped/tests/data/empty.wav", "sp-whisper-timestamped/tests/data/empty.mp3",
    "sp-leopard/resources/audio_samples/empty.wav", "sp-ami-pyannote/tests/data/empty.wav",
    "sp-whisper-timestamped/tests/data/laugh1.mp3", "media-pydub/test/data/bach.ogg",
    "media-moviepy/media/rain.mp3", "media-moviepy/media/crunching.mp3", "media-moviepy/media/chaplin.mp4",
    "media-moviepy/media/big_buck_bunny_0_30.webm",
)  # fmt: skip


def main() -> None:
    """Compare the detectors, then check files without a word."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=REPOSITORY.parent / "shared" / "data")
    data = parser.parse_args().data
    if not (data / "sp-ami-pyannote").is_dir():
        skip(f"no hand-marked speech in {data / 'sp-ami-pyannote'}")
    marked = list(truth(data / "sp-ami-pyannote"))
    sounds = [np.concatenate(list(decode_sound(path))) for path, _ in marked]
    began = time.perf_counter()
    heard = [hear(sound) for sound in sounds]
    seconds = sum(map(len, sounds)) / SAMPLE_RATE_HZ
    speed = seconds / (time.perf_counter() - began)
    flags = {
        "Silero, as speech_share counts": [speech_frames(p, SHARE) for p in heard],
        "Silero, as recognizers are given": [speech_frames(p, LISTEN) for p in heard],
        "Silero, each frame at 0.5 or above": [p >= 0.5 for p in heard],
        "WebRTC (mode 2), each frame": [webrtc(sound) for sound in sounds],
    }
    rows = [{"detector": name, **scores(found, [spans for _, spans in marked])} for name, found in flags.items()]
    table(rows)
    print(f"\n{len(marked)} recordings, {seconds:.0f} s; the detector takes 1/{speed:.0f} of real time.\n")
    wordless = []
    for name in WORDLESS:
        probability = hear(np.concatenate([np.zeros(0, np.float32), *decode_sound(data / name)]))
        words = sphinx.transcribe(lambda name=name: decode_sound(data / name)).words  # type: ignore[misc]
        given_s = float(speech_frames(probability, LISTEN).sum() * FRAME_S)
        wordless.append(
            {"file": Path(name).name, "seconds": round(len(probability) * FRAME_S, 1),
             "highest probability": float(probability.max(initial=0)), "given to recognizers, s": round(given_s, 1),
             "words": len(words)}
        )  # fmt: skip
    table(wordless)
    keep("voice", detectors=rows, wordless=wordless, x_real_time=round(speed))


def truth(folder: Path) -> Iterable[tuple[Path, list[tuple[float, float]]]]:
    """Yield each recording and where somebody speaks in it, in seconds."""
    files = {unicodedata.normalize("NFD", p.stem).encode("ascii", "ignore").decode(): p for p in folder.rglob("*.wav")}
    for rttm in sorted(folder.rglob("*.rttm")):
        spans: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for line in rttm.read_text(encoding="utf-8").splitlines():
            _, name, _, start, length, *_ = line.split()
            spans[name].append((float(start), float(start) + float(length)))
        for name, found in sorted(spans.items()):
            if name in files:
                yield files[name], found


def hear(sound: np.ndarray) -> np.ndarray:
    """Return the probability of speech of each frame."""
    return VoiceMeter().push(sound, last=True)


def webrtc(sound: np.ndarray) -> np.ndarray:
    """Return WebRTC's decisions (frames of 20 ms), converted to frames of 32 ms."""
    from pocketsphinx import Vad

    vad = Vad(2, SAMPLE_RATE_HZ, 0.02)
    pcm = to_pcm16(sound)
    size = vad.frame_bytes
    flags = np.array([vad.is_speech(pcm[i : i + size]) for i in range(0, len(pcm) - size + 1, size)])
    middles = (np.arange(-(-len(sound) // FRAME)) + 0.5) * FRAME_S
    return flags[np.minimum((middles / 0.02).astype(int), len(flags) - 1)]


def scores(found: list[np.ndarray], spans: list[list[tuple[float, float]]]) -> dict[str, object]:
    """Compare decisions with the hand-marked speech, over all recordings."""
    hits = alarms = misses = 0
    for flags, marked in zip(found, spans, strict=True):
        middles = (np.arange(len(flags)) + 0.5) * FRAME_S
        speech = np.zeros(len(flags), bool)
        for start, end in marked:
            speech |= (middles >= start) & (middles < end)
        hits += int((flags & speech).sum())
        alarms += int((flags & ~speech).sum())
        misses += int((~flags & speech).sum())
    precision, recall = hits / max(1, hits + alarms), hits / max(1, hits + misses)
    f1 = 2 * precision * recall / max(1e-9, precision + recall)
    return {"precision": round(precision, 3), "recall": round(recall, 3), "F1": round(f1, 3)}


if __name__ == "__main__":
    main()
