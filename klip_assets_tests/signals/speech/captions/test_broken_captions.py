"""Broken caption files of every format: one clear error, or sound words in bounded time; never anything else."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from klip_assets.contracts import SOUND_EVENTS, TRANSCRIPT_WORDS
from klip_assets.errors import UnreadableSidecarError
from klip_assets.signals.speech.captions.reader import gives_word_times, read_captions
from klip_assets.signals.speech.captions.sounds import sound_table, to_notes
from klip_assets.store.lake.validate import conform
from klip_assets_tests.fire.mutations import CHANGES

Change = Callable[[bytes, np.random.Generator], bytes]

#: Mutations of each kind and format, and the longest that one of these small files may take on a busy machine.
EACH = 6
MAX_S = 20.0

CUES = [(n * 3.0, n * 3.0 + 2.5, f"words & number {n}, [laughter] (and more) ♪") for n in range(12)]
TIMED = [
    {"word": f" word{n}", "start": n + 0.1, "end": n + 0.9, "probability": 0.5} if n % 5 else {"word": f" {n}"}
    for n in range(40)
]


def clock(seconds: float, sign: str) -> str:
    return f"{int(seconds // 3600):02}:{int(seconds % 3600 // 60):02}:{seconds % 60:06.3f}".replace(".", sign)


SOURCES: dict[str, str] = {
    "vtt": "WEBVTT\n\n" + "".join(f"{clock(a, '.')} --> {clock(b, '.')}\n{text}\n\n" for a, b, text in CUES),
    "rolling.vtt": "WEBVTT\n\n" + "".join(
        f"{clock(a, '.')} --> {clock(b, '.')}\nline {n - 1}\nline<{clock(a + 1, '.')}><c> {n}</c>\n\n"
        for n, (a, b, _) in enumerate(CUES)
    ),
    "srt": "".join(
        f"{n}\n{clock(a, ',')} --> {clock(b, ',')}\n<i>{text}</i>\n\n" for n, (a, b, text) in enumerate(CUES)
    ),
    "sbv": "".join(f"{clock(a, '.')[1:]},{clock(b, '.')[1:]}\n{text}\n\n" for a, b, text in CUES),
    "ttml": '<?xml version="1.0"?>\n<tt xmlns="http://www.w3.org/ns/ttml"><body><div begin="1s">\n' + "".join(
        f'<p begin="{a}s" end="{clock(b, ".")}"><span begin="0s">{text.replace("&", "&amp;")}</span><br/>&nbsp;x</p>\n'
        for a, b, text in CUES
    ) + "</div></body></tt>\n",
    "json3": json.dumps({"events": [
        {
            "tStartMs": a * 1000, "dDurationMs": 2500,
            "segs": [{"utf8": "so"}, {"utf8": f" {text}", "tOffsetMs": 900, "acAsrConf": 9}],
        }
        for a, _, text in CUES
    ]}),
    "whisper.json": json.dumps({"segments": [{"start": 0, "end": 40, "words": TIMED}], "language": "en"}, indent=1),
    "deepgram.json": json.dumps({"results": {"channels": [{"alternatives": [{"words": TIMED[1:5] + TIMED[6:10]}]}]}}),
    "assemblyai.json": json.dumps(
        {"words": [{"text": f"w{n}", "start": n * 1000, "end": n * 1000 + 900, "confidence": 0.7} for n in range(40)]}
    ),
}  # fmt: skip


def _changed_encoding(content: bytes, rng: np.random.Generator) -> bytes:
    text = content.decode()
    encodings = ["utf-16", "utf-16-le", "utf-32", "cp1252", "shift_jis", "utf-7"]
    return text.encode(encodings[int(rng.integers(len(encodings)))], "replace")


def _deleted_inside(content: bytes, rng: np.random.Generator) -> bytes:
    start = int(rng.integers(0, len(content) + 1))
    return content[:start] + content[start + int(rng.integers(1, 200)) :]


def _lines_shuffled(content: bytes, rng: np.random.Generator) -> bytes:
    lines = content.splitlines(keepends=True)
    rng.shuffle(lines)
    return b"".join(lines)


ALL_CHANGES: dict[str, Change] = {
    **CHANGES, "encoding": _changed_encoding, "deleted inside": _deleted_inside, "shuffled": _lines_shuffled
}  # fmt: skip


def check(path: Path) -> int:
    """Read a file as Klip does; return the number of words, -1 if it is refused with a sentence."""
    began = time.process_time()
    try:
        gives_word_times(path)
        transcript = read_captions(path, None)
    except UnreadableSidecarError as error:
        sentence = str(error)
        assert sentence.startswith(path.name) and "\n" not in sentence and sentence.encode()
        return -1
    assert time.process_time() - began < MAX_S
    assert all(0 <= word.start_s <= word.end_s for word in transcript.words)
    assert all(before.start_s <= after.start_s for before, after in pairwise(transcript.words))
    assert all(0 <= event.start_s <= event.end_s and event.label for event in transcript.sounds)
    positions = [entry.position for entry in transcript.refused]
    assert len(set(positions)) == len(positions), positions
    assert all(entry.reason for entry in transcript.refused)
    conform(SOUND_EVENTS, sound_table(to_notes(transcript.sounds), "v", "captions"))
    return conform(TRANSCRIPT_WORDS, transcript.table("v")).num_rows


@pytest.mark.parametrize("kind", SOURCES)
def test_the_whole_file_is_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"v.{kind}"
    path.write_text(SOURCES[kind])
    assert check(path) > 7 and not read_captions(path, None).refused


@pytest.mark.parametrize("what", ALL_CHANGES)
@pytest.mark.parametrize("kind", SOURCES)
def test_a_broken_file_gives_sound_words_or_one_error(tmp_path: Path, kind: str, what: str) -> None:
    rng = np.random.default_rng([list(SOURCES).index(kind), list(ALL_CHANGES).index(what)])
    for number in range(EACH):
        # The name of another format, now and then: what a file is shows in its content.
        other = kind if what != "wrong extension" else list(SOURCES)[number % len(SOURCES)]
        path = tmp_path / f"{number}.{other}"
        path.write_bytes(ALL_CHANGES[what](SOURCES[kind].encode(), rng))
        check(path)


@pytest.mark.parametrize("kind", ["sbv", "ttml", "json3", "whisper.json", "srt"])
def test_one_broken_cue_costs_no_other(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"v.{kind}"
    whole = SOURCES[kind]
    path.write_text(whole)
    before = check(path)
    spoiled = {
        "sbv": ("0:00:09.000", "0:00:xx.000"), "ttml": ('begin="9.0s"', 'begin="nine"'), "json3": ("9000.0", '"nine"'),
        "whisper.json": ('"start": 9.1', '"start": "nine"'), "srt": ("00:00:09,000", "00:00:xx,000"),
    }[kind]  # fmt: skip
    assert whole.count(spoiled[0]) == 1
    path.write_text(whole.replace(*spoiled))
    after = check(path)
    (entry,) = read_captions(path, None).refused
    assert before - 7 <= after < before and entry.position.startswith(("line ", "events[3]", "segments[0].words[9]"))


SIGNS = st.text(alphabet=st.sampled_from('0123456789:.,-> \n<>&;[]()"{}/pstbreakdur=WEBVTT♪_é\u2028\x00'), max_size=300)


@given(SIGNS, st.sampled_from(["vtt", "srt", "sbv", "ttml", "json3", "json"]))
def test_no_text_makes_a_reader_fail(tmp_path_factory: pytest.TempPathFactory, text: str, kind: str) -> None:
    path = tmp_path_factory.mktemp("t") / f"v.{kind}"
    head = {"ttml": '<tt><body><p begin="1s" end="2s">'}.get(kind, "")
    path.write_text(head + text, encoding="utf-8")
    check(path)


VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.sampled_from(["[ah]", "1.5"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from([
            "segments", "words", "word", "text", "start", "end", "events", "segs", "utf8", "tStartMs", "dDurationMs",
            "tOffsetMs", "acAsrConf", "results", "channels", "alternatives", "utterances", "transcript", "score",
            "language", "word_segments", "status", "detected_language", "aAppend",
        ]), inner, max_size=6,
    ),
    max_leaves=30,
)  # fmt: skip


@given(VALUES)
def test_no_json_makes_the_reader_fail(tmp_path_factory: pytest.TempPathFactory, document: Any) -> None:
    path = tmp_path_factory.mktemp("t") / "v.json"
    path.write_text(json.dumps(document))
    check(path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", '{"segments": [{"start": 0, "end": 9, "text": "' + "(a) [b " * 14_000 + '"}]}'),
        ("a.json", '{"segments": [' + '{"start": 0, "end": 9, "text": "[x] (y)"},' * 20_000),
        ("a.json", '[{"start": 1, "text": "' + '\\"[{' * 200_000),
        ("a.json3", '{"events": [' + '{"tStartMs": 1, "segs": [{"utf8": "[("}]},' * 20_000 + "{}]}"),
        ("a.vtt", "WEBVTT\n\n00:00.000 --> 00:09.000\n" + "[（【(" * 1_200 + "\n"),
        ("a.sbv", "0:00:01.000,0:00:02.000\n" * 50_000),
        ("a.sbv", "0:00:01.000," * 100_000),
        ("a.ttml", "<tt>" + '<p begin="1s" end="2s">&' * 50 + "&;" * 200_000),
        ("a.ttml", '<tt a="' + "x" * 2_000_000),
        ("a.srv3", "<timedtext>" + '<p t="1" d="1">' * 100_000),
        ("a.srv1", '<transcript><text start="1">' + "<s t=" * 200_000),
        ("a.smi", "<SAMI>" + "<!--" * 200_000 + "<SYNC Start=1>" * 20_000),
        ("a.ass", "[Script Info]\n[Events]\n" + "Dialogue: {\\p" * 100_000 + "\nDialogue: 1,2,3" * 50_000),
        ("a.lrc", "[00:01.00]" * 100_000 + "\n" + "[a:" * 200_000),
        ("a.sub", "{1}{2}" * 100_000),
        ("a.tsv", "1\t2\t" * 100_000),
        ("a.ctm", "a 1 1.0 " * 100_000),
        ("a.srt", "00:00:01,000 " * 100_000),
        ("a.srt", ("1:" * 30 + "-" * 30 + "\n") * 20_000),
        ("a.vtt", "WEBVTT\n" * 50_000),
        ("a.vtt", "WEBVTT\n" + "\u2028" * 500_000 + "x"),
        ("a.json", '{"transcription": [' + '{"offsets": {"from": 1, "to": 2}, "text": "a"},' * 20_000),
    ],
)
def test_text_made_to_cost_time_costs_none(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    check(path)
