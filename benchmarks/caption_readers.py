"""What caption libraries keep of real files, compared with Klip: the reason for Klip's own readers.

For each file: cues (or segments), words in their text, and the number of word times kept. Handling of broken and
hostile files is tested on synthetic ones. Libraries that are not installed are named and skipped, and so are real files
that are not available.

    pip install webvtt-py pysubs2 pycaption ttconv srt      # into a separate environment
    python benchmarks/caption_readers.py [--data ../shared/data]
"""

from __future__ import annotations

import argparse
import logging
import re
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from record import keep, skip

from klip_assets.errors import UnreadableSidecarError
from klip_assets.signals.speech.captions.reader import read_captions

MAX_S = 30
REPOSITORY = Path(__file__).resolve().parents[1]
INLINE_TIME = re.compile(r"<(?:\d+:)?\d\d:\d\d\.\d+>|<span begin=")


@dataclass
class Kept:
    """What a reader kept of a file."""

    cues: int
    words: int
    word_times: int
    said: str = ""

    def __str__(self) -> str:
        times = f", {self.word_times:,} word times" if self.word_times else ""
        return f"{self.cues:,} cues, {self.words:,} words{times}{self.said}"


def kept(texts: list[str]) -> Kept:
    """Count the words of cue texts, markup aside."""
    plain = (re.sub(r"<[^>]*>", "", text) for text in texts)
    return Kept(len(texts), sum(len(text.split()) for text in plain), sum(len(INLINE_TIME.findall(t)) for t in texts))


def with_webvtt(path: Path) -> Kept:
    """Read with webvtt-py."""
    import webvtt

    read = {".vtt": webvtt.read, ".srt": webvtt.from_srt, ".sbv": webvtt.from_sbv}[path.suffix]
    return kept([caption.raw_text for caption in read(str(path))])


def with_pysubs2(path: Path) -> Kept:
    """Read with pysubs2."""
    import pysubs2

    formats = {".vtt": "vtt", ".srt": "srt", ".ttml": "ttml"}
    return kept([event.text.replace("\\N", "\n") for event in pysubs2.load(str(path), format_=formats[path.suffix])])


def with_pycaption(path: Path) -> Kept:
    """Read with pycaption."""
    import pycaption

    reader = {".vtt": pycaption.WebVTTReader, ".srt": pycaption.SRTReader, ".ttml": pycaption.DFXPReader}[path.suffix]
    captions = reader().read(path.read_text(encoding="utf-8-sig"))
    return kept(
        [caption.get_text() for language in captions.get_languages() for caption in captions.get_captions(language)]
    )


def with_ttconv(path: Path) -> Kept:
    """Read with ttconv."""
    import ttconv.imsc.reader
    import ttconv.srt.reader
    import ttconv.vtt.reader
    from ttconv.model import Br, P, Span, Text

    if path.suffix == ".ttml":
        document = ttconv.imsc.reader.to_model(ElementTree.parse(path))
    else:
        module = {".vtt": ttconv.vtt.reader, ".srt": ttconv.srt.reader}[path.suffix]
        with path.open(encoding="utf-8-sig") as file:
            document = module.to_model(file)
    body = document.get_body() if document else None
    paragraphs = [element for element in body.dfs_iterator() if isinstance(element, P)] if body else []

    def text(element: Any) -> str:
        if isinstance(element, Text):
            return str(element.get_text())
        timed = "<span begin=>" if isinstance(element, Span) and element.get_begin() is not None else ""
        return timed + ("\n" if isinstance(element, Br) else "".join(text(child) for child in element))

    return kept([text(paragraph) for paragraph in paragraphs])


def with_srt(path: Path) -> Kept:
    """Read with srt."""
    import srt

    return kept([cue.content for cue in srt.parse(path.read_text(encoding="utf-8-sig"))])


def with_klip(path: Path) -> Kept:
    """Read with Klip."""
    transcript = read_captions(path, None)
    count = len(transcript.words)
    refused = ", ".join(f"{entry.position.partition(',')[0]}: {entry.reason}" for entry in transcript.refused)
    sounds = f", {len(transcript.sounds):,} sounds" if transcript.sounds else ""
    return Kept(0, count, 0, sounds + (f"; refused {refused}" if refused else ""))


LIBRARIES: dict[str, tuple[str, tuple[str, ...], Callable[[Path], Kept]]] = {
    "webvtt-py": ("webvtt", (".vtt", ".srt", ".sbv"), with_webvtt),
    "pysubs2": ("pysubs2", (".vtt", ".srt", ".ttml"), with_pysubs2),
    "pycaption": ("pycaption", (".vtt", ".srt", ".ttml"), with_pycaption),
    "ttconv": ("ttconv", (".vtt", ".srt", ".ttml"), with_ttconv),
    "srt": ("srt", (".srt",), with_srt),
    "Klip": ("klip_assets", (".vtt", ".srt", ".sbv", ".ttml", ".json", ".json3"), with_klip),
}


@contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """Raise TimeoutError after this many seconds."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"not done in {seconds} s")

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def outcome(read: Callable[[Path], Kept], path: Path) -> tuple[str, Kept | None]:
    """Read a file; return a description of the outcome, and what was kept."""
    began = time.perf_counter()
    try:
        with at_most(MAX_S):
            found = read(path)
    except UnreadableSidecarError as error:
        return f"refused: {error.message.partition(': ')[2]}", None
    except Exception as error:  # noqa: BLE001  Whatever a library raises is part of the result.
        return f"{type(error).__name__}: {' '.join(str(error).split())[:90]}", None
    text = str(found) if read is not with_klip else f"{found.words:,} words{found.said}"
    return f"{text} ({time.perf_counter() - began:.2f} s)", found


VTT = "WEBVTT\n\n00:01.000 --> 00:02.000\none\n\n00:03.000 --> {}\ntwo\n\n00:05.000 --> 00:06.000\nthree\n"
TTML = (
    '<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttp="http://www.w3.org/ns/ttml#parameter" ttp:frameRate="25" '
    'xml:lang="en">'
    '<body><div><p begin="1s" end="2s">one</p>{}<p begin="00:00:05:05" end="6s">three</p></div></body></tt>'
)
MADE = {
    "whole.vtt": VTT.format("00:04.000"),
    "broken time.vtt": VTT.format("00:xx.000"),
    "no header.vtt": VTT.format("00:04.000").removeprefix("WEBVTT\n\n"),
    "inline times.vtt": "WEBVTT\n\n00:01.000 --> 00:03.000\none<00:00:01.500><c> two</c><00:00:02.000><c> three</c>\n",
    "broken time.srt": "1\n00:00:01,000 --> 00:00:02,000\none\n\n2\n00:00:03,000 --> 00:00:xx,000\ntwo\n\n"
    "3\n00:00:05,000 --> 00:00:06,000\nthree\n",
    "broken time.sbv": "0:00:01.000,0:00:02.000\none\n\n0:00:03.000,0:00:xx.000\ntwo\n\n"
    "0:00:05.000,0:00:06.000\nthree\n",
    "whole.ttml": TTML.format('<p begin="3s" end="4s">two</p>'),
    "broken time.ttml": TTML.format('<p begin="soon" end="4s">two</p>'),
    "broken XML.ttml": TTML.format('<p begin="3s" end="4s">two <b></p>'),
    "word times.ttml": TTML.format(
        '<p begin="3s" end="4s"><span begin="0s">two</span> <span begin="500ms">more</span></p>'
    ),
    "entities that grow.ttml": '<!DOCTYPE tt [<!ENTITY a0 "ha ">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 6))
    + "]>"
    + TTML.format('<p begin="3s" end="4s">&a5;</p>'),
    "brackets without end.vtt": VTT.format("00:04.000").replace("two", "<" * 60_000),
}


def main() -> None:
    """Print what each reader keeps of each file, and record the totals."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data")
    data = parser.parse_args().data
    logging.disable(logging.CRITICAL)  # One of the libraries logs every suspicious character of a hostile file.
    installed = {name: entry for name, entry in LIBRARIES.items() if find_spec(entry[0])}
    missing = [name for name in LIBRARIES if name not in installed]
    patterns = (
        "fmt-youtube-autocaptions/*.vtt", "fmt-webvtt/tests/subtitles/*", "fmt-deepgram/test/*.json",
        "sp-whisper-timestamped/tests/expected/*/*.json",
    )  # fmt: skip
    files = [path for pattern in patterns for path in sorted(data.glob(pattern))]
    totals: Counter[str] = Counter()
    for path in files:
        show(path, installed, totals)
    with tempfile.TemporaryDirectory() as folder:
        print("\nSynthetic files: one of three cues is broken, or the file is hostile")
        for name, text in MADE.items():
            path = Path(folder, name)
            path.write_text(text)
            show(path, installed, Counter())
    print(f"\nlibraries skipped: {', '.join(missing) or 'none'}", end="; ")
    absent = [pattern for pattern in patterns if not list(data.glob(pattern))]
    print(f"real files not available: {', '.join(absent) or 'none'}; no real TTML or json3 file is available")
    if not files:
        skip(f"no real caption files in {data}, so nothing to record")
    keep("caption_readers", skipped=missing, files=len(files), **dict(totals))


def show(path: Path, installed: dict[str, Any], totals: Counter[str]) -> None:
    """Print what each reader keeps of a file."""
    print(f"\n{path.name}")
    for name, (_, suffixes, read) in installed.items():
        if path.suffix in suffixes:
            text, found = outcome(read, path)
            print(f"  {name:10} {text}")
            if found:
                totals[f"{name}: files read"] += 1
                totals[f"{name}: words"] += found.words


if __name__ == "__main__":
    main()
