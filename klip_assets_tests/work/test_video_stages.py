"""Recordings, from the inbox to published rows: changed, late, odd, broken."""

from __future__ import annotations

import json
import shutil

from klip_assets.contracts import VIDEOS, Subject
from klip_assets.settings import Settings
from klip_assets.store.lake.generations import accepted_generation
from klip_assets.store.lake.lake import Lake
from klip_assets.work.acceptance import consider
from klip_assets.work.installation import Installation
from klip_assets_tests.made import write_vtt, write_wav
from klip_assets_tests.processed import drop_stream, query, versions
from klip_assets_tests.worked import run_stages, work


def test_an_unfinished_transcript_that_a_killed_run_left_beside_a_whole_one_is_removed(settings: Settings) -> None:
    drop_stream(settings)
    work(settings)
    left = settings.chunk_log("stream")
    left.parent.mkdir(parents=True, exist_ok=True)
    left.write_text('{"version": "of the killed run"}\n')
    work(settings, videos=["stream"])
    assert not left.exists()


def test_a_changed_file_under_the_same_name_is_processed_again(settings: Settings, lake: Lake) -> None:
    drop_stream(settings)
    work(settings)
    before = versions(lake, "stream")
    write_wav(settings.vod_inbox / "stream.wav", 70, seed=5, loud=[(10, 14)])
    assert work(settings).outcomes["stream"] == "done"
    after = versions(lake, "stream")
    assert after["audio_features"] != before["audio_features"]
    assert after["transcript_words"] == before["transcript_words"]


def test_a_chat_that_arrives_late_is_taken_in(settings: Settings) -> None:
    path = write_wav(settings.vod_inbox / "late.wav", 6)
    work(settings)
    path.with_name("late.chat.csv").write_text("offset_s,author,text\n1,ann,hello\n2,bob,hi\n")
    work(settings)
    assert query(settings, "SELECT count(*) AS n FROM chat_messages") == [{"n": 2}]
    assert query(settings, "SELECT has_chat FROM videos") == [{"has_chat": True}]


def test_two_files_of_one_stem_are_two_videos(settings: Settings) -> None:
    from klip_assets.media.probe import probe

    write_wav(settings.vod_inbox / "test1.wav", 3, seed=1)
    shutil.copy(write_wav(settings.vod_inbox / "x" / "tmp.wav", 3, seed=2), settings.vod_inbox / "test1.aif")
    shutil.rmtree(settings.vod_inbox / "x")
    assert probe(settings.vod_inbox / "test1.aif").audio_codec
    work(settings)
    assert [row["video_id"] for row in query(settings, "SELECT video_id FROM videos ORDER BY 1")] == [
        "test1",
        "test1-wav",
    ]


def test_the_same_content_under_another_name_is_a_duplicate(settings: Settings) -> None:
    path = write_wav(settings.vod_inbox / "one.wav", 4)
    work(settings)
    shutil.copy(path, settings.vod_inbox / "two.wav")
    assert work(settings).outcomes["two"] == "done"
    row = query(settings, "SELECT status, duplicate_of FROM videos WHERE video_id = 'two'")[0]
    assert row == {"status": "duplicate", "duplicate_of": "one"}
    assert query(settings, "SELECT DISTINCT video_id FROM audio_features") == [{"video_id": "one"}]


def test_content_that_fails_is_tried_once_and_again_when_it_changes(settings: Settings) -> None:
    bad = settings.vod_inbox / "bad.mp4"
    bad.write_text("this is no video")
    work(settings)
    assert work(settings).outcomes == {}
    bad.write_text("still no video")
    assert work(settings).outcomes["bad"] == "failed"


def test_a_video_that_becomes_unreadable_keeps_its_published_rows(settings: Settings, lake: Lake) -> None:
    drop_stream(settings)
    work(settings)
    (settings.vod_inbox / "stream.wav").write_text("overwritten")
    assert work(settings).outcomes["stream"] == "failed"
    assert query(settings, "SELECT status FROM videos") == [{"status": "ok"}]
    assert query(settings, "SELECT count(*) AS n FROM highlights")[0]["n"] > 0
    assert lake.read(VIDEOS, "stream")["status"].to_pylist() == ["unreadable"]


