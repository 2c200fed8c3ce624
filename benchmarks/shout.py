"""How well `shout` separates raised from calm voices, and how often it mistakes other sounds for a raised voice.

Strong anger, fear and joy against neutral and calm speech of the RAVDESS clips (two actors), as recorded and normalized
to equal loudness, then with background sounds, codecs and a compressor; with changed weights and pivots; and on other
recordings. A clip's score is the mean over its seconds, weighted by their voiced share. Weights were set by hand on
these clips, not fitted to them.

    python benchmarks/shout.py [DATA]

DATA contains the public sets (sp-ravdess-dev and others; by default ../shared/data next to the checkout). Takes about
three minutes.
"""

from __future__ import annotations

import argparse
import io
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import av
import numpy as np
from record import keep, skip

from klip_assets.errors import UnreadableMediaError
from klip_assets.inbox.media_files import MEDIA_SUFFIXES
from klip_assets.media.decode import SAMPLE_RATE_HZ, decode_sound
from klip_assets.signals.audio.pitch import HOP as PITCH_HOP
from klip_assets.signals.audio.pitch import PitchMeter
from klip_assets.signals.audio.shout import CUES, Cue, ShoutMeter, shout
from klip_assets.signals.audio.spectrum import SpectrumMeter
from klip_assets.signals.audio.voice import FRAME, SHARE, VoiceMeter, speech_frames
from klip_assets_tests.made import REPOSITORY
from klip_assets_tests.signals.audio.voices import at_loudness, effort_cues

EQUAL_LUFS = -23.0
CALM, STRONG = ("01", "02"), {"03": "joy", "05": "anger", "06": "fear"}
OTHERS = (
    "sp-librispeech4",
    "sp-jfk",
    "sp-ami-pyannote",
    "sp-leopard",
    "sp-silero",
    "sp-deepspeech",
    "sp-whisper-timestamped",
    "sp-music-pyaa",
    "media-moviepy",
    "media-pydub",
)
MUSIC = "sp-music-pyaa/pyAudioAnalysis/data/speech_music_sample.wav"
IN_A_STREAM = ("white noise, SNR 5 dB", "music, SNR 5 dB", "compressor 4:1", "bright microphone (+6 dB)")
ALONE = ("alpha_ratio_db", "hammarberg_db", "pitch_hz", "loudness_lufs")

Change = Callable[[np.ndarray], np.ndarray]
Cues = dict[str, np.ndarray]


@dataclass(frozen=True)
class Clip:
    """One RAVDESS clip: its actor, emotion code, whether it is strong, and its sound."""

    actor: str
    emotion: str
    strong: bool
    sound: np.ndarray

    @property
    def raised(self) -> bool | None:
        """True for strong anger, fear and joy, False for neutral and calm, None for anything in between."""
        if self.emotion in CALM:
            return False
        return True if self.strong and self.emotion in STRONG else None


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=REPOSITORY.parent / "shared" / "data")
    data = parser.parse_args().data
    clips = list(read_clips(data / "sp-ravdess-dev"))
    if not clips:
        skip(f"no RAVDESS clips in {data / 'sp-ravdess-dev'}")
    judged = [clip for clip in clips if clip.raised is not None]
    raw = [cues_of(clip.sound) for clip in judged]
    equal = [cues_of(at_loudness(clip.sound, EQUAL_LUFS)) for clip in judged]
    print(f"{len(judged)} clips; ROC AUC. hits, alarms: share of raised and calm clips above 0.5")
    show("as recorded", judged, evidences(raw))
    show(f"equal loudness ({EQUAL_LUFS:g} LUFS)", judged, evidences(equal))
    show("  its highest second", judged, evidences(equal, highest=True))
    for name in ALONE:
        sign = -1 if name == "hammarberg_db" else 1
        show(f"  {name} alone", judged, [mean_of(sign * cues[name], cues) for cues in equal], scores=False)
    print("\nequal loudness, then:")
    for name, change in changes(data).items():
        show(f"  {name}", judged, evidences([cues_of(change(at_loudness(c.sound, EQUAL_LUFS))) for c in judged]))
    print("\nthe same, with all 60 clips of an actor as one recording with its own medians:")
    for name, change in changes(data).items():
        if name in IN_A_STREAM:
            show_stream(name, clips, change)
    show_stream("nothing else", clips, lambda sound: sound)
    show_weights(judged, raw, equal)
    show_others(data)
    show_cost(clips)
    level = [mean_of(cues["loudness_lufs"], cues) for cues in equal]
    figures = {"as_recorded": evidences(raw), "equal_loudness": evidences(equal), "level_alone": level}
    keep("shout", clips=len(judged), **{name: round(auc(judged, values), 3) for name, values in figures.items()})


