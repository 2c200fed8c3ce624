"""The embedded recognizer: what it hears in clean speech, the same however often and with however many processes."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from klip_assets.contracts import TRANSCRIPT_WORDS
from klip_assets.media.decode import SAMPLE_RATE_HZ, decode_sound, in_blocks
from klip_assets.signals.speech import sphinx
from klip_assets.signals.speech.chunks import ChunkLog
from klip_assets.signals.speech.sphinx import transcribe
from klip_assets.signals.speech.utterances import Utterance
from klip_assets.signals.speech.words import Word
from klip_assets.store.lake.validate import conform
from klip_assets_tests.suite import missing
from klip_assets_tests.suite.waiting import until

SENTENCE = "the weather is very nice today and we are going to walk in the park"


@pytest.fixture(scope="session")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence said by flite, after two seconds of silence."""
    missing.flite()
    path = tmp_path_factory.mktemp("flite") / "sentence.wav"
    subprocess.run(["flite", "-voice", "slt", "-t", SENTENCE, "-o", str(path)], check=True)
    return path


@pytest.fixture(scope="session")
def talk(spoken: Path) -> list[np.ndarray]:
    """The sentence three times, with silence between."""
    sentence, silence = np.concatenate(list(decode_sound(spoken))), np.zeros(2 * SAMPLE_RATE_HZ, np.float32)
    return [silence, sentence, silence, sentence, silence, sentence]


def test_a_clear_sentence_is_heard_with_times_inside_the_sound(spoken: Path) -> None:
    sound = np.concatenate(
        [np.zeros(2 * SAMPLE_RATE_HZ, np.float32), *decode_sound(spoken), np.zeros(8000, np.float32)]
    )
    done: list[float] = []
    transcript = transcribe(lambda: in_blocks([sound], 160_000), done.append)
    table = conform(TRANSCRIPT_WORDS, transcript.table("v"))
    heard, said = table["word"].to_pylist(), SENTENCE.split()
    assert len(set(said) & set(heard)) / len(set(said)) >= 0.7
    assert len(heard) <= 1.3 * len(said)
    assert not any(set("<>[]()") & set(word) for word in heard)
    assert min(table["start_s"].to_pylist()) >= 1.7
    assert max(table["end_s"].to_pylist()) <= len(sound) / SAMPLE_RATE_HZ
    assert (transcript.engine, transcript.language) == ("pocketsphinx", "en")
    assert done and done[-1] <= len(sound) / SAMPLE_RATE_HZ


@pytest.mark.slow
def test_the_words_do_not_depend_on_the_number_of_processes_or_on_what_was_decoded_before_k1(
    talk: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sphinx, "WORTH_S", 0.0)
    one, two, three = (transcribe(lambda: talk, workers=workers) for workers in (1, 2, 3))
    assert one == two == three
    times = {}
    for word in one.words:
        times.setdefault(word.text, []).append(word.start_s)
    assert len(times["weather"]) == 3, "the same sentence is heard alike each time"


@pytest.mark.slow
def test_words_recognized_before_are_not_recognized_again(
    talk: list[np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = transcribe(lambda: talk)
    path, decoded = tmp_path / "v.jsonl", []

    class KilledError(Exception):
        pass

    def decode_two(recognizer: sphinx.Recognizer, utterance: Utterance) -> list[Word]:
        if len(decoded) == 2:
            raise KilledError
        decoded.append(utterance)
        return real(recognizer, utterance)

    real = sphinx.Recognizer.words
    monkeypatch.setattr(sphinx.Recognizer, "words", decode_two)
    with pytest.raises(KilledError):
        transcribe(lambda: talk, log=ChunkLog(path, "1"), workers=1)
    monkeypatch.setattr(sphinx.Recognizer, "words", lambda *given: decoded.append(given) or real(*given))
    assert transcribe(lambda: talk, log=ChunkLog(path, "1")) == whole
    spans = len(ChunkLog(path, "1"))
    assert spans >= 3 and len(decoded) == spans, "each utterance once, over both runs"


@pytest.mark.slow
def test_a_recognizer_that_dies_is_an_error_that_says_where_and_what_was_recognized_is_kept(
    talk: list[np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = transcribe(lambda: talk)
    path, asked = tmp_path / "v.jsonl", []

    def die_at_the_second(recognizer: sphinx.Recognizer, utterance: Utterance) -> list[Word]:
        asked.append(utterance)
        if len(asked) == 2:
            recognizer._process.kill()
        return real(recognizer, utterance)

    real = sphinx.Recognizer.words
    with monkeypatch.context() as patched:
        patched.setattr(sphinx.Recognizer, "words", die_at_the_second)
        with pytest.raises(ChildProcessError, match=r"the recognizer died between \d+\.\d and"):
            transcribe(lambda: talk, log=ChunkLog(path, "1"), workers=1)
    assert len(ChunkLog(path, "1")) == 1
    assert transcribe(lambda: talk, log=ChunkLog(path, "1")) == whole


def test_no_recognizer_is_left_when_its_run_is_killed(tmp_path: Path) -> None:
    code = f"""
        import os, signal
        from klip_assets.signals.speech.sphinx import Recognizer
        processes = [Recognizer()._process.pid for _ in range(2)]
        open({str(tmp_path / "pids")!r}, "w").write(" ".join(map(str, processes)))
        os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=False)
    assert done.returncode == -signal.SIGKILL
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert len(pids) == 2
    until(lambda: not any(map(_runs, pids)), "the recognizers to end", moves=lambda: [_runs(pid) for pid in pids])


def _runs(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_silence_gives_no_words_and_needs_no_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sphinx, "Recognizer", lambda: pytest.fail("a decoder was made"))
    noise = (1e-4 * np.random.default_rng(0).standard_normal(15 * SAMPLE_RATE_HZ)).astype(np.float32)
    assert transcribe(lambda: in_blocks([noise], 160_000)).words == []


@pytest.mark.parametrize(
    "name", ["sp-whisper-timestamped/tests/data/laugh1.mp3", "media-pydub/test/data/bach.ogg",
             "sp-whisper-timestamped/tests/data/empty.wav", "media-moviepy/media/rain.mp3"]
)  # fmt: skip
def test_laughter_music_silence_and_rain_give_no_words(shared_data: Path, name: str) -> None:
    assert transcribe(lambda: decode_sound(shared_data / name)).words == []
