"""The registries of caption formats: each knows its own, reads it, and is spoken of."""

from __future__ import annotations

import json
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
}

#: Name of a format -> a file of that kind.
FILES: dict[str, str] = {
    "JSON": json.dumps(DOCUMENTS["Whisper"]),
    "TTML": '<tt xmlns="http://www.w3.org/ns/ttml"><body><div><p begin="1s" end="2s">hello</p></div></body></tt>',
    "SBV": "0:00:01.000,0:00:02.000\nhello\n",
    "WebVTT": "WEBVTT\n\n00:01.000 --> 00:02.000\nhello\n",
    "SubRip": "1\n00:00:01,000 --> 00:00:02,000\nhello\n",
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
    assert set(names) == set(FILES) | set(DOCUMENTS)


@pytest.mark.parametrize("kind", FORMATS, ids=lambda kind: kind.name)
def test_every_caption_format_knows_its_own_and_reads_it(kind: Any, tmp_path: Path) -> None:
    for suffix in kind.suffixes:
        assert next(other for other in FORMATS if other.sniff(FILES[kind.name], suffix)) is kind
        assert words(tmp_path, FILES[kind.name], suffix) == [("hello", 1.0, 2.0)]


@pytest.mark.parametrize("kind", JSON_FORMATS, ids=lambda kind: kind.name)
def test_every_kind_of_json_captions_knows_its_own_and_reads_it(kind: Any, tmp_path: Path) -> None:
    document = DOCUMENTS[kind.name]
    assert next(other for other in JSON_FORMATS if other.sniff(document)) is kind
    assert words(tmp_path, json.dumps(document), ".json") == [("hello", 1.0, 2.0)]


def test_any_text_is_of_some_caption_format_and_no_kind_takes_any_json() -> None:
    assert FORMATS[-1].sniff("", "")
    assert not [kind.name for kind in JSON_FORMATS for document in (None, 1, "a", [], {}) if kind.sniff(document)]


def test_no_caption_format_claims_a_suffix_that_the_inbox_does_not_put_beside_a_recording() -> None:
    claimed = [suffix for kind in FORMATS for suffix in kind.suffixes]
    assert len(set(claimed)) == len(claimed)
    assert set(claimed) == {Path(f"v{ending}").suffix for ending in (*CAPTION_SUFFIXES, *TRANSCRIPT_SUFFIXES)}


@pytest.mark.parametrize("name", [*FILES, *DOCUMENTS])
def test_the_readme_names_every_caption_format(name: str) -> None:
    lines = (REPOSITORY / "README.md").read_text().splitlines()
    assert name in " ".join(line for line in lines if line.startswith(("| `stream.en.vtt`", "| `stream.json`")))


def test_who_drops_other_json_is_told_every_kind_that_is_known(tmp_path: Path) -> None:
    (tmp_path / "v.json").write_text('{"a": 1}')
    with pytest.raises(UnreadableSidecarError) as refusal:
        read_captions(tmp_path / "v.json", None)
    assert refusal.value.hint == KNOWN_JSON
    assert all(kind.name in KNOWN_JSON for kind in JSON_FORMATS)
