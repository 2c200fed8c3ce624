"""Caption files: every spoken word once, at its time; nothing that is not spoken."""

from __future__ import annotations

import html
import os
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klip_assets.contracts import TRANSCRIPT_WORDS
from klip_assets.errors import UnreadableSidecarError
from klip_assets.signals.speech.captions.cues import read_cues
from klip_assets.signals.speech.captions.reader import gives_word_times, read_captions
from klip_assets.signals.speech.transcribe import best_captions, engine_for, transcribe
from klip_assets.signals.speech.words import Transcript
from klip_assets.store.lake.validate import conform

VTT = "WEBVTT\n\n00:00:01.000 --> 00:00:03.000\nHello there world\n\n00:05.500 --> 00:06.000 align:start\nSecond cue.\n"
SRT = "1\n00:00:01,000 --> 00:00:03,000\nHello there world\n\n2\n00:00:05,500 --> 00:00:06,000\nSecond cue.\n"
WORDS = ["Hello", "there", "world", "Second", "cue."]


def read(tmp_path: Path, content: str | bytes, name: str = "v.en.vtt") -> Transcript:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_captions(path, "en")


def texts(transcript: Transcript) -> list[str]:
    return [word.text for word in transcript.words]


def cue(text: str) -> str:
    return f"WEBVTT\n\n00:00:01.000 --> 00:00:03.000\n{text}\n"


@pytest.mark.parametrize(("content", "name"), [(VTT, "v.vtt"), (SRT, "v.srt"), (VTT, "really_vtt.srt")])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_both_formats_are_read_with_any_line_ends_and_unicode(
    tmp_path: Path, content: str, name: str, ends: str, encoding: str
) -> None:
    transcript = read(tmp_path, content.replace("\n", ends).encode(encoding), name)
    assert texts(transcript) == WORDS
    assert (transcript.words[0].start_s, transcript.words[3].start_s) == (1.0, 5.5)
    assert transcript.words[2].end_s == pytest.approx(3.0) and transcript.words[-1].end_s == pytest.approx(6.0)
    assert (transcript.engine, transcript.engine_model, transcript.language) == ("captions", name, "en")


def test_words_share_the_time_of_their_cue_by_length(tmp_path: Path) -> None:
    words = read(tmp_path, cue("a abcdefghi a")).words
    assert words[0].start_s == 1 and words[-1].end_s == pytest.approx(3)
    assert words[1].end_s - words[1].start_s == pytest.approx(5 * (words[0].end_s - words[0].start_s))
    assert all(word.confidence is None for word in words)


def test_windows_1252_is_read_byte_by_byte_so_that_one_bad_byte_spoils_nothing_else(tmp_path: Path) -> None:
    assert texts(read(tmp_path, cue("caf\u00e9 \u2026 ol\u00e9").encode("cp1252"))) == ["café", "…", "olé"]
    assert texts(read(tmp_path, cue("déjà x vu").encode().replace(b"x", b"\xe9"))) == ["déjà", "é", "vu"]


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("<v Roger Bingham><b>bold</b> <c.yellow.bg>move</c></v>", "bold move"),
        ("<i>one</i>\n<font color=\"#fff\">two</font> {\\an8}three", "one two three"),
        ("Tom &amp; Jerry &lt;3 it&#39;s &quot;ok&quot;&nbsp;now", "Tom & Jerry <3 it's \"ok\" now"),
        ("&amp;lt; stays", "&lt; stays"),
        ("I <3 you > me", "I <3 you > me"),
        ("[Music] hello (laughs) ♪ ♪ [door slams]", "hello"),
        ("[loud\nmusic] hello", "hello"),
        ("- Who?\n- Me.\n>> All.", "Who? Me. All."),
        ("&lrm;right\u200b way", "right way"),
        ("[Applause]", ""),
    ],
)  # fmt: skip
def test_markup_entities_and_sounds_are_no_words(tmp_path: Path, text: str, spoken: str) -> None:
    assert texts(read(tmp_path, cue(text))) == spoken.split()


def test_notes_styles_regions_and_identifiers_are_no_words(tmp_path: Path) -> None:
    content = (
        "WEBVTT - a title\nKind: captions\nLanguage: en\n\nSTYLE\n::cue { color: red; }\n\nREGION\nid:x\n\n"
        "NOTE not\nspoken\n\nintro\n00:01.000 --> 00:02.000\none\n\nNOTE again\n\n7\n00:03.000 --> 00:04.000\ntwo\n"
    )
    transcript = read(tmp_path, content)
    assert texts(transcript) == ["one", "two"] and not transcript.refused


