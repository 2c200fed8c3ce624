"""JSON transcripts: every word of every recognizer at its time, once; what is broken is named by its path."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klip_assets.contracts import TRANSCRIPT_WORDS
from klip_assets.errors import UnreadableSidecarError
from klip_assets.signals.speech.captions.json_values import read_json
from klip_assets.signals.speech.captions.json_words import MAX_SEGMENT_CHARS
from klip_assets.signals.speech.captions.reader import read_captions
from klip_assets.signals.speech.words import Transcript
from klip_assets.store.lake.validate import conform


def read(tmp_path: Path, document: Any, name: str = "v.json", language: str | None = None) -> Transcript:
    path = tmp_path / name
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return read_captions(path, language)


def spoken(transcript: Transcript) -> list[tuple[str, float, float, float | None]]:
    return [(word.text, round(word.start_s, 3), round(word.end_s, 3), word.confidence) for word in transcript.words]


def refused(transcript: Transcript) -> dict[str, str]:
    return {entry.position: entry.reason for entry in transcript.refused}


IN_TWO = [("so", 1.0, 1.5, 0.5), ("this", 1.5, 2.0, 1.0)]
SECONDS = {"start": 1.0, "end": 1.5}, {"start": 1.5, "end": 2.0}
MILLIS = {"start": 1000, "end": 1500}, {"start": 1500, "end": 2000}


def words(text: str, confidence: str, times: Any = SECONDS) -> list[dict[str, Any]]:
    return [
        {text: word, confidence: score, **at} for word, score, at in zip(("so", "this"), (0.5, 1), times, strict=True)
    ]


def segment(entries: Any, **more: Any) -> dict[str, Any]:
    return {"id": 0, "start": 1.0, "end": 2.0, "text": " so this", "words": entries, **more}


KINDS: dict[str, Any] = {
    "openai-whisper": {"text": " so this", "segments": [segment(words("word", "probability"))], "language": "en"},
    "faster-whisper": [segment(words("word", "probability"))],
    "whisperx": {"segments": [segment(words("word", "score"))], "word_segments": words("word", "score")},
    "whisperx words only": {"word_segments": words("word", "score")},
    "whisper-timestamped": {"segments": [segment(words("text", "confidence"), confidence=0.1)], "language": "en"},
    "openai api": {
        "task": "transcribe", "language": "english", "segments": [{"start": 1, "end": 2, "text": "so this"}],
        "words": words("word", "probability"),
    },
    "deepgram": {
        "results": {
            "channels": [{"alternatives": [{"transcript": "so this", "words": words("word", "confidence")}]}],
            "utterances": [{"start": 1, "end": 2, "transcript": "so this", "words": words("word", "confidence")}],
        }
    },
    "deepgram, utterances only": {
        "results": {"utterances": [{"start": 1, "end": 2, "transcript": "", "words": words("word", "confidence")}]}
    },
    "assemblyai": {
        "language_code": "en_us", "words": words("text", "confidence", MILLIS),
        "utterances": [{"start": 1000, "end": 2000, "text": "so this", "words": words("text", "confidence", MILLIS)}],
    },
    "assemblyai, utterances only": {
        "words": None,
        "utterances": [{"start": 1000, "end": 2000, "text": "so this", "words": words("text", "confidence", MILLIS)}],
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_each_word_once_at_its_time(tmp_path: Path, kind: str) -> None:
    transcript = read(tmp_path, KINDS[kind])
    assert spoken(transcript) == IN_TWO and not transcript.refused
    assert transcript.engine == "captions" and transcript.engine_model == "v.json"
    conform(TRANSCRIPT_WORDS, transcript.table("v"))


def test_the_language_of_the_name_goes_before_that_of_the_file(tmp_path: Path) -> None:
    for kind, stated in (("openai-whisper", "en"), ("openai api", "en"), ("assemblyai", "en"), ("deepgram", None)):
        assert read(tmp_path, KINDS[kind]).language == stated
        assert read(tmp_path, KINDS[kind], language="de-AT").language == "de"


def test_punctuated_words_are_preferred_and_punctuation_set_apart_is_not_a_word(tmp_path: Path) -> None:
    entry = {"word": "salut", "punctuated_word": "Salut !", "start": 1, "end": 2, "confidence": 1}
    document = {"results": {"channels": [{"alternatives": [{"words": [entry]}]}]}}
    assert spoken(read(tmp_path, document)) == [("Salut !", 1.0, 2.0, 1.0)]


def test_channels_are_put_together_in_order(tmp_path: Path) -> None:
    channels = [
        {"alternatives": [{"words": [{"word": "one", "start": 1, "end": 2}, {"word": "three", "start": 3, "end": 4}]}]},
        {"alternatives": [{"words": [{"word": "two", "start": 2, "end": 3}]}, {"words": [{"word": "other"}]}]},
    ]
    assert [text for text, *_ in spoken(read(tmp_path, {"results": {"channels": channels}}))] == ["one", "two", "three"]


def test_numbers_that_whisperx_gives_no_time_share_the_gap(tmp_path: Path) -> None:
    entries = [
        {"word": "2024"}, {"word": "in", "start": 2.0, "end": 2.5}, {"word": "12"}, {"word": "34"},
        {"word": "we", "start": 4.5, "end": 5.0}, {"word": "7"},
    ]  # fmt: skip
    found = spoken(read(tmp_path, {"segments": [{"start": 1.0, "end": 6.0, "text": "", "words": entries}]}))
    assert found == [
        ("2024", 1.0, 2.0, None), ("in", 2.0, 2.5, None), ("12", 2.5, 3.5, None), ("34", 3.5, 4.5, None),
        ("we", 4.5, 5.0, None), ("7", 5.0, 6.0, None),
    ]  # fmt: skip


def test_a_word_with_one_time_only_ends_where_the_next_begins(tmp_path: Path) -> None:
    entries = [{"word": "a", "start": 1.0}, {"word": "b", "start": 2.0, "end": 3.0}, {"word": "c", "end": 4.0}]
    found = spoken(read(tmp_path, {"segments": [{"start": 1.0, "end": 6.0, "words": entries}]}))
    assert found == [("a", 1.0, 2.0, None), ("b", 2.0, 3.0, None), ("c", 3.0, 4.0, None)]


def test_segments_without_words_share_their_time(tmp_path: Path) -> None:
    document = {"segments": [{"start": 1, "end": 3, "text": " a b"}, {"start": 4, "end": 5, "text": "", "words": []}]}
    assert spoken(read(tmp_path, document)) == [("a", 1.0, 2.0, None), ("b", 2.0, 3.0, None)]


def test_tags_are_found_over_several_words(tmp_path: Path) -> None:
    entries = [
        {"word": " [upbeat", "start": 1, "end": 2}, {"word": " music]", "start": 2, "end": 3},
        {"word": " hi", "start": 3, "end": 4}, {"word": " (laughs)", "start": 4, "end": 5},
        {"word": "[*]", "start": 5, "end": 6},
    ]  # fmt: skip
    transcript = read(tmp_path, {"segments": [{"start": 1, "end": 6, "words": entries}]})
    assert [text for text, *_ in spoken(transcript)] == ["hi"]
    assert [(event.label, event.start_s, event.end_s) for event in transcript.sounds] == [
        ("music", 1.0, 3.0), ("laughter", 4.0, 5.0)
    ]  # fmt: skip


def test_what_can_not_be_used_is_refused_with_its_path_and_the_rest_is_kept(tmp_path: Path) -> None:
    entries = [
        {"word": "lost", "start": 3, "end": 2}, 5, {"start": 1, "end": 2}, {"word": "late", "start": 1e9, "end": 2e9},
        {"word": "odd", "start": "soon", "end": 2}, {"word": "ok", "start": -0.01, "end": "0.5", "probability": 7},
    ]  # fmt: skip
    document = {
        "segments": [
            {"start": 0, "end": 4, "words": entries},
            {"start": 6, "end": 5, "text": "backwards"},
            "nothing",
            {"start": 7, "end": 8},
            {"start": 8, "end": 9, "text": "x" * (MAX_SEGMENT_CHARS + 1)},
            {"start": 9, "end": 10, "text": "fine"},
        ]
    }
    transcript = read(tmp_path, document)
    assert spoken(transcript) == [("ok", 0.0, 0.5, 1.0), ("fine", 9.0, 10.0, None)]
    assert refused(transcript) == {
        "segments[0].words[0]": "ends before it starts",
        "segments[0].words[1]": "not an object",
        "segments[0].words[2]": "no text",
        "segments[0].words[3]": "the time is not a position in a video",
        "segments[0].words[4]": "unreadable time",
        "segments[1]": "ends before it starts",
        "segments[2]": "not an object",
        "segments[3]": "no text",
        "segments[4]": "too long for a segment without word times",
    }


def test_numbers_that_are_none_are_no_times(tmp_path: Path) -> None:
    huge = "9" * 5_000
    text = f'{{"segments": [{{"start": NaN, "end": 1, "text": "a"}}, {{"start": 0, "end": {huge}, "text": "b"}}, '
    transcript = read(
        tmp_path, text + '{"start": 0, "end": 1e999, "text": "c"}, {"start": 0, "end": 1, "text": "ok"}]}'
    )
    assert spoken(transcript) == [("ok", 0.0, 1.0, None)]
    assert list(refused(transcript)) == ["segments[0]", "segments[1]", "segments[2]"]


def test_a_file_cut_short_keeps_the_words_before_the_cut(tmp_path: Path) -> None:
    whole = json.dumps(KINDS["deepgram"])
    transcript = read(tmp_path, whole[: whole.index('"utterances"')])
    assert spoken(transcript) == IN_TWO
    ((where, why),) = refused(transcript).items()
    assert where.startswith("line 1, column ") and why.startswith("damaged JSON")


@given(st.integers(0, 10_000), st.sampled_from(sorted(KINDS)))
def test_wherever_a_file_is_cut_what_is_read_is_the_beginning_of_the_whole(place: int, kind: str) -> None:
    text = json.dumps(KINDS[kind])
    cut = text[: place % len(text)]
    try:
        document, damage = read_json(cut, "v.json")
    except UnreadableSidecarError:
        return
    assert damage and text.startswith(cut)

    def within(part: Any, whole: Any) -> bool:
        if isinstance(part, dict):
            return isinstance(whole, dict) and all(key in whole and within(part[key], whole[key]) for key in part)
        if isinstance(part, list):
            return isinstance(whole, list) and len(part) <= len(whole) and all(map(within, part, whole))
        return bool(part == whole)

    assert within(document, json.loads(text))


def test_brackets_in_the_text_do_not_mislead_the_search_for_the_damage(tmp_path: Path) -> None:
    document = {"segments": [{"start": 1, "end": 2, "text": 'a "{[ b'}, {"start": 3, "end": 4, "text": "c ]}\\ d"}]}
    whole = json.dumps(document)
    transcript = read(tmp_path, whole[: whole.rindex("}]}") + 1] + ', {"start": 5, "te[xt')
    assert [text for text, *_ in spoken(transcript)] == ["a", '"{[', "b", "c", "]}\\", "d"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("nope", "not JSON"),
        ("", "not JSON"),
        ("[" * 100_000, "nested too deep|not JSON"),
        ('{"comments": []}', "JSON with comments is not a transcript in a supported format"),
        ("[1, 2]", "JSON that is not an object is not a transcript"),
        ("7", "not a transcript in a supported format"),
        ('{"segments": []}', "not a transcript in a supported format"),
        ('{"status": "error", "error": "out of credits"}', "the recognizer failed: out of credits"),
        ('{"words": [1, 2]}', r"none of its words can be used; the first \(words\[0\]\)"),
        ('{"results": {"channels": [{"alternatives": [{"transcript": "a b"}]}]}}', "text without times"),
    ],
)
def test_json_that_is_not_a_transcript_is_an_error_that_names_it(tmp_path: Path, content: str, problem: str) -> None:
    with pytest.raises(UnreadableSidecarError, match=problem) as caught:
        read(tmp_path, content)
    assert str(caught.value).startswith("v.json: ")


def test_a_recording_in_which_nobody_speaks_has_no_words(tmp_path: Path) -> None:
    transcript = read(tmp_path, {"text": "", "segments": [], "language": "en"})
    assert not transcript.words and not transcript.refused and transcript.language == "en"


JSON3: dict[str, Any] = {
    "wireMagic": "pb3",
    "events": [
        {"tStartMs": 0, "dDurationMs": 9_000_000, "id": 1, "wpWinPosId": 1, "wsWinStyleId": 1},
        {
            "tStartMs": 1000, "dDurationMs": 5000, "wWinId": 1,
            "segs": [
                {"utf8": "so", "acAsrConf": 255}, {"utf8": " this", "tOffsetMs": 500, "acAsrConf": 51},
                {"utf8": " [\xa0__\xa0]", "tOffsetMs": 900, "acAsrConf": 0},
            ],
        },
        {"tStartMs": 2500, "dDurationMs": 3500, "wWinId": 1, "aAppend": 1, "segs": [{"utf8": "\n"}]},
        {"tStartMs": 2510, "dDurationMs": 4000, "wWinId": 1, "segs": [{"utf8": "[Music]"}]},
        {"tStartMs": 8000, "wWinId": 1, "segs": [{"utf8": "end"}]},
    ],
}  # fmt: skip


def test_json3_gives_each_word_at_its_offset_and_until_the_next_event(tmp_path: Path) -> None:
    transcript = read(tmp_path, JSON3, "v.en.json3")
    assert spoken(transcript) == [
        ("so", 1.0, 1.5, 1.0), ("this", 1.5, 1.9, 0.2), ("[__]", 1.9, 2.51, 0.0), ("end", 8.0, 8.0, None)
    ]  # fmt: skip
    assert [(event.label, event.start_s, event.end_s) for event in transcript.sounds] == [("music", 2.51, 6.51)]
    assert not transcript.refused
    assert spoken(read(tmp_path, JSON3, "v.json")) == spoken(transcript)


def test_a_line_break_in_json3_does_not_cut_the_word_before_it_and_appended_text_is_not_lost(tmp_path: Path) -> None:
    events = [
        {
            "tStartMs": 0,
            "dDurationMs": 2000,
            "segs": [{"utf8": "so"}, {"utf8": " on", "tOffsetMs": 500}, {"utf8": "\n"}],
        },
        {"tStartMs": 2000, "dDurationMs": 1000, "aAppend": 1, "segs": [{"utf8": "\nand on"}]},
    ]
    assert spoken(read(tmp_path, {"events": events})) == [
        ("so", 0.0, 0.5, None), ("on", 0.5, 2.0, None), ("and", 2.0, 2.571, None), ("on", 2.571, 3.0, None)
    ]  # fmt: skip


def test_json3_that_says_0_of_every_word_gives_no_confidence(tmp_path: Path) -> None:
    events = [{"tStartMs": 0, "dDurationMs": 1000, "segs": [{"utf8": "so", "acAsrConf": 0}]}]
    assert spoken(read(tmp_path, {"events": events})) == [("so", 0.0, 1.0, None)]


def test_json3_that_shows_no_text_has_no_words(tmp_path: Path) -> None:
    transcript = read(tmp_path, {"events": [{"tStartMs": 0, "id": 1}, {"tStartMs": 5, "segs": [{"utf8": "\n"}]}]})
    assert not transcript.words and not transcript.refused


def test_captions_made_by_hand_in_json3_may_overlap_and_share_their_time(tmp_path: Path) -> None:
    events = [
        {"tStartMs": 0, "dDurationMs": 4000, "segs": [{"utf8": "a b\nc d"}]},
        {"tStartMs": 2000, "dDurationMs": 1000, "segs": [{"utf8": "e"}]},
    ]
    found = spoken(read(tmp_path, {"events": events}))
    assert [text for text, *_ in found] == ["a", "b", "c", "e", "d"] and found[-1][2] == 4.0


def test_what_can_not_be_used_of_json3_is_refused_with_its_path(tmp_path: Path) -> None:
    events = [
        {"tStartMs": "x", "segs": [{"utf8": "lost"}]},
        7,
        {
            "tStartMs": 1000,
            "dDurationMs": "long",
            "segs": [{"utf8": "a"}, {"utf8": " b", "tOffsetMs": {}}, 3, {"utf9": "d"}],
        },
        {"segs": [{"utf8": "\n"}]},
        {"tStartMs": 2000, "dDurationMs": 500, "segs": [{"utf8": "c"}]},
    ]
    transcript = read(tmp_path, {"events": events})
    assert spoken(transcript) == [("a", 1.0, 2.0, None), ("c", 2.0, 2.5, None)]
    assert set(refused(transcript)) == {
        "events[0]", "events[1]", "events[2]", "events[2].segs[1]", "events[2].segs[2]", "events[2].segs[3]"
    }  # fmt: skip


def test_real_files_of_recognizers_give_every_word_once_and_in_order(shared_data: Path) -> None:
    expected = {
        "assemblyai_transcription.json": 60, "assemblyai_utterances.json": 60, "dg_speakers.json": 226,
        "dg_speakers_no_utterances.json": 226, "dg_transcription.json": 62, "dg_utterances.json": 62,
        "dg_whisper_transcription.json": 59, "whisper_timestamped.json": 59,
    }  # fmt: skip
    for path in sorted((shared_data / "fmt-deepgram" / "test").glob("*.json")):
        transcript = read_captions(path, None)
        assert len(transcript.words) == expected[path.name] and not transcript.refused
        assert transcript.words[-1].end_s < 200
        _are_in_order(transcript)


def test_real_files_of_whisper_timestamped_give_every_word_that_is_not_blank(shared_data: Path) -> None:
    files = sorted((shared_data / "sp-whisper-timestamped" / "tests" / "expected").rglob("*.words.json"))
    assert files
    for path in files:
        given_words = [
            word for part in json.loads(path.read_text())["segments"] for word in part["words"] if word["text"].strip()
        ]
        transcript = read_captions(path, None)
        found = [(word.text, word.start_s, word.end_s, word.confidence) for word in transcript.words]
        assert found == [
            (" ".join(word["text"].split()), word["start"], word["end"], word["confidence"]) for word in given_words
        ]
        assert not transcript.refused and not transcript.sounds
        _are_in_order(transcript)


def _are_in_order(transcript: Transcript) -> None:
    assert all(word.start_s <= word.end_s for word in transcript.words)
    assert all(before.start_s <= after.start_s for before, after in pairwise(transcript.words))


@pytest.mark.parametrize("words", [5, "so", {"word": "so"}, True])
def test_words_that_are_not_a_list_do_not_hide_the_utterances(tmp_path: Path, words: object) -> None:
    document = {"words": words, "utterances": [{"start": 1000, "end": 2000, "text": "so this"}]}
    assert [word.text for word in read(tmp_path, document).words] == ["so", "this"]


def test_tokens_of_whisper_are_no_words(tmp_path: Path) -> None:
    path = tmp_path / "v.json"
    text = "<|startoftranscript|><|en|><|transcribe|><|2.00|> hello there<|4.00|><|endoftext|>"
    path.write_text(json.dumps({"segments": [{"start": 2.0, "end": 4.0, "text": text}], "language": "en"}))
    assert [(word.text, round(word.start_s)) for word in read_captions(path, None).words] == [
        ("hello", 2),
        ("there", 3),
    ]
