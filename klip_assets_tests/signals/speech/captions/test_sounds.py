"""Tags in captions: sounds are events, masks are words, names are neither, and speech in parentheses stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klip_assets.contracts import SOUND_EVENTS
from klip_assets.signals.speech.captions.reader import read_captions
from klip_assets.signals.speech.captions.sounds import (
    MAX_EVENTS,
    MAX_LABEL_CHARS,
    SoundEvent,
    digest_of,
    labels_of,
    labels_of_parenthesis,
    merged,
    sound_table,
    to_notes,
)
from klip_assets.signals.speech.words import Transcript
from klip_assets.store.lake.validate import conform


def cue(tmp_path: Path, text: str) -> Transcript:
    path = tmp_path / "a.vtt"
    path.write_text(f"WEBVTT\n\n00:00:01.000 --> 00:00:03.000\n{text}\n")
    return read_captions(path, "en")


@pytest.mark.parametrize(
    ("tag", "labels"),
    [
        ("laughter", ["laughter"]),
        ("LAUGHS", ["laughter"]),
        ("audience laughing", ["laughter"]),
        ("She chuckles", ["laughter"]),
        ("Music", ["music"]),
        ("upbeat music playing", ["music"]),
        ("♪ music ♪", ["music"]),
        ("applause and cheering", ["applause", "cheering"]),
        ("laughter and crying", ["laughter", "crying"]),
        ("clears throat", ["coughing"]),
        ("screams", ["screaming"]),
        ("gasps", ["gasping"]),
        ("BLANK_AUDIO", ["silence"]),
        ("foreign", ["speech"]),
        ("speaking Spanish", ["speech"]),
        ("gunshots", ["gunshot"]),
        ("gun fire", ["gunshot"]),
        ("música", ["music"]),
        ("vítores y aplausos", ["cheering", "applause"]),
        ("Ángeles ríe", ["laughter"]),
        ("Gelächter", ["laughter"]),
        ("Applaudissements", ["applause"]),
        ("Risate", ["laughter"]),
        ("音楽", ["music"]),
        ("拍手と歓声", ["applause", "cheering"]),
        ("음악", ["music"]),
        ("музыка", ["music"]),
        ("door slams", ["door slams"]),
        ("Phone ringing", ["phone ringing"]),
        ("Thunder", ["thunder"]),
        ("DOOR CREAKS", ["door creaks"]),
        ("portazo", ["portazo"]),
        ("*", []),
        ("", []),
    ],
)
def test_a_tag_is_told_in_few_words(tag: str, labels: list[str]) -> None:
    assert list(labels_of(tag) or ()) == labels


@pytest.mark.parametrize(
    "name", ["John", "Young Ann", "joven Francisco", "man", "hombre", "Speaker 1", "host:", "Dr. Who"]
)
def test_the_name_of_a_speaker_is_neither_a_sound_nor_a_word(tmp_path: Path, name: str) -> None:
    assert labels_of(name) == ()
    transcript = cue(tmp_path, f"[{name}] Hello there")
    assert [word.text for word in transcript.words] == ["Hello", "there"] and not transcript.sounds


def test_a_name_in_capitals_is_known_by_the_speech_behind_it() -> None:
    assert labels_of("JOHN", followed=True) == () and labels_of("JOHN", followed=False) == ("john",)
    assert labels_of("田中", followed=True) == ()


def test_marks_of_another_speaker_are_neither(tmp_path: Path) -> None:
    transcript = cue(tmp_path, ">> Who?\n- Me.\n&gt;&gt; [laughter]")
    assert [word.text for word in transcript.words] == ["Who?", "Me."]
    assert [event.label for event in transcript.sounds] == ["laughter"]


@pytest.mark.parametrize("mask", ["[ __ ]", "[&nbsp;__&nbsp;]", "[__]", "[***]", "[ **** ]"])
def test_a_masked_word_is_a_word(tmp_path: Path, mask: str) -> None:
    transcript = cue(tmp_path, f"oh {mask} no")
    assert [word.text for word in transcript.words] == ["oh", "[__]", "no"] and not transcript.sounds


@pytest.mark.parametrize(
    "spoken",
    [
        "so (as I told you before) we left", "(yeah)", "well (this is music to my ears) fine", "(Let us go!)",
        "it costs (about twenty) euros", "(I laughed)", "he said (quietly, slowly) no",
        "(One of the best moments we had)",
    ],
)  # fmt: skip
def test_speech_in_parentheses_is_kept(tmp_path: Path, spoken: str) -> None:
    transcript = cue(tmp_path, spoken)
    assert [word.text for word in transcript.words] == spoken.split() and not transcript.sounds


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("(laughs) hello", "laughter"),
        ("hello (audience applauds)", "applause"),
        ("(DOOR SLAMS)\nhello", "door slams"),
        ("- (glass breaks)\nhello", "glass breaks"),
        ("（笑い） hello", "laughter"),
        ("【拍手】 hello", "applause"),
        ("(Laughs.) hello", "laughter"),
    ],
)
def test_a_short_parenthesis_that_names_a_sound_is_one(tmp_path: Path, text: str, label: str) -> None:
    transcript = cue(tmp_path, text)
    assert [word.text for word in transcript.words] == ["hello"]
    assert list(transcript.sounds) == [SoundEvent(1.0, 3.0, label)]


def test_brackets_too_long_for_a_tag_are_speech(tmp_path: Path) -> None:
    spoken = "[and this goes on for far more words than any tag would]"
    assert [word.text for word in cue(tmp_path, spoken).words] == spoken.split()


def test_notes_around_what_is_sung_are_music_and_the_song_is_words(tmp_path: Path) -> None:
    transcript = cue(tmp_path, "♪ la la land ♪")
    assert [word.text for word in transcript.words] == ["la", "la", "land"]
    assert list(transcript.sounds) == [SoundEvent(1.0, 3.0, "music")]


def test_a_tag_takes_the_time_of_the_piece_it_stands_in(tmp_path: Path) -> None:
    transcript = cue(tmp_path, "well<00:00:01.500><c> [laughter]</c><00:00:02.000><c> yes</c>")
    assert list(transcript.sounds) == [SoundEvent(1.5, 2.0, "laughter")]
    assert [(word.text, word.start_s) for word in transcript.words] == [("well", 1.0), ("yes", 2.0)]


def test_a_tag_that_rolls_on_is_one_event(tmp_path: Path) -> None:
    path = tmp_path / "a.vtt"
    path.write_text(
        "WEBVTT\n\n00:01.000 --> 00:05.000\n \n[music]\n\n00:05.000 --> 00:05.010\n \n \n\n"
        "00:05.010 --> 00:09.000\n \n[music]\n\n00:09.000 --> 00:09.010\n \n \n\n"
        "00:09.500 --> 00:10.000\n[music]\n"
    )
    assert list(read_captions(path, None).sounds) == [SoundEvent(1.0, 9.0, "music"), SoundEvent(9.5, 10.0, "music")]


@given(
    st.lists(
        st.builds(
            lambda start, length, label: SoundEvent(start, start + length, label),
            st.floats(0, 100), st.floats(0, 20), st.sampled_from(["music", "laughter", "bell"]),
        )
    )
)  # fmt: skip
def test_merged_events_cover_the_same_time_and_do_not_touch(events: list[SoundEvent]) -> None:
    found = merged(events)
    assert merged(found) == found == sorted(found, key=lambda event: (event.start_s, event.end_s, event.label))
    for event in events:
        assert any(
            kept.label == event.label and kept.start_s <= event.start_s and event.end_s <= kept.end_s for kept in found
        )


@given(st.text(max_size=200))
def test_every_label_is_short_small_and_not_empty(tag: str) -> None:
    for labels in (labels_of(tag), labels_of_parenthesis(tag, alone=True)):
        for label in labels or ():
            assert 0 < len(label) <= MAX_LABEL_CHARS and label == label.strip() and "\n" not in label


def test_events_go_through_the_notes_into_the_table() -> None:
    events = [SoundEvent(1.00049, 2.0, "laughter"), SoundEvent(3.0, 4.0, "door slams")]
    notes = to_notes(events)
    table = conform(SOUND_EVENTS, sound_table(notes, "v", "captions"))
    assert table.select(["event_index", "start_s", "end_s", "label", "source"]).to_pylist() == [
        {"event_index": 0, "start_s": 1.0, "end_s": 2.0, "label": "laughter", "source": "captions"},
        {"event_index": 1, "start_s": 3.0, "end_s": 4.0, "label": "door slams", "source": "captions"},
    ]
    assert digest_of(notes) != digest_of(notes[:1]) and digest_of([]) == digest_of([])
    assert conform(SOUND_EVENTS, sound_table([], "v", "none")).num_rows == 0
    assert len(to_notes([SoundEvent(0, 1, "x")] * (MAX_EVENTS + 5))) == MAX_EVENTS
