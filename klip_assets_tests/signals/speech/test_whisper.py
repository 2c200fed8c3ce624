"""faster-whisper through the real library, with a tiny model of random weights made here."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from klip_assets.contracts import TRANSCRIPT_WORDS
from klip_assets.errors import EngineUnavailableError
from klip_assets.media.decode import SAMPLE_RATE_HZ, decode_sound
from klip_assets.signals.audio.voice import FRAME, FRAME_S
from klip_assets.signals.speech import whisper
from klip_assets.signals.speech.chunks import ChunkLog
from klip_assets.signals.speech.utterances import Hearing, Utterance, hear, plan
from klip_assets.signals.speech.words import Word
from klip_assets.store.lake.validate import conform

LANGUAGES = 99
#: What int8 makes of random weights differs from processor to processor.
EXACT: dict[str, Any] = {"device": "cpu", "language": "en", "compute_type": "float32"}


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Whisper model in CTranslate2's format: random weights, a vocabulary of bytes."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("faster_whisper")
    from ctranslate2.converters import TransformersConverter
    from faster_whisper.tokenizer import _LANGUAGE_CODES
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    folder = tmp_path_factory.mktemp("whisper")
    source, target = folder / "hf", folder / "ct2"
    # The empty token makes CTranslate2 take the model for a multilingual one.
    vocabulary = [*sorted(pre_tokenizers.ByteLevel.alphabet()), ""]
    tokenizer = Tokenizer(models.BPE({token: i for i, token in enumerate(vocabulary)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    languages = [f"<|{code}|>" for code in _LANGUAGE_CODES[:LANGUAGES]]
    tasks = ["<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
    stamps = [f"<|{i * 0.02:.2f}|>" for i in range(1501)]
    special = ["<|endoftext|>", "<|startoftranscript|>", *languages, *tasks, *stamps]
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in special])
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<|startoftranscript|>", eos_token="<|endoftext|>"
    )
    end, start = fast.convert_tokens_to_ids("<|endoftext|>"), fast.convert_tokens_to_ids("<|startoftranscript|>")
    torch.manual_seed(0)
    config = transformers.WhisperConfig(
        vocab_size=len(fast), d_model=16, encoder_layers=1, decoder_layers=2, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32, num_mel_bins=80,
        pad_token_id=end, bos_token_id=end, eos_token_id=end, decoder_start_token_id=start, suppress_tokens=[],
        begin_suppress_tokens=[],
    )  # fmt: skip
    model = transformers.WhisperForConditionalGeneration(config)
    generation = model.generation_config
    generation.lang_to_id = {token: fast.convert_tokens_to_ids(token) for token in languages}
    generation.alignment_heads = [[1, 0], [1, 1]]
    generation._from_model_config = False
    model.save_pretrained(source)
    fast.save_pretrained(source)
    (source / "preprocessor_config.json").write_text(json.dumps({"feature_size": 80}))
    converter = TransformersConverter(str(source), copy_files=["tokenizer.json", "preprocessor_config.json"])
    converter.convert(str(target), quantization="float32")
    return target


def sound(seconds: float) -> np.ndarray:
    t = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return (0.2 * np.sin(2 * np.pi * 180 * t) * (np.sin(2 * np.pi * 3 * t) > 0)).astype(np.float32)


@pytest.mark.slow
@pytest.mark.usefixtures("trusted")
def test_words_of_the_real_library_become_rows_inside_the_sound(tiny_model: Path, real_speech: np.ndarray) -> None:
    transcript = whisper.transcribe(lambda: [real_speech], model=str(tiny_model), **EXACT)
    table = conform(TRANSCRIPT_WORDS, transcript.table("v"))
    assert table.num_rows > 0
    assert max(table["end_s"].to_pylist()) <= len(real_speech) / SAMPLE_RATE_HZ
    assert (transcript.engine, transcript.engine_model, transcript.language) == ("faster-whisper", "ct2", "en")


@pytest.mark.slow
@pytest.mark.usefixtures("trusted")
def test_recognizing_twice_gives_the_same_words_k1(tiny_model: Path, real_speech: np.ndarray) -> None:
    one, two = (whisper.transcribe(lambda: [real_speech], model=str(tiny_model), device="cpu") for _ in range(2))
    assert one.words == two.words and one.language == two.language is not None


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a model of random weights writes is all guesses and loops; here it is taken as it comes."""
    monkeypatch.setattr(whisper, "MIN_LOGPROB", -100.0)
    monkeypatch.setattr(whisper, "MAX_COMPRESSION", 100.0)


@pytest.fixture
def talk(real_speech: np.ndarray) -> list[np.ndarray]:
    """The speech three times, with eight seconds of silence between."""
    silence = np.zeros(8 * SAMPLE_RATE_HZ, np.float32)
    return [real_speech, silence, real_speech, silence, real_speech]


@pytest.mark.slow
@pytest.mark.usefixtures("trusted")
def test_words_of_each_utterance_stay_inside_it_and_come_once_k20(tiny_model: Path, talk: list[np.ndarray]) -> None:
    done: list[float] = []
    transcript = whisper.transcribe(lambda: talk, done.append, model=str(tiny_model), **EXACT)
    spans = plan(hear(talk), pause_s=whisper.PAUSE_S, enough_s=whisper.ENOUGH_S, longest_s=whisper.LONGEST_S)
    assert len(spans) == 3
    per_span = [
        [word for word in transcript.words if span.start_s <= word.start_s <= word.end_s <= span.end_s]
        for span in spans
    ]
    assert sum(map(len, per_span)) == len(transcript.words) and all(per_span)
    assert done == pytest.approx([spans[0].start_s, spans[-1].end_s], abs=0.1)