def test_subrip_numbers_are_no_words_even_without_empty_lines(tmp_path: Path) -> None:
    content = (
        "1\n00:00:01,000 --> 00:00:02,000\none\n2\n00:00:03,000 --> 00:00:04,000\n\ntwo\n"
        "3\n00:00:05,000 --> 00:00:06,000\n"
    )
    assert texts(read(tmp_path, content, "v.srt")) == ["one", "two"]


def test_what_can_not_be_read_is_refused_with_its_line(tmp_path: Path) -> None:
    content = (
        "WEBVTT\n\n00:01.000 --> 00:02.000\none\n\nno times here\n\n00:03.000 --> 00:1d.000\nlost\n\n"
        "00:09.000 --> 00:08.000\nbackwards\n\n00:10.000 --> 00:11.000\ntwo\n"
    )
    transcript = read(tmp_path, content)
    assert texts(transcript) == ["one", "two"]
    assert {refused.position: refused.reason for refused in transcript.refused} == {
        "line 6": "text without times",
        "line 8": "unreadable times",
        "line 11": "cue ends before it starts",
    }


def test_inline_times_with_and_without_hours_are_used(tmp_path: Path) -> None:
    words = read(tmp_path, cue("one<00:00:01.500><c> two</c><00:02.250><c> three</c>")).words
    assert [(w.text, w.start_s, w.end_s) for w in words] == [
        ("one", 1.0, 1.5),
        ("two", 1.5, 2.25),
        ("three", 2.25, 3.0),
    ]


ROLLING = """WEBVTT

00:00:01.000 --> 00:00:03.000 align:start position:0%
 
so<00:00:01.500><c> this</c><00:00:02.000><c> is</c>

00:00:03.000 --> 00:00:03.010 align:start position:0%
so this is
 

00:00:03.010 --> 00:00:05.000 align:start position:0%
so this is
it.

00:00:05.000 --> 00:00:05.010 align:start position:0%
it.
 

00:00:05.010 --> 00:00:07.000 align:start position:0%
it.
it.

00:00:07.000 --> 00:00:07.010 align:start position:0%
it.
 

00:00:07.010 --> 00:00:09.000 align:start position:0%
it.
really<00:00:08.000><c> it</c>
"""  # noqa: W293


def test_rolling_captions_say_each_word_once_k20(tmp_path: Path) -> None:
    words = read(tmp_path, ROLLING).words
    assert [w.text for w in words] == ["so", "this", "is", "it.", "it.", "really", "it"]
    assert [w.start_s for w in words] == [1.0, 1.5, 2.0, 3.01, 5.01, 7.01, 8.0]


def test_rolling_captions_without_inline_times_say_each_word_once_k20(tmp_path: Path) -> None:
    content = re.sub(r"<[^>]*>", "", ROLLING)
    assert texts(read(tmp_path, content)) == ["so", "this", "is", "it.", "it.", "really", "it"]


def test_a_line_said_twice_in_ordinary_captions_counts_twice(tmp_path: Path) -> None:
    said = ["No.", "No.", "Why not?", "Because.", "I see.", "Do you?", "Yes.", "Then go.", "Now.", "Bye."]
    content = "".join(f"{i}\n00:00:{i:02},000 --> 00:00:{i:02},900\n{line}\n\n" for i, line in enumerate(said))
    assert texts(read(tmp_path, content, "v.srt")) == " ".join(said).split()