def test_captions_that_reach_over_the_end_are_cut_there_and_named(settings: Settings) -> None:
    path = write_wav(settings.vod_inbox / "short.wav", 5)
    write_vtt(path.with_name("short.en.vtt"), [(1, 2, "Hello."), (3, 9, "See you soon"), (6, 8, "Or not.")])
    assert work(settings).outcomes["short"] == "done"
    (video,) = query(settings, "SELECT status, error FROM videos")
    assert video["status"] == "partial" and "2 captions reach over the end" in video["error"]
    words = query(settings, "SELECT word, end_s FROM transcript_words ORDER BY word_index")
    assert [row["word"] for row in words] == ["Hello.", "See", "you", "soon"] and words[-1]["end_s"] == 5
    refused = query(settings, "SELECT position, reason FROM quarantine ORDER BY position")
    assert [row["position"] for row in refused] == ["line 6", "line 9"]


def test_captions_of_another_recording_are_not_used_and_the_next_source_is(settings: Settings) -> None:
    path = write_wav(settings.vod_inbox / "part.wav", 5)
    write_vtt(path.with_name("part.en.vtt"), [(601, 602, "Captions of"), (603, 604, "the whole stream.")])
    write_vtt(path.with_name("part.de.vtt"), [(1, 2, "Guten Tag.")])
    assert work(settings).outcomes["part"] == "done"
    (video,) = query(settings, "SELECT status, error FROM videos")
    assert video["status"] == "partial" and "part.en.vtt: 2 of 2 captions lie outside" in video["error"]
    assert query(settings, "SELECT DISTINCT language FROM transcript_words") == [{"language": "de"}]
    assert query(settings, "SELECT source_file, position, reason FROM quarantine") == [
        {"source_file": "part.en.vtt", "position": "file", "reason": "outside the recording"}
    ]


def test_an_implausible_transcript_is_named_and_the_next_source_is_used(settings: Settings) -> None:
    path = write_wav(settings.vod_inbox / "part.wav", 5)
    segments = [{"start": n / 1e6, "end": n / 1e6 + 1e-9, "text": "far too fast"} for n in range(20)]
    path.with_name("part.en.json").write_text(json.dumps({"segments": segments}))
    write_vtt(path.with_name("part.de.vtt"), [(1, 2, "Guten Tag.")])
    assert work(settings).outcomes["part"] == "done"
    (video,) = query(settings, "SELECT status, error FROM videos")
    assert video["status"] == "partial" and "part.en.json: implausible times: 60 words" in video["error"]
    assert query(settings, "SELECT DISTINCT language FROM transcript_words") == [{"language": "de"}]
    assert query(settings, "SELECT source_file, reason FROM quarantine") == [
        {"source_file": "part.en.json", "reason": "implausible times"}
    ]


def test_a_transcript_in_another_unit_is_moved_and_its_recording_is_published(settings: Settings) -> None:
    path = write_wav(settings.vod_inbox / "part.wav", 5)
    path.with_name("part.en.json").write_text('{"segments": [{"start": 1000, "end": 2000, "text": "so this"}]}')
    assert work(settings).outcomes["part"] == "done"
    assert query(settings, "SELECT status FROM videos") == [{"status": "ok"}]
    assert query(settings, "SELECT word, start_s FROM transcript_words") == [
        {"word": "so", "start_s": 1.0}, {"word": "this", "start_s": 1.375}
    ]  # fmt: skip
    assert query(settings, "SELECT reason FROM quarantine") == [{"reason": "times in another unit"}]


def test_captions_of_the_whole_stream_are_moved_where_a_sidecar_says_which_section_it_is(settings: Settings) -> None:
    path = write_wav(settings.vod_inbox / "part.wav", 5)
    path.with_name("part.info.json").write_text('{"section_start": 600, "section_end": 605}')
    rest = [(float(n), n + 0.5, "Elsewhere.") for n in (*range(20, 600, 20), *range(610, 900, 20))]
    write_vtt(path.with_name("part.en.vtt"), [*rest, (601, 602, "Inside."), (602, 603, "Too.")])
    assert work(settings).outcomes["part"] == "done"
    assert query(settings, "SELECT status, error FROM videos") == [{"status": "ok", "error": None}]
    (refused,) = query(settings, "SELECT reason, detail FROM quarantine")
    assert refused == {
        "reason": "outside this section of the stream",
        "detail": f"{len(rest)} cues; it is 600.0 to 605.0 s of it",
    }
    words = query(settings, "SELECT word, start_s FROM transcript_words ORDER BY word_index")
    assert words == [{"word": "Inside.", "start_s": 1.0}, {"word": "Too.", "start_s": 2.0}]