def read_clips(folder: Path) -> Iterator[Clip]:
    """Yield the clips of a folder; their names are modality-channel-emotion-intensity-statement-repetition-actor."""
    for path in sorted(folder.rglob("*.wav")):
        _, _, emotion, intensity, _, _, actor = path.stem.split("-")
        yield Clip(actor, emotion, intensity == "02", np.concatenate(list(decode_sound(path))))


def cues_of(sound: np.ndarray) -> Cues:
    """Measure the cues of a sound second by second, with the shares of speech and voice."""
    cues = effort_cues(sound)
    seconds = len(cues["pitch_hz"])
    probability = VoiceMeter().push(sound.astype(np.float32), last=True)
    spoken = np.repeat(speech_frames(probability, SHARE), FRAME)[: len(sound)]
    voiced = np.repeat(np.isfinite(PitchMeter().push(sound.astype(np.float32))), PITCH_HOP)[: len(sound)]
    for name, flags in (("speech_share", spoken), ("voiced_share", voiced)):
        filled = np.pad(flags.astype(float), (0, seconds * SAMPLE_RATE_HZ - len(flags)))
        cues[name] = filled.reshape(seconds, SAMPLE_RATE_HZ).mean(axis=1)
    return cues


def scores_of(cues: Cues, how: tuple[Cue, Cue, Cue] = CUES, *, gate: bool = True) -> np.ndarray:
    """Return `shout` of each second."""
    return shout(*(cues[name] for name in ALONE), cues["speech_share"] if gate else None, cues=how)


def mean_of(values: np.ndarray, cues: Cues) -> float:
    """Return the mean over the known seconds, weighted by their voiced share; 0 if there are none."""
    known = np.isfinite(values) & (cues["voiced_share"] > 0)
    return float(np.average(values[known], weights=cues["voiced_share"][known])) if known.any() else 0.0


def evidences(measured: list[Cues], how: tuple[Cue, Cue, Cue] = CUES, *, highest: bool = False) -> list[float]:
    """Return one figure per clip."""
    scores = [scores_of(cues, how) for cues in measured]
    if highest:
        return [float(np.nan_to_num(values).max(initial=0.0)) for values in scores]
    return [mean_of(values, cues) for values, cues in zip(scores, measured, strict=True)]


def auc(clips: list[Clip], values: list[float], among: Callable[[Clip], bool] = lambda clip: True) -> float:
    """Return the share of pairs of a raised and a calm clip in which the raised one has the higher figure."""
    rows = [(clip.raised, value) for clip, value in zip(clips, values, strict=True) if among(clip)]
    raised = np.array([value for is_raised, value in rows if is_raised])[:, None]
    calm = np.array([value for is_raised, value in rows if is_raised is False])[None]
    return float(np.mean((raised > calm) + 0.5 * (raised == calm)))


def show(name: str, clips: list[Clip], values: list[float], *, scores: bool = True) -> None:
    """Print one row of the table."""
    actors = sorted({clip.actor for clip in clips})
    cells = [f"all {auc(clips, values):.3f}"]
    cells += [f"actor {actor} {auc(clips, values, lambda c, a=actor: c.actor == a):.3f}" for actor in actors]
    for code, emotion in STRONG.items():
        cells.append(f"{emotion} {auc(clips, values, lambda c, e=code: c.emotion in (e, *CALM)):.3f}")
    if scores:
        over = np.array(values) > 0.5
        raised = np.array([bool(clip.raised) for clip in clips])
        cells.append(f"hits {over[raised].mean():.2f} alarms {over[~raised].mean():.2f}")
    print(f"{name:32s} {'  '.join(cells)}")