def test_real_youtube_captions_give_every_timed_word_at_its_time_and_once(shared_data: Path) -> None:
    path = shared_data / "fmt-youtube-autocaptions" / "transcript.en.vtt"
    transcript = read_captions(path, "en")
    timed = re.findall(r"<(\d\d):(\d\d):(\d\d\.\d+)><c>([^<]*)</c>", path.read_text(encoding="utf-8"))
    assert len(timed) == 19_345
    expected: Counter[tuple[int, str]] = Counter()
    tags: Counter[tuple[int, str]] = Counter()
    for hours, minutes, seconds, text in timed:
        at_ms = round(1000 * (int(hours) * 3600 + int(minutes) * 60 + float(seconds)))
        token = html.unescape(text).strip().replace("[\xa0__\xa0]", "[__]")
        (tags if token.startswith("[") and token != "[__]" else expected)[at_ms, token] += 1
    # All 19,345: a word (one of them masked by YouTube), or the tag of a sound.
    assert sum(expected.values()) == 19_281 and sum(tags.values()) == 64
    found = Counter((round(word.start_s * 1000), word.text) for word in transcript.words)
    missing = expected - found
    assert not missing, list(missing)[:5]
    assert max(found.values()) == 1
    times = [(word.start_s, word.end_s) for word in transcript.words]
    assert all(0 <= start <= end for start, end in times)
    assert all(before[0] <= after[0] for before, after in pairwise(times))
    assert not transcript.refused
    labels = {"clears throat": "coughing", "snorts": "snorting"}
    for at_ms, tag in tags:
        label = labels.get(tag.strip("[]"), tag.strip("[]"))
        assert any(
            event.label == label and event.start_s * 1000 <= at_ms + 1 and at_ms - 1 <= event.end_s * 1000
            for event in transcript.sounds
        ), (at_ms, tag)
    assert len(transcript.sounds) == 105
    # And the first words of lines, which have no inline time: 3,199 timed lines and the lines of one word.
    assert 22_000 < len(transcript.words) < 23_000
    conform(TRANSCRIPT_WORDS, transcript.table("v"))


def test_real_broken_files_are_a_transcript_or_one_clear_error(shared_data: Path) -> None:
    counts = {}
    for path in sorted((shared_data / "fmt-webvtt" / "tests" / "subtitles").iterdir()):
        try:
            transcript = read_captions(path, "en")
        except UnreadableSidecarError as error:
            assert path.name in str(error)
            counts[path.name] = -1
            continue
        table = conform(TRANSCRIPT_WORDS, transcript.table("v"))
        assert not any("-->" in word or "NOTE" in word for word in table["word"].to_pylist()), path.name
        counts[path.name] = table.num_rows
    assert counts["empty.vtt"] == counts["no_captions.vtt"] == counts["invalid_format1.srt"] == -1
    assert counts["sample.vtt"] == 48 and counts["sample.srt"] == 15 and counts["comments.vtt"] == 20
    assert counts["invalid_timeframe.vtt"] == counts["missing_timeframe.vtt"] == 18
    assert counts["using_identifiers.vtt"] == 18 and counts["youtube_dl.vtt"] == 8


@given(st.text(alphabet=st.sampled_from("0123456789:.,-> \n<>&[]WEBVTTNOTEaé\u2028"), max_size=300), st.booleans())
def test_no_text_makes_the_reader_fail(text: str, is_vtt: bool) -> None:
    cues, refused = read_cues(text, is_vtt=is_vtt)
    assert len({entry.position for entry in refused}) == len(refused)
    assert all(cue.start_s >= 0 for cue in cues)


def test_a_file_without_cues_is_an_error_that_names_it(tmp_path: Path) -> None:
    for content in (b"", b"WEBVTT\n", b"\x00\x01\x02", b"hello\nworld\n"):
        with pytest.raises(UnreadableSidecarError, match=r"v\.en\.vtt"):
            read(tmp_path, content)


@pytest.mark.parametrize(
    ("languages", "asked", "chosen"),
    [
        (["de", "en"], None, "en"),
        (["de", "en-US"], None, "en-US"),
        (["de", ""], None, ""),
        (["de", "fr"], None, "de"),
        (["en", "pt-BR"], "pt", "pt-BR"),
        (["en", "pt-BR"], "pt-BR", "pt-BR"),
        (["en", "pt", "pt-BR"], "pt_BR", "pt-BR"),
        (["en", "pt"], "pt-BR", "pt"),
        (["en-orig", "en"], "en", "en"),
        (["de", "en"], "ja", "en"),
        ([], "en", None),
    ],
)
def test_captions_are_chosen_by_language(languages: list[str], asked: str | None, chosen: str | None) -> None:
    found = best_captions([(language, Path(f"v.{language}.vtt")) for language in languages], asked)
    assert (found[0] if found else None) == chosen


