"""What every test gets: a data folder and a Dagster home of its own, so that none can touch a user's."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import hypothesis
import numpy as np
import pytest

from klip_assets.media.decode import decode_sound
from klip_assets.settings import Settings
from klip_assets.store.lake.lake import Lake
from klip_assets.store.state.registry import Registry
from klip_assets_tests.made import REPOSITORY
from klip_assets_tests.processed import drop_stream, drop_tweets, point_at, process, publish_again
from klip_assets_tests.suite import missing
from klip_assets_tests.suite.examples import FAST

pytest_plugins = ("klip_assets_tests.suite.watchdog", "klip_assets_tests.suite.reaper")

# Modules of tests read settings as they are imported, before any fixture: neither `.env` nor a variable of a
# developer's own installation may reach them.
for name in Settings.model_fields:
    os.environ.pop(f"KLIP_{name.upper()}", None)
os.environ["KLIP_ENV_FILE"] = ""
os.environ.pop("KLIP_KEY_VARIABLES", None)

# Two processes that compile librosa's functions at once can leave a cache that ends the next one with a segmentation
# fault (numba issue 10128): each process of tests has a cache of its own, which ends with it.
_compiled = tempfile.TemporaryDirectory(prefix="klip-numba-")
os.environ["NUMBA_CACHE_DIR"] = _compiled.name

# How long an example takes is the machine's; speed is measured in benchmarks/. `make test-fast` asks for `fast`.
hypothesis.settings.register_profile("klip", deadline=None)
hypothesis.settings.register_profile("fast", deadline=None, max_examples=FAST)
hypothesis.settings.load_profile("klip")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run files with slow tests first: of two processes, none ends with the longest file while the other idles."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line what was skipped for want of a program."""
    terminalreporter.write_line(
        missing.summary(report.longrepr[2] for report in terminalreporter.getreports("skipped"))
    )


@pytest.fixture(autouse=True)
def isolated(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Move the data folder and the Dagster home to a temporary folder."""
    base = tmp_path_factory.mktemp("klip")
    for name in Settings.model_fields:
        monkeypatch.delenv(f"KLIP_{name.upper()}", raising=False)
    point_at(base, monkeypatch)


@pytest.fixture(scope="session")
def dagster_storage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Dagster's storage with its tables made and nothing in them; to be copied (making it takes seconds)."""
    from klip_assets.defs.instance import dagster_instance

    base = tmp_path_factory.mktemp("storage")
    with pytest.MonkeyPatch.context() as environment:
        point_at(base, environment)
        with dagster_instance(Settings()) as instance:
            instance.get_runs()
    return base / "data" / ".dagster"


@pytest.fixture
def settings(isolated: None, dagster_storage: Path) -> Settings:
    """Settings of the test's own installation, its folders made."""
    settings = Settings()
    settings.make_folders()
    shutil.copytree(dagster_storage, settings.dagster_storage_dir)
    return settings


@pytest.fixture
def lake(settings: Settings) -> Lake:
    """The lake of the test's own installation."""
    return Lake(settings.lake_dir)


@pytest.fixture
def registry(settings: Settings) -> Registry:
    """The inbox memory of the test's own installation."""
    return Registry(settings.memory_path)


@pytest.fixture
def instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """A real Dagster instance on SQLite, in the test's own folder."""
    from klip_assets.defs.instance import dagster_instance

    with dagster_instance(settings) as found:
        yield found


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Public data beside the checkout; tests that need it are skipped where it is not."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no shared data beside the checkout")
    return folder


@pytest.fixture(scope="session")
def flite() -> str:
    """The path of flite, which speaks; tests that need it are skipped where it is not installed."""
    return missing.flite()


@pytest.fixture(scope="session")
def real_speech(shared_data: Path) -> np.ndarray:
    """11 s of a public speech, 16 kHz mono."""
    return np.concatenate(list(decode_sound(shared_data / "sp-jfk" / "tests" / "jfk.flac")))


@pytest.fixture(scope="session")
def processed_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which one stream and two days of tweets were processed; to be copied, not used."""
    base = tmp_path_factory.mktemp("processed")
    with pytest.MonkeyPatch.context() as environment:
        point_at(base, environment)
        settings = Settings()
        settings.make_folders()
        drop_stream(settings)
        drop_tweets(settings)
        report = process(settings)
        assert report.ok, report.rows
    return base / "data"


@pytest.fixture(scope="session")
def published_once(processed_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The base of an installation in which one stream and two days of tweets are published."""
    base = tmp_path_factory.mktemp("published")
    shutil.copytree(processed_folder, base / "data", symlinks=True)
    with pytest.MonkeyPatch.context() as environment:
        point_at(base, environment)
        publish_again(Settings())
    return base


@pytest.fixture
def published_to_read(published_once: Path, isolated: None, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The same installation for all tests that change nothing in it."""
    point_at(published_once, monkeypatch)
    return Settings()


@pytest.fixture
def published(processed_folder: Path, settings: Settings) -> Settings:
    """An installation of the test's own in which one stream and two days of tweets are published."""
    shutil.rmtree(settings.data_dir)
    shutil.copytree(processed_folder, settings.data_dir, symlinks=True)
    publish_again(settings)
    return settings
