"""SBV and TTML: formats beside WebVTT and SubRip, read with the same care."""

from __future__ import annotations

from pathlib import Path

import pytest

from klip_assets.errors import UnreadableSidecarError
from klip_assets.signals.speech.captions.reader import read_captions
from klip_assets.signals.speech.captions.timed_text import MAX_DEPTH
from klip_assets.signals.speech.words import Transcript

SBV = "0:00:01.000,0:00:03.000\nHello there world\n\n0:00:05.500,0:00:06.000\nSecond[br]cue.\n"
ROOT = (
    '<?xml version="1.0" encoding="utf-8"?>\n<tt xmlns="http://www.w3.org/ns/ttml" xml:lang="en" '
    'xmlns:ttp="http://www.w3.org/ns/ttml#parameter" ttp:frameRate="25" ttp:tickRate="10000000">\n'
    "<head><metadata><title>not spoken</title></metadata></head>\n<body><div>\n"
)
END = "\n</div></body></tt>\n"


def read(tmp_path: Path, content: str | bytes, name: str = "v.ttml") -> Transcript:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_captions(path, "en")


def spoken(transcript: Transcript) -> list[tuple[str, float, float]]:
    return [(word.text, round(word.start_s, 3), round(word.end_s, 3)) for word in transcript.words]


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_sbv_is_read(tmp_path: Path, ends: str, encoding: str) -> None:
    transcript = read(tmp_path, SBV.replace("\n", ends).encode(encoding), "v.sbv")
    assert [word.text for word in transcript.words] == ["Hello", "there", "world", "Second", "cue."]
    assert (transcript.words[0].start_s, transcript.words[-1].end_s) == (1.0, pytest.approx(6.0))
    assert not transcript.refused


def test_the_number_that_ends_a_line_of_sbv_is_spoken(tmp_path: Path) -> None:
    content = "0:00:01.000,0:00:02.000\nThe answer is\n42\n0:00:03.000,0:00:04.000\nyes\n"
    assert [word.text for word in read(tmp_path, content, "v.sbv").words] == ["The", "answer", "is", "42", "yes"]


def test_an_arrow_in_the_text_of_sbv_makes_it_no_subrip(tmp_path: Path) -> None:
    content = "0:00:01.000,0:00:02.000\nfrom a --> b\n\n0:00:03.000,0:00:04.000\nyes\n"
    assert [word.text for word in read(tmp_path, content, "v.sbv").words] == ["from", "a", "-->", "b", "yes"]


def test_what_can_not_be_read_of_sbv_is_refused_with_its_line(tmp_path: Path) -> None:
    content = (
        "0:00:01.000,0:00:02.000\none\n\nno times here\n\n0:00:03.f89,0:00:05.489\nlost\n\n"
        "0:00:09.000,0:00:08.000\nbackwards\n\n0:00:10.000,0:00:11.000\ntwo\n"
    )
    transcript = read(tmp_path, content, "v.sbv")
    assert [word.text for word in transcript.words] == ["one", "two"]
    assert {refused.position: refused.reason for refused in transcript.refused} == {
        "line 4": "text without times",
        "line 6": "unreadable times",
        "line 9": "cue ends before it starts",
    }


def test_real_sbv_files_give_every_cue_with_sound_times(shared_data: Path) -> None:
    folder = shared_data / "fmt-webvtt" / "tests" / "subtitles"
    counts = {}
    for path in sorted(folder.glob("*.sbv")):
        try:
            transcript = read_captions(path, None)
            counts[path.name] = len(transcript.words), [refused.position for refused in transcript.refused]
        except UnreadableSidecarError:
            counts[path.name] = 0, []
    # The last cue of these files ends before it starts.
    assert counts == {
        "invalid_format.sbv": (0, []),
        "invalid_timeframe.sbv": (9, ["line 7", "line 13"]),
        "missing_caption_text.sbv": (9, ["line 12"]),
        "missing_timeframe.sbv": (9, ["line 4", "line 12"]),
        "sample.sbv": (19, ["line 14"]),
        "two_captions.sbv": (13, []),
    }


