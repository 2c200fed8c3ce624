"""Broken files, made from whole ones: always the same for the same seed."""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from klip_assets.inbox.media_files import MEDIA_SUFFIXES
from klip_assets_tests.made import tweet, tweet_id_at, write_chat, write_vtt, write_wav
from klip_assets_tests.media.written import write_media

Change = Callable[[bytes, np.random.Generator], bytes]

TWO_DAYS_S = 172_800
MAX_SOURCE_BYTES = 400_000

#: Stems of names: each of them means something to a shell, to SQL, to a glob, to FFmpeg or to a terminal.
HOSTILE_STEMS = [
    b"two words", b"it's", b'say "hi"', b"new\nline", b"tab\t", b"bell\x07\x1b[31m", "ünï 🎮 你好".encode(),
    b"caf\xe9\xff", b"-rf", b"--help", b"..", b"...x", b"..%2f..%2fcanary", "․․／canary".encode(), b"n" * 200,
    b"'; DROP TABLE videos; --", b"{glob*}[x]", b"file:x", b"concat:a|b", b"http:x", b"$(touch canary)",
    b"`touch canary`", b"%d%s%n", b"a;touch canary&b|c", b"[bold]x", b"{{jinja}}", b"video_id=x", b"2026-06-13",
    b"a\\b", b"~", b"*", b"?", "\u202ertl".encode(), b"NULL", b"x' OR '1'='1", b"trailing ",
]  # fmt: skip

SHARED_MEDIA = [
    "media-moviepy/media/big_buck_bunny_432_433.webm", "media-moviepy/media/no_duration.webm",
    "media-moviepy/media/transparent.webm", "media-moviepy/media/crunching.mp3", "media-pydub/test/data/bach.ogg",
    "media-pydub/test/data/creative_common.mp4", "media-pydub/test/data/format_test.m4a",
    "media-pydub/test/data/party.mp3", "media-pydub/test/data/test5.webm", "media-pydub/test/data/test1_empty.wav",
]  # fmt: skip
SHARED_TEXT = {
    ".vtt": "fmt-youtube-autocaptions/transcript.en.vtt",
    ".chat.json": "chat-twitchdownloader/pseudonymised/chat.json",
}


@dataclass(frozen=True)
class Source:
    """A whole file: its ending, as it decides who reads it, and its bytes."""

    ending: str
    content: bytes


@dataclass(frozen=True)
class Mutation:
    """A broken file and what was done to it."""

    stem: bytes
    ending: str
    content: bytes
    what: str

    @property
    def file_name(self) -> bytes:
        """The name as the file system has it."""
        return self.stem + self.ending.encode()


def media_sources(folder: Path, shared: Path | None) -> list[Source]:
    """Make recordings of every common kind, and take small real ones where they are at hand."""
    made = [
        write_wav(folder / "a.wav", 2.0),
        write_media(folder / "a.mp4", codec="aac", seconds=2.0, picture=True),
        write_media(folder / "a.mkv", codec="libopus", seconds=2.0),
        write_media(folder / "a.mp3", codec="libmp3lame", seconds=2.0),
        write_media(folder / "a.flac", codec="flac", layout="stereo", seconds=2.0),
        write_media(folder / "a.ogg", codec="libopus", seconds=2.0),
        write_media(folder / "a.avi", codec="libmp3lame", seconds=2.0, picture=True),
        write_media(folder / "a.ts", codec="aac", seconds=2.0, picture=True),
        write_media(folder / "a.m4a", codec="aac", seconds=2.0),
    ]
    real = [shared / name for name in SHARED_MEDIA] if shared else []
    return [Source(path.suffix, path.read_bytes()) for path in [*made, *real]]


