"""What the data engineer sees and does in the browser: a real one, on a real `klip dev`.

Every test leaves a picture of its page in the temporary folder. `KLIP_SCREENSHOTS=DIR` also makes the pictures of the
documents there, from the sample (from the processed data folder `KLIP_SCREENSHOTS_DATA`, if that is set).
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from klip_assets.contracts import HIGHLIGHTS, text_of
from klip_assets.defs.build import build_defs
from klip_assets_tests.service.browser import FLAGS, SIZE
from klip_assets_tests.suite import missing
from klip_assets_tests.suite.waiting import STILL_S

pytestmark = pytest.mark.slow

KEEP = os.environ.get("KLIP_SCREENSHOTS")
KEEP_DATA = os.environ.get("KLIP_SCREENSHOTS_DATA")
#: Milliseconds that a page may take to show something.
PATIENCE_MS = STILL_S * 1000
VIDEO = "talk"
SPOKEN = [
    (0.5, 4.0, "Welcome to the stream everybody."),
    (4.5, 9.0, "We are waiting for the gate to open."),
    (9.5, 13.0, "Oh wow, that is incredible, what a wonderful run!"),
    (14.0, 19.0, "Let us have a look at the map again."),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed (pip install -e .[dev])"
    )
    chromium = missing.browser()
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield found
        found.close()


@pytest.fixture(scope="module")
def service(
    browser: Any, make_service: Callable[..., Any], sound: Callable[..., Path], captions: Callable[..., Path]
) -> Iterator[Any]:
    """`klip dev` on a data folder in which `klip process` has processed one recording with captions and chat."""
    found = make_service("ui", KLIP_SENSOR_INTERVAL_S="5")
    inbox = found.settings.vod_inbox
    inbox.mkdir(parents=True)
    sound(inbox / f"{VIDEO}.wav", 20)
    captions(inbox / f"{VIDEO}.en.vtt", *SPOKEN)
    chat = [f"{offset},viewer{i % 5},PogChamp wow {i}" for i, offset in enumerate([2, 8, 13, 14, 14, 15, 15, 15, 16])]
    (inbox / f"{VIDEO}.chat.csv").write_text("\n".join(["offset_s,author,text", *chat]) + "\n")
    done = found.klip("process")
    assert done.returncode == 0, done.stdout + done.stderr
    found.start()
    yield found
    # As Ctrl-C in a terminal does it: every process of the group gets the signal at once.
    found.stop(whole_group=True)


@pytest.fixture
def dev(service: Any, in_environment_of: Callable[[Any], Any]) -> Any:
    return in_environment_of(service)


@pytest.fixture
def page(browser: Any, dev: Any, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Any]:
    context = browser.new_context(viewport=SIZE, base_url=dev.url)
    context.set_default_timeout(PATIENCE_MS)
    opened = context.new_page()
    failures: list[str] = []
    opened.add_locator_handler(opened.get_by_role("button", name="Skip"), lambda button: button.click())
    opened.on("pageerror", lambda error: failures.append(str(error)))
    yield opened
    opened.screenshot(path=tmp_path / f"{request.node.name}.png")
    context.close()
    assert failures == []


def test_the_lineage_graph_shows_every_group_and_the_assets_in_it(page: Any) -> None:
    specs = list(build_defs().resolve_all_asset_specs())
    groups = sorted({str(spec.group_name) for spec in specs})
    _open(page, "/asset-groups?expanded=" + _expanded(groups))
    for group in groups:
        page.locator("[data-tooltip], div").get_by_text(group, exact=True).first.wait_for()
    # The graph draws what is in the window only, so the list beside it is unfolded instead.
    for group in groups:
        arrow = page.get_by_role("button", name=group).locator("xpath=preceding::*[@aria-label='arrow_drop_down'][1]")
        arrow.click()
        for spec in specs:
            if spec.group_name == group:
                page.get_by_text(spec.key.path[-1], exact=True).first.wait_for()
        arrow.click()


def test_the_page_of_highlights_says_what_the_asset_and_each_column_is(page: Any) -> None:
    _open(page, "/assets/highlights")
    page.get_by_text(HIGHLIGHTS.description).first.wait_for()
    for name in ("peak_s", "base_score", "why"):
        description = text_of(HIGHLIGHTS.schema.field(name).metadata, "description")
        row = page.get_by_role("row").filter(has=page.get_by_text(name, exact=True))
        row.get_by_text(description).first.wait_for()
    page.get_by_text("klip.main.highlights").first.wait_for()
    page.get_by_text("process_video").first.wait_for()


def test_the_partition_of_a_video_shows_its_row_count_and_its_plot(page: Any, dev: Any) -> None:
    _open(page, f"/assets/highlights?view=partitions&partition={VIDEO}")
    page.get_by_text("Materialized", exact=True).first.wait_for()
    rows = dev.sql(f"SELECT count(*) AS n FROM highlights WHERE video_id = '{VIDEO}'")[0]["n"]
    shown = page.get_by_role("row").filter(has_text="dagster/partition_row_count").get_by_role("cell").nth(1)
    assert shown.inner_text().strip() == str(rows)
    page.get_by_role("row").filter(has_text="plot").get_by_text("[Show Markdown]").click()
    plot = page.get_by_alt_text("score curve")
    plot.wait_for()
    assert plot.get_attribute("src").startswith("data:image/png;base64,")
    assert plot.evaluate("image => image.complete && image.naturalWidth") == 640


def test_the_checks_of_highlights_are_shown_as_passed(page: Any) -> None:
    _open(page, "/assets/highlights?view=checks")
    page.get_by_text("highlights_are_sound").first.wait_for()
    page.get_by_text(re.compile(r"^Passed$|^Succeeded$")).first.wait_for()


def test_sensors_and_schedule_are_shown_as_running(page: Any) -> None:
    _open(page, "/automation")
    names = ("vods", "tweets", "publish", "alerts", "yesterdays_tweets")
    for name in names:
        page.get_by_text(name, exact=True).first.wait_for()
    # The boxes for choosing rows are empty, so those that are ticked are the switches.
    on = page.locator("input[type=checkbox]:checked")
    on.nth(len(names) - 1).wait_for(state="attached")
    assert on.count() == len(names)


def test_a_click_on_materialize_makes_one_asset_of_one_video_again(page: Any, dev: Any) -> None:
    began = time.time()
    _open(page, "/assets/emotion_moments")
    page.get_by_role("button", name="Materialize…").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Select a partition").click()
    page.get_by_role("menuitem", name=VIDEO).click()
    page.keyboard.press("Escape")
    dialog.get_by_role("button", name="Launch 1 run").click()

    def ended() -> list[Any]:
        runs = [run for run in dev.runs(partition=VIDEO) if run.create_timestamp.timestamp() > began]
        return runs if runs and all(run.dagster_run.is_finished for run in runs) else []

    (run,) = dev.wait(ended, "the run that was clicked for")
    assert run.dagster_run.status is dg.DagsterRunStatus.SUCCESS
    assert run.dagster_run.asset_selection == {dg.AssetKey(["emotion_moments"])}
    with dev.instance() as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey(["emotion_moments"]))
    assert event is not None and event.run_id == run.dagster_run.run_id
    page.goto(f"/runs/{run.dagster_run.run_id}")
    page.get_by_text("Success", exact=True).first.wait_for()


def test_visits_leave_no_file_in_the_project_folder(page: Any, dev: Any) -> None:
    # DAGSTER_HOME is the checkout, unless somebody set it: Dagster's notes would show up in git.
    _open(page, "/overview")
    page.get_by_text("Timeline").first.wait_for()
    assert [str(path.relative_to(dev.home)) for path in dev.home.rglob("*") if path.is_file()] == ["dagster.yaml"]


@pytest.mark.skipif(not KEEP, reason="KLIP_SCREENSHOTS names no folder")
def test_pictures_for_the_documents(browser: Any, make_service: Callable[..., Any]) -> None:
    """Take them from the sample; `dagster-webserver` alone, so that no sensor works on the data."""
    service = make_service("pictures")
    if KEEP_DATA:
        service.data_dir = Path(KEEP_DATA).resolve()
    else:
        done = service.klip("demo")
        assert done.returncode == 0, done.stdout + done.stderr
    # Without the invitation of a first visit.
    (service.home / ".nux").mkdir(exist_ok=True)
    (service.home / ".nux" / "nux.yaml").write_text("seen: 1\n")
    service.start(daemon=False)
    try:
        context = browser.new_context(viewport=SIZE, base_url=service.url)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        _open(page, "/asset-groups")
        page.get_by_role("button", name="Hide navigation").click()
        page.locator("button:has([aria-label=settings])").last.click()
        page.get_by_text("Change graph to vertical orientation").first.click()
        # The orientation is remembered, the panel of groups is not; the graph is fitted into what it is given.
        page.set_viewport_size({"width": 1600 + 300, "height": 1000})
        _open(page, "/asset-groups?expanded=" + _expanded(["recordings", "segments", "highlights", "tweets"]))
        page.get_by_text("segment_scores", exact=True).last.wait_for()
        page.locator("button:has([aria-label=panel_show_right])").click()
        page.set_viewport_size(SIZE)
        page.mouse.move(900, 300)
        page.mouse.wheel(0, -60)
        page.mouse.move(700, 20)
        _keep(page, "lineage.png")
        _open(page, "/assets/highlights?view=partitions&partition=sample_stream")
        page.get_by_role("row").filter(has_text="plot").get_by_text("[Show Markdown]").click()
        page.get_by_alt_text("score curve").wait_for()
        _keep(page, "highlights.png")
        _open(page, "/assets/highlights")
        _keep(page, "highlights_columns.png")
        context.close()
    finally:
        service.stop()


def _expanded(groups: list[str]) -> str:
    return ",".join(f"global@global:{group}" for group in groups)


def _open(page: Any, path: str) -> None:
    page.goto(path)
    page.wait_for_load_state("networkidle")


def _keep(page: Any, name: str) -> None:
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(3000)
    Path(str(KEEP)).mkdir(parents=True, exist_ok=True)
    page.screenshot(path=Path(str(KEEP)) / name)
