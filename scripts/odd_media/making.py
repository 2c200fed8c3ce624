"""Making one odd recording: a film with burst and flash, of which bytes, packets or timestamps are changed."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np

from klip_assets_tests.made import write_vtt
from klip_assets_tests.media.clocked import FILMS, SOUNDS, joined, write_clocked

SECONDS, BURST_S = 30.0, 18.0

ALL = {**FILMS, **SOUNDS}
#: Suffix -> FFmpeg's name of its container, where the two differ.
_WRITERS = {"mkv": "matroska", "mka": "matroska", "ts": "mpegts", "aac": "adts", "m4a": "ipod"}
Make = Callable[[Path], object]
Change = Callable[[bytes], bytes]


def film(suffix: str, /, **options: Any) -> Make:
    """Return what makes a recording in the manner of a suffix, whatever the file is called."""
    options = {"burst_s": BURST_S, "container": _WRITERS.get(suffix, suffix), **ALL[suffix], **options}
    seconds = options.pop("seconds", SECONDS)
    return lambda path: write_clocked(path, seconds, **options)


def changed(make: Make, change: Change) -> Make:
    """Return what makes a recording and then changes its bytes."""

    def make_changed(path: Path) -> None:
        make(path)
        path.write_bytes(change(path.read_bytes()))

    return make_changed


def cut(make: Make, share: float) -> Make:
    """Return what makes the first bytes of a recording."""
    return changed(make, lambda content: content[: int(len(content) * share)])


def headless(make: Make, count: int) -> Make:
    """Return what makes a recording without its first bytes."""
    return changed(make, lambda content: content[count:])


def overwritten(make: Make, first: float, last: float) -> Make:
    """Return what makes a recording with garbage between two shares of the file."""

    def change(content: bytes) -> bytes:
        start, end = int(len(content) * first), int(len(content) * last)
        return content[:start] + _garbage(end - start) + content[end:]

    return changed(make, change)


def repeated(make: Make, first: float, last: float, *, unit: int = 1) -> Make:
    """Return what makes a recording with a part of it twice, as if it had been downloaded twice."""

    def change(content: bytes) -> bytes:
        start, end = (int(len(content) * share) // unit * unit for share in (first, last))
        return content[:end] + content[start:end] + content[end:]

    return changed(make, change)


def parts(*makes: Make) -> Make:
    """Return what makes recordings and writes their bytes one behind the other."""

    def make(path: Path) -> None:
        made = [path.with_name(f"part-{number}-{path.name}") for number in range(len(makes))]
        for one, part in zip(makes, made, strict=True):
            one(part)
        joined(path, *made)
        for part in made:
            part.unlink()

    return make


def in_parts(suffix: str, *variants: dict[str, Any]) -> Make:
    """Return what makes a recording of `SECONDS` in parts of equal length, each with options of its own."""
    each = SECONDS / len(variants)
    makes = []
    for number, variant in enumerate(variants):
        at = BURST_S - number * each
        makes.append(film(suffix, seconds=each, burst_s=at if 0 <= at < each - 1 else None, **variant))
    return parts(*makes)


def spoilt(first: float, last: float, *, every: int = 1) -> Callable[[float, bytes], bytes]:
    """Return what replaces the content of sound packets between two seconds, or every n-th of them, by garbage."""
    count = 0

    def spoil(at: float, content: bytes) -> bytes:
        nonlocal count
        count += 1
        if not first <= at < last or count % every:
            return content
        return content[:4] + _garbage(max(0, len(content) - 4))

    return spoil


def with_captions(make: Make, cues: list[tuple[float, float, str]]) -> Make:
    """Return what makes a recording with captions beside it."""

    def make_both(path: Path) -> None:
        make(path)
        write_vtt(path.with_suffix(".en.vtt"), cues)

    return make_both


def quiet(level: float, codec: str = "pcm_f32le") -> Make:
    """Return what makes noise of this level alone."""
    noise = (level * np.random.default_rng(2).standard_normal(int(SECONDS * 16_000))).astype(np.float32)
    return lambda path: _write_sound(path, noise, codec)


def beyond(gain: float) -> Make:
    """Return what makes a recording with one second of samples at this level."""
    random = np.random.default_rng(3)
    noise = (0.005 * random.standard_normal(int(SECONDS * 16_000))).astype(np.float32)
    noise[int(BURST_S * 16_000) : int((BURST_S + 1) * 16_000)] *= 80
    noise[5 * 16_000 : 6 * 16_000] = gain
    return lambda path: _write_sound(path, noise, "pcm_f32le")


def _write_sound(path: Path, samples: np.ndarray, codec: str) -> None:
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=16_000, layout="mono")
        resampler = av.AudioResampler(stream.format.name, "mono", 16_000)
        size = stream.codec_context.frame_size or 16_000
        for at in range(0, len(samples), size):
            frame = av.AudioFrame.from_ndarray(samples[None, at : at + size], "flt", "mono")
            frame.sample_rate, frame.pts = 16_000, at
            for piece in resampler.resample(frame):
                output.mux(stream.encode(piece))
        output.mux(stream.encode(None))


def written_to_a_pipe(suffix: str, **options: Any) -> Make:
    """Return what makes a recording as a program writes it that can't go back and complete the header."""

    def make(path: Path) -> None:
        class Pipe:
            name = path.name

            def __init__(self, file: Any) -> None:
                self.write, self.close = file.write, file.close

        with path.open("wb") as file:
            film(suffix, into=Pipe(file), **options)(path)

    return make