def test_of_one_language_the_file_with_word_times_is_chosen(tmp_path: Path) -> None:
    def drop(name: str, content: str) -> tuple[str, Path]:
        (tmp_path / name).write_text(content)
        return name.split(".")[1], tmp_path / name

    whisper = drop(
        "v.en.json", '{"segments": [{"start": 1, "end": 2, "words": [{"word": "a", "start": 1, "end": 2}]}]}'
    )
    without = drop("v.en.whisper.json", '{"segments": [{"start": 1, "end": 2, "text": "a"}], "language": "en"}')
    plain, other = drop("v.en.srt", SRT), drop("v.de.vtt", ROLLING)
    automatic = drop("v.en.vtt", ROLLING)
    assert best_captions([other, plain, without, whisper], "en") == whisper
    assert best_captions([other, plain, automatic], "en") == automatic
    assert best_captions([without, plain, other], "en") == plain
    assert best_captions([without, other], "en") == without
    assert best_captions([plain, automatic, other], "de") == other
    assert best_captions([plain, ("en", tmp_path / "is_not_there.vtt")], "en") == plain


def test_forced_captions_are_taken_only_where_there_are_no_others() -> None:
    forced, full = ("en", Path("v.en.forced.srt")), ("de", Path("v.de.srt"))
    assert best_captions([full, forced], "en") == full
    assert best_captions([forced], "en") == forced


@pytest.mark.parametrize(
    ("content", "timed"),
    [
        (VTT, False), (SRT, False), (ROLLING, True), ("", False),
        ('<tt><p begin="1s" end="2s"><span tts:color="red" begin="0s">a</span></p></tt>', True),
        ('<tt><p begin="1s" end="2s"><span tts:color="red">a</span></p></tt>', False),
        ('{"events": [{"tStartMs": 1, "segs": [{"utf8": "a", "tOffsetMs": 5}]}]}', True),
        ('{"events": [{"tStartMs": 1, "segs": [{"utf8": "a"}]}]}', False),
        ('{"words": [\n {\n "text": "a",\n "start": 100, "end": 200}]}', True),
        ('{"segments": [{"start": 1, "end": 2, "text": "a", "words": []}]}', False),
    ],
)  # fmt: skip
def test_whether_a_file_gives_word_times_shows_in_its_beginning(tmp_path: Path, content: str, timed: bool) -> None:
    (tmp_path / "v").write_text(content)
    assert gives_word_times(tmp_path / "v") == timed


def test_the_engine_is_captions_then_whisper_then_pocketsphinx() -> None:
    assert engine_for(has_captions=True, whisper_model="m") == "captions"
    assert engine_for(has_captions=False, whisper_model="m") == "faster-whisper:m"
    assert engine_for(has_captions=False, whisper_model=None).startswith("pocketsphinx")


def test_captions_spare_listening_to_the_recording(tmp_path: Path) -> None:
    (tmp_path / "v.en.vtt").write_text(VTT)
    transcript = transcribe(
        tmp_path / "is_not_there.mp4",
        captions=[("en", tmp_path / "v.en.vtt")],
        whisper_model=None,
        whisper_device="auto",
        language=None,
    )
    assert texts(transcript) == WORDS


@pytest.mark.parametrize("piece", ["[", "(", "{\\", "[a ", "<00:"])
def test_a_caption_of_brackets_without_end_is_refused_and_costs_no_time(tmp_path: Path, piece: str) -> None:
    path = tmp_path / "a.vtt"
    path.write_text(f"WEBVTT\n\n00:01.000 --> 00:02.000\n{piece * 200_000}\n\n00:03.000 --> 00:04.000\nfine\n")
    transcript = read_captions(path, "en")
    assert [word.text for word in transcript.words] == ["fine"]
    assert [entry.reason for entry in transcript.refused] == ["too long for a caption"]


@pytest.mark.parametrize("digits", [5, 400, 5000])
def test_a_time_of_countless_hours_is_not_a_time(tmp_path: Path, digits: int) -> None:
    hours = "9" * digits
    path = tmp_path / "a.vtt"
    path.write_text(
        f"WEBVTT\n\n{hours}:00:01.000 --> {hours}:00:02.000\nlost\n\n"
        f"00:03.000 --> 00:04.000\nfine <{hours[:400]}:00:01.000>too\n"
    )
    transcript = read_captions(path, "en")
    assert [word.text for word in transcript.words] == ["fine", "too"]
    assert transcript.refused[0].reason == "unreadable times"


def test_captions_larger_than_a_document_may_be_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.vtt"
    with path.open("wb") as file:
        file.truncate(10 << 30)
    with pytest.raises(UnreadableSidecarError, match="too long for captions"):
        read_captions(path, "en")


def test_words_from_a_file_whose_name_is_not_utf8_can_be_stored(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.vtt"))
    path.write_text(VTT)
    assert conform(TRANSCRIPT_WORDS, read_captions(path, None).table("v"))["engine_model"][0].as_py() == "caf\\xe9.vtt"
