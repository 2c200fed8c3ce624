"""Times in another unit: found by how fast people speak and how long the recording is, and said; or refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klip_assets.errors import OtherClockError
from klip_assets.media.sidecar_clock import ANYWHERE, Place
from klip_assets.signals.speech.captions.reader import read_captions
from klip_assets.signals.speech.captions.units import MIXED_UNITS, OTHER_UNIT, ImplausibleTimesError
from klip_assets.signals.speech.words import Transcript

SPEECH = [(2.0, 4.0, "hello there"), (6.0, 8.0, "second line"), (16.0, 18.0, "the end")]


def read(folder: Path, document: Any, end_s: float | None = 20.0, name: str = "v.json") -> Transcript:
    path = folder / name
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return read_captions(path, None, Place(end_s) if end_s else ANYWHERE)


def segments(factor: float, speech: Any = SPEECH) -> dict[str, Any]:
    return {"segments": [{"start": a * factor, "end": b * factor, "text": text} for a, b, text in speech]}


@pytest.mark.parametrize("factor", [1, 100, 1e3, 1e6, 1e7, 1e9])
def test_whole_transcripts_in_any_unit_are_read_at_their_times(tmp_path: Path, factor: float) -> None:
    transcript = read(tmp_path, segments(factor))
    assert [(word.text, round(word.start_s, 3)) for word in transcript.words][::2] == [
        ("hello", 2.0), ("second", 6.0), ("the", 16.0)
    ]  # fmt: skip
    assert [entry.reason for entry in transcript.refused] == [OTHER_UNIT] * (factor != 1)


@given(
    st.lists(st.tuples(st.floats(0.3, 1.1), st.floats(0.0, 2.0)), min_size=10, max_size=40),
    st.sampled_from([1.0, 1e3, 1e6, 1e9]),
    st.sampled_from(["seconds", "milliseconds"]),
)
def test_ordinary_speech_is_placed_in_seconds_whatever_unit_a_file_has(
    tmp_path_factory: pytest.TempPathFactory, speech: list[tuple[float, float]], factor: float, shape: str
) -> None:
    spans, at = [], 0.0
    for lasts, pause in speech:
        spans.append((at, at + lasts))
        at += lasts + pause
    entries = [{"text": "word", "start": start * factor, "end": end * factor} for start, end in spans]
    document = {"words": entries} if shape == "milliseconds" else {"segments": entries}
    transcript = read(tmp_path_factory.mktemp("u"), document, at + 1)
    assert [word.start_s for word in transcript.words] == pytest.approx([start for start, _ in spans], abs=1e-3)


def test_a_long_recording_in_milliseconds_keeps_every_word(tmp_path: Path) -> None:
    speech = [(10.0 * n, 10.0 * n + 2, "hello there") for n in range(900)]
    transcript = read(tmp_path, segments(1000, speech), 9000.0)
    assert len(transcript.words) == 1800 and transcript.words[-1].end_s == pytest.approx(8992.0)


def test_cues_in_another_unit_are_moved_too(tmp_path: Path) -> None:
    slow = "1\n00:33:20,000 --> 01:06:40,000\nhello there\n\n2\n01:40:00,000 --> 02:13:20,000\nsecond line\n"
    fast = "1\n00:00:00,002 --> 00:00:00,004\nhello there\n\n2\n00:00:00,006 --> 00:00:00,008\nsecond line\n"
    for content in (slow, fast):
        transcript = read(tmp_path, content, name="v.srt")
        assert [round(word.start_s) for word in transcript.words] == [2, 3, 6, 7]
        assert [entry.reason for entry in transcript.refused] == [OTHER_UNIT]


def test_what_nobody_can_say_is_refused_with_one_sentence(tmp_path: Path) -> None:
    speech = [(1e-6 * n, 1e-6 * n + 1e-9, "much too fast for anybody") for n in range(30)]
    with pytest.raises(
        ImplausibleTimesError, match=r"^v\.json: implausible times: 150 words .* no other unit"
    ) as caught:
        read(tmp_path, segments(1, speech))
    assert "\n" not in str(caught.value)


def test_several_plausible_units_are_named_and_none_is_taken(tmp_path: Path) -> None:
    speech = [(200.0, 400.0, "hello"), (600.0, 800.0, "there")]
    with pytest.raises(ImplausibleTimesError, match="hundredths of a second and milliseconds would both be plausible"):
        read(tmp_path, segments(1, speech))


def test_captions_of_another_recording_stay_those_of_another_recording(tmp_path: Path) -> None:
    speech = [(3600.0 + n, 3601.0 + n, "of another one") for n in range(30)]
    with pytest.raises(OtherClockError):
        read(tmp_path, segments(1, speech))


@pytest.mark.parametrize(
    "speech",
    [
        [(1.0, 1.05, "a")], [(0.0, 0.0, "a")], [(n, n + 0.01, "words") for n in range(15)],
        [(n, n, "words") for n in range(15)], [(0.0, 19.0, "Intro")], [(0.0, 19.0, "\u4f60\u597d" * 60)],
    ],
)  # fmt: skip
def test_short_and_long_words_are_believed_where_they_stand(tmp_path: Path, speech: Any) -> None:
    transcript = read(tmp_path, segments(1, speech))
    assert not transcript.refused and transcript.words[0].start_s == speech[0][0]


def test_without_a_known_length_the_pace_decides(tmp_path: Path) -> None:
    words = [{"text": "so", "start": n, "end": n + 0.5} for n in range(10)]
    assert [word.start_s for word in read(tmp_path, {"words": words}, None).words] == pytest.approx(range(10))


def test_one_late_word_does_not_change_the_unit_and_is_named_by_its_path(tmp_path: Path) -> None:
    transcript = read(tmp_path, segments(1, [*SPEECH, (1e9, 2e9, "late")]))
    assert [entry.position for entry in transcript.refused] == ["segments[3]"] and len(transcript.words) == 6


LONG = {
    "chapters-like": (2400, [(0, 600, "Intro"), (600, 1200, "[Music]"), (1200, 1800, "Boss"), (1800, 2400, "End")]),
    "music": (2400, [(600 * n, 600 * n + 600, "[Music]") for n in range(4)]),
    "screens": (10800, [(0, 900, "Starting soon"), (900, 5400, "[Music]"), (5400, 10800, "Thanks for watching")]),
    "three-words": (660, [(0, 220, "one"), (220, 440, "two"), (440, 660, "three")]),
    "middle": (7200, [(5, 7, "Welcome back"), (8, 7140, "[Music]"), (7150, 7152, "Goodbye everyone")]),
    "held": (7200, [*((10 * n, 10 * n + 3, "so we play") for n in range(24)), (240, 7200, "that was it")]),
    "live": (7200, [(0, 5400, "LIVE"), *((5400 + 10 * n, 5403 + 10 * n, "so we play on") for n in range(9))]),
    "whisper": (6000, [(1500 * n, 1500 * n + 1500, "Thank you.") for n in range(4)]),
}


def srt(speech: Any) -> str:
    def clock(seconds: float) -> str:
        whole, ms = divmod(round(seconds * 1000), 1000)
        return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02},{ms:03}"

    return "\n".join(f"{n}\n{clock(a)} --> {clock(b)}\n{text}\n" for n, (a, b, text) in enumerate(speech, 1))


@pytest.mark.parametrize("shape", ["srt", "json"])
@pytest.mark.parametrize("what", LONG)
def test_however_long_cues_stand_inside_the_recording_they_are_in_seconds(
    tmp_path: Path, what: str, shape: str
) -> None:
    end_s, speech = LONG[what]
    document = srt(speech) if shape == "srt" else segments(1, speech)
    transcript = read(tmp_path, document, float(end_s), f"v.{shape}")
    assert not transcript.refused
    heard = [*transcript.words, *transcript.sounds]
    assert max(entry.end_s for entry in heard) == pytest.approx(speech[-1][1])


@given(
    st.lists(st.tuples(st.floats(0.3, 9.0), st.floats(0.0, 30.0)), min_size=1, max_size=30),
    st.lists(st.tuples(st.integers(0, 29), st.floats(60.0, 9000.0)), max_size=5),
    st.sampled_from(["[Music]", "soon", "thanks for watching", "\u266a"]),
)
def test_captions_in_seconds_stay_in_seconds_whatever_single_cues_are_long(
    tmp_path_factory: pytest.TempPathFactory,
    speech: list[tuple[float, float]],
    long: list[tuple[int, float]],
    text: str,
) -> None:
    standing, cues, at = dict(long), [], 0.0
    for n, (lasts, pause) in enumerate(speech):
        if n in standing:
            cues.append((at, at + standing[n], text))
            at += standing[n]
        cues.append((at, at + lasts, "well then"))
        at += lasts + pause
    transcript = read(tmp_path_factory.mktemp("u"), srt(cues), at + 1, "v.srt")
    assert not transcript.refused
    assert [word.start_s for word in transcript.words if word.text == "well"] == pytest.approx(
        [a for a, _, said in cues if said == "well then"], abs=1e-3
    )


def test_captions_of_a_whole_stream_are_not_squeezed_into_a_clip(tmp_path: Path) -> None:
    for text in ("so we go on", "two words", "[Music] well"):
        with pytest.raises(OtherClockError):
            read(tmp_path, srt([(60 * n, 60 * n + 60, text) for n in range(180)]), 120.0, "v.srt")
    with pytest.raises(OtherClockError):
        read(tmp_path, srt([(900.0 * n, 900.0 * n + 900, "Boss") for n in range(12)]), 120.0, "v.srt")


def test_one_word_far_away_hides_no_wrong_unit(tmp_path: Path) -> None:
    words = [
        {"text": text, "start": at, "end": at + 0.5} for text, at in zip("abcd", (2.0, 3.0, 6.0, 7.2), strict=True)
    ]
    transcript = read(tmp_path, {"words": [*words, {"text": "late", "start": 1e9, "end": 1e9 + 1}]})
    assert [word.start_s for word in transcript.words] == pytest.approx([2.0, 3.0, 6.0, 7.2])
    assert OTHER_UNIT in [entry.reason for entry in transcript.refused]


@pytest.mark.parametrize("in_ms", [(0,), (1,), (0, 1), (1, 2, 3), (0, 1, 2)])
def test_of_mixed_units_nothing_is_squeezed_to_the_start(tmp_path: Path, in_ms: tuple[int, ...]) -> None:
    spans = [(2.0, 4.0), (6.0, 8.0), (10.0, 12.0), (16.0, 18.0)]
    speech = [
        (a * 1000, b * 1000, "hello there") if n in in_ms else (a, b, "hello there") for n, (a, b) in enumerate(spans)
    ]
    try:
        words = read(tmp_path, segments(1, speech)).words
    except (OtherClockError, ImplausibleTimesError):
        return
    assert [word.start_s for word in words][::2] == [a for n, (a, _) in enumerate(spans) if n not in in_ms]


def test_a_few_of_another_unit_are_named(tmp_path: Path) -> None:
    speech = [(1000.0 * n, 1000.0 * n + 900, "so we go") for n in range(2, 40)]
    for document, name in (
        (srt([(0.5, 1.5, "lost"), *speech]), "v.srt"),
        (segments(1, [(0.5, 1.5, "lost"), *speech]), "v.json"),
    ):
        transcript = read(tmp_path, document, 45.0, name)
        assert transcript.words[0].start_s == pytest.approx(2.0) and len(transcript.words) == 114
        assert MIXED_UNITS in [entry.reason for entry in transcript.refused]


@pytest.mark.parametrize(
    "speech",
    [
        [(5.0, 5.02, "one")], [(5.0, 5.1, "seven words in a tenth of a second")], [(0.0, 0.1, "a b c d e f g")],
        [(9.0, 9.05, "ten words on a card at the very end here")], [(0.0, 0.05, "a b c d e f g h i j")],
        [(0.0, 0.04, "one"), (0.04, 0.08, "two"), (0.08, 0.12, "three")],
        [(0.02 * n, 0.02 * n + 0.02, "word") for n in range(19)],
    ],
)  # fmt: skip
def test_a_few_short_words_are_believed(tmp_path: Path, speech: Any) -> None:
    for document, name in ((srt(speech), "v.srt"), (segments(1, speech), "v.json"), (segments(1e3, speech), "w.json")):
        if name == "w.json":
            entries = [{"text": text, "start": a * 1e3, "end": b * 1e3} for a, b, text in speech]
            document = {"utterances": entries}
        transcript = read(tmp_path, document, 20.0, name)
        assert not transcript.refused and transcript.words[0].start_s == pytest.approx(speech[0][0])


@pytest.mark.parametrize("section_s", [0.0, 600.0])
def test_milliseconds_that_reach_over_the_end_are_milliseconds(tmp_path: Path, section_s: float) -> None:
    for last in ([(19, 26), (25, 27)], [(14, 18), (19, 26)]):
        spans = [(2, 6), (8, 12), *last]
        path = tmp_path / "v.json"
        path.write_text(json.dumps(segments(1000, [(a, b, "so we go on") for a, b in spans])))
        words = read_captions(path, None, Place(20.0, 0.0)).words
        assert words[0].start_s == 2.0 and words[4].start_s == 8.0
    path.write_text(json.dumps(segments(1000, [(section_s + a, section_s + b, text) for a, b, text in SPEECH])))
    assert read_captions(path, None, Place(20.0, section_s)).words[0].start_s == pytest.approx(2.0)
    path.write_text(json.dumps(segments(1000)))
    assert read_captions(path, None, Place(20.0, section_s)).words[0].start_s == pytest.approx(2.0)


def test_seconds_among_milliseconds_are_named_and_not_heard_in_the_first_moment(tmp_path: Path) -> None:
    at = [(1.0, 1.5), (2.0, 2.5), (3.0, 3.5), (4000, 4500), (5000, 5500), (6000, 6500), (7000, 7500)]
    transcript = read(tmp_path, {"words": [{"text": "word", "start": a, "end": b} for a, b in at]})
    assert [word.start_s for word in transcript.words] == [4.0, 5.0, 6.0, 7.0]
    assert [entry.reason for entry in transcript.refused] == [MIXED_UNITS]


def test_a_card_of_many_words_is_believed(tmp_path: Path) -> None:
    card = (15.0, 15.05, " ".join(["word"] * 40))
    for speech in ([card], [*((n, n + 1.0, "one two") for n in range(9)), card]):
        for document, name in ((srt(speech), "v.srt"), (segments(1, speech), "v.json")):
            assert not read(tmp_path, document, 20.0, name).refused


def test_a_start_and_stop_in_seconds_are_not_hundredths(tmp_path: Path) -> None:
    lines = [{"start": a, "stop": b, "text": text} for a, b, text in SPEECH]
    for factor in (1, 100):
        scaled = [line | {"start": line["start"] * factor, "stop": line["stop"] * factor} for line in lines]
        assert [word.start_s for word in read(tmp_path, scaled).words][::2] == pytest.approx([2.0, 6.0, 16.0])
