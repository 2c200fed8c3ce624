"""Sounds in captions as a table of their own, and transcripts of recognizers as a source of words."""

from __future__ import annotations

import json

import pytest

from klip_assets.contracts import TRANSCRIPT_WORDS, Subject
from klip_assets.settings import Settings
from klip_assets.store.lake.generations import accepted_generation
from klip_assets.store.lake.lake import Lake
from klip_assets.work.acceptance import consider
from klip_assets.work.installation import Installation
from klip_assets_tests.made import write_vtt, write_wav
from klip_assets_tests.processed import query
from klip_assets_tests.worked import run_stages, work

LAUGHING = [(1, 3, "[laughter] Better late"), (3, 5, "than never. [audience applauds]")]
CRYING = [(1, 3, "[crying] Better late"), (3, 5, "than never. [audience applauds]")]


def drop(settings: Settings, cues: list[tuple[float, float, str]]) -> None:
    path = write_wav(settings.vod_inbox / "talk.wav", 6)
    write_vtt(path.with_name("talk.en.vtt"), cues)


def test_a_video_without_captions_has_no_sound_events_and_is_published(settings: Settings) -> None:
    write_wav(settings.vod_inbox / "talk.wav", 3)
    assert work(settings).ok
    assert query(settings, "SELECT count(*) AS n FROM sound_events") == [{"n": 0}]


def test_other_sounds_between_equal_words_are_not_taken_for_unchanged(settings: Settings, lake: Lake) -> None:
    drop(settings, LAUGHING)
    work(settings)
    before = lake.provenance(TRANSCRIPT_WORDS, "talk")
    drop(settings, CRYING)
    assert work(settings).ok
    after = lake.provenance(TRANSCRIPT_WORDS, "talk")
    assert before and after and before.data_version == after.data_version
    assert [row["label"] for row in query(settings, "SELECT label FROM sound_events ORDER BY event_index")] == [
        "crying",
        "applause",
    ]


@pytest.mark.parametrize("cues", [CRYING, [(1, 3, "Better late"), (3, 5, "than never.")]])
def test_sounds_made_from_an_older_transcript_are_not_published(
    settings: Settings, lake: Lake, cues: list[tuple[float, float, str]]
) -> None:
    drop(settings, LAUGHING)
    work(settings)
    accepted = accepted_generation(lake, Subject.video("talk"))
    drop(settings, cues)
    here, talk = Installation(settings), [Subject.video("talk")]
    assert run_stages(here, talk, ["videos", "transcript_words"], force=True) == []
    reasons = consider(lake, Subject.video("talk"))
    assert "sound_events was built from older sounds" in reasons
    assert accepted_generation(lake, Subject.video("talk")) == accepted
    assert run_stages(here, talk, ["sound_events"], force=True) == []
    assert "sound_events was built from older sounds" not in consider(lake, Subject.video("talk"))


def test_the_transcript_of_a_recognizer_gives_the_words_with_their_confidence(settings: Settings) -> None:
    path = write_wav(settings.vod_inbox / "talk.wav", 6)
    words = [{"word": " Hello", "start": 1.0, "end": 1.5, "probability": 0.9}]
    path.with_name("talk.json").write_text(
        json.dumps({"segments": [{"start": 1, "end": 2, "text": " Hello", "words": words}], "language": "de"})
    )
    assert work(settings).ok
    assert query(settings, "SELECT * EXCLUDE (video_id, word_index, end_s, sentence_index) FROM transcript_words") == [
        {
            "word": "Hello", "start_s": 1.0, "confidence": 0.9, "language": "de", "engine": "captions",
            "engine_model": "talk.json",
        }
    ]  # fmt: skip


def test_json_that_is_not_a_transcript_is_named_and_the_next_source_is_used(settings: Settings) -> None:
    path = write_wav(settings.vod_inbox / "talk.wav", 6)
    path.with_name("talk.json").write_text('{"words": [{"word": "x", "start": "never"}], "about": "something else"}')
    path.with_name("talk.heatmap.json").write_text("{}")
    write_vtt(path.with_name("talk.de.vtt"), [(1, 2, "Guten Tag.")])
    assert work(settings).ok
    assert query(settings, "SELECT DISTINCT language FROM transcript_words") == [{"language": "de"}]
    refused = query(settings, "SELECT source_file, reason, detail FROM quarantine ORDER BY source_file")
    assert [row["source_file"] for row in refused] == ["talk.heatmap.json", "talk.json"]
    assert "with an unknown ending" in refused[0]["reason"] + refused[0]["detail"]
    assert "none of its words can be used" in refused[1]["detail"]
