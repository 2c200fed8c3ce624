"""Sidecars under odd names, as `klip add` and the inbox find them, and recordings under odd suffixes."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from io import BytesIO

import av
import numpy as np

from odd_text.case import Judge, Odd, Outcome
from odd_text.chats import messages_at, twitch

WORDS = b"WEBVTT\n\n00:02.000 --> 00:04.000\nhello there\n"
SUBRIP = b"1\n00:00:02,000 --> 00:00:04,000\nhello there\n"
CHAT = twitch(3, 5, 9)
has_chat = messages_at(3, 5, 9)


def cases() -> Iterator[Odd]:
    """Yield the inputs."""
    for kinds in (_words, _chats, _named, _suffixes):
        yield from kinds()


def has_words(language: str | None = None) -> Judge:
    """Judge that the words come from the captions, in this language if the name gives one."""

    def judge(outcome: Outcome) -> list[str]:
        rows = outcome.rows("SELECT word FROM transcript_words WHERE video_id = $id ORDER BY word_index")
        wrong = [] if [word for (word,) in rows] == ["hello", "there"] else [f"words {rows}"]
        (languages,) = outcome.rows("SELECT caption_languages FROM videos WHERE video_id = $id")[0]
        expected = [language] if language else []
        return wrong if list(languages or []) == expected else [*wrong, f"languages {languages}"]

    return judge


def is_named(file: str) -> Judge:
    """Judge that a file is named with a reason: by `klip add`, or in the quarantine."""

    def judge(outcome: Outcome) -> list[str]:
        if outcome.said:
            return [] if file in outcome.said else [f"klip add does not name {file}"]
        rows = outcome.rows("SELECT reason FROM quarantine WHERE source_file = ?", file)
        return [] if rows else [f"{file} is not in the quarantine"]

    return judge


def _both(kind: str, name: str, file: str, content: bytes, judge: Judge) -> Iterator[Odd]:
    # `name` has a place for what makes the two inputs differ.
    for ending, is_added in (("a", True), ("i", False)):
        stem = f"{name}-{ending}"
        yield Odd(kind, stem, judge, {file.format(stem, upper=stem.upper()): content}, is_added=is_added)


def _words() -> Iterator[Odd]:
    kind = "words under other names"
    for name, file, content, language in (
        ("upper", "{upper}.vtt", WORDS, None),
        ("upper-suffix", "{0}.EN.VTT", WORDS, "EN"),
        ("track-id", "{0}.en-eEY6OEpapPo.vtt", WORDS, "en"),
        ("whole-name", "{0}.wav.vtt", WORDS, None),
        ("whole-name-en", "{0}.wav.en.srt", SUBRIP, "en"),
        ("forced", "{0}.en.forced.srt", SUBRIP, "en"),
        ("underscore", "{0}_en.srt", SUBRIP, "en"),
        ("brackets", "{0} [de].vtt", WORDS, "de"),
        ("region", "{0}_pt_BR.srt", SUBRIP, "pt-BR"),
        ("packed", "{0}.en.vtt.gz", _packed(WORDS), "en"),
        ("subtitles", "{0} - Subtitles.srt", SUBRIP, None),
        ("dotted-stem.v2", "{0}.sdh.en.vtt", WORDS, "en"),
    ):
        yield from _both(kind, name, file, content, has_words(language))
    # Names in two characters and in one; case cannot tell them apart either.
    for n, (form, other) in enumerate((("NFC", "NFD"), ("NFD", "NFC"))):
        stem = unicodedata.normalize(form, f"caf\u00e9{n}")
        yield Odd(kind, stem, has_words(), {unicodedata.normalize(other, stem) + ".vtt": WORDS}, is_added=True)


def _chats() -> Iterator[Odd]:
    kind = "chats under other names"
    lines = b"[0:00:03] Fan: a\n[0:00:05] Fan: b\n[0:00:09] Fan: c\n"
    for name, file, content in (
        ("like-words", "{0}.json", CHAT),
        ("like-words-en", "{0}.en.json", CHAT),
        ("dashed", "{0} - Chat.json", CHAT),
        ("text", "{0}.chat.txt", lines),
        ("chat-upper", "{upper}.chat.json", CHAT),
        ("parens", "{0} (Live Chat).json", CHAT),
        ("chat-underscore", "{0}_chat.json", CHAT),
        ("chat-whole-name", "{0}.wav.chat.json", CHAT),
        ("chat-tsv", "{0}.chat.tsv", b"offset_s\tuser\ttext\n3\ta\tx\n5\ta\ty\n9\ta\tz\n"),
        ("chat-packed", "{0}.live_chat.json.gz", _packed(CHAT)),
    ):
        yield from _both(kind, name, file, content, has_chat)


def _named() -> Iterator[Odd]:
    for name, file, content in (
        ("hidden", ".{0}.vtt", WORDS),
        ("hidden-chat", ".{0}.chat.json", CHAT),
        ("unknown-json", "{0}.heatmap.json", json.dumps([1]).encode()),
        ("unknown-word", "{0}_raw.srt", SUBRIP),
        ("other-kind", "{0}.nfo", b"x"),
        ("unknown-table", "{0}.stats.csv", b"a,b\n1,2\n"),
    ):
        yield from (
            Odd("named with the reason", odd.name, is_named(next(iter(odd.files))), odd.files, is_added=odd.is_added)
            for odd in _both("", name, file, content, has_chat)
        )


def _suffixes() -> Iterator[Odd]:
    made = (
        ("tta", "tta", "tta"), ("wv", "wv", "wavpack"), ("w64", "w64", "pcm_s16le"), ("au", "au", "pcm_s16be"),
        ("eac3", "eac3", "eac3"), ("adts", "adts", "aac"), ("m4r", "mp4", "aac"), ("f4v", "mp4", "aac"), ("3g2", "3g2", "aac"),
        ("rf64", "wav", "pcm_s16le"), ("voc", "voc", "pcm_u8"), ("mpga", "mp3", "mp3"), ("divx", "avi", "pcm_s16le"),
        ("recording", "matroska", "flac"), ("mkv_old", "matroska", "flac"), ("", "mp4", "aac"), ("1", "ogg", "flac"),
        ("dat", "mpegts", "aac"), ("ra", "rm", "ac3"), ("wtv", "wtv", "mp2"), ("caf2", "caf", "pcm_s16le"),
    )  # fmt: skip
    for n, (suffix, container, codec) in enumerate(made):
        name = f"suffix-{n}" if suffix else "suffix-none"
        file = f"{name}.{suffix}" if suffix else name
        yield Odd("suffixes of recordings", name, _by_file(file), {file: _recorded(container, codec, n)}, seconds=None)


def _by_file(file: str) -> Judge:
    def judge(outcome: Outcome) -> list[str]:
        rows = outcome.rows("SELECT status FROM videos WHERE source_path = ?", file)
        return [] if rows == [("ok",)] else [f"videos holds {rows}"]

    return judge


def _packed(content: bytes) -> bytes:
    import gzip

    return gzip.compress(content)


def _recorded(container: str, codec: str, seed: int) -> bytes:
    """Return five seconds of hiss with a burst."""
    file = BytesIO()
    generator = np.random.default_rng(seed)
    rate = 48_000
    samples = generator.uniform(-0.02, 0.02, 5 * rate).astype(np.float32)
    samples[2 * rate : 3 * rate] *= 20
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate)
        stream.layout = "stereo" if codec in ("ac3", "eac3") else "mono"
        resampler = av.AudioResampler(stream.codec_context.format.name, stream.layout.name, rate)
        for at in range(0, len(samples), 1024):
            frame = av.AudioFrame.from_ndarray(samples[None, at : at + 1024], format="fltp", layout="mono")
            frame.rate, frame.pts = rate, at
            for piece in resampler.resample(frame):
                output.mux(stream.encode(piece))
        output.mux(stream.encode(None))
    return file.getvalue()
