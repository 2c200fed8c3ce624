"""Sounds in captions, published, and as the UI is told of them."""

from __future__ import annotations

import json

import dagster as dg
import pytest

from klip_assets.contracts import SOUND_EVENTS, TRANSCRIPT_SOUNDS, TRANSCRIPT_WORDS
from klip_assets.defs.build import build_defs
from klip_assets.defs.instance import dagster_instance
from klip_assets.defs.runs import list_video
from klip_assets.settings import Settings
from klip_assets.store.lake.lake import Lake
from klip_assets_tests.made import write_vtt, write_wav
from klip_assets_tests.processed import process, query
from klip_assets_tests.worked import work

LAUGHING = [(1, 3, "[laughter] Better late"), (3, 5, "than never. [audience applauds]")]


def drop(settings: Settings) -> None:
    path = write_wav(settings.vod_inbox / "talk.wav", 6)
    write_vtt(path.with_name("talk.en.vtt"), LAUGHING)


@pytest.mark.slow
def test_sounds_of_captions_are_published_beside_the_words(settings: Settings) -> None:
    drop(settings)
    assert process(settings).ok
    assert query(settings, "SELECT * EXCLUDE video_id FROM sound_events ORDER BY event_index") == [
        {"event_index": 0, "start_s": 1.0, "end_s": 3.0, "label": "laughter", "source": "captions"},
        {"event_index": 1, "start_s": 3.0, "end_s": 5.0, "label": "applause", "source": "captions"},
    ]
    assert query(settings, "SELECT string_agg(word, ' ' ORDER BY word_index) AS t FROM transcript_words") == [
        {"t": "Better late than never."}
    ]


def test_the_list_of_sounds_stands_in_a_table_and_not_in_footer_or_metadata(settings: Settings, lake: Lake) -> None:
    drop(settings)
    assert work(settings).ok
    provenance = lake.provenance(TRANSCRIPT_WORDS, "talk")
    assert provenance and "laughter" not in provenance.to_json()
    assert lake.read(TRANSCRIPT_SOUNDS, "talk")["label"].to_pylist() == ["laughter", "applause"]
    with dagster_instance(settings) as instance:
        list_video(instance, "talk")
        job = build_defs().resolve_implicit_global_asset_job_def()
        keys = [dg.AssetKey([table]) for table in ("videos", "transcript_words", "sound_events")]
        result = job.execute_in_process(asset_selection=keys, partition_key="talk", instance=instance)
        event = result.asset_materializations_for_node("transcript_words")[0]
        assert event.metadata["note/sounds"].value == 2
        assert "laughter" not in json.dumps({name: str(value.value) for name, value in event.metadata.items()})
        event = result.asset_materializations_for_node("sound_events")[0]
        assert event.metadata["dagster/partition_row_count"].value == 2
    assert lake.read(SOUND_EVENTS, "talk").num_rows == 2
