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
from klip_assets.signals.speech.captions.units import OTHER_UNIT, ImplausibleTimesError
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
