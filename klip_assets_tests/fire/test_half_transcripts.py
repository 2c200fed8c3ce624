"""A run killed in the middle of a transcript: the next one recognizes only what is missing, to the same words."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from klip_assets.contracts import TRANSCRIPT_WORDS
from klip_assets.media.decode import SAMPLE_RATE_HZ, decode_sound
from klip_assets.settings import Settings
from klip_assets.signals.speech import sphinx
from klip_assets.signals.speech.utterances import hear, plan
from klip_assets.store.lake.lake import Lake
from klip_assets_tests.fire.conftest import Run
from klip_assets_tests.made import REPOSITORY
from klip_assets_tests.media.written import write_media
from klip_assets_tests.suite import missing

SENTENCES = ("the weather is very nice today", "we are going to walk in the park", "there is a dog by the old door")


@pytest.fixture
def talk(settings: Settings, tmp_path: Path) -> Path:
    """Three sentences said by flite with pauses between, in the inbox."""
    missing.flite()
    parts = []
    for number, sentence in enumerate(SENTENCES):
        said = tmp_path / f"{number}.wav"
        subprocess.run(["flite", "-voice", "slt", "-t", sentence, "-o", str(said)], check=True)
        parts += [*decode_sound(said), np.zeros(2 * SAMPLE_RATE_HZ, np.float32)]
    settings.make_folders()
    return write_media(settings.vod_inbox / "talk.wav", rate=SAMPLE_RATE_HZ, samples=np.concatenate(parts))


@pytest.mark.slow
def test_a_killed_transcript_goes_on_with_the_next_utterance(
    settings: Settings, talk: Path, tmp_path: Path, run_module: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    spans = plan(hear(decode_sound(talk)), pause_s=sphinx.PAUSE_S, enough_s=0, longest_s=sphinx.LONGEST_S)
    assert len(spans) >= 3
    log = tmp_path / "points"
    environment = os.environ | {
        "PYTHONPATH": str(REPOSITORY),
        "KLIP_FAILPOINT": f"kill transcript.chunk {spans[2].name}",
        "KLIP_FAILPOINT_LOG": str(log),
    }
    command = [sys.executable, "-m", "klip_assets_tests.fire.process_once"]
    assert subprocess.run(command, cwd=tmp_path, env=environment, check=False).returncode == -signal.SIGKILL
    unfinished = settings.chunk_log("talk")
    assert len(unfinished.read_text().splitlines()) == 3, "the version and two utterances"
    assert chunks(log) == [span.name for span in spans[:3]]
    log.unlink()
    monkeypatch.setenv("KLIP_FAILPOINT_LOG", str(log))
    (done,) = run_module("process_once", cwd=tmp_path)
    assert [row["outcome"] for row in done["rows"]] == ["done"] * len(done["rows"]) and done["rows"]
    assert chunks(log) == [span.name for span in spans[2:]], "only what was missing"
    assert not unfinished.exists()
    words = Lake(settings.lake_dir).read(TRANSCRIPT_WORDS, "talk")
    assert words["word"].to_pylist() == [word.text for word in sphinx.transcribe(lambda: decode_sound(talk)).words]


def chunks(log: Path) -> list[str]:
    """Return the utterances that were noted, in order."""
    points = [line.split() for line in log.read_text().splitlines()]
    return [point[2] for point in points if point[1] == "transcript.chunk"]
