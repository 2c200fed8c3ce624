"""The voice detector: the same as faster-whisper's own, block by block, and what its probabilities are taken for."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from faster_whisper.vad import get_vad_model
from hypothesis import given, settings
from hypothesis import strategies as st

from klip_assets.media.decode import decode_sound, in_blocks
from klip_assets.signals.audio.voice import FRAME, FRAME_S, LISTEN, SHARE, Gate, VoiceMeter, speech_frames, speech_spans


def hear(sound: np.ndarray, block: int = 160_000) -> np.ndarray:
    meter = VoiceMeter()
    return np.concatenate(
        [np.zeros(0, np.float32), *(meter.push(piece, last=False) for piece in in_blocks([sound], block)),
         meter.push(np.zeros(0, np.float32), last=True)]
    )  # fmt: skip


def test_it_is_the_detector_of_faster_whisper_although_it_gets_blocks(
    real_speech: np.ndarray, tones: np.ndarray
) -> None:
    for sound in (real_speech, tones, np.zeros(FRAME * 9, np.float32)):
        whole = sound[: len(sound) // FRAME * FRAME]
        # It writes into the end of what it is given, so the last frame is another one.
        theirs = get_vad_model()(whole.copy()).reshape(-1)
        mine = hear(whole)
        assert mine.shape == theirs.shape
        assert np.abs(mine - theirs)[:-1].max() < 1e-4


@settings(max_examples=15, deadline=None)
@given(length=st.integers(0, 20_000), block=st.integers(1, 9_000))
def test_how_the_sound_is_cut_makes_no_difference(length: int, block: int) -> None:
    sound = (0.1 * np.random.default_rng(length).standard_normal(length)).astype(np.float32)
    mine, whole = hear(sound, block), hear(sound, 1_000_000)
    assert len(mine) == -(-length // FRAME) == len(whole)
    assert np.allclose(mine, whole, atol=1e-5) and ((mine >= 0) & (mine <= 1)).all()


def test_people_who_speak_are_heard_and_laughter_music_and_rain_are_not(shared_data: Path) -> None:
    def share(name: str, gate: Gate) -> float:
        return float(speech_frames(hear(np.concatenate(list(decode_sound(shared_data / name)))), gate).mean())

    for gate in (SHARE, LISTEN):
        assert share("sp-jfk/tests/jfk.flac", gate) > 0.8
        for name in ("sp-whisper-timestamped/tests/data/laugh1.mp3", "media-pydub/test/data/bach.ogg"):
            assert share(name, gate) == 0, name
    assert share("media-moviepy/media/rain.mp3", LISTEN) == 0


def frames(*parts: tuple[float, float]) -> np.ndarray:
    return np.concatenate([np.full(round(seconds / FRAME_S), p, np.float32) for seconds, p in parts])


def test_a_stretch_needs_a_sure_core_keeps_its_pauses_and_is_widened() -> None:
    gate = Gate(sure=0.5, sure_s=0.2, perhaps=0.3, fill_s=0.5, pad_s=0.1)
    probability = frames((1, 0), (0.4, 0.3), (0.3, 0.9), (0.4, 0.1), (0.5, 0.4), (2, 0), (3, 0.45), (1, 0))
    ((first, last),) = speech_spans(probability, gate)
    assert (first * FRAME_S, last * FRAME_S) == pytest.approx((0.9, 2.7), abs=0.07)


gates = st.builds(
    Gate, sure=st.floats(0.4, 0.9), sure_s=st.floats(0, 1), perhaps=st.floats(0.05, 0.4), fill_s=st.floats(0, 3),
    pad_s=st.floats(0, 1),
)  # fmt: skip


@given(st.lists(st.floats(0, 1, width=32), max_size=300).map(lambda p: np.array(p, np.float32)), gates)
def test_stretches_are_apart_in_order_and_hold_every_sure_frame_of_a_long_enough_voice(
    probability: np.ndarray, gate: Gate
) -> None:
    spans = speech_spans(probability, gate)
    assert all(0 <= first < last <= len(probability) for first, last in spans)
    assert all(before[1] < after[0] for before, after in pairwise(spans))
    inside = speech_frames(probability, gate)
    assert inside.sum() == sum(last - first for first, last in spans)
    if gate.sure_s < FRAME_S / 2:
        assert inside[probability >= gate.sure].all()
