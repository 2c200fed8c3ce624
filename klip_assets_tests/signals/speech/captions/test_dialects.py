"""Transcripts of many programs: punctuation stays with its word, missing ends are filled, sounds are no words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klip_assets.errors import UnreadableSidecarError
from klip_assets.signals.speech.captions.json_spans import in_seconds, span
from klip_assets.signals.speech.captions.reader import gives_word_times, read_captions
from klip_assets.signals.speech.words import Transcript


def read(tmp_path: Path, content: Any, name: str = "v.json") -> Transcript:
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return read_captions(path, None)


def spoken(transcript: Transcript) -> list[tuple[str, float, float]]:
    return [(word.text, round(word.start_s, 3), round(word.end_s, 3)) for word in transcript.words]


def test_punctuation_in_items_of_its_own_stays_with_the_word_before_it(tmp_path: Path) -> None:
    aws = [
        {"type": "pronunciation", "start_time": "1.0", "end_time": "1.5", "alternatives": [{"content": "Hello"}]},
        {"type": "punctuation", "alternatives": [{"content": ","}]},
        {"type": "pronunciation", "start_time": "1.5", "end_time": "2.0", "alternatives": [{"content": "you"}]},
        {"type": "punctuation", "alternatives": [{"content": "?"}]},
    ]
    rev = [
        {"type": "text", "value": "Hello", "ts": 1.0, "end_ts": 1.5}, {"type": "punct", "value": ", "},
        {"type": "text", "value": "you", "ts": 1.5, "end_ts": 2.0}, {"type": "punct", "value": "?"},
    ]  # fmt: skip
    expected = [("Hello,", 1.0, 1.5), ("you?", 1.5, 2.0)]
    assert spoken(read(tmp_path, {"results": {"items": aws}})) == expected
    assert spoken(read(tmp_path, {"monologues": [{"elements": rev}]})) == expected
    results = [{**item, "start_time": float(item.get("start_time", 2)), "end_time": float(item.get("end_time", 2))}
               for item in aws]  # type: ignore[arg-type]  # fmt: skip
    assert spoken(read(tmp_path, {"results": results})) == expected


def test_a_chunk_without_an_end_ends_with_its_words_or_at_the_next(tmp_path: Path) -> None:
    chunks = [{"timestamp": [1.0, None], "text": " a b c d e f"}, {"timestamp": [2.0, None], "text": " so this"}]
    found = spoken(read(tmp_path, {"chunks": chunks}))
    assert found[5][2] == 2.0 and found[-1] == ("this", 2.3, 2.8)


def test_audio_events_of_elevenlabs_are_sounds_and_spaces_are_nothing(tmp_path: Path) -> None:
    words = [
        {"text": "so", "start": 1.0, "end": 1.5, "type": "word"},
        {"text": " ", "start": 1.5, "end": 1.6, "type": "spacing"},
        {"text": "(laughter)", "start": 2.0, "end": 3.0, "type": "audio_event"}, "odd",
    ]  # fmt: skip
    transcript = read(tmp_path, {"language_code": "deu", "words": words})
    assert spoken(transcript) == [("so", 1.0, 1.5)] and transcript.language == "de"
    assert [(event.label, event.start_s, event.end_s) for event in transcript.sounds] == [("laughter", 2.0, 3.0)]
    assert [entry.position for entry in transcript.refused] == ["words[3]"]


def test_words_of_azure_are_preferred_to_its_phrases(tmp_path: Path) -> None:
    words = [{"displayText": "So,", "offsetInTicks": 1e7, "durationInTicks": 5e6}]
    phrase = {
        "locale": "de-DE",
        "offsetInTicks": 1e7,
        "durationInTicks": 3e7,
        "nBest": [{"display": "x", "displayWords": words}],
    }
    transcript = read(tmp_path, {"recognizedPhrases": [phrase]})
    assert spoken(transcript) == [("So,", 1.0, 1.5)] and transcript.language == "de"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (1.5, 1.5), ("1.5", 1.5), ("1.5s", 1.5), ("1500ms", 1.5), ("PT1.5S", 1.5), ("PT1M0.5S", 60.5),
        ("00:00:01,500", 1.5),
        ({"seconds": "1", "nanos": 500_000_000}, 1.5), ("1:00:01.5", 3601.5),
        (None, None), ("soon", "soon"), (True, True),
    ],
)  # fmt: skip
def test_times_are_read_however_json_writes_them(value: Any, seconds: Any) -> None:
    assert in_seconds(value) == seconds


@pytest.mark.parametrize(
    "entry",
    [
        {"start": 1, "end": 3, "text": "a"}, {"from": 1, "to": 3, "content": "a"},
        {"start": "1.0", "dur": "2.0", "text": "a"},
        {"startTime": "1s", "endTime": "3s", "body": "a"}, {"begin": "1.000", "end": "3.000", "lines": ["a"]},
        {"offset": 1, "duration": 2, "text": "a"}, {"start_ms": 1000, "end_ms": 3000, "text": "a"},
        {"offsetInTicks": 1e7, "durationInTicks": 2e7, "text": "a"}, {"t0": 100, "t1": 300, "text": "a"},
    ],
)  # fmt: skip
def test_a_span_is_the_same_by_any_name(entry: dict[str, Any]) -> None:
    assert span(entry) == {"start": 1.0, "end": 3.0, "text": "a"}


@pytest.mark.parametrize("between", ["\n", "", ",\n", "\r\n\n"])
def test_objects_one_after_another_are_a_list(tmp_path: Path, between: str) -> None:
    lines = [{"start": 1, "end": 2, "text": "so"}, {"start": 2, "end": 3, "text": "this"}]
    results = [{"result": [{**line, "word": line["text"], "conf": 1.0}], "text": "x"} for line in lines]
    for objects in (lines, results):
        content = between.join(json.dumps(entry) for entry in objects)
        assert spoken(read(tmp_path, content)) == [("so", 1.0, 2.0), ("this", 2.0, 3.0)]


def test_what_is_no_segment_in_a_list_of_them_is_named(tmp_path: Path) -> None:
    transcript = read(
        tmp_path, {"snippets": [{"start": 1, "duration": 1, "text": "so"}, 7, {"start": 2, "duration": 1}]}
    )
    assert spoken(transcript) == [("so", 1.0, 2.0)]
    assert [(entry.position, entry.reason) for entry in transcript.refused] == [
        ("snippets[1]", "not an object"), ("snippets[2]", "no text")
    ]  # fmt: skip
    with pytest.raises(UnreadableSidecarError, match="none of its words can be used"):
        read(tmp_path, {"prediction": [0.5, 0.7]})


def test_lists_of_start_and_stop_are_in_hundredths_if_they_are_whole(tmp_path: Path) -> None:
    entries = [{"start": 100, "stop": 200, "text": "so"}]
    assert spoken(read(tmp_path, entries)) == [("so", 1.0, 2.0)]
    assert spoken(read(tmp_path, [{"start": 1.0, "stop": 2.0, "text": "so"}])) == [("so", 1.0, 2.0)]


def test_captions_in_srv3_have_a_word_in_each_s(tmp_path: Path) -> None:
    text = (
        '<?xml version="1.0" encoding="utf-8" ?><timedtext format="3"><body>\n<w t="0" id="1"/>\n'
        '<p t="1000" d="4000" w="1"><s ac="0">so</s><s t="500" ac="0"> this</s></p>\n<p t="2000" d="9" a="1">\n</p>\n'
        '<p t="2500" d="1000"><s>it&amp;#39;s</s></p></body></timedtext>'
    )
    assert spoken(read(tmp_path, text, "v.srv3")) == [("so", 1.0, 1.5), ("this", 1.5, 2.5), ("it's", 2.5, 3.5)]
    assert gives_word_times(tmp_path / "v.srv3")


def test_comments_and_drawings_of_substation_are_not_said(tmp_path: Path) -> None:
    head = "[Script Info]\n\n[V4+ Styles]\nFormat: Name, Fontname\n\n[Events]\nFormat: Start, End, Text\n"
    text = (
        f"{head}Comment: 0:00:00.00,0:00:09.00,no\nDialogue: 0:00:01.00,0:00:02.00,{{\\p1}}m 0 0 l 9 9\n"
        "Dialogue: 0:00:03.00,0:00:04.00,{\\k20}so, {\\k30}this\\Nis\nDialogue: soon,0:00:05.00,lost\n"
    )
    transcript = read(tmp_path, text, "v.ass")
    assert [word.text for word in transcript.words] == ["so,", "this", "is"]
    assert [entry.reason for entry in transcript.refused] == ["unreadable times"]


def test_lyrics_with_several_times_are_said_at_each(tmp_path: Path) -> None:
    text = "[ar:x]\n[00:05.00][00:01.00]la\n[00:03.50]<00:03.50>so <00:04.25>this\n"
    assert spoken(read(tmp_path, text, "v.lrc")) == [
        ("la", 1.0, 3.5), ("so", 3.5, 4.25), ("this", 4.25, 5.0), ("la", 5.0, 9.0)
    ]  # fmt: skip


def test_of_several_languages_of_sami_the_first_is_read(tmp_path: Path) -> None:
    text = "<SAMI><BODY><SYNC Start=1000><P Class=EN>so<P Class=DE>also<SYNC Start=2000><P Class=EN>&nbsp;</SAMI>"
    assert spoken(read(tmp_path, text, "v.smi")) == [("so", 1.0, 2.0)]


def test_microdvd_without_a_rate_is_refused_by_its_name_and_mpl2_is_in_tenths(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSidecarError, match=r"this is a MicroDVD file.*convert it to SubRip"):
        read(tmp_path, "{25}{50}hello\n", "v.sub")
    assert spoken(read(tmp_path, "[10][20]so|/this\n", "v.sub")) == [("so", 1.0, 1.375), ("this", 1.375, 2.0)]


VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["a", "1.5", "1s", "PT1S", "0:01"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from([
            "transcription", "offsets", "timestamps", "from", "to", "chunks", "timestamp", "results", "items",
            "response",
            "alternatives", "content", "start_time", "end_time", "type", "monologues", "elements", "value", "ts",
            "end_ts",
            "recognizedPhrases", "nBest", "displayWords", "words", "word", "result", "utterances", "prediction",
            "segments",
            "start", "end", "stop", "duration", "text", "transcripts", "transcript", "startTime", "lines", "seconds",
        ]), inner, max_size=6,
    ),
    max_leaves=30,
)  # fmt: skip


@given(
    VALUES,
    st.sampled_from(["transcription", "chunks", "results", "monologues", "recognizedPhrases", "result", "words"]),
)
def test_no_json_makes_a_reader_of_a_dialect_fail(
    tmp_path_factory: pytest.TempPathFactory, value: Any, key: str
) -> None:
    for document in (value, {key: value}, {key: [value]}):
        try:
            transcript = read(tmp_path_factory.getbasetemp(), document, "dialect.json")
        except UnreadableSidecarError:
            continue
        assert all(0 <= word.start_s <= word.end_s for word in transcript.words)


LINES = st.text(alphabet='0123456789:.,[]{}<>|"=\t \nspDialogue', max_size=200)
HEADS = [
    "",
    "<timedtext><body><p t='1' d='2'>",
    "[Script Info]\n[Events]\nDialogue:",
    "[00:01.00]",
    "<SAMI><SYNC Start=1>",
]


@given(
    LINES, st.sampled_from(HEADS), st.sampled_from([".srv3", ".ass", ".lrc", ".smi", ".sub", ".tsv", ".ctm", ".srt"])
)
def test_no_text_makes_a_reader_of_a_dialect_fail(
    tmp_path_factory: pytest.TempPathFactory, text: str, head: str, suffix: str
) -> None:
    try:
        transcript = read(tmp_path_factory.getbasetemp(), head + text, f"dialect{suffix}")
    except UnreadableSidecarError:
        return
    assert all(0 <= word.start_s <= word.end_s for word in transcript.words)
