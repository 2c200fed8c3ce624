"""Dagster's pages with ten thousand videos: a real browser on a folder kept by many_videos.py.

    python benchmarks/many_videos.py --videos 10000 --keep FOLDER
    python benchmarks/ui_many.py FOLDER [--pictures FOLDER]

Dagster has only seen the run of the one stream in that folder. So materializations of `videos` and `highlights` are
reported first, one per partition, with the tags and metadata (including the plot) from that run: as after real runs,
except for the other assets. That takes about 50 ms per event, once: existing ones are kept. Then `dagster-webserver`
alone serves the folder, and a headless Chromium, new for each page, opens it.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
from backfill import ask
from code_location import LOAD, seconds
from playwright.sync_api import sync_playwright
from record import keep

from klip_assets.contracts import HIGHLIGHTS, VIDEOS
from klip_assets.defs.partitions import VIDEOS as PARTITIONS
from klip_assets_tests.made import REPOSITORY
from klip_assets_tests.service.browser import FLAGS, SIZE
from klip_assets_tests.service.klip_dev import Service

#: Timeout of a page in milliseconds.
PATIENCE_MS = 120_000
TABLES = (HIGHLIGHTS, VIDEOS)


def main() -> None:
    """Report missing materializations, serve the folder, print the rows of a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=Path, help="Folder for a screenshot of each page.")
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    # A separate subfolder, since the log of the service is next to it.
    home = folder / "home"
    home.mkdir(exist_ok=True)
    shutil.copy(REPOSITORY / "dagster.yaml", home)
    service = Service(folder / "data", home)
    number = report(service)
    print(f"| with {number} videos | time |\n| --- | --- |")
    took: dict[str, float] = {}
    for what, taken_s in [*measure_code_location(service)]:
        print(f"| {what} | {taken_s:.2f} s |", flush=True)
        took[what] = round(taken_s, 2)
    service.start(daemon=False)
    try:
        for what, taken_s in [*measure_reload(service), *measure_pages(service, number, arguments.pictures)]:
            print(f"| {what} | {taken_s:.2f} s |", flush=True)
            took[what] = round(taken_s, 2)
    finally:
        service.stop(whole_group=True)
    keep("ui_many", videos=number, seconds=took)


def report(service: Service) -> int:
    """Report every partition of two assets as materialized; return the number of partitions."""
    with service.instance() as instance:
        keys = instance.get_dynamic_partitions(PARTITIONS.name or "")
        for table in TABLES:
            asset = dg.AssetKey([table.name])
            event = instance.get_latest_materialization_event(asset)
            assert event is not None and event.asset_materialization is not None, f"no run has made {table.name}"
            real, have = event.asset_materialization, instance.get_materialized_partitions(asset)
            for key in sorted(set(keys) - have):
                made = dg.AssetMaterialization(asset, partition=key, metadata=real.metadata, tags=real.tags)
                instance.report_runless_asset_event(made)
            assert instance.get_materialized_partitions(asset) == set(keys)
    return len(keys)


def measure_code_location(service: Service) -> Iterator[tuple[str, float]]:
    """Time a fresh interpreter that loads the code location, on this folder and on an empty one."""
    names = ("KLIP_DATA_DIR", "DAGSTER_HOME", "KLIP_DAGSTER_STORAGE")
    seconds(LOAD)
    with tempfile.TemporaryDirectory() as empty:
        other = Service(Path(empty) / "data", service.home)
        taken: dict[str, list[float]] = {"this folder": [], "an empty folder": []}
        for _ in range(3):
            for what, found in zip(taken, (service, other), strict=True):
                os.environ |= {name: found.environment[name] for name in names}
                taken[what].append(seconds(LOAD))
    for what, times in taken.items():
        yield f"code location in a new interpreter, {what} (median of 3)", statistics.median(times)


def measure_reload(service: Service) -> Iterator[tuple[str, float]]:
    """Time the button that reloads the code location."""
    query = """mutation {reloadRepositoryLocation(repositoryLocationName: "klip_assets") {
        ... on WorkspaceLocationEntry {loadStatus locationOrLoadError {__typename}}}}"""
    began = time.perf_counter()
    answer = ask(service, query)["reloadRepositoryLocation"]
    assert answer["locationOrLoadError"]["__typename"] == "RepositoryLocation", answer
    yield "Reload definitions", time.perf_counter() - began


def measure_pages(service: Service, number: int, pictures: Path | None) -> Iterator[tuple[str, float]]:
    """Time each page until it shows its main content."""
    count = f"{number // 1000},?{number % 1000:03d}" if number >= 1000 else str(number)
    pages = []
    for table in TABLES:
        name, made = table.name, re.compile(rf"^Materialized \({count}\)$")
        text = table.schema.field(table.schema.names[-1]).name
        pages.append((f"{name}: overview", f"/assets/{name}", ["Latest materialization", table.description, text]))
        pages.append((f"{name}: partitions", f"/assets/{name}?view=partitions", [made, "Missing (0)", "Failed (0)"]))
        pages.append((f"{name}: events", f"/assets/{name}?view=events", ["input_versions"]))
    graph = f"/asset-groups/{HIGHLIGHTS.name}?expanded=global@global:highlights,global@global:recordings"
    pages.append(("lineage graph, highlights selected", graph, ["weights", re.compile(rf"^{count}/{count}$")]))
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert chromium, "no browser is installed"
    with sync_playwright() as playwright:
        for what, path, shown in pages:
            browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
            picture = pictures / f"{re.sub('[^a-z]+', '_', what)}.png" if pictures else None
            yield what, _open(browser.new_context(viewport=SIZE, base_url=service.url).new_page, path, shown, picture)
            browser.close()


def _open(new_page: Callable[[], Any], path: str, shown: list[str | re.Pattern[str]], picture: Path | None) -> float:
    page, errors, answers = new_page(), [], []
    page.set_default_timeout(PATIENCE_MS)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("response", lambda answer: answers.append(answer))
    began = time.perf_counter()
    page.goto(path)
    for text in shown:
        page.get_by_text(text, exact=True).first.wait_for()
    taken_s = time.perf_counter() - began
    page.wait_for_load_state("networkidle")
    if picture:
        page.screenshot(path=picture)
    errors += [f"{answer.status} {answer.url}" for answer in answers if answer.status >= 400]
    errors += [found.text() for found in answers if "/graphql" in found.url and "errors" in (found.json() or {})]
    assert not errors and not page.get_by_text(re.compile("PythonError|GraphQL error")).count(), errors
    return taken_s


if __name__ == "__main__":
    main()
