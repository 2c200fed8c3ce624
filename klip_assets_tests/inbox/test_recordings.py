from __future__ import annotations

import os
import tempfile
from pathlib import Path, PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klip_assets.inbox.fingerprint import END_BYTES, SAMPLE_BYTES, SAMPLES, fingerprint, sampled_hash
from klip_assets.inbox.media_files import is_recording
from klip_assets.inbox.recordings import read_inbox, recording_at, recording_with_rest, sidecar_stem
from klip_assets.inbox.sidecars import Kind, Role, role_of
from klip_assets.store.state.video_ids import slug_of, video_id_for


def drop(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def test_sidecars_go_with_the_recording_of_their_stem(tmp_path: Path) -> None:
    drop(tmp_path, "talk.mp4", "talk.info.json", "talk.en.vtt", "talk.pt-BR.srt", "talk.chat.json", "talk 2.mp4")
    one, other = sorted(read_inbox(tmp_path).recordings, key=lambda r: r.name, reverse=True)
    assert one.name == "talk.mp4"
    assert [(language, path.name) for language, path in one.captions] == [
        ("en", "talk.en.vtt"), ("pt-BR", "talk.pt-BR.srt")
    ]  # fmt: skip
    assert one.info and one.chat and one.chat.name == "talk.chat.json"
    assert other.files == (tmp_path / "talk 2.mp4",)


def test_a_caption_file_without_language_is_found(tmp_path: Path) -> None:
    drop(tmp_path, "v1.2 final.mp4", "v1.2 final.srt", "plain.mkv", "plain.vtt")
    captions = {r.path.stem: r.captions for r in read_inbox(tmp_path).recordings}
    assert [path.name for _, path in captions["v1.2 final"]] == ["v1.2 final.srt"]
    assert captions["plain"][0][0] == ""


def test_captions_and_transcripts_of_every_kind_are_found_with_their_language(tmp_path: Path) -> None:
    drop(
        tmp_path, "talk.mp4", "talk.sbv", "talk.en.sbv", "talk.de.ttml", "talk.dfxp", "talk.en.json3", "talk.json",
        "talk.pt-BR.json", "talk.transcript.json", "talk.whisper.json", "talk.en.whisper.json", "talk.deepgram.json",
        "talk.assemblyai.json", "talk.zh-Hans.words.json", "talk.info.json", "talk.chat.json",
    )  # fmt: skip
    contents = read_inbox(tmp_path)
    (recording,) = contents.recordings
    assert {path.name: language for language, path in recording.captions} == {
        "talk.sbv": "", "talk.en.sbv": "en", "talk.de.ttml": "de", "talk.dfxp": "", "talk.en.json3": "en",
        "talk.json": "", "talk.pt-BR.json": "pt-BR", "talk.transcript.json": "", "talk.whisper.json": "",
        "talk.en.whisper.json": "en", "talk.deepgram.json": "", "talk.assemblyai.json": "",
        "talk.zh-Hans.words.json": "zh-Hans",
    }  # fmt: skip
    assert recording.info == tmp_path / "talk.info.json" and recording.chat == tmp_path / "talk.chat.json"
    assert contents.unknown == []


def test_json_of_other_names_beside_a_recording_is_named_and_taken_for_nothing(tmp_path: Path) -> None:
    drop(
        tmp_path, "talk.mp4", "talk.comments.json", "talk.heatmap.json", "talk.raw.json", "other.json",
        "other.en.json", "other.whisper.json", "talk.en.info.json",
    )  # fmt: skip
    contents = read_inbox(tmp_path)
    assert contents.recordings[0].files == (tmp_path / "talk.mp4",)
    reasons = {path.name: why for path, why in contents.unknown}
    assert set(reasons) == {path.name for path in tmp_path.iterdir()} - {"talk.mp4"}
    for name in ("talk.comments.json", "talk.heatmap.json", "talk.raw.json"):
        assert reasons[name].startswith(
            "a JSON file beside a recording, but with an unknown ending; known: .info.json, .chat"
        )
    assert reasons["other.json"] == reasons["other.en.json"] == "unknown kind of file"
    assert reasons["other.whisper.json"] == "a sidecar without a recording named other beside it"


@pytest.mark.parametrize(
    "ending", ["chat.json", "live_chat.json", "chat.jsonl", "chat.csv", "live_chat.json.gz", "CHAT.CSV.GZ"]
)
def test_a_chat_log_is_found_under_every_ending(tmp_path: Path, ending: str) -> None:
    drop(tmp_path, "talk.v1.mp4", f"talk.v1.{ending}")
    contents = read_inbox(tmp_path)
    assert contents.recordings[0].chat == tmp_path / f"talk.v1.{ending}"
    assert (contents.recordings[0].captions, contents.unknown) == ((), [])
    assert sidecar_stem(tmp_path / f"talk.v1.{ending}") == "talk.v1"


def test_of_two_chat_logs_one_is_read_and_the_other_is_named(tmp_path: Path) -> None:
    drop(tmp_path, "talk.mp4", "talk.chat.json", "talk.live_chat.json", "lost.chat.csv")
    contents = read_inbox(tmp_path)
    assert contents.recordings[0].files == (tmp_path / "talk.mp4", tmp_path / "talk.chat.json")
    assert {path.name: why for path, why in contents.unknown} == {
        "lost.chat.csv": "a sidecar without a recording named lost beside it",
        "talk.live_chat.json": "a second chat log of talk; only the first by name is read",
    }


def test_a_name_whose_last_part_looks_like_a_language_is_not_a_stray_sidecar(tmp_path: Path) -> None:
    drop(tmp_path, "v1.final.mp4", "v1.final.vtt", "v1.final.whisper.json")
    contents = read_inbox(tmp_path)
    assert [(language, path.name) for language, path in contents.recordings[0].captions] == [
        ("", "v1.final.vtt"), ("", "v1.final.whisper.json")
    ]  # fmt: skip
    assert contents.unknown == []


def test_folders_are_read_and_do_not_mix(tmp_path: Path) -> None:
    drop(tmp_path, "a/x.mp4", "b/x.mp4", "b/x.en.vtt")
    found = {r.name: len(r.captions) for r in read_inbox(tmp_path).recordings}
    assert found == {"a/x.mp4": 0, "b/x.mp4": 1}


def test_unfinished_files_are_passed_over_and_hidden_ones_named_if_they_could_be_ours(tmp_path: Path) -> None:
    drop(
        tmp_path, "a.mp4.part", ".b.mp4", ".trash/c.mp4", "d.mp4.crdownload", ".b.vtt", "._b.mp4", ".DS_Store",
        ".b.mp4.part", ".b.mp4.Xy12",
    )  # fmt: skip
    (tmp_path / "e.mp4").symlink_to(tmp_path / "nowhere.mp4")
    contents = read_inbox(tmp_path)
    assert contents.recordings == []
    assert sorted((path.name, why) for path, why in contents.unknown) == [
        (".b.mp4", "hidden: its name begins with a dot"), (".b.vtt", "hidden: its name begins with a dot")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rest", "role"),
    [
        (".vtt", Role(Kind.WORDS)), (".en.vtt", Role(Kind.WORDS, "en")), (".german.srt", Role(Kind.WORDS, "german")),
        (".en-eEY6OEpapPo.vtt", Role(Kind.WORDS, "en")), (".zh-Hans.vtt", Role(Kind.WORDS, "zh-Hans")),
        (".wav.vtt", Role(Kind.WORDS)), (".mp4.en.srt", Role(Kind.WORDS, "en")), ("_en.srt", Role(Kind.WORDS, "en")),
        (" [de].vtt", Role(Kind.WORDS, "de")), ("_pt_BR.srt", Role(Kind.WORDS, "pt-BR")), (".tsv", Role(Kind.WORDS)),
        (".en.forced.srt", Role(Kind.WORDS, "en")), (".en.vtt.gz", Role(Kind.WORDS, "en")), (".srv3", Role(Kind.WORDS)),
        (".eng.whisper.json", Role(Kind.WORDS, "eng")), (" - Chat.json", Role(Kind.CHAT)),
        (".chat.txt", Role(Kind.CHAT)),
        (" (Live Chat).json", Role(Kind.CHAT)), ("_chat.csv", Role(Kind.CHAT)),
        (".live_chat.json.zst", Role(Kind.CHAT)),
        (".info.json", Role(Kind.INFO)), (".mp4.info.json", Role(Kind.INFO)),
        (".en.info.json", None), (".raw.json", None), ("_raw.srt", None),
        (".chapters.vtt", None), (".en.chapters.vtt", None), (".thumbnails.vtt", None), (".en.bak.srt", None),
        (".old.srt", None), (".copy.srt", None), (".backup.vtt", None), (".storyboard.vtt", None),
        (".sprite.vtt", None), (".Chapters.vtt.gz", None), (".chapters.en.vtt", None), (".chapters.json", None),
        (".txt", None),
        (".csv", None), (".stats.csv", None), (" 2.vtt", None), (".mp4", None), (".nfo", None), (".chat.vtt", None),
    ],
)  # fmt: skip
def test_the_rest_of_a_name_says_what_a_sidecar_is(rest: str, role: Role | None) -> None:
    assert role_of(rest) == role


@pytest.mark.parametrize(
    ("recording", "sidecar"),
    [
        ("talk.wav", "Talk.vtt"), ("TALK.wav", "talk.vtt"), ("talk.WAV", "talk.wav.vtt"),
        ("caf\u00e9.wav", "cafe\u0301.vtt"), ("cafe\u0301.wav", "caf\u00e9.vtt"), ("Stra\u00dfe.wav", "STRASSE.vtt"),
    ],
)  # fmt: skip
def test_names_that_look_the_same_belong_together(tmp_path: Path, recording: str, sidecar: str) -> None:
    drop(tmp_path, recording, sidecar)
    contents = read_inbox(tmp_path)
    assert [path.name for _, path in contents.recordings[0].captions] == [sidecar] and contents.unknown == []
    assert recording_at(tmp_path, tmp_path / recording) == contents.recordings[0]


def test_of_recordings_that_look_the_same_the_one_spelled_alike_has_the_sidecar(tmp_path: Path) -> None:
    drop(tmp_path, "talk.mp4", "Talk.mp4", "talk.vtt", "Talk.en.vtt")
    found = {recording.name: recording.files[1:] for recording in read_inbox(tmp_path).recordings}
    assert found == {"talk.mp4": (tmp_path / "talk.vtt",), "Talk.mp4": (tmp_path / "Talk.en.vtt",)}
    drop(tmp_path, "TALK.de.vtt")
    assert [(path.name, why) for path, why in read_inbox(tmp_path).unknown] == [
        ("TALK.de.vtt", "it may belong to Talk or to talk: name it exactly like one of them")
    ]
    for name, sidecars in found.items():
        at = recording_at(tmp_path, tmp_path / name)
        assert at and at.files[1:] == sidecars


def test_a_chat_that_is_named_like_a_transcript_is_known_by_its_content(tmp_path: Path) -> None:
    drop(tmp_path, "talk.mp4", "talk.en.json")
    (tmp_path / "talk.json").write_text('{"streamer": {"name": "s"}, "comments": [{"content_offset_seconds": 5}]}')
    (recording,) = read_inbox(tmp_path).recordings
    assert recording.chat == tmp_path / "talk.json"
    assert [path.name for _, path in recording.captions] == ["talk.en.json"]
    drop(tmp_path, "talk.chat.json")
    contents = read_inbox(tmp_path)
    assert contents.recordings[0].chat == tmp_path / "talk.chat.json"
    assert [why for _, why in contents.unknown] == ["a second chat log of talk; only the first by name is read"]


def test_what_lies_beside_a_recording_and_is_none_of_its_sidecars_is_told(tmp_path: Path) -> None:
    drop(
        tmp_path, "talk.mp4", "talk.vtt", ".talk.vtt", "talk_raw.srt", "talk.nfo", "talk 2.mp4", "talk 2.vtt",
        "other.nfo", "other.mp4", ".talk.swp",
    )  # fmt: skip
    recording, left = recording_with_rest(tmp_path / "talk.mp4")
    assert recording and recording.files == (tmp_path / "talk.mp4", tmp_path / "talk.vtt")
    assert {path.name: why.partition(";")[0].partition(":")[0] for path, why in left} == {
        ".talk.vtt": "hidden",
        "talk_raw.srt": "a file beside a recording, but with an unknown ending",
        "talk.nfo": "a file beside a recording, but with an unknown ending",
    }
    assert recording_with_rest(tmp_path / "gone.mp4") == (None, [])


WAVE = b"RIFF\x24\x00\x00\x00WAVEfmt "
FRAMES = b"\xff\xfb\x90\x64" + b"\0" * 400


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("talk.rec", WAVE, True), ("talk", WAVE, True), ("talk.rec", b"RIFF\x24\0\0\0WEBPVP8 ", False),
        ("talk.x", FRAMES, True),
        ("talk.bin", b"\0\0\0\x20ftypisom", True), ("photo.x", b"\0\0\0\x20ftypheic", False),
        ("talk.x", b"G" + b"\0" * 400, False),
        ("talk.x", (b"G" + b"\0" * 187) * 3, True), ("talk.x", b"\xff\xff\xff\xff" * 9, False), ("talk.x", b"", False),
        ("talk.x", b"GIF89a", False), ("talk.mp4.bak", WAVE, False), ("cover.jpg", WAVE, False),
        ("talk.tta", b"x", True),
        ("notes", b"Good morning", False), ("talk.x", b"\xff\xf1\x50\x80", True),
        ("talk.x", b"\xff\xfe\x41\x00", False),
    ],
)  # fmt: skip
def test_a_file_whose_suffix_says_nothing_is_a_recording_if_it_begins_like_one(
    tmp_path: Path, name: str, content: bytes, expected: bool
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert is_recording(path) is expected
    assert [recording.path for recording in read_inbox(tmp_path).recordings] == ([path] if expected else [])


def test_what_is_neither_recording_nor_sidecar_is_named(tmp_path: Path) -> None:
    drop(tmp_path, "notes.docx", "lost.en.vtt", "ok.mp4")
    reasons = {path.name: why for path, why in read_inbox(tmp_path).unknown}
    assert reasons == {
        "notes.docx": "unknown kind of file",
        "lost.en.vtt": "a sidecar without a recording named lost beside it",
    }


def test_a_name_that_is_not_utf8_can_be_shown(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9.mp4"
    Path(os.fsdecode(path)).write_bytes(b"x")
    assert read_inbox(tmp_path).recordings[0].name == "caf\\xe9.mp4"


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("a.chat.csv", "a"),
        ("a.b.INFO.json", "a.b"),
        ("a.en.vtt", "a"),
        ("a.srt", "a"),
        ("a.en.sbv", "a"),
        ("a.TTML", "a"),
        ("a.de.dfxp", "a"),
        ("a.en.json3", "a"),
        ("a.transcript.json", "a"),
        ("a.en.whisper.json", "a"),
        ("a.b.deepgram.json", "a.b"),
        ("a.AssemblyAI.json", "a"),
        ("a.words.json", "a"),
        ("a.json", None),
        ("a.en.json", None),
        (".whisper.json", None),
        ("a.mp4", None),
    ],
)
def test_sidecars_are_known_by_their_endings(name: str, stem: str | None) -> None:
    assert sidecar_stem(Path(name)) == stem