def without_fragments(content: bytes, *, first: int, count: int) -> bytes:
    """Leave out some fragments of an MP4, as if they had never been downloaded."""
    starts = [at - 4 for at in range(len(content)) if content.startswith(b"moof", at)]
    return content[: starts[first]] + content[starts[first + count] :]


def flv_moved(content: bytes, first_ms: int, by_ms: int) -> bytes:
    """Move the timestamps of an FLV file from a time on: muxers refuse what goes back, files have it."""
    made, at = bytearray(content), 13
    while at + 11 <= len(made):
        size = int.from_bytes(made[at + 1 : at + 4], "big")
        stamp = int.from_bytes(made[at + 4 : at + 7], "big") | made[at + 7] << 24
        if stamp >= first_ms:
            stamp = max(0, stamp + by_ms)
            made[at + 4 : at + 8] = (stamp & 0xFFFFFF).to_bytes(3, "big") + bytes([stamp >> 24])
        at += 15 + size
    return bytes(made)


def mkv_moved(content: bytes, first_ms: int, by_ms: int) -> bytes:
    """Move the clusters of a Matroska file from a time on."""
    made, at = bytearray(content), 0
    while (at := made.find(b"\x1f\x43\xb6\x75", at + 1)) >= 0:
        start = made.find(b"\xe7", at + 5, at + 20)
        if start < 0:
            continue
        size = made[start + 1] & 0x7F
        stamp = int.from_bytes(made[start + 2 : start + 2 + size], "big")
        if stamp >= first_ms:
            made[start + 2 : start + 2 + size] = max(0, stamp + by_ms).to_bytes(size, "big")
    return bytes(made)


def id3(content: bytes, *, cover: int = 0, text: bytes = b"\x01\xff\xfeT\x00", version: int = 3) -> bytes:
    """Put an ID3v2 tag with a title and a cover before a file."""
    frames = _id3_frame(b"TIT2", text)
    if cover:
        picture = b"\x89PNG\r\n\x1a\n" + _garbage(cover)
        frames += _id3_frame(b"APIC", b"\0image/png\0\x03\0" + picture, synchsafe=version == 4)
    return b"ID3" + bytes([version, 0, 0]) + _synchsafe(len(frames)) + frames + content


def ape(content: bytes, *, cover: int = 0) -> bytes:
    """Put an APEv2 tag (header, title, cover, footer) behind a file, and an ID3v1 tag behind that."""
    items = _ape_item(b"Title", "T\u00edtulo".encode(), 0)
    if cover:
        items += _ape_item(b"Cover Art (Front)", b"cover.png\0" + _garbage(cover), 2)
    count = 2 if cover else 1
    ends = [struct.pack("<8sIIIIQ", b"APETAGEX", 2000, len(items) + 32, count, 1 << 31 | is_head, 0) for is_head in
            (1 << 29, 0)]  # fmt: skip
    return content + ends[0] + items + ends[1] + b"TAG" + "T\u00edtulo".encode("cp1252").ljust(125, b"\0")


def riff_chunk(content: bytes) -> bytes:
    """Put an ID3 tag with a cover behind the samples of a WAV, as taggers do."""
    tag = id3(b"", cover=500_000)
    tag += bytes(len(tag) % 2)
    made = content + b"id3 " + struct.pack("<I", len(tag)) + tag
    return made[:4] + struct.pack("<I", len(made) - 8) + made[8:]


def _ape_item(name: bytes, value: bytes, flags: int) -> bytes:
    return struct.pack("<II", len(value), flags) + name + b"\0" + value


def _id3_frame(name: bytes, content: bytes, *, synchsafe: bool = False) -> bytes:
    size = _synchsafe(len(content)) if synchsafe else len(content).to_bytes(4, "big")
    return name + size + b"\0\0" + content


def _synchsafe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def _garbage(count: int) -> bytes:
    return np.random.default_rng(count).integers(0, 256, count, np.uint8).tobytes()