def text_sources(folder: Path, shared: Path | None) -> list[Source]:
    """Make captions, chats, metadata and tweets, and take pieces of real ones where they are at hand."""
    vtt = write_vtt(folder / "a.vtt", [(t, t + 2.0, f"words number {t} <b>and</b> more") for t in range(0, 60, 3)])
    chat = write_chat(folder / "a.csv", [(float(t), f"viewer{t}", "hello LUL there") for t in range(60)])
    comments = [
        {
            "content_offset_seconds": t,
            "commenter": {"display_name": f"v{t}"},
            "message": {"body": "hi", "fragments": [{"text": "hi"}]},
        }
        for t in range(40)
    ]
    days = ("2026-06-12", "2026-06-13")
    tweets = [tweet(tweet_id_at(day, n), f"I love #speedrun {n} 🎮") for day in days for n in range(10)]
    lines = "".join(json.dumps(entry) + "\n" for entry in tweets).encode()
    table = "id,created_at,text\n" + "".join(f'{t["id"]},{t["created_at"]},"{t["text"]}"\n' for t in tweets)
    info = json.dumps({"title": "A stream", "timestamp": 1_780_000_000, "extractor_key": "TwitchVod"}).encode()
    sources = [
        Source(".en.vtt", vtt.read_bytes()),
        Source(".en.srt", vtt.read_bytes().replace(b"WEBVTT\n\n", b"").replace(b".000", b",000")),
        *_transcripts(),
        Source(".chat.csv", chat.read_bytes()),
        Source(".chat.json", json.dumps({"comments": comments}).encode()),
        Source(".chat.jsonl", "".join(json.dumps({"time": t, "text": "hi"}) + "\n" for t in range(40)).encode()),
        Source(".info.json", info),
        Source(".jsonl", lines),
        Source(".jsonl.gz", gzip.compress(lines, mtime=0)),
        Source(".csv", table.encode()),
        Source(".json", json.dumps({"data": tweets}, indent=1).encode()),
    ]
    if shared:
        sources += [Source(end, (shared / name).read_bytes()[:MAX_SOURCE_BYTES]) for end, name in SHARED_TEXT.items()]
    return sources


def _transcripts() -> list[Source]:
    spoken = [(3.0 * n, 3.0 * n + 2, f"words number {n} [laughter] & more") for n in range(20)]
    sbv = "".join(f"0:00:{a:06.3f},0:00:{b:06.3f}\n{text}\n\n" for a, b, text in spoken)
    paragraphs = "".join(f'<p begin="{a}s" end="{b}s">{text.replace("&", "&amp;")}</p>\n' for a, b, text in spoken)
    events = [{"tStartMs": a * 1000, "dDurationMs": 2000, "segs": [{"utf8": text}]} for a, _, text in spoken]
    words = [{"word": f"w{n}", "start": n, "end": n + 1, "probability": 0.5} for n in range(60)]
    whisper = {"segments": [{"start": 0, "end": 60, "text": "", "words": words}], "language": "en"}
    return [
        Source(".en.sbv", sbv.encode()),
        Source(
            ".en.ttml", f'<tt xmlns="http://www.w3.org/ns/ttml"><body><div>\n{paragraphs}</div></body></tt>'.encode()
        ),
        Source(".en.json3", json.dumps({"events": events}).encode()),
        Source(".whisper.json", json.dumps(whisper, indent=1).encode()),
    ]