@given(st.text(max_size=200))
def test_a_slug_can_name_a_folder_and_a_sql_value(stem: str) -> None:
    slug = slug_of(stem)
    assert len(slug) <= 80
    assert all(c.isascii() and (c.isalnum() or c in "-_") for c in slug)
    assert not slug or slug[0].isalnum()


@pytest.mark.parametrize(
    ("name", "taken", "video_id"),
    [
        ("test1.mp3", set(), "test1"),
        ("test1.wav", {"test1"}, "test1-wav"),
        ("Ünïcode Straße!.mp4", set(), "unicode-strae"),
        ("../../etc/passwd.mp4", set(), "passwd"),
    ],
)
def test_ids_are_slugs_and_then_with_extension(name: str, taken: set[str], video_id: str) -> None:
    assert video_id_for(PurePath(name), taken) == video_id


def test_the_third_of_a_name_gets_digits_of_its_path() -> None:
    found = video_id_for(PurePath("b/test1.wav"), {"test1", "test1-wav"})
    assert found.startswith("test1-") and len(found) == len("test1-") + 6
    assert video_id_for(PurePath("日本.mp4"), set()).startswith("video-")


def test_a_fingerprint_ignores_times_and_sees_content_and_sidecars(tmp_path: Path) -> None:
    drop(tmp_path, "a.mp4")
    first = fingerprint(read_inbox(tmp_path).recordings[0])
    os.utime(tmp_path / "a.mp4", (1, 1))
    assert fingerprint(read_inbox(tmp_path).recordings[0]) == first
    drop(tmp_path, "a.en.vtt")
    with_captions = fingerprint(read_inbox(tmp_path).recordings[0])
    (tmp_path / "a.mp4").write_bytes(b"other")
    assert len({first, with_captions, fingerprint(read_inbox(tmp_path).recordings[0])}) == 3


