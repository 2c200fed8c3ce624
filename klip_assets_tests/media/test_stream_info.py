"""The yt-dlp sidecar: read leniently, amended without loss."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from klip_assets.errors import UnreadableSidecarError
from klip_assets.media.info import StreamInfo, read_info, write_info


def written(tmp_path: Path, fields: object) -> Path:
    path = tmp_path / "stream.info.json"
    path.write_text(json.dumps(fields))
    return path


def test_a_yt_dlp_file_is_read(tmp_path: Path) -> None:
    info = read_info(
        written(
            tmp_path,
            {
                "title": " Ranked until I win ",
                "uploader": "someone",
                "extractor_key": "TwitchVod",
                "webpage_url": "https://www.twitch.tv/videos/1",
                "timestamp": 1_700_000_000,
                "formats": [{"url": "x"}],
            },
        )
    )
    assert info == StreamInfo(
        "Ranked until I win",
        "someone",
        "twitch",
        "https://www.twitch.tv/videos/1",
        datetime(2023, 11, 14, 22, 13, 20),
    )


@pytest.mark.parametrize(
    ("name", "platform"),
    [("TwitchVod", "twitch"), ("Youtube", "youtube"), ("TwitchStream", "twitch"), ("Kick", "kick"), ("Vod", "vod")],
)
def test_extractors_are_named_as_people_name_platforms(tmp_path: Path, name: str, platform: str) -> None:
    assert read_info(written(tmp_path, {"extractor_key": name})).platform == platform


def test_an_extractor_with_a_colon_is_named_by_what_stands_before_it(tmp_path: Path) -> None:
    assert read_info(written(tmp_path, {"extractor": "twitch:vod"})).platform == "twitch"


def test_entries_of_an_unexpected_type_count_as_absent(tmp_path: Path) -> None:
    fields = {"title": 7, "channel": None, "extractor_key": ["x"], "webpage_url": "  ", "timestamp": "yesterday"}
    assert read_info(written(tmp_path, fields)) == StreamInfo()


@pytest.mark.parametrize("value", [1e300, -1e300, float("nan"), float("inf"), True, 10**400])
def test_times_out_of_reach_are_unknown(tmp_path: Path, value: object) -> None:
    assert read_info(written(tmp_path, {"timestamp": value})).started_at is None


@pytest.mark.parametrize(
    "value",
    [1_700_000_000.0, "1700000000", 1_700_000_000_000, "2023-11-14T22:13:20Z", "2023-11-14 23:13:20+01:00"],
)
def test_a_start_is_understood_also_as_text_or_in_milliseconds(tmp_path: Path, value: object) -> None:
    assert read_info(written(tmp_path, {"timestamp": value})).started_at == datetime(2023, 11, 14, 22, 13, 20)


@pytest.mark.parametrize(
    ("value", "section_s"), [(600, 600.0), ("600.5", 600.5), ("soon", 0.0), (10**400, 0.0), (-5, 0.0), (True, 0.0)]
)
def test_a_section_begins_at_a_number_of_seconds(tmp_path: Path, value: object, section_s: float) -> None:
    assert read_info(written(tmp_path, {"section_start": value})).section_s == section_s


def test_the_release_time_of_a_stream_goes_before_its_upload_time(tmp_path: Path) -> None:
    info = read_info(written(tmp_path, {"release_timestamp": 0, "timestamp": 1_700_000_000}))
    assert info.started_at == datetime(1970, 1, 1)


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "bom.info.json"
    path.write_bytes(b"\xef\xbb\xbf" + b'{"title": "ok"}')
    assert read_info(path).title == "ok"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"text"', b"\xff\xfe\x00", b"[" * 100_000])
def test_a_broken_file_is_an_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.info.json"
    path.write_bytes(content)
    with pytest.raises(UnreadableSidecarError, match=r"broken\.info\.json"):
        read_info(path)


def test_half_a_surrogate_pair_does_not_reach_the_tables(tmp_path: Path) -> None:
    path = tmp_path / "odd.info.json"
    path.write_text('{"title": "a \\ud83d b"}')
    title = read_info(path).title
    assert title is not None and title.encode()
    write_info(path, channel="c")
    assert read_info(path).channel == "c"


def test_writing_adds_what_is_said_and_keeps_the_rest(tmp_path: Path) -> None:
    path = written(tmp_path, {"title": "old", "channel": "c", "formats": [1]})
    write_info(path, title="über 🎮", channel=None)
    assert json.loads(path.read_text(encoding="utf-8")) == {"title": "über 🎮", "channel": "c", "formats": [1]}


def test_writing_makes_a_file_where_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "new.info.json"
    write_info(path, title="t")
    assert read_info(path) == StreamInfo(title="t")


def test_writing_leaves_a_broken_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "broken.info.json"
    path.write_text("[1]")
    with pytest.raises(UnreadableSidecarError):
        write_info(path, title="t")
    assert path.read_text() == "[1]"


def test_a_file_without_end_is_not_read_into_memory(tmp_path: Path) -> None:
    path = tmp_path / "stream.info.json"
    with path.open("wb") as file:
        file.truncate(10 << 30)  # A hole: it takes no space.
    with pytest.raises(UnreadableSidecarError, match="larger than the 32 MB"):
        read_info(path)


@pytest.mark.parametrize(
    ("fields", "game"),
    [
        ({"game": "Elden Ring", "categories": ["Chess"]}, "Elden Ring"),
        ({"categories": ["Gaming"]}, None),
        ({"categories": ["Just Chatting", "Celeste"]}, "Celeste"),
        ({"categories": "Celeste", "chapters": 3}, None),
        (
            {
                "extractor_key": "TwitchVod",
                "chapters": [
                    {"title": "Just Chatting", "start_time": 0, "end_time": 5000},
                    {"title": "Celeste", "start_time": 5000, "end_time": 6000},
                    {"title": "Hades", "start_time": 6000, "end_time": 8000},
                    {"title": "Celeste", "start_time": 8000, "end_time": 9500},
                    {"title": None, "start_time": 0, "end_time": 99999},
                    "junk",
                ],
            },
            "Celeste",
        ),
        ({"extractor_key": "Youtube", "chapters": [{"title": "Intro", "start_time": 0, "end_time": 60}]}, None),
    ],
)
def test_the_game_is_what_is_said_to_be_played_longest(
    tmp_path: Path, fields: dict[str, object], game: str | None
) -> None:
    assert read_info(written(tmp_path, fields)).game == game