@pytest.mark.parametrize(
    ("times", "start_s", "end_s"),
    [
        ('begin="00:00:01.500" end="00:00:02.500"', 1.5, 2.5),
        ('begin="00:00:01,5" end="00:00:02,5"', 1.5, 2.5),
        ('begin="00:00:01:05" dur="1s"', 1.2, 2.2),
        ('begin="1500ms" end="2.5s"', 1.5, 2.5),
        ('begin="10000000t" end="20000000t"', 1.0, 2.0),
        ('begin="25f" end="50f"', 1.0, 2.0),
        ('begin="1m" end="0.5h"', 60.0, 1800.0),
        ('begin="2s"', 2.0, 2.0),
    ],
)
@pytest.mark.parametrize("prefix", ["", "tt:"])
def test_ttml_times_are_read(tmp_path: Path, times: str, start_s: float, end_s: float, prefix: str) -> None:
    transcript = read(tmp_path, f"{ROOT}<{prefix}p {times}>word</{prefix}p>{END}")
    assert spoken(transcript) == [("word", start_s, end_s)] and not transcript.refused


def test_a_file_is_taken_for_what_it_holds(tmp_path: Path) -> None:
    content = f'{ROOT}<p begin="1s" end="2s">word</p>{END}'
    for name in ("v.dfxp", "v.srt", "v.vtt"):
        assert spoken(read(tmp_path, content, name)) == [("word", 1.0, 2.0)]
    assert [word.text for word in read(tmp_path, SBV, "v.srt").words] == ["Hello", "there", "world", "Second", "cue."]
    assert spoken(read(tmp_path, content.encode("utf-16"), "v.ttml")) == [("word", 1.0, 2.0)]
    assert spoken(read(tmp_path, "WEBVTT\n\n00:01.000 --> 00:02.000\nword\n", "v.ttml")) == [("word", 1.0, 2.0)]
    assert spoken(read(tmp_path, "1\n00:00:01,000 --> 00:00:02,000\nword\n", "v.sbv")) == [("word", 1.0, 2.0)]


def test_markup_breaks_and_entities_of_ttml_are_no_words(tmp_path: Path) -> None:
    content = (
        f'{ROOT}<p begin="1s" end="2s"><span tts:color="red">Tom</span> &amp; Jerry<br/>&lt;3&nbsp;you & me '
        f"<metadata>hidden</metadata>&eacute;t\u00e9 &unknown; <![CDATA[<b>]]></p>{END}"
    )
    transcript = read(tmp_path, content)
    assert [word.text for word in transcript.words] == [
        "Tom",
        "&",
        "Jerry",
        "<3",
        "you",
        "&",
        "me",
        "été",
        "&unknown;",
        "<b>",
    ]


def test_spans_time_their_words_from_the_paragraph_on_or_from_the_start(tmp_path: Path) -> None:
    relative = '<p begin="10s" end="12s"><span begin="0s">one</span> <span begin="500ms">two</span></p>'
    absolute = '<p begin="10s" end="12s"><span begin="10s">one</span> <span begin="10.5s">two</span></p>'
    for content in (relative, absolute):
        assert spoken(read(tmp_path, ROOT + content + END)) == [("one", 10.0, 10.5), ("two", 10.5, 12.0)]


def test_children_count_from_their_container(tmp_path: Path) -> None:
    content = f'{ROOT}</div><div begin="100s" end="110s"><p begin="1s" end="2s">one</p><p>two</p>{END}'
    assert sorted(spoken(read(tmp_path, content))) == [("one", 101.0, 102.0), ("two", 100.0, 110.0)]


def test_sounds_in_ttml_are_events(tmp_path: Path) -> None:
    transcript = read(tmp_path, f'{ROOT}<p begin="1s" end="2s">[laughter]<br/>well</p>{END}')
    assert [word.text for word in transcript.words] == ["well"]
    assert [(event.label, event.start_s, event.end_s) for event in transcript.sounds] == [("laughter", 1.0, 2.0)]