def mutations(sources: list[Source], count: int, *, seed: int) -> Iterator[Mutation]:
    """Yield broken files, one source and one change after the other, each at another place."""
    rng = np.random.default_rng(seed)
    endings = sorted({source.ending for source in sources})
    changes = list(CHANGES.items())
    for number in range(count):
        source = sources[number % len(sources)]
        what, change = changes[number // len(sources) % len(changes)]
        content, ending = change(source.content, rng), source.ending
        if what == "wrong extension":
            ending = str(rng.choice([other for other in endings if other != ending]))
        stem = HOSTILE_STEMS[number % len(HOSTILE_STEMS)] + str(number).encode()
        yield Mutation(stem, ending, content, f"{what} of {source.ending}")


def is_media(ending: str) -> bool:
    """Say whether a file of this ending counts as a recording."""
    return ending in MEDIA_SUFFIXES


def _cut(content: bytes, rng: np.random.Generator) -> bytes:
    return content[: int(rng.integers(0, len(content) + 1))]


def _headless(content: bytes, rng: np.random.Generator) -> bytes:
    return content[int(rng.integers(0, len(content) + 1)) :]


def _flipped(content: bytes, rng: np.random.Generator) -> bytes:
    data = np.frombuffer(content, np.uint8).copy()
    if len(data):
        places = rng.integers(0, len(data), int(rng.integers(1, 64)))
        data[places] ^= rng.integers(1, 256, len(places)).astype(np.uint8)
    return data.tobytes()


def _flipped_header(content: bytes, rng: np.random.Generator) -> bytes:
    return _flipped(content[:512], rng) + content[512:]


def _doubled(content: bytes, rng: np.random.Generator) -> bytes:
    start = int(rng.integers(0, len(content) + 1))
    end = min(len(content), start + int(rng.integers(1, 20_000)))
    return content[:end] + content[start:end] + content[end:]


def _noise_inside(content: bytes, rng: np.random.Generator) -> bytes:
    start = int(rng.integers(0, len(content) + 1))
    return content[:start] + rng.bytes(int(rng.integers(1, 4_000))) + content[start:]


def _claims_huge_sizes(content: bytes, rng: np.random.Generator) -> bytes:
    """Overwrite a size, a count or a rate in the header with a huge one."""
    data = bytearray(content)
    fields = [b"data", b"RIFF", b"fmt ", b"mdat", b"moov", b"stsz", b"stco", b"stsc", b"stts", b"avih", b"strh"]
    fields += [b"mp4a", b"avc1", b"Info", b"Xing", b"OggS", b"fLaC", b"OpusHead", b"\x2a\xd7\xb1", b'"', b"-->"]
    present = [name for name in fields if name in data]
    if not present or len(data) < 64:
        return content + b"9" * 100_000
    name = present[int(rng.integers(len(present)))]
    at = data.find(name) + len(name) + int(rng.integers(-8, 24))
    at = min(max(0, at), len(data) - 4)
    data[at : at + 4] = [b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"9999"][int(rng.integers(4))]
    return bytes(data)


def _claims_two_days(content: bytes, rng: np.random.Generator) -> bytes:
    """Have the container claim two days; text gets a time that late."""
    data = bytearray(content)
    for atom in (b"mvhd", b"mdhd", b"tkhd", b"elst"):
        at = data.find(atom)
        while 0 <= at < len(data) - 32:
            data[at + 20 : at + 24] = struct.pack(">I", TWO_DAYS_S * 1000)
            at = data.find(atom, at + 1)
    if (at := data.find(b"\x44\x89\x88")) >= 0 and at + 11 <= len(data):
        data[at + 3 : at + 11] = struct.pack(">d", TWO_DAYS_S * 1000.0)
    if (at := data.find(b"fLaC")) >= 0 and at + 26 <= len(data):
        data[at + 21] |= 0x0F
        data[at + 22 : at + 26] = b"\xff\xff\xff\xff"
    for head in (b"Info", b"Xing"):
        if (at := data.find(head)) >= 0:
            data[at + 8 : at + 12] = struct.pack(">I", 0x7FFFFFFF)
    if (at := data.rfind(b"OggS")) >= 0:
        data[at + 6 : at + 14] = struct.pack("<q", 48_000 * TWO_DAYS_S)
    if (at := data.find(b"fmt ")) >= 0:
        data[at + 12 : at + 16] = struct.pack("<I", int(rng.choice([1, 10, 1_000, 2**31 - 1])))
    return bytes(data).replace(b"00:00:06", b"48:00:06").replace(b": 6,", b": 172800,")


CHANGES: dict[str, Change] = {
    "cut": _cut,
    "head lost": _headless,
    "flipped": _flipped,
    "header flipped": _flipped_header,
    "doubled": _doubled,
    "noise inside": _noise_inside,
    "huge claims": _claims_huge_sizes,
    "two days claimed": _claims_two_days,
    "wrong extension": lambda content, rng: content,
    "zero length": lambda content, rng: b"",
    "zeros": lambda content, rng: bytes(len(content)),
}
