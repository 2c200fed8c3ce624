"""The registries of caption formats: each knows its own, reads it, and is spoken of."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from klip_assets.errors import UnreadableSidecarError
from klip_assets.inbox.sidecars import CAPTION_SUFFIXES, TRANSCRIPT_SUFFIXES
from klip_assets.signals.speech.captions.formats import FORMATS, JSON_FORMATS, KNOWN_JSON
from klip_assets.signals.speech.captions.reader import read_captions
from klip_assets_tests.made import REPOSITORY

WORDS = [{"word": "hello", "start": 1.0, "end": 2.0}]

#: Name of a format of JSON documents -> a document of that kind.
DOCUMENTS: dict[str, Any] = {
    "json3": {"events": [{"tStartMs": 1000, "dDurationMs": 1000, "segs": [{"utf8": "hello"}]}]},
    "Deepgram": {"results": {"channels": [{"alternatives": [{"transcript": "hello", "words": WORDS}]}]}},
    "Whisper": {"language": "en", "segments": [{"start": 1.0, "end": 2.0, "text": "hello", "words": WORDS}]},
    "AssemblyAI": {"status": "completed", "words": [{"text": "hello", "start": 1000, "end": 2000}]},
    "whisper.cpp": {"result": {"language": "en"}, "transcription": [
        {"timestamps": {"from": "00:00:01,000"}, "offsets": {"from": 1000, "to": 2000}, "text": " hello"}
    ]},
    "Hugging Face pipelines": {"text": " hello", "chunks": [{"timestamp": [1.0, 2.0], "text": " hello"}]},
    "ElevenLabs": {"language_code": "eng", "words": [
        {"text": "hello", "start": 1.0, "end": 2.0, "type": "word"}, {"text": " ", "start": 2.0, "type": "spacing"}
    ]},
    "Google": {"results": [{"alternatives": [{"transcript": "hello", "words": [
        {"startTime": "1s", "endTime": "2.000s", "word": "hello"}
    ]}]}]},
    "Amazon Transcribe": {"jobName": "j", "results": {"transcripts": [{"transcript": "hello"}], "items": [
        {"type": "pronunciation", "start_time": "1.0", "end_time": "2.0", "alternatives": [{"content": "hello"}]}
    ]}},
    "Speechmatics": {"format": "2.9", "results": [
        {"type": "word", "start_time": 1.0, "end_time": 2.0, "alternatives": [{"content": "hello"}]}
    ]},
    "Azure": {"recognizedPhrases": [{"offset": "PT1S", "offsetInTicks": 10_000_000, "durationInTicks": 10_000_000,
        "nBest": [{"display": "hello", "confidence": 0.9}]}]},
    "Rev.ai": {"monologues": [{"elements": [{"type": "text", "value": "hello", "ts": 1.0, "end_ts": 2.0}]}]},
    "Vosk": {"result": [{"conf": 1.0, "start": 1.0, "end": 2.0, "word": "hello"}], "text": "hello"},
    "NeMo": [{"timestamp": {"word": [{"word": "hello", "start": 1.0, "end": 2.0, "start_offset": 12}]}}],
    "Gladia": {"result": {"transcription": {"utterances": [{"text": "hello", "start": 1.0, "end": 2.0}]}}},
    "lists of timed lines": [{"text": "hello", "start": 1.0, "duration": 1.0}],
}  # fmt: skip

#: Name of a kind of JSON that is recognized but not read -> such a document.
NOT_READ_DOCUMENTS: dict[str, Any] = {"a text only": {"text": "hello"}}

#: Name of a format -> a file of that kind.
FILES: dict[str, str] = {
    "JSON": json.dumps(DOCUMENTS["Whisper"]),
    "TTML": '<tt xmlns="http://www.w3.org/ns/ttml"><body><div><p begin="1s" end="2s">hello</p></div></body></tt>',
    "SBV": "0:00:01.000,0:00:02.000\nhello\n",
    "WebVTT": "WEBVTT\n\n00:01.000 --> 00:02.000\nhello\n",
    "SubRip": "1\n00:00:01,000 --> 00:00:02,000\nhello\n",
    "YouTube's XML": '<timedtext format="3"><body><p t="1000" d="1000">hello</p></body></timedtext>',
    "Advanced SubStation": (
        "[Script Info]\nTitle: x\n\n[Events]\nFormat: Layer, Start, End, Style, Text\n"
        "Comment: 0,0:00:00.00,0:00:09.00,Default,not spoken\nDialogue: 0,0:00:01.00,0:00:02.00,Default,{\\i1}hello\n"
    ),
    "SAMI": "<SAMI><BODY>\n<SYNC Start=1000><P Class=EN>hello\n<SYNC Start=2000><P Class=EN>&nbsp;\n</BODY></SAMI>\n",
    "MicroDVD": "{1}{1}25\n{25}{50}hello\n",
    "SubViewer": "[INFORMATION]\n[TITLE]x\n[SUBTITLE]\n\n00:00:01.00,00:00:02.00\nhello\n",
    "Whisper's TSV": "start\tend\ttext\n1000\t2000\thello\n",
    "LRC": "[ti:title]\n[00:01.00]hello\n[00:02.00]\n",
    "CTM": "a 1 1.00 1.00 hello 0.98\n",
}

#: Name of a format that is recognized but not read -> a file of that kind.
NOT_READ: dict[str, str] = {
    "Scenarist": "Scenarist_SCC V1.0\n\n00:00:01:00\t9420 9420\n",
    "EBU STL": "850STL25.01" + "0" * 100,
    "VobSub": "# VobSub index file, v7\ntimestamp: 00:00:01:000, filepos: 0\n",
    "Praat TextGrid": 'File type = "ooTextFile"\nObject class = "TextGrid"\n',
}


def words(folder: Path, content: str, suffix: str) -> list[tuple[str, float, float]]:
    path = folder / f"v{suffix}"
    path.write_text(content)
    transcript = read_captions(path, "en")
    assert transcript.refused == ()
    return [(word.text, word.start_s, word.end_s) for word in transcript.words]


def test_every_caption_format_has_a_name_of_its_own_and_an_example_here() -> None:
    names = [kind.name for kind in FORMATS] + [kind.name for kind in JSON_FORMATS]
    assert len(set(names)) == len(names)
    assert set(names) == set(FILES) | set(DOCUMENTS) | set(NOT_READ) | set(NOT_READ_DOCUMENTS)
    assert {kind.name for kind in (*FORMATS, *JSON_FORMATS) if kind.is_read} == set(FILES) | set(DOCUMENTS)


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind.is_read], ids=lambda kind: kind.name)
def test_every_caption_format_knows_its_own_and_reads_it(kind: Any, tmp_path: Path) -> None:
    for suffix in kind.suffixes or (".srt",):
        assert next(other for other in FORMATS if other.sniff(FILES[kind.name], suffix)) is kind
        assert words(tmp_path, FILES[kind.name], suffix) == [("hello", 1.0, 2.0)]


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if not kind.is_read], ids=lambda kind: kind.name)
def test_captions_that_are_not_read_are_refused_by_their_name_with_what_to_do(kind: Any, tmp_path: Path) -> None:
    for suffix in (*kind.suffixes, ".srt"):
        (tmp_path / f"v{suffix}").write_text(NOT_READ[kind.name])
        with pytest.raises(UnreadableSidecarError, match=r"this is .*; \w+ .* SubRip"):
            read_captions(tmp_path / f"v{suffix}", None)


def test_a_text_without_times_in_json_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "v.json").write_text(json.dumps(NOT_READ_DOCUMENTS["a text only"]))
    with pytest.raises(UnreadableSidecarError, match="a text without times; ask the recognizer for times"):
        read_captions(tmp_path / "v.json", None)


@pytest.mark.parametrize("kind", [kind for kind in JSON_FORMATS if kind.is_read], ids=lambda kind: kind.name)
def test_every_kind_of_json_captions_knows_its_own_and_reads_it(kind: Any, tmp_path: Path) -> None:
    document = DOCUMENTS[kind.name]
    assert next(other for other in JSON_FORMATS if other.sniff(document)) is kind
    assert words(tmp_path, json.dumps(document), ".json") == [("hello", 1.0, 2.0)]


def test_any_text_is_of_some_caption_format_and_no_kind_takes_any_json() -> None:
    assert FORMATS[-1].sniff("", "")
    assert not [kind.name for kind in JSON_FORMATS for document in (None, 1, "a", [], {}) if kind.sniff(document)]


def test_no_two_caption_formats_claim_a_suffix_and_the_inbox_takes_them_all() -> None:
    claimed = [suffix for kind in FORMATS for suffix in kind.suffixes]
    assert len(set(claimed)) == len(claimed)
    assert set(claimed) - {".json"} == set(CAPTION_SUFFIXES)


def test_the_next_dialect_is_one_file(tmp_path: Path) -> None:
    """A module put into the package is found, reads its files, and is named to who drops JSON of an unknown kind."""
    (tmp_path / "next_json.py").write_text(
        "from klip_assets.signals.speech.captions.caption_format import JsonFormat\n"
        "from klip_assets.signals.speech.captions.json_words import timed_words\n"
        "def sniff(document):\n    return isinstance(document, dict) and 'next' in document\n"
        "def read(document):\n    return timed_words(document, 'next', 1.0)\n"
        "FORMAT = JsonFormat('The Next', sniff, read)\n"
    )
    (tmp_path / "v.json").write_text(json.dumps({"next": WORDS}))
    code = (
        "import sys, pathlib\n"
        "from klip_assets.signals.speech.captions import dialects\n"
        "dialects.__path__.append(sys.argv[1])\n"
        "from klip_assets.signals.speech.captions import formats, reader\n"
        "words = reader.read_captions(pathlib.Path(sys.argv[1], 'v.json'), None).words\n"
        "print(words[0].text, 'The Next' in formats.KNOWN_JSON)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert done.stdout.split() == ["hello", "True"]


@pytest.mark.parametrize("name", [*FILES, *DOCUMENTS])
def test_the_readme_or_its_page_of_formats_names_every_caption_format(name: str) -> None:
    readme = (REPOSITORY / "README.md").read_text().splitlines()
    (row,) = (line for line in readme if line.startswith("| `stream.en.vtt`"))
    assert "docs/captions.md" in row
    table = (REPOSITORY / "docs" / "captions.md").read_text().splitlines()
    assert name in " ".join(line for line in table if line.startswith("| "))


def test_the_page_of_formats_has_every_suffix_and_every_format_that_is_not_read() -> None:
    page = (REPOSITORY / "docs" / "captions.md").read_text()
    assert [ending for ending in (*CAPTION_SUFFIXES, *TRANSCRIPT_SUFFIXES) if f"`{ending}`" not in page] == []
    assert [name for name in NOT_READ if name not in page] == []


def test_who_drops_other_json_is_told_every_kind_that_is_known(tmp_path: Path) -> None:
    (tmp_path / "v.json").write_text('{"a": 1}')
    with pytest.raises(UnreadableSidecarError) as refusal:
        read_captions(tmp_path / "v.json", None)
    assert refusal.value.hint == KNOWN_JSON
    assert all(kind.name in KNOWN_JSON for kind in JSON_FORMATS if kind.is_read)