def changes(data: Path) -> dict[str, Change]:
    """Return the transformations of the sound, by name."""
    rng = np.random.default_rng(7)
    found: dict[str, Change] = {}
    beds: dict[str, Callable[[int], np.ndarray]] = {"white noise": rng.standard_normal, "pink noise": _pink(rng)}
    if (data / MUSIC).is_file():
        music = np.concatenate(list(decode_sound(data / MUSIC)))
        beds["music"] = lambda n: np.roll(np.resize(music, max(n, len(music))), -int(rng.integers(len(music))))[:n]
    for (name, bed), snr_db in itertools.product(beds.items(), (15, 5)):
        found[f"{name}, SNR {snr_db} dB"] = lambda sound, bed=bed, snr=snr_db: mixed(sound, bed(len(sound)), snr)
    found["compressor 4:1"] = compressed
    found["MP3, 32 kbit/s"] = lambda sound: coded(sound, "mp3", "libmp3lame")
    found["AAC, 32 kbit/s"] = lambda sound: coded(sound, "adts", "aac")
    found["bright microphone (+6 dB)"] = bright
    return found


def mixed(sound: np.ndarray, bed: np.ndarray, snr_db: float) -> np.ndarray:
    """Add a background this many dB below the sound, by power over the whole clip."""
    gain = np.sqrt(np.mean(sound**2) / np.mean(bed**2) / 10 ** (snr_db / 10))
    return (sound + gain * bed).astype(np.float32)


def compressed(sound: np.ndarray) -> np.ndarray:
    """Compress 4:1 above -40 dBFS (a power envelope of 50 ms), then restore the loudness."""
    from scipy.signal import lfilter

    envelope = np.sqrt(lfilter([1 / 800], [1, -(1 - 1 / 800)], sound.astype(np.float64) ** 2)) + 1e-9
    return at_loudness(sound * np.maximum(envelope / 10 ** (-40 / 20), 1) ** -0.75, EQUAL_LUFS)


def bright(sound: np.ndarray) -> np.ndarray:
    """Boost frequencies above 2 kHz by 6 dB, and less between 500 Hz and 2 kHz."""
    bins = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE_HZ)
    gain_db = 6 * np.clip(np.log2(np.maximum(bins, 1) / 500) / 2, 0, 1)
    return np.fft.irfft(np.fft.rfft(sound) * 10 ** (gain_db / 20), len(sound)).astype(np.float32)


