"""Transcripts in other units, of other recognizers and programs, and with halves of characters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from odd_text.case import Odd
from odd_text.heard import USUAL, lines, odd, refused, said


def cases() -> Iterator[Odd]:
    """Yield the inputs."""
    yield from _units()
    yield from _long_cues()
    yield from _recognizers()
    yield from _files()
    yield from _halves()


def _units() -> Iterator[Odd]:
    kind = "implausible units"
    words = [
        {"text": "hello", "start": 2.0, "end": 2.5}, {"text": "there", "start": 3.0, "end": 3.5},
        {"text": "second", "start": 6.0, "end": 6.5}, {"text": "line", "start": 7.2, "end": 7.9},
    ]  # fmt: skip
    scaled = [{"text": word, "start": round(at * 1000), "end": round(at * 1000) + 500} for word, at in USUAL]
    yield odd(kind, "unit-assemblyai-seconds", ".json", {"words": words}, said(*USUAL))
    segment = {"start": 2000, "end": 8000, "text": "", "words": scaled}
    yield odd(kind, "unit-words-ms", ".json", {"segments": [segment]}, said(*USUAL))
    yield odd(kind, "unit-s17", ".json", {"segments": [
        {"start": 2000, "end": 4000, "text": "hello there"}, {"start": 16000, "end": 18000, "text": "second line"}
    ]}, said(("hello", 2), "there", ("second", 16), "line", tells="milliseconds"))  # fmt: skip
    yield odd(kind, "unit-s23", ".json", lines(100, end="stop"), said(*USUAL))
    yield odd(kind, "unit-stop-seconds", ".json", lines(1, end="stop"), said(*USUAL))
    yield odd(kind, "unit-micros", ".json", {"segments": lines(1e6)}, said(*USUAL, tells="microseconds"))
    yield odd(kind, "unit-ticks", ".json", {"segments": lines(1e7)}, said(*USUAL, tells="ticks"))
    yield odd(kind, "unit-nanos", ".json", {"segments": lines(1e9)}, said(*USUAL, tells="nanoseconds"))
    yield odd(kind, "unit-hundredths", ".json", {"segments": lines(100)}, said(*USUAL, tells="hundredths"))
    yield odd(kind, "unit-json3-seconds", ".json3", {"events": [
        {"tStartMs": 2.0, "dDurationMs": 2.0, "segs": [{"utf8": "hello there"}]},
        {"tStartMs": 6.0, "dDurationMs": 2.0, "segs": [{"utf8": "second line"}]},
    ]}, said(*USUAL, tells="seconds"))  # fmt: skip
    yield odd(kind, "unit-srt-ms", ".srt",
               "1\n00:33:20,000 --> 01:06:40,000\nhello there\n\n2\n01:40:00,000 --> 02:13:20,000\nsecond line\n",
               said(*USUAL, tells="milliseconds"))  # fmt: skip
    yield odd(kind, "unit-srt-seconds", ".srt",
               "1\n00:00:00,002 --> 00:00:00,004\nhello there\n\n2\n00:00:00,006 --> 00:00:00,008\nsecond line\n",
               said(*USUAL, tells="seconds"))  # fmt: skip
    no_unit = [
        {"start": 0.000001 * n, "end": 0.000001 * n + 1e-9, "text": "much too fast for anybody"} for n in range(30)
    ]
    yield odd(kind, "unit-none", ".json", {"segments": no_unit}, refused("implausible"))
    other = [{"start": 3600.0 + n, "end": 3601.0 + n, "text": "of another recording"} for n in range(30)]
    yield odd(kind, "unit-other-recording", ".json", {"segments": other}, refused("outside the recording"))
    backwards = [{"start": 9, "end": 3, "text": "lost"}, *lines(1)]
    yield odd(kind, "unit-backwards", ".json", {"segments": backwards}, said(*USUAL, tells="ends before it starts"))
    over = [*lines(1), {"start": 19.9998, "end": 40.0, "text": "end"}, {"start": 25.0, "end": 26.0, "text": "outside"}]
    yield odd(kind, "unit-over-the-end", ".json", {"segments": over}, said(*USUAL, "end"))


def _srt(*cues: tuple[float, float, str]) -> str:
    def clock(seconds: float) -> str:
        whole, ms = divmod(round(seconds * 1000), 1000)
        return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02},{ms:03}"

    return "\n".join(f"{n}\n{clock(a)} --> {clock(b)}\n{text}\n" for n, (a, b, text) in enumerate(cues, 1))


def _long_cues() -> Iterator[Odd]:
    kind = "long and short cues in their own unit"
    yield odd(kind, "long-sections", ".srt",
               _srt((0, 600, "Intro"), (600, 1200, "[Music]"), (1200, 1800, "Boss"), (1800, 2400, "End")),
               said(("Intro", 0), ("Boss", 1200), ("End", 1800), sounds=("music",)), seconds=2400)  # fmt: skip
    yield odd(kind, "long-music", ".srt", _srt(*((600 * n, 600 * n + 600, "[Music]") for n in range(4))),
               said(sounds=("music",)), seconds=2400)  # fmt: skip
    yield odd(kind, "long-words", ".json", {"segments": [
        {"start": 220 * n, "end": 220 * n + 220, "text": text} for n, text in enumerate(("one", "two", "three"))
    ]}, said(("one", 0), ("two", 220), ("three", 440)), seconds=660)  # fmt: skip
    yield odd(kind, "long-last", ".srt",
               _srt(*((10 * n, 10 * n + 3, "on") for n in range(3)), (30, 1800, "that was it")),
               said(("on", 0), ("on", 10), ("on", 20), ("that", 30), "was", "it"), seconds=1800)  # fmt: skip
    yield odd(kind, "long-stream", ".srt", _srt(*((60 * n, 60 * n + 60, "two words") for n in range(180))),
               refused("outside the recording"), seconds=120)  # fmt: skip
    yield odd(kind, "short-word", ".srt", _srt((5, 5.02, "one")), said(("one", 5)))
    yield odd(kind, "short-card", ".srt", _srt((5, 5.05, "a b c d e f g h i j")), said(("a", 5), *"bcdefghij"))
    far = [{"text": word, "start": at, "end": at + 0.5} for word, at in [*USUAL, ("late", 1e9)]]
    yield odd(kind, "one-far-away", ".json", {"words": far}, said(*USUAL, tells="seconds"))
    mixed = [{"start": a, "end": a + 2 * f, "text": "hello there"} for a, f in
             ((2, 1), (6000, 1000), (10_000, 1000), (14_000, 1000))]  # fmt: skip
    yield odd(kind, "units-mixed", ".json", {"segments": mixed}, refused("outside the recording"))
    over = [{"start": 1000 * a, "end": 1000 * b, "text": "so go"} for a, b in ((2, 4), (8, 10), (19, 20), (25, 27))]
    yield odd(kind, "ms-over-the-end", ".json", {"segments": over},
               said(("so", 2), "go", ("so", 8), "go", ("so", 19), "go", tells="milliseconds"))  # fmt: skip
    token = "<|startoftranscript|><|en|><|2.00|> hello there<|4.00|>"
    yield odd(kind, "tokens", ".json", {"segments": [{"start": 2.0, "end": 4.0, "text": token}]},
               said(("hello", 2), "there"))  # fmt: skip
    words = [f"w{n}" for n in range(24)]
    grown = [(0.35 * n, 0.35 * n + 0.35, " ".join(words[n // 12 * 12 : n + 1])) for n in range(24)]
    yield odd(kind, "growing-line", ".srt", _srt(*grown), said(*((word, 0.35 * n) for n, word in enumerate(words))))
    rows = [" ".join(words[6 * n : 6 * n + 6]) for n in range(4)]
    rolled = [(6 * n / 6.5, (6 * n + 6) / 6.5, "\n".join(rows[max(0, n - 2) : n + 1])) for n in range(4)]
    yield odd(kind, "rolling-lines", ".srt", _srt(*rolled), said(*words))
    chapters = _srt((2, 4, "hello there"), (6, 8, "second line"))
    yield odd(kind, "no-chapters", ".chapters.srt", chapters, refused("unknown ending"))


def _recognizers() -> Iterator[Odd]:
    kind = "whisper.cpp"
    stamps = [("00:00:02,000", "00:00:04,000"), ("00:00:06,000", "00:00:08,000")]
    cpp = [
        {"timestamps": {"from": a, "to": b}, "text": f" {e['text']}",
         "offsets": {"from": round(e["start"] * 1000), "to": round(e["end"] * 1000)}}
        for (a, b), e in zip(stamps, lines(1), strict=True)
    ]  # fmt: skip
    head = {"systeminfo": "x", "model": {"type": "base"}, "result": {"language": "en"}}
    yield odd(kind, "cpp-s12", ".json", {**head, "transcription": cpp}, said(*USUAL))
    yield odd(kind, "cpp-bare", ".json", {"transcription": cpp}, said(*USUAL))
    for name in ("offsets", "timestamps"):
        left = [{k: v for k, v in e.items() if k != name} for e in cpp]
        yield odd(kind, f"cpp-without-{name}", ".json", {**head, "transcription": left}, said(*USUAL))
    tokens = [{**e, "tokens": [{"text": " x", "offsets": {"from": 0, "to": 10}, "p": 0.5}]} for e in cpp]
    yield odd(kind, "cpp-full", ".whisper.json", {**head, "transcription": tokens}, said(*USUAL))
    kind = "Hugging Face"
    chunks = [{"timestamp": [2.0, 4.0], "text": " hello there"}, {"timestamp": [6.0, None], "text": " second line"}]
    words = [{"timestamp": [at, at + 0.5], "text": f" {word}"} for word, at in USUAL]
    yield odd(
        kind, "hf-s13", ".json", {"text": "x", "chunks": chunks}, said(("hello", 2), "there", ("second", 6), "line")
    )
    yield odd(kind, "hf-words", ".json", {"text": "x", "chunks": words}, said(*USUAL))
    yield odd(kind, "hf-bare", ".json", words, said(*USUAL))
    yield odd(kind, "hf-only", ".json", {"chunks": [{**c, "language": "english"} for c in words]}, said(*USUAL))
    yield odd(kind, "hf-null-inside", ".json", {"chunks": [{**chunks[0], "timestamp": [2.0, None]}, chunks[1]]},
               said(("hello", 2), "there", ("second", 6), "line"))  # fmt: skip
    kind = "youtube-transcript-api"
    api = [{"text": e["text"], "start": e["start"], "duration": 2.0} for e in lines(1)]
    yield odd(kind, "yt-s14", ".json", api, said(*USUAL))
    yield odd(
        kind, "yt-overlapping", ".json", [{**e, "duration": 3.0} for e in api], said("hello", "there", "second", "line")
    )
    yield odd(
        kind, "yt-strings", ".json", [{**e, "start": str(e["start"]), "duration": "2.0"} for e in api], said(*USUAL)
    )
    yield odd(kind, "yt-snippets", ".json", {"video_id": "x", "snippets": api, "language_code": "en"}, said(*USUAL))
    yield odd(kind, "yt-transcript", ".json", {"transcript": api}, said(*USUAL))
    offsets = [{"text": e["text"], "duration": 2000, "offset": int(e["start"] * 1000)} for e in api]
    yield odd(kind, "yt-offsets", ".json", offsets, said(*USUAL))
    yield odd(kind, "yt-dur", ".json", [{"text": e["text"], "start": e["start"], "dur": 2} for e in api], said(*USUAL))
    kind = "ElevenLabs"
    eleven: list[dict[str, Any]] = [{"text": w, "start": at, "end": at + 0.5, "type": "word"} for w, at in USUAL]
    spaced = [
        part for e in eleven for part in (e, {"text": " ", "start": e["end"], "end": e["end"] + 0.1, "type": "spacing"})
    ]
    laugh = {"text": "(laughter)", "start": 10.0, "end": 12.0, "type": "audio_event"}
    head = {"language_code": "eng", "language_probability": 0.98, "text": "x"}
    yield odd(kind, "eleven-s15", ".json", {**head, "words": [*spaced, laugh]}, said(*USUAL, sounds=("laughter",)))
    yield odd(kind, "eleven-first", ".json", {**head, "words": [{**laugh, "start": 0.5, "end": 1.5}, *spaced]},
               said(*USUAL, sounds=("laughter",)))  # fmt: skip
    yield odd(kind, "eleven-brackets", ".json", {**head, "words": [*spaced, {**laugh, "text": "[applause]"}]},
               said(*USUAL, sounds=("applause",)))  # fmt: skip
    yield odd(kind, "eleven-no-events", ".json", {**head, "words": spaced}, said(*USUAL))
    yield odd(kind, "eleven-channels", ".json", {"transcripts": [{**head, "channel_index": 0, "words": spaced}]},
               said(*USUAL))  # fmt: skip
    bare = [{k: v for k, v in e.items() if k != "type"} for e in eleven]
    yield odd(kind, "eleven-no-types-s16", ".json", {"words": bare}, said(*USUAL))
    yield from _other_recognizers()


def _other_recognizers() -> Iterator[Odd]:
    kind = "other recognizers' JSON"
    documents: dict[str, Any] = {
        "openai": {"task": "transcribe", "language": "english", "duration": 20.0, "segments": [
            {"id": n, "seek": 0, **e} for n, e in enumerate(lines(1))
        ]},
        "aws": {"results": {"transcripts": [{"transcript": "x"}], "items": [
            {"type": "pronunciation", "start_time": str(at), "end_time": str(at + 0.5),
             "alternatives": [{"confidence": "0.9", "content": word}]} for word, at in USUAL
        ]}, "status": "COMPLETED"},
        "google": {"results": [{"alternatives": [{"transcript": "x", "words": [
            {"startTime": f"{at}s", "endTime": f"{at + 0.5}s", "word": word} for word, at in USUAL
        ]}]}]},
        "google-v2": {"response": {"results": [{"alternatives": [{"transcript": "x", "words": [
            {"startOffset": f"{at}s", "endOffset": f"{at + 0.5}s", "word": word} for word, at in USUAL
        ]}]}]}},
        "azure": {"recognizedPhrases": [
            {"offsetInTicks": e["start"] * 1e7, "durationInTicks": 2e7, "nBest": [{"display": e["text"]}]}
            for e in lines(1)
        ]},
        "azure-words": {"recognizedPhrases": [{"offsetInTicks": 2e7, "durationInTicks": 6e7, "nBest": [{
            "display": "x", "words": [
                {"word": word, "offset": f"PT{at}S", "duration": "PT0.5S", "offsetInTicks": at * 1e7,
                 "durationInTicks": 5e6}
                for word, at in USUAL
            ]}]}]},
        "rev": {"monologues": [{"speaker": 0, "elements": [
            {"type": "text", "value": word, "ts": at, "end_ts": at + 0.5} for word, at in USUAL
        ]}]},
        "speechmatics": {"format": "2.9", "results": [
            {"type": "word", "start_time": at, "end_time": at + 0.5, "alternatives": [{"content": word}]}
            for word, at in USUAL
        ]},
        "vosk": {"text": "x", "result": [
            {"conf": 1.0, "start": at, "end": at + 0.5, "word": word} for word, at in USUAL
        ]},
        "vosk-list": [
            {"result": [{"conf": 1.0, "start": at, "end": at + 0.5, "word": word}], "text": word} for word, at in USUAL
        ],
        "nemo": {"text": "x", "timestamp": {"word": [
            {"word": word, "start": at, "end": at + 0.5} for word, at in USUAL
        ]}},
        "gladia": {"result": {"transcription": {"utterances": [{"start": 2.0, "end": 8.0, "text": "x", "words": [
            {"word": f" {word}", "start": at, "end": at + 0.5} for word, at in USUAL
        ]}]}}},
        "podcast": {"version": "1.0.0", "segments": lines(1, "startTime", "endTime", "body")},
        "bilibili": {"body": lines(1, "from", "to", "content")},
        "aeneas": {"fragments": [
            {"begin": f"{e['start']:.3f}", "end": f"{e['end']:.3f}", "lines": [e["text"]]} for e in lines(1)
        ]},
        "clocks": [
            {"start": f"00:00:{e['start']:06.3f}", "end": f"00:00:{e['end']:06.3f}", "text": e["text"]}
            for e in lines(1)
        ],
        "start-ms": {"captions": lines(1000, "start_ms", "end_ms")},
    }  # fmt: skip
    for name, document in documents.items():
        yield odd(kind, f"other-{name}", ".json", document, said(*USUAL))
    yield odd(kind, "other-text-only", ".json", {"text": "hello there"}, refused("text without times"))
    yield odd(kind, "other-unknown", ".json", {"comments": [1], "views": 2}, refused("comments"))


def _files() -> Iterator[Odd]:
    kind = "XML and other caption files"
    ass = (
        "[Script Info]\nScriptType: v4.00+\n\n[Events]\nFormat: Layer, Start, End, Style, Name, "
        "MarginL, MarginR, MarginV, Effect, Text\n"
        "Dialogue: 0,0:00:02.00,0:00:04.00,Default,,0,0,0,,{\\i1}hello\\Nthere\n"
        "Dialogue: 0,0:00:06.00,0:00:08.00,Default,,0,0,0,,second line\n"
    )
    texts = {
        "tsv": "start\tend\ttext\n2000\t4000\thello there\n6000\t8000\tsecond line\n",
        "srv1": '<?xml version="1.0"?><transcript><text start="2" dur="2">hello there</text>'
        '<text start="6" dur="2">second line</text></transcript>',
        "srv3": '<?xml version="1.0"?><timedtext format="3"><body><p t="2000" d="2000">hello there</p>'
        '<p t="6000" d="2000">second line</p></body></timedtext>',
        "ass": ass, "ssa": ass.replace("Layer", "Marked"),
        "lrc": "[ti:x]\n[00:02.00]hello there\n[00:04.00]\n[00:06.00]second line\n[00:08.00]\n",
        "smi": "<SAMI><BODY><SYNC Start=2000><P Class=EN>hello there\n<SYNC Start=4000><P Class=EN>&nbsp;\n"
        "<SYNC Start=6000><P Class=EN>second line\n<SYNC Start=8000><P Class=EN>&nbsp;</BODY></SAMI>\n",
        "sub": "{1}{1}25\n{50}{100}hello there\n{150}{200}second|line\n",
    }  # fmt: skip
    for suffix, text in texts.items():
        yield odd(kind, f"file-{suffix}", f".{suffix}", text, said(*USUAL))
        yield odd(kind, f"file-{suffix}-as-srt", ".srt", text, said(*USUAL))
    printed = "[00:00:02.000 --> 00:00:04.000]   hello there\n[00:00:06.000 --> 00:00:08.000]   second line\n"
    yield odd(kind, "file-printed", ".srt", printed, said(*USUAL))
    jsonl = "".join(json.dumps(line) + "\n" for line in lines(1))
    yield odd(kind, "file-json-lines", ".json", jsonl, said(*USUAL))
    refusals = {
        "microdvd": ("{50}{100}hello there\n{150}{200}second line\n", "MicroDVD"),
        "scenarist": ("Scenarist_SCC V1.0\n\n00:00:02:00\t9420 9420\n", "Scenarist"),
        "vobsub": ("# VobSub index file, v7\ntimestamp: 00:00:01:000, filepos: 0\n", "VobSub"),
    }
    for name, (text, tells) in refusals.items():
        yield odd(kind, f"file-{name}", ".srt", text, refused(tells))


def _halves() -> Iterator[Odd]:
    kind = "halves of characters"
    whole = json.dumps({"segments": [lines(1)[0], {"start": 4.5, "end": 5.5, "text": "HALF"}, lines(1)[1]]}).encode()
    halves = {"s19": b"\xc3", "three": b"\xe2\x80", "rest": b"\xa6", "emoji": b"\xf0\x9f\x98", "one-of-four": b" \xf0",
              "replaced": "\ufffd".encode(), "surrogate": b"\\ud83d"}  # fmt: skip
    for name, half in halves.items():
        yield odd(kind, f"half-{name}", ".json", whole.replace(b"HALF", half), said(*USUAL))
    srt = b"1\n00:00:02,000 --> 00:00:04,000\nhello there\n\n2\n00:00:04,500 --> 00:00:05,500\n\xc3\n\n"
    yield odd(kind, "half-srt", ".srt", srt + b"3\n00:00:06,000 --> 00:00:08,000\nsecond line\n", said(*USUAL))
    cafe = whole.replace(b"HALF", b"\xe0").replace(b"hello", b"caf\xe9")
    yield odd(kind, "half-cp1252", ".json", cafe, said("caf\u00e9", "there", "\u00e0", "second", "line"))
