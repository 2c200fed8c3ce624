"""Make odd recordings of every kind and container, process them, and print how many come out right.

    python scripts/odd_recordings.py [--only KIND]

Each has a burst and, where it has a picture, a flash at one known second. Right means: a row in `videos` with the
expected status and length, the loudest second and a highlight where the burst is, and a sentence in `error`,
`video_error` or `quarantine` wherever something is missing or odd.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import duckdb
import numpy as np

from klip_assets.settings import Settings
from klip_assets_tests.made import write_vtt
from klip_assets_tests.media.clocked import FILMS, SOUNDS, joined, write_clocked
from klip_assets_tests.worked import work

SECONDS, BURST_S = 30.0, 18.0

ALL = {**FILMS, **SOUNDS}
#: Containers whose packets have timestamps of their own.
STAMPED = ("mp4", "mov", "mkv", "ts", "flv", "webm", "m4a", "mka")
GARBAGE = np.random.default_rng(1)


@dataclass(frozen=True)
class Odd:
    """One recording.

    Attributes:
        kind: What is odd about it.
        name: Name of the file.
        make: Makes it.
        statuses: Statuses that are right.
        length_s: Its length; None if it has none or any is right.
        burst_s: Where its burst is; None if it is gone.
        says: Whether something has to be said.
    """

    kind: str
    name: str
    make: Callable[[Path], object]
    statuses: tuple[str, ...] = ("ok",)
    length_s: float | None = SECONDS
    burst_s: float | None = BURST_S
    says: bool = False


def recordings() -> Iterator[Odd]:
    """Yield all recordings."""
    for suffix, options in ALL.items():
        yield Odd("nothing odd", f"plain.{suffix}", _film(**options))
    for suffix in STAMPED:
        options = ALL[suffix]
        for late_s in (1.8, 5.0):
            keep = {"keep_sound": lambda t, late_s=late_s: t >= late_s}
            # Sound alone begins with its first sample.
            alone = suffix in SOUNDS
            yield Odd(
                "sound starts late",
                f"late-{late_s:g}.{suffix}",
                _film(**options, **keep),
                length_s=SECONDS - late_s if alone else SECONDS,
                burst_s=BURST_S - late_s if alone else BURST_S,
                says=not alone,
            )
        for share in (0.4, 0.8):
            if suffix in FILMS:
                end_s = SECONDS * share
                yield Odd(
                    "sound ends early",
                    f"ends-{share:g}.{suffix}",
                    _film(
                        **options, keep_sound=lambda t, end_s=end_s: t < end_s, burst_s=BURST_S if share > 0.6 else 6.0
                    ),
                    ("partial",),
                    burst_s=BURST_S if share > 0.6 else 6.0,
                    says=True,
                )
        for first, last in ((4, 7), (10, 10.5)):
            if suffix not in ("mp4", "mov", "m4a") or last - first > 1:
                yield Odd(
                    "hole in the sound",
                    f"hole-{first}.{suffix}",
                    _film(**options, keep_sound=lambda t, first=first, last=last: not first <= t < last),
                    ("partial",),
                    says=True,
                )
    for suffix in ("ts", "mkv", "flv"):
        for start_s in (300, 3600, 95_000):
            more = {"flvflags": "no_duration_filesize"} if suffix == "flv" else {}
            yield Odd(
                "clock begins late",
                f"begins-{start_s}.{suffix}",
                _film(
                    **FILMS[suffix],
                    retime=lambda t, start_s=start_s: t + start_s,
                    options={"avoid_negative_ts": "disabled", **more},
                ),
            )
    for suffix in ("ts", "flv"):
        for by_s in (100, 600, 40_000):
            yield Odd(
                "clock jumps",
                f"jump-{by_s}.{suffix}",
                _film(**FILMS[suffix], retime=lambda t, by_s=by_s: t + (by_s if t >= 10 else 0)),
                says=True,
            )
    for suffix in ("ts", "ogg", "mp3", "aac"):
        for count in (2, 3):
            yield Odd("joined", f"joined-{count}.{suffix}", _joined(suffix, count), says=suffix in ("ts", "ogg"))
    for suffix in ("mp4", "mov", "flv", "wav", "avi"):
        yield Odd(
            "joined, and the rest can't be read",
            f"appended.{suffix}",
            _joined(suffix, 2, first=True),
            ("partial", "ok"),
            length_s=None,
            burst_s=None,
            says=True,
        )
    for suffix in ("mkv", "mp3", "flac", "wav", "webm", "avi", "flv", "mka"):
        for share in (0.5, 0.9):
            yield Odd(
                "cut off",
                f"cut-{share:g}.{suffix}",
                _cut(share, burst_s=4.0, **ALL[suffix]),
                ("partial",),
                length_s=None,
                burst_s=4.0,
                says=True,
            )
    for suffix in ("mp4", "mov", "m4a"):
        faststart = {"options": {"movflags": "faststart"}}
        yield Odd(
            "cut off",
            f"cut-0.7.{suffix}",
            _cut(0.7, burst_s=4.0, **ALL[suffix], **faststart),
            ("partial",),
            length_s=None,
            burst_s=4.0,
            says=True,
        )
        yield Odd("no index", f"unfinished.{suffix}", _cut(0.9, **ALL[suffix]), ("unreadable",), None, None, says=True)
    for suffix in ("mkv", "mp4", "ts", "flv", "mp3", "aac"):
        yield Odd(
            "garbage in the sound",
            f"garbage.{suffix}",
            _film(**ALL[suffix], spoil=_spoilt(5, 9)),
            ("partial", "ok"),
            length_s=None if suffix in ("mp3", "aac") else SECONDS,
            burst_s=None if suffix in ("mp3", "aac") else BURST_S,
            says=True,
        )
    for suffix in ("mkv", "mp4", "ts"):
        yield Odd(
            "garbage at the end",
            f"tail.{suffix}",
            _film(**ALL[suffix], spoil=_spoilt(24, 99)),
            ("partial",),
            says=True,
        )
        yield Odd(
            "picture ends early",
            f"dark.{suffix}",
            _film(**ALL[suffix], seconds=60, keep_picture=lambda t: t < 20),
            length_s=60,
            says=True,
        )
        yield Odd("frames shown out of order", f"b.{suffix}", _film(**ALL[suffix], b_frames=3))
        yield Odd(
            "captions past the end",
            f"captions.{suffix}",
            _with_captions([(2, 4, "Hello there."), (26, 36, "See you next time")], **ALL[suffix]),
            ("partial",),
            says=True,
        )
        yield Odd(
            "captions of another recording",
            f"foreign.{suffix}",
            _with_captions([(602, 604, "Hello there."), (626, 628, "See you next time")], **ALL[suffix]),
            ("partial",),
            says=True,
        )
        yield Odd("empty", f"empty.{suffix}", lambda path: path.touch(), ("unreadable",), None, None, says=True)
    for level in (1e-6, 1e-5):
        yield Odd("inaudible", f"quiet-{level:g}.wav", _quiet(level), ("silent",), burst_s=None)
    for gain in (3.0, 1e4):
        yield Odd("beyond full scale", f"loud-{gain:g}.wav", _beyond(gain), ("partial",), says=True)


def _film(**options: Any) -> Callable[[Path], object]:
    options = {"seconds": SECONDS, "burst_s": BURST_S, **options}
    return lambda path: write_clocked(path, options["seconds"], **{k: v for k, v in options.items() if k != "seconds"})


def _joined(suffix: str, count: int, *, first: bool = False) -> Callable[[Path], object]:
    options = {**ALL[suffix], **({} if suffix == "flv" else {"rate": 48_000})}

    def make(path: Path) -> None:
        each, parts = SECONDS / count, []
        for number in range(count):
            at = (4.0 if number == 0 else None) if first else BURST_S - number * each
            inside = at is not None and 0 <= at < each - 1
            part = path.with_name(f"part-{number}-{path.name}")
            parts.append(write_clocked(part, each, burst_s=at if inside else None, **options))
        joined(path, *parts)
        for part in parts:
            part.unlink()

    return make


def _cut(share: float, **options: Any) -> Callable[[Path], object]:
    def make(path: Path) -> None:
        _film(**options)(path)
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])

    return make


def _spoilt(first: float, last: float) -> Callable[[float, bytes], bytes]:
    def spoil(at: float, content: bytes) -> bytes:
        if not first <= at < last:
            return content
        return content[:4] + GARBAGE.integers(0, 256, max(0, len(content) - 4), np.uint8).tobytes()

    return spoil


def _with_captions(cues: list[tuple[float, float, str]], **options: Any) -> Callable[[Path], object]:
    def make(path: Path) -> None:
        _film(**options)(path)
        write_vtt(path.with_suffix(".en.vtt"), cues)

    return make


def _quiet(level: float) -> Callable[[Path], object]:
    noise = (level * np.random.default_rng(2).standard_normal(int(SECONDS * 16_000))).astype(np.float32)
    return lambda path: _write_float(path, noise)


def _beyond(gain: float) -> Callable[[Path], object]:
    random = np.random.default_rng(3)
    noise = (0.005 * random.standard_normal(int(SECONDS * 16_000))).astype(np.float32)
    noise[int(BURST_S * 16_000) : int((BURST_S + 1) * 16_000)] *= 80
    noise[5 * 16_000 : 6 * 16_000] = gain
    return lambda path: _write_float(path, noise)


def _write_float(path: Path, samples: np.ndarray) -> None:
    with av.open(str(path), "w") as output:
        stream = output.add_stream("pcm_f32le", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[None], "flt", "mono")
        frame.sample_rate, frame.pts = 16_000, 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def judge(odd: Odd, connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return what is wrong with how a recording came out, [] if nothing is."""
    rows = connection.execute(
        "SELECT video_id, status, duration_s, error, video_error FROM videos WHERE source_path = ?", [odd.name]
    ).fetchall()
    if not rows:
        return ["no row in videos"]
    ((key, status, length, error, video_error),) = rows
    wrong = [] if status in odd.statuses else [f"status {status}: {error}"]
    if odd.length_s is not None and (length is None or abs(length - odd.length_s) > 0.35):
        wrong.append(f"length {length}, not {odd.length_s}")
    stem = Path(odd.name).stem
    (refused,) = connection.execute(
        "SELECT count(*) FROM quarantine WHERE starts_with(source_file, ?)", [f"{stem}."]
    ).fetchone() or (0,)
    if odd.says and not (error or video_error or refused):
        wrong.append("nothing is said")
    if odd.burst_s is not None:
        (loudest,) = connection.execute(
            "SELECT arg_max(t_s, rms_dbfs) FROM audio_features WHERE video_id = ?", [key]
        ).fetchone() or (None,)
        if loudest not in (int(odd.burst_s), int(odd.burst_s + 0.1)):
            wrong.append(f"loudest second {loudest}, not {odd.burst_s}")
        (found,) = connection.execute(
            "SELECT count(*) FROM highlights WHERE video_id = ? AND start_s <= ? + 0.5 AND end_s >= ? + 0.5",
            [key, odd.burst_s, odd.burst_s],
        ).fetchone() or (0,)
        if not found:
            wrong.append("no highlight holds the burst")
    return wrong


def main() -> int:
    """Print the table, and what is wrong; return 1 if anything is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="Only this kind.")
    arguments = parser.parse_args()
    chosen = [odd for odd in recordings() if arguments.only in (None, odd.kind)]
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"KLIP_DATA_DIR": str(Path(folder) / "data"), "KLIP_ENV_FILE": ""}
        settings = Settings()
        settings.make_folders()
        for odd in chosen:
            odd.make(settings.vod_inbox / odd.name)
        work(settings)
        with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
            results = [(odd, judge(odd, connection)) for odd in chosen]
    for kind in dict.fromkeys(odd.kind for odd in chosen):
        mine = [wrong for odd, wrong in results if odd.kind == kind]
        print(f"{kind:36} {len(mine):4} files {sum(not wrong for wrong in mine):4} right")
    for odd, wrong in results:
        if wrong:
            failed += 1
            print(f"  {odd.kind}, {odd.name}: {'; '.join(wrong)}")
    print(f"{len(results)} files, {len(results) - failed} right")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