def coded(sound: np.ndarray, container: str, codec: str, bit_rate: int = 32_000) -> np.ndarray:
    """Encode and decode."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as writer:
        stream = writer.add_stream(codec, rate=SAMPLE_RATE_HZ)
        stream.bit_rate, stream.layout = bit_rate, "mono"
        frame = av.AudioFrame.from_ndarray(np.clip(sound, -1, 1)[None].astype(np.float32), "fltp", "mono")
        frame.sample_rate, frame.pts = SAMPLE_RATE_HZ, 0
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            writer.mux(packet)
    file.seek(0)
    with av.open(file) as reader:
        frames = [frame.to_ndarray()[0] for frame in reader.decode(audio=0)]
    return np.concatenate(frames).astype(np.float32)


def show_stream(name: str, clips: list[Clip], change: Change) -> None:
    """Print the results with all clips of an actor as one recording."""
    rng = np.random.default_rng(7)
    values = {}
    for actor in sorted({clip.actor for clip in clips}):
        order = rng.permutation([i for i, clip in enumerate(clips) if clip.actor == actor])
        parts = [cues_of(change(at_loudness(clips[i].sound, EQUAL_LUFS))) for i in order]
        whole = {cue: np.concatenate([part[cue] for part in parts]) for cue in parts[0]}
        cuts = np.cumsum([len(part["pitch_hz"]) for part in parts])[:-1]
        for i, part, scores in zip(order, parts, np.split(scores_of(whole), cuts), strict=True):
            values[int(i)] = mean_of(scores, part)
    judged = [i for i in sorted(values) if clips[i].raised is not None]
    show(f"  {name}", [clips[i] for i in judged], [values[i] for i in judged])


def show_weights(clips: list[Clip], raw: list[Cues], equal: list[Cues]) -> None:
    """Print the lowest AUC over all combinations of weights changed by +-30 %, and over shifted pivots."""
    weighed = [
        tuple(replace(cue, unit=cue.unit / factor) for cue, factor in zip(CUES, factors, strict=True))
        for factors in itertools.product((0.7, 1.0, 1.3), repeat=3)
    ]
    moved = [
        tuple(replace(cue, pivot=cue.pivot + step) for cue, step in zip(CUES, steps, strict=True))
        for steps in itertools.product((-2.0, 0.0, 2.0), (-0.2, 0.0, 0.2), (-5.0, 0.0, 5.0))
    ]
    without = {
        name: tuple(replace(cue, low=0.0, high=0.0) if i == left else cue for i, cue in enumerate(CUES))
        for left, name in enumerate(("tilt", "pitch", "level"))
    }
    print("\nAUC as recorded and at equal loudness:")
    for name, ways in {
        "weights +-30 %, lowest of 27": weighed,
        "pivots moved, lowest of 27": moved,
        **{f"without {k}": [v] for k, v in without.items()},
    }.items():
        low = [min(auc(clips, evidences(measured, how)) for how in ways) for measured in (raw, equal)]
        print(f"  {name:30s} {low[0]:.3f}  {low[1]:.3f}")


def show_others(data: Path) -> None:
    """Print the values of `shout` on recordings of talk, music, laughter, rain, tones or silence."""
    print("\nother recordings: seconds, seconds with a known value, their median and 90th percentile, share above 0.5;")
    print("the last column: share of the seconds above 0.5 if everything voiced counted as a voice")
    seen = set()
    for name in OTHERS:
        for path in sorted((data / name).rglob("*")):
            if path.suffix.lower() not in MEDIA_SUFFIXES or path.stat().st_size in seen:
                continue
            seen.add(path.stat().st_size)  # Some sets contain the same file twice.
            try:
                blocks = list(decode_sound(path))
            except UnreadableMediaError:
                continue
            if sum(map(len, blocks)) < SAMPLE_RATE_HZ:
                continue
            cues = cues_of(np.concatenate(blocks))
            scores, ungated = scores_of(cues), scores_of(cues, gate=False)
            known = scores[np.isfinite(scores)]
            said = f"{np.median(known):.2f} {np.quantile(known, 0.9):.2f}" if len(known) else "-    -   "
            over, over_ungated = np.sum(known > 0.5), np.sum(ungated > 0.5)
            total = len(scores)
            print(
                f"  {name + ': ' + path.name[:34]:58s} {total:4d} {len(known):4d}  {said}  {over / total:.2f}"
                f"  | {over_ungated / total:.2f}"
            )


def show_cost(clips: list[Clip]) -> None:
    """Print the CPU time of the shout meter, and of the two meters whose results it uses."""
    sound = np.concatenate([clip.sound for clip in clips])
    spent = {"spectrum": 0.0, "pitch": 0.0, "shout": 0.0}
    spectrum, pitch, meter = SpectrumMeter(), PitchMeter(), ShoutMeter()
    for start in range(0, len(sound), 10 * SAMPLE_RATE_HZ):
        block = sound[start : start + 10 * SAMPLE_RATE_HZ]
        times = [time.process_time()]
        frames = spectrum.push(block)
        times.append(time.process_time())
        pitches = pitch.push(block)
        times.append(time.process_time())
        meter.push(frames.tilt_db, pitches)
        times.append(time.process_time())
        for name, seconds in zip(spent, np.diff(times), strict=True):
            spent[name] += float(seconds)
    hours = len(sound) / SAMPLE_RATE_HZ / 3600
    print("\nCPU seconds per hour of sound: " + ", ".join(f"{k} {v / hours:.2f}" for k, v in spent.items()))


def _pink(rng: np.random.Generator) -> Callable[[int], np.ndarray]:
    def bed(samples: int) -> np.ndarray:
        bins = np.maximum(np.fft.rfftfreq(samples, 1 / SAMPLE_RATE_HZ), 20)
        return np.fft.irfft(np.fft.rfft(rng.standard_normal(samples)) / np.sqrt(bins), samples)

    return bed


if __name__ == "__main__":
    main()