def test_a_large_file_is_sampled_at_both_ends_and_between(tmp_path: Path) -> None:
    size = SAMPLES * SAMPLE_BYTES + 2 * END_BYTES + 5_000_000
    path = tmp_path / "large.mp4"
    with path.open("wb") as file:
        file.truncate(size)
    before = sampled_hash(path)
    for place in (0, size - 1, END_BYTES + 10):
        with path.open("r+b") as file:
            file.seek(place)
            file.write(b"\x01")
        after = sampled_hash(path)
        assert after != before
        before = after


def test_a_file_that_can_not_be_read_is_named_and_the_others_are_there(tmp_path: Path) -> None:
    drop(tmp_path, "good.mp4", "talk.mp4")
    (tmp_path / "bad.mp4").symlink_to("/proc/self/mem")  # Its first byte is an I/O error, whoever asks.
    (tmp_path / "talk.en.vtt").symlink_to("/proc/self/mem")
    contents = read_inbox(tmp_path)
    assert [recording.name for recording in contents.recordings] == ["good.mp4", "talk.mp4"]
    assert {path.name: why for path, why in contents.unknown} == {
        "bad.mp4": "can't be read: Input/output error", "talk.en.vtt": "can't be read: Input/output error"
    }  # fmt: skip


def test_pipes_sockets_devices_and_folders_are_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "device.mp4").symlink_to("/dev/zero")
    (tmp_path / "loop.mp4").symlink_to("loop.mp4")
    (tmp_path / "folder.mp4").mkdir()
    contents = read_inbox(tmp_path)
    assert contents.recordings == [] and contents.unknown == []


