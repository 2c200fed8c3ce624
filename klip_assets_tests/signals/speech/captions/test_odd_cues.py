"""Cues spelled oddly: no word is lost to the spelling of a time, a separator or an empty line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from klip_assets.media.sidecar_clock import Place
from klip_assets.signals.speech.captions.cue_times import seconds_of_clock, times_in
from klip_assets.signals.speech.captions.cues import read_cues
from klip_assets.signals.speech.captions.reader import read_captions


def said(tmp_path: Path, content: str | bytes, name: str = "v.vtt") -> list[str]:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    transcript = read_captions(path, None)
    assert transcript.refused == ()
    return [word.text for word in transcript.words]


def spelled(milliseconds: int, draw: st.DrawFn) -> tuple[str, float]:
    """Write a time in any of the accepted spellings; return it with the seconds it stands for."""
    whole, rest = divmod(milliseconds, 1000)
    digits = draw(st.sampled_from([0, 1, 2, 3, 6, 9]))
    fraction = f"{rest:03}".ljust(9, "0")[:digits]
    sign = draw(st.sampled_from([",", ".", "\uff0c", ";"])) if digits != 3 else draw(st.sampled_from([",", ".", ":"]))
    blank = draw(st.sampled_from(["", "", " "]))
    colon = draw(st.sampled_from([":", "\uff1a"])) + blank
    hours = whole < 3600 and draw(st.booleans())
    parts = [f"{whole // 60 % 60:02}", f"{whole % 60:02}"]
    text = colon.join(parts if hours else [f"{whole // 3600:02}", *parts])
    seconds = whole + (int(fraction) / 10 ** len(fraction) if fraction else 0)
    return (f"{text}{sign}{blank}{fraction}" if fraction else text), seconds


ARROWS = ["-->", " --> ", "->", " -> ", "\u2013>", " \u2014> ", " \u2192 ", " => ", " --&gt; ", "--->", "-- >"]


@given(st.data(), st.integers(0, 360_000_000), st.integers(0, 9_999), st.sampled_from(ARROWS))
def test_a_cue_in_any_accepted_spelling_is_read_at_its_time(
    data: st.DataObject, at: int, lasts: int, arrow: str
) -> None:
    draw = data.draw
    (start, start_s), (end, end_s) = spelled(at, draw), spelled(at + lasts, draw)
    cues, refused = read_cues(f"1\n{start}{arrow}{end}\nhello there\n", is_vtt=draw(st.booleans()))
    assert not refused and [cue.lines for cue in cues] == [["hello there"]]
    assert (cues[0].start_s, cues[0].end_s) == (pytest.approx(start_s), pytest.approx(end_s))


@pytest.mark.parametrize(
    "line",
    [
        "[00:00:02.000 --> 00:00:04.000]", "7 00:00:02,000 --> 00:00:04,000",
        "\u200e00:00:02,000 --> 00:00:04,000\u200e",
        "00:00:02,000 to 00:00:04,000", "00:00:02,000|00:00:04,000", "00:00:02,000,00:00:04,000",
        "00:00:02'000 --> 00:00:04'000", "\u0660\u0660:\u0660\u0662,\u0660 --> 00:04,0",
        "00.00.02,000 --> 00.00.04,000",
    ],
)  # fmt: skip
def test_brackets_numbers_and_other_signs_around_times_do_not_hide_them(line: str) -> None:
    assert times_in(line) == (2.0, 4.0, "")


def test_what_whisper_cpp_prints_is_read(tmp_path: Path) -> None:
    printed = "[00:00:01.000 --> 00:00:02.000]   so\n[00:00:03.000 --> 00:00:04.000]   this [laughs] is\n"
    assert said(tmp_path, printed, "v.srt") == ["so", "this", "is"]


@given(st.text(alphabet="0123456789:.,->;\u2013\u2192 \uff1a", max_size=60))
def test_no_line_of_times_makes_the_reader_fail(line: str) -> None:
    times = times_in(line.strip())
    assert times is None or all(isinstance(value, float | int) for value in times[:2])
    seconds_of_clock(line)


@pytest.mark.parametrize(
    "line", ["", "hello", "2 --> 4", "10:30 - 11:45", "from 10:30 -> 11:45", "-", "1-2", "3 > 2", "5"]
)
def test_text_with_numbers_and_arrows_is_not_a_line_of_times(line: str) -> None:
    assert times_in(line) is None


SEPARATORS = ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\u2028\u2028", "\r", "\n", "\r\n"]
WORDS = st.lists(st.sampled_from(["one", "two", "three", "caf\u00e9", "4"]), min_size=1, max_size=6)


@given(WORDS, st.data())
def test_text_with_any_line_separators_keeps_its_words(
    tmp_path_factory: pytest.TempPathFactory, words: list[str], data: st.DataObject
) -> None:
    text = words[0] + "".join(data.draw(st.sampled_from([" ", *SEPARATORS])) + word for word in words[1:])
    content = f"WEBVTT\n\n00:01.000 --> 00:02.000\n{text}\n\n00:03.000 --> 00:04.000\nend\n"
    assert said(tmp_path_factory.mktemp("s"), content) == [*words, "end"]


@pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\x85", "\x0b"])
def test_a_separator_beside_times_ends_the_line(tmp_path: Path, sign: str) -> None:
    content = f"WEBVTT{sign}{sign}00:01.000 --> 00:02.000{sign}one{sign}{sign}00:03.000 --> 00:04.000{sign}two{sign}"
    assert said(tmp_path, content) == ["one", "two"]


@given(WORDS, WORDS, st.booleans())
def test_an_empty_line_after_the_times_costs_no_word(
    tmp_path_factory: pytest.TempPathFactory, first: list[str], second: list[str], is_apart: bool
) -> None:
    assume(first != second)
    gap = "\n" * (1 + is_apart)
    one, two = " ".join(first), " ".join(second)
    content = f"WEBVTT\n\n00:01.000 --> 00:02.000\n\n{one} a\n\n00:03.000 --> 00:04.000{gap}{two} b\n"
    assert said(tmp_path_factory.mktemp("s"), content) == [*first, "a", *second, "b"]


def test_the_name_of_the_cue_after_an_empty_one_is_not_said(tmp_path: Path) -> None:
    content = "WEBVTT\n\n00:01.000 --> 00:02.000\n\nname\n00:03.000 --> 00:04.000\none\n\n"
    content += "00:05.000 --> 00:06.000\n\nNOTE no\n"
    assert said(tmp_path, content) == ["one"]


@pytest.mark.parametrize(
    ("numbered", "lines", "expected"),
    [
        (False, ["3", "2", "go"], "3 2 go"), (False, ["1", "2", "3"], "1 2 3"),
        (True, ["one", "two", "three"], "one two three"),
        (True, ["3", "2", "go"], "3 2 go"),
        (True, ["1.", "#2", "go"], "1. #2 go"), (True, ["in 1\n984", "it was", "x"], "in 1 984 it was x"),
    ],
)  # fmt: skip
def test_only_the_numbers_of_a_file_that_numbers_its_cues_are_not_said(
    tmp_path: Path, numbered: bool, lines: list[str], expected: str
) -> None:
    content = "".join(
        f"{f'{n}' + chr(10) if numbered else ''}00:00:{2 * n:02},000 --> 00:00:{2 * n + 1:02},000\n{line}\n"
        for n, line in enumerate(lines, start=1)
    )
    assert said(tmp_path, content, "v.srt") == expected.split()


def test_what_was_off_the_screen_did_not_roll(tmp_path: Path) -> None:
    cues = [(0, 2, "a\nb"), (2, 4, "b\nc"), (4, 6, "c\nd"), (10, 12, "d"), (12, 13, "d\ne")]
    content = "WEBVTT\n\n" + "".join(f"00:{a:02}.000 --> 00:{b:02}.000\n{text}\n\n" for a, b, text in cues)
    assert said(tmp_path, content) == ["a", "b", "c", "d", "d", "e"]


def test_whole_cues_said_twice_in_a_row_are_heard_twice(tmp_path: Path) -> None:
    content = "WEBVTT\n\n" + "".join(
        f"00:{2 * n:02}.000 --> 00:{2 * n + 2:02}.000\n{text}\n\n"
        for n, text in enumerate(["no", "no", "yes", "yes", "well"])
    )
    assert said(tmp_path, content) == ["no", "no", "yes", "yes", "well"]


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("one\\Ntwo", "one two"), ("one\\ntwo", "one two"), ("one\\htwo", "one two"), ("one<br>two", "one two"),
        ("one<BR />two", "one two"), ("{y:i}one{/i} two", "one two"), ("{\\an8}one", "one"), ("{c:$fff}one", "one"),
        ("a{x}b", "a{x}b"), ("C:\\data", "C:\\data"),
    ],
)  # fmt: skip
def test_written_breaks_part_words_and_codes_are_none(tmp_path: Path, text: str, spoken: str) -> None:
    assert said(tmp_path, f"1\n00:00:01,000 --> 00:00:02,000\n{text}\n", "v.srt") == spoken.split()


def piece(stamp: str, at: int, text: str) -> str:
    return f"WEBVTT\n{stamp}\n\n00:{at:02}.000 --> 00:{at + 1:02}.000\n{text}\n\n"


@pytest.mark.parametrize(
    ("pieces", "starts"),
    [
        ([("LOCAL:00:00:00.000,MPEGTS:900000", 1), ("LOCAL:00:00:00.000,MPEGTS:900000", 5)], [1, 5]),
        ([("MPEGTS:900000,LOCAL:00:00:00.000", 1), ("MPEGTS:1440000,LOCAL:00:00:00.000", 1)], [1, 7]),
        ([("LOCAL:00:00:03.000,MPEGTS:0", 1), ("LOCAL:00:00:00.000,MPEGTS:0", 1)], [1, 4]),
        ([(f"LOCAL:00:00:00.000,MPEGTS:{(1 << 33) - 90000}", 1), ("LOCAL:00:00:00.000,MPEGTS:90000", 1)], [1, 3]),
    ],
)
def test_joined_pieces_of_hls_lie_on_the_clock_of_the_first(pieces: list[tuple[str, int]], starts: list[int]) -> None:
    text = "".join(piece(f"X-TIMESTAMP-MAP={stamp}", at, f"word{n}") for n, (stamp, at) in enumerate(pieces))
    cues, refused = read_cues(text, is_vtt=True)
    assert [cue.start_s for cue in cues] == pytest.approx(starts) and not refused


def test_who_speaks_of_webvtt_is_heard(tmp_path: Path) -> None:
    assert said(tmp_path, "WEBVTT\n\n00:01.000 --> 00:02.000\nWEBVTT is text\n") == ["WEBVTT", "is", "text"]


def test_a_cue_that_two_pieces_of_hls_hold_is_said_once(tmp_path: Path) -> None:
    one, two = piece("X-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000", 1, "one"), piece("", 5, "two")
    assert said(tmp_path, one + one + two) == ["one", "two"]


@pytest.mark.parametrize("half", [b"\xc3", b"\xe2\x80", b"\xa6", b"\xf0\x9f\x98", "\ufffd".encode(), b"\\ud83d"])
def test_half_a_character_in_a_segment_of_its_own_is_no_word(tmp_path: Path, half: bytes) -> None:
    whole = b'{"segments": [{"start": 1, "end": 2, "text": "one"}, {"start": 2, "end": 3, "text": "HALF"}]}'
    assert said(tmp_path, whole.replace(b"HALF", half), "v.json") == ["one"]


def test_halves_at_the_ends_of_two_segments_are_no_words(tmp_path: Path) -> None:
    whole = b'{"segments": [{"start": 1, "end": 2, "text": "a \xe2\x80"}, {"start": 2, "end": 3, "text": "\xa6 b"}]}'
    assert said(tmp_path, whole, "v.json") == ["a", "b"]


def test_a_word_of_one_letter_in_windows_1252_is_one(tmp_path: Path) -> None:
    whole = b'{"segments": [{"start": 1, "end": 2, "text": "caf\xe9"}, {"start": 2, "end": 3, "text": "\xe0"}]}'
    assert said(tmp_path, whole, "v.json") == ["caf\u00e9", "\u00e0"]


SAID = [f"w{n}" for n in range(48)]


def stamped(cues: list[tuple[float, float, str]]) -> str:
    return "WEBVTT\n\n" + "".join(
        f"{int(a // 60):02}:{a % 60:06.3f} --> {int(b // 60):02}:{b % 60:06.3f}\n{text}\n\n" for a, b, text in cues
    )


def growing(per_line: int, lines: int, per_word_s: float) -> list[tuple[float, float, str]]:
    cues = []
    for n in range(len(SAID)):
        first = max(0, n // per_line - lines + 1)
        shown = [
            " ".join(SAID[per_line * k : min(n + 1, per_line * k + per_line)]) for k in range(first, n // per_line + 1)
        ]
        cues.append((n * per_word_s, (n + 1) * per_word_s, "\n".join(shown)))
    return cues


@pytest.mark.parametrize("lines", [1, 2, 3])
@pytest.mark.parametrize("per_line", [3, 6, 12])
@pytest.mark.parametrize("per_word_s", [0.15, 0.35])
def test_each_word_of_a_growing_line_is_said_once(tmp_path: Path, per_line: int, lines: int, per_word_s: float) -> None:
    path = tmp_path / "v.vtt"
    path.write_text(stamped(growing(per_line, lines, per_word_s)))
    transcript = read_captions(path, None, Place(len(SAID) * per_word_s + 1))
    assert [word.text for word in transcript.words] == SAID and not transcript.refused
    assert [word.start_s for word in transcript.words] == pytest.approx(
        [per_word_s * n for n in range(len(SAID))], abs=2e-3
    )


@pytest.mark.parametrize("lines", [2, 3])
def test_rolling_lines_of_fast_speech_are_read_once(tmp_path: Path, lines: int) -> None:
    rows = [" ".join(SAID[6 * n : 6 * n + 6]) for n in range(8)]
    cues = [(6 * n / 6.5, (6 * n + 6) / 6.5, "\n".join(rows[max(0, n - lines + 1) : n + 1])) for n in range(8)]
    path = tmp_path / "v.vtt"
    path.write_text(stamped(cues))
    transcript = read_captions(path, None, Place(9.0))
    assert [word.text for word in transcript.words] == SAID and not transcript.refused


def test_what_is_said_again_with_more_is_said_twice(tmp_path: Path) -> None:
    path = tmp_path / "v.vtt"
    cues = [(0, 2, "no"), (2, 4, "no way"), (4, 6, "we go"), (6, 8, "we go on"), (8, 10, "and on"), (10, 12, "then")]
    path.write_text(stamped(cues))
    assert len(read_captions(path, None, Place(20.0)).words) == 11


def test_each_word_of_a_line_that_grows_by_letters_is_said_once(tmp_path: Path) -> None:
    path, line = tmp_path / "v.vtt", "hello there friends of the show"
    path.write_text(stamped([(n * 0.1, n * 0.1 + 0.1, line[: n + 1]) for n in range(len(line))]))
    transcript = read_captions(path, None, Place(20.0))
    assert [word.text for word in transcript.words] == line.split() and not transcript.refused