def test_broken_captions_are_named_and_the_next_source_is_used(settings: Settings) -> None:
    path = write_wav(settings.vod_inbox / "talk.wav", 5)
    path.with_name("talk.en.vtt").write_bytes(b"\x00\x01 not captions")
    write_vtt(path.with_name("talk.de.vtt"), [(1, 2, "Guten Tag.")])
    assert work(settings).outcomes["talk"] == "done"
    assert query(settings, "SELECT DISTINCT language FROM transcript_words") == [{"language": "de"}]
    refused = query(settings, "SELECT source_file, position FROM quarantine")
    assert refused == [{"source_file": "talk.en.vtt", "position": "file"}]


def test_a_broken_chat_or_info_file_is_named_and_the_video_goes_on(settings: Settings) -> None:
    path = write_wav(settings.vod_inbox / "talk.wav", 5)
    path.with_name("talk.chat.json").write_text("{")
    path.with_name("talk.info.json").write_text("[1, 2]")
    assert work(settings).outcomes["talk"] == "done"
    refused = query(settings, "SELECT source_file, table_name FROM quarantine ORDER BY 1")
    assert refused == [
        {"source_file": "talk.chat.json", "table_name": "chat_messages"},
        {"source_file": "talk.info.json", "table_name": "videos"},
    ]


def test_a_recording_without_sound_is_covered_by_segments_and_has_unknown_terms(settings: Settings) -> None:
    import av
    import numpy as np

    with av.open(str(settings.vod_inbox / "mute.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for i in range(50):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), i * 5, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    assert work(settings).outcomes["mute"] == "done"
    assert query(settings, "SELECT status FROM videos") == [{"status": "no_audio"}]
    row = query(
        settings,
        "SELECT speech_rate_wps, loudness_lufs, score FROM segments JOIN segment_scores USING (segment_index)",
    )
    assert row == [{"speech_rate_wps": None, "loudness_lufs": None, "score": None}]
    assert query(settings, "SELECT count(*) AS n FROM highlights") == [{"n": 0}]


def test_digital_silence_is_a_warning_not_a_failure(settings: Settings) -> None:
    import wave

    with wave.open(str(settings.vod_inbox / "silent.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(bytes(2 * 16000 * 3))
    assert work(settings).outcomes["silent"] == "done"
    assert query(settings, "SELECT status FROM videos") == [{"status": "silent"}]


def test_a_name_with_everything_odd_in_it_is_processed(settings: Settings) -> None:
    name = '-we\'ird; "näme" $(touch x)\n *.wav'
    write_wav(settings.vod_inbox / name, 3)
    done = work(settings)
    assert done.ok, done.problems
    assert query(settings, "SELECT source_path FROM videos") == [{"source_path": name}]


def test_sidecar_metadata_is_in_the_row(settings: Settings) -> None:
    path = write_wav(settings.vod_inbox / "talk.wav", 3)
    path.with_name("talk.info.json").write_text(
        '{"title": "A talk", "channel": "ann", "extractor_key": "TwitchVod", "timestamp": 1781373600}'
    )
    work(settings)
    row = query(settings, "SELECT title, channel, platform, started_at::VARCHAR AS started_at FROM videos")[0]
    assert row == {"title": "A talk", "channel": "ann", "platform": "twitch", "started_at": "2026-06-13 18:00:00"}


def test_rows_made_from_an_older_input_are_not_published(settings: Settings, lake: Lake) -> None:
    drop_stream(settings)
    work(settings)
    write_vtt(settings.vod_inbox / "stream.en.vtt", [(2, 4, "Something else is said now.")])
    made = run_stages(Installation(settings), [Subject.video("stream")], ["videos", "transcript_words"], force=True)
    assert made == []
    accepted = accepted_generation(lake, Subject.video("stream"))
    reasons = consider(lake, Subject.video("stream"))
    assert any("older" in reason for reason in reasons), reasons
    assert accepted_generation(lake, Subject.video("stream")) == accepted
    published = query(settings, "SELECT text FROM segments ORDER BY segment_index")
    assert "calm walk" in published[0]["text"]
