"""Generates a fictional livestream with known highlights: recording, chat, tweets, truth.

Used for the sample in `data/sample` and for tests; see `data/sample/README.md`. Needs the command `flite`.

    python scripts/make_sample.py OUT_DIR [--seed 7] [--duration 240] [--planted 4] [--captions] [--no-video]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from sample_stream import chat, media, picture, sidecars, sound, timeline, tweets
from sample_stream.truth import Truth
from sample_stream.voice import Speakers


def make_sample(
    out_dir: Path,
    *,
    seed: int = 7,
    duration_s: float = 240.0,
    planted: int = 4,
    captions: bool = False,
    name: str = "sample_stream",
    video: bool = True,
) -> Truth:
    """Write a recording, its sidecars, tweets and truth into a folder; existing files are replaced.

    Args:
        out_dir: The folder; created if missing.
        seed: The same seed gives the same truth, chat, tweets and sound before encoding.
        duration_s: Length of the recording in seconds.
        planted: Number of moments to plant.
        captions: Also write WebVTT captions.
        name: Stem of the files.
        video: Write an MP4 with pictures; otherwise an M4A with only sound.

    Returns:
        The truth about the recording, as in `truth.json`.

    Raises:
        ValueError: No moments are requested, or they do not fit.
        FliteMissingError: The command flite is not on the PATH.
    """
    if planted < 1:
        raise ValueError(f"at least one moment must be planted, not {planted}")
    with tempfile.TemporaryDirectory(prefix="make_sample_") as folder:
        speakers = Speakers(Path(folder))
        truth = timeline.lay_out(name, seed, float(duration_s), planted, speakers)
        heard = sound.mix(truth, speakers)

    out_dir.mkdir(parents=True, exist_ok=True)
    _write_json(out_dir / f"{name}.info.json", sidecars.info(truth))
    _write_json(out_dir / f"{name}.chat.json", chat.chat(truth))
    _write_json(out_dir / "truth.json", truth.as_dict(), indent=1)
    lines = [json.dumps(page, ensure_ascii=False, separators=(",", ":")) for page in tweets.pages(seed)]
    _write(out_dir / "tweets.jsonl", "\n".join(lines) + "\n")
    if captions:
        _write(out_dir / f"{name}.en.vtt", sidecars.captions(truth))
    seen = picture.frames(truth.duration_s, seed) if video else None
    media.write(out_dir / f"{name}.{'mp4' if video else 'm4a'}", heard, seen)
    return truth


def _write_json(path: Path, content: dict[str, Any], indent: int | None = None) -> None:
    separators = (",", ":") if indent is None else None
    text = json.dumps(content, ensure_ascii=False, indent=indent, separators=separators)
    _write(path, text + "\n")


def _write(path: Path, text: str) -> None:
    """Replace a file by a new one, so that hard links to the old one, such as in an inbox, keep their content."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Generate a fictional livestream with known highlights.")
    parser.add_argument("out_dir", type=Path, metavar="OUT_DIR")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--duration", type=float, default=240.0, metavar="SECONDS")
    parser.add_argument("--planted", type=int, default=4, metavar="N", help="number of moments to plant")
    parser.add_argument("--captions", action="store_true", help="also write WebVTT captions")
    parser.add_argument("--name", default="sample_stream", help="stem of the files")
    parser.add_argument("--no-video", action="store_true", help="write an .m4a with only sound")
    args = parser.parse_args()
    try:
        truth = make_sample(
            args.out_dir,
            seed=args.seed,
            duration_s=args.duration,
            planted=args.planted,
            captions=args.captions,
            name=args.name,
            video=not args.no_video,
        )
    except (ValueError, RuntimeError) as error:
        sys.exit(f"make_sample: {error}")
    print(f"{args.out_dir}: {truth.duration_s:g} s, {len(truth.planted)} planted moments")


if __name__ == "__main__":
    main()
