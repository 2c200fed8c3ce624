"""Fixtures of the tests that start Klip's services: `klip dev` as a person starts it, on a data folder of its own."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from klip_assets_tests.made import REPOSITORY
from klip_assets_tests.service import postgres_server
from klip_assets_tests.service.kills import STOP, Stage
from klip_assets_tests.service.klip_dev import Service
from klip_assets_tests.suite import missing


def write_sound(path: Path, seconds: float, *, pitch_hz: float = 220.0, rate: int = 16000) -> Path:
    """Write a tone with bursts of noise, in the container and codec that the file's name asks for."""
    noise = np.random.default_rng(int(pitch_hz)).normal(0, 0.05, int(seconds * rate))
    t = np.arange(len(noise)) / rate
    wave = 0.2 * np.sin(2 * np.pi * pitch_hz * t) + noise * (1 + 4 * (t.astype(int) % 3 == 1))
    samples = (np.clip(wave, -1, 1) * 32767).astype(np.int16)
    codec = "pcm_s16le" if path.suffix == ".wav" else "aac"
    hidden = path.with_name(f".{path.name}")
    with av.open(str(hidden), "w", format=path.suffix[1:]) as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        for start in range(0, len(samples), 1024):
            frame = av.AudioFrame.from_ndarray(samples[None, start : start + 1024], format="s16", layout="mono")
            frame.sample_rate, frame.pts = rate, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    hidden.replace(path)
    return path


def write_captions(path: Path, *sentences: tuple[float, float, str]) -> Path:
    """Write a WebVTT file."""
    lines = ["WEBVTT", ""]
    for start, end, text in sentences:
        lines += [f"00:00:{start:06.3f} --> 00:00:{end:06.3f}", text, ""]
    path.write_text("\n".join(lines))
    return path


@pytest.fixture(scope="session")
def make_service(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Service]:
    """Make a service that is not started yet, on an empty data folder."""

    def make(name: str, *, deploy: str = ".", **extra: str) -> Service:
        root = tmp_path_factory.mktemp(name)
        home = root / "dagster_home"
        home.mkdir()
        shutil.copy(REPOSITORY / deploy / "dagster.yaml", home)
        return Service(root / "data", home, extra)

    return make


@pytest.fixture(scope="session")
def postgres() -> Iterator[Callable[[str], str]]:
    """A PostgreSQL server from Debian's packages, for one session; call it with a name to get a new database's URL."""
    pytest.importorskip("dagster_postgres", reason="dagster-postgres is not installed (pip install -e .[postgres])")
    with postgres_server.serve(missing.postgres()) as new_database:
        yield new_database


@pytest.fixture
def in_environment_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[Service], Service]:
    """Point this process, too, at a service's data folder and Dagster instance."""

    def point(service: Service) -> Service:
        for name in ("KLIP_DATA_DIR", "DAGSTER_HOME", "KLIP_DAGSTER_STORAGE", *service.extra):
            monkeypatch.setenv(name, service.environment[name])
        return service

    return point


@pytest.fixture(scope="session")
def sound() -> Callable[..., Path]:
    """Write a made-up recording; see `write_sound`."""
    return write_sound


@pytest.fixture(scope="session")
def captions() -> Callable[..., Path]:
    """Write captions; see `write_captions`."""
    return write_captions


@pytest.fixture(scope="module")
def stage(
    make_service: Callable[..., Service],
    sound: Callable[..., Path],
    captions: Callable[..., Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stage]:
    """A service and a hand on the fail points of its workers, for all chapters of a module."""
    log = tmp_path_factory.mktemp("failpoints") / "log"
    service = make_service("kills", KLIP_SENSOR_INTERVAL_S="5", KLIP_FAILPOINT=STOP, KLIP_FAILPOINT_LOG=str(log))
    service.start()
    yield Stage(service, sound, captions, log)
    # A chapter that failed half way may have left the services without `klip dev`.
    if service.process is None:
        service.kill()
    service.stop()


@pytest.fixture(scope="module")
def refusals() -> dict[str, subprocess.CompletedProcess[str]]:
    """What commands said that could not be done."""
    return {}
