"""faster-whisper through the real library, with a tiny model of random weights made here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from klip_assets.contracts import TRANSCRIPT_WORDS
from klip_assets.errors import EngineUnavailableError
from klip_assets.lake.validate import conform
from klip_assets.media.decode import SAMPLE_RATE_HZ
from klip_assets.speech import whisper

LANGUAGES = 99


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
def test_words_of_the_real_library_become_rows_inside_the_sound(tiny_model: Path, real_words: np.ndarray) -> None:
    transcript = whisper.transcribe([real_words], model=str(tiny_model), device="cpu", language="en")
    table = conform(TRANSCRIPT_WORDS, transcript.table("v"))
    assert table.num_rows > 0
    assert max(table["end_s"].to_pylist()) <= len(real_words) / SAMPLE_RATE_HZ
    assert (transcript.engine, transcript.engine_model, transcript.language) == ("faster-whisper", "ct2", "en")


@pytest.mark.slow
def test_recognizing_twice_gives_the_same_words_although_it_samples_k1(
    tiny_model: Path, real_words: np.ndarray
) -> None:
    one, two = (whisper.transcribe([real_words], model=str(tiny_model), device="cpu") for _ in range(2))
    assert one.words == two.words and one.language == two.language is not None


@pytest.mark.slow
def test_words_of_later_pieces_keep_their_time_and_come_once_k20(
    tiny_model: Path, real_words: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whisper, "PIECE_S", 11)
    done: list[float] = []
    transcript = whisper.transcribe(
        [real_words, real_words], model=str(tiny_model), device="cpu", language="en", on_progress=done.append
    )
    starts = [word.start_s for word in transcript.words]
    assert min(starts) < 11 < max(starts) <= 22
    assert max(word.end_s for word in transcript.words) <= 22
    assert 11 < max(done) <= 22


@pytest.mark.slow
def test_silence_gives_no_words(tiny_model: Path) -> None:
    assert whisper.transcribe([np.zeros(320_000, np.float32)], model=str(tiny_model), device="cpu").words == []


@pytest.fixture
def real_words(shared_data: Path) -> np.ndarray:
    """11 s of a public speech."""
    from klip_assets.media.decode import decode_sound

    return np.concatenate(list(decode_sound(shared_data / "sp-jfk" / "tests" / "jfk.flac")))


@pytest.mark.parametrize("name", ["/no/such/model", "no such model", "no-such-owner/no-such-model"])
def test_a_model_that_is_not_there_is_one_clear_error(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("faster_whisper")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(EngineUnavailableError, match=r"such"):
        whisper.transcribe([sound(1)], model=name, device="cpu")


def test_a_folder_that_holds_no_model_is_one_clear_error(tmp_path: Path) -> None:
    pytest.importorskip("faster_whisper")
    (tmp_path / "model.bin").write_bytes(b"nonsense")
    with pytest.raises(EngineUnavailableError, match="can't load"):
        whisper.transcribe([sound(1)], model=str(tmp_path), device="cpu")