def test_a_link_to_a_file_is_followed_and_one_to_a_folder_is_not(tmp_path: Path) -> None:
    drop(tmp_path, "elsewhere/a.mp4", "inbox/b.mp4")
    (tmp_path / "inbox" / "linked.mp4").symlink_to(tmp_path / "elsewhere" / "a.mp4")
    (tmp_path / "inbox" / "folder").symlink_to(tmp_path / "elsewhere")
    assert [recording.name for recording in read_inbox(tmp_path / "inbox").recordings] == ["b.mp4", "linked.mp4"]


@given(
    stems=st.lists(st.sampled_from(["a", "ab", "a.b", "a[1]", "A", "a.en"]), min_size=1, max_size=4, unique=True),
    endings=st.lists(
        st.sampled_from(
            [
                ".vtt", ".en.vtt", ".de.srt", ".info.json", ".chat.json", ".chat.csv", ".live_chat.json", ".json",
                ".en.json", ".whisper.json", ".b.vtt", ".txt", ".part", ".mkv",
            ]
        ),
        max_size=6,
        unique=True,
    ),
)  # fmt: skip
def test_one_recording_is_found_as_a_look_at_the_whole_inbox_finds_it(stems: list[str], endings: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for stem in stems:
            for name in (f"{stem}.mp4", f".{stem}.vtt", *(stem + ending for ending in endings)):
                (root / name).write_text("x")
        for recording in read_inbox(root).recordings:
            assert recording_at(root, recording.path) == recording
        assert recording_at(root, root / "none.mp4") is None


def test_finding_one_recording_opens_no_file_of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.mp4", "a.en.vtt", "b.mp4", "b.en.vtt", "c.wav"):
        (tmp_path / name).write_text("x")
    opened: list[str] = []
    monkeypatch.setattr("klip_assets.inbox.recordings.unreadable", lambda path: opened.append(path.name))
    found = recording_at(tmp_path, tmp_path / "a.mp4")
    assert found is not None and [path.name for path in found.files] == ["a.mp4", "a.en.vtt"]
    assert sorted(opened) == ["a.en.vtt", "a.mp4"]