BROKEN = f"""{ROOT}<p begin="1s" end="2s">one</p>
<p begin="bad" end="1s">lost</p>
<p>no times</p>
<p begin="10s" end="9s">backwards</p>
<p begin="20s" end="22s">broken <b></p>
<p begin="23s" end="24s">two</p>
</div><div>
<p begin="25s" end="26s">three</p>{END}"""


def test_what_can_not_be_read_of_ttml_is_refused_with_its_line_and_the_rest_is_kept(tmp_path: Path) -> None:
    transcript = read(tmp_path, BROKEN)
    assert spoken(transcript) == [("one", 1.0, 2.0), ("two", 23.0, 24.0), ("three", 25.0, 26.0)]
    assert {refused.position.partition(",")[0]: refused.reason for refused in transcript.refused} == {
        "line 6": "unreadable times",
        "line 7": "text without times",
        "line 8": "cue ends before it starts",
        "line 9": "damaged XML",
    }
    in_one_line = read(tmp_path, BROKEN.replace("\n", " "))
    assert spoken(in_one_line) == spoken(transcript)
    assert len({refused.position for refused in in_one_line.refused}) == 4


def test_a_ttml_file_cut_short_keeps_what_comes_before(tmp_path: Path) -> None:
    content = f'{ROOT}<p begin="1s" end="2s">one</p><p begin="3s" end="4s">two</p>'
    transcript = read(tmp_path, content[:-9])
    assert spoken(transcript) == [("one", 1.0, 2.0)]
    assert [refused.reason for refused in transcript.refused] == ["damaged XML"]


def test_xml_that_declares_entities_is_refused_before_they_grow(tmp_path: Path) -> None:
    bomb = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    content = f'<!DOCTYPE tt [<!ENTITY a0 "ha">{bomb}]><tt><body><p begin="0s" end="1s">&a9;</p></body></tt>'
    with pytest.raises(UnreadableSidecarError, match=r"v\.ttml: declares XML entities"):
        read(tmp_path, content)


def test_nothing_outside_the_file_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    outside = f'<!DOCTYPE tt SYSTEM "file://{tmp_path}/secret"><tt><body><p begin="0s" end="1s">word</p></body></tt>'
    assert [word.text for word in read(tmp_path, outside).words] == ["word"]
    entity = f'<!DOCTYPE tt [<!ENTITY x SYSTEM "file://{tmp_path}/secret">]><tt><p begin="0s" end="1s">&x;</p></tt>'
    with pytest.raises(UnreadableSidecarError, match="declares XML entities"):
        read(tmp_path, entity)


def test_xml_nested_without_end_or_damaged_all_over_costs_no_time(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSidecarError, match=f"more than {MAX_DEPTH} deep"):
        read(tmp_path, ROOT + '<p begin="0s" end="1s">' + "<span>" * 500_000)
    with pytest.raises(UnreadableSidecarError, match="contains no caption cues"):
        read(tmp_path, ROOT + '<p begin="0s" end="1s">x</q>' * 300_000)


def test_a_paragraph_too_long_for_a_caption_is_refused(tmp_path: Path) -> None:
    transcript = read(tmp_path, f'{ROOT}<p begin="0s" end="1s">{"word " * 2_000}</p><p begin="1s" end="2s">ok</p>{END}')
    assert spoken(transcript) == [("ok", 1.0, 2.0)]
    assert [refused.reason for refused in transcript.refused] == ["too long for a caption"]


def test_a_time_far_outside_its_cue_is_taken_for_its_edge(tmp_path: Path) -> None:
    content = "WEBVTT\n\n00:00:10.000 --> 00:00:12.000\none<9999:59:59.000><c> two</c><00:00:01.000><c> three</c>\n"
    words = spoken(read(tmp_path, content, "v.vtt"))
    assert [text for text, _, _ in words] == ["one", "two", "three"]
    assert all(10.0 <= start <= end <= 12.0 for _, start, end in words)