@pytest.mark.slow
@pytest.mark.usefixtures("trusted")
def test_a_run_that_dies_midway_goes_on_where_it_was(
    tiny_model: Path, talk: list[np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(whisper.BATCH, "cpu", 1)
    given = {"model": str(tiny_model), "device": "cpu"}
    whole = whisper.transcribe(lambda: talk, **given)
    batches: list[int] = []

    class KilledError(Exception):
        pass

    def recognize(recognizer: Any, batch: Any, language: Any) -> Any:
        batches.append(len(batch))
        if len(batches) == 2:
            raise KilledError
        return real(recognizer, batch, language)

    real = whisper._recognize
    monkeypatch.setattr(whisper, "_recognize", recognize)
    with pytest.raises(KilledError):
        whisper.transcribe(lambda: talk, log=ChunkLog(tmp_path / "v.jsonl", "1"), **given)
    assert whisper.transcribe(lambda: talk, log=ChunkLog(tmp_path / "v.jsonl", "1"), **given) == whole
    assert batches == [1, 1, 1, 1], "one that died, and each of the three once"


@pytest.mark.slow
def test_what_whisper_is_unsure_of_is_tried_again_utterance_by_utterance(
    tiny_model: Path, talk: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    again: list[float] = []

    def try_again(recognizer: Any, utterance: Utterance, language: Any) -> Any:
        again.append(utterance.span.start_s)
        return real(recognizer, utterance, language)

    real = whisper._retry
    monkeypatch.setattr(whisper, "_retry", try_again)
    monkeypatch.setattr(whisper, "is_doubtful", lambda segment: True)
    transcript = whisper.transcribe(lambda: talk, model=str(tiny_model), **EXACT)
    assert len(again) == 3
    assert all(any(abs(word.start_s - start) < 20 for start in again) for word in transcript.words)


@pytest.mark.parametrize(
    ("compression_ratio", "avg_logprob", "doubtful"), [(1.2, -0.3, False), (2.5, -0.3, True), (1.2, -1.1, True)]
)
def test_loops_and_guesses_are_doubtful(compression_ratio: float, avg_logprob: float, doubtful: bool) -> None:
    segment = SimpleNamespace(compression_ratio=compression_ratio, avg_logprob=avg_logprob)
    assert whisper.is_doubtful(segment) is doubtful


def test_an_english_model_is_not_asked_for_the_language() -> None:
    english = SimpleNamespace(model=SimpleNamespace(is_multilingual=False))
    assert whisper._language(english, []) == "en"  # type: ignore[arg-type]


def test_a_word_with_no_speech_under_it_is_left_out() -> None:
    probability = np.zeros(round(60 / FRAME_S), np.float32)
    probability[round(10 / FRAME_S) : round(20 / FRAME_S)] = 0.9
    heard = Hearing(probability, probability, len(probability) * FRAME)
    words = [Word(9.7, 9.9, "well"), Word(12, 13, "said"), Word(20.4, 21, "indeed"), Word(40, 42, "Thanks!")]
    assert [word.text for word in whisper._spoken(words, heard)] == ["well", "said", "indeed"]


@pytest.mark.slow
def test_tags_that_whisper_writes_are_sounds_not_words(
    tiny_model: Path, real_speech: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = [Word(0.5, 1.0, "Well", 0.9), Word(1.0, 1.5, "[Music", 0.8), Word(1.5, 2.0, "playing]", 0.8)]
    monkeypatch.setattr(whisper, "_recognize", lambda recognizer, batch, language: [written for _ in batch])
    transcript = whisper.transcribe(lambda: [real_speech], model=str(tiny_model), **EXACT)
    assert [word.text for word in transcript.words] == ["Well"]
    assert [(event.label, event.start_s, event.end_s) for event in transcript.sounds] == [("music", 1.0, 2.0)]


def test_the_fastest_numbers_that_the_machine_has_are_taken() -> None:
    from ctranslate2 import get_supported_compute_types

    device, compute_type = whisper.best_device("auto", "auto")
    assert compute_type in get_supported_compute_types(device) and compute_type != "float32"
    assert whisper.best_device("cpu", "float32") == ("cpu", "float32")


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["sp-whisper-timestamped/tests/data/laugh1.mp3", "media-pydub/test/data/bach.ogg",
             "sp-whisper-timestamped/tests/data/empty.wav", "media-moviepy/media/rain.mp3"]
)  # fmt: skip
def test_laughter_music_silence_and_rain_give_no_words(tiny_model: Path, shared_data: Path, name: str) -> None:
    sound_of = lambda: decode_sound(shared_data / name)  # noqa: E731
    assert whisper.transcribe(sound_of, model=str(tiny_model), device="cpu").words == []


@pytest.mark.parametrize("name", ["/no/such/model", "no such model", "no-such-owner/no-such-model"])
def test_a_model_that_is_not_there_is_one_clear_error(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("faster_whisper")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(EngineUnavailableError, match=r"such"):
        whisper.transcribe(lambda: [sound(1)], model=name, device="cpu")


def test_a_folder_that_holds_no_model_is_one_clear_error(tmp_path: Path) -> None:
    pytest.importorskip("faster_whisper")
    (tmp_path / "model.bin").write_bytes(b"nonsense")
    with pytest.raises(EngineUnavailableError, match="can't load"):
        whisper.transcribe(lambda: [sound(1)], model=str(tmp_path), device="cpu")
