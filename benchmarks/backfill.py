"""A backfill of a hundred new videos: wall time, failed runs, memory per run, time until published.

    python benchmarks/backfill.py [--videos 100] [--seconds 5] [--as-assets]

Short recordings with captions are in an inbox, registered as partitions; the sensor `vods` is switched off, so that
only the backfill works on them. It is launched as on the page of the job process_video: one run per partition. With
`--as-assets` it is launched as on the lineage graph, and Dagster divides the selected assets into runs. The sensor
`publish` and everything else of `klip dev` is running.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
import urllib.request
from collections import Counter
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any

from record import keep

from klip_assets.contracts import VIDEO_TABLES
from klip_assets.defs.jobs import PROCESS_VIDEO, PUBLISH
from klip_assets.defs.partitions import VIDEOS
from klip_assets.inbox.changes import settle
from klip_assets.inbox.recordings import read_inbox
from klip_assets.store.state.registry import Registry
from klip_assets_tests.made import REPOSITORY, write_vtt, write_wav
from klip_assets_tests.service.klip_dev import Service

SELECTOR = {"repositoryLocationName": "klip_assets", "repositoryName": "__repository__"}


def main() -> None:
    """Start the service, launch the backfill, print a table row, stop and clean up everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--videos", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=5.0, help="Length of a recording.")
    parser.add_argument("--as-assets", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="klip-backfill-") as base:
        service = Service(Path(base) / "data", Path(base) / "home")
        service.home.mkdir()
        shutil.copy(REPOSITORY / "dagster.yaml", service.home)
        try:
            service.start()
            stop_vods(service)
            ids = drop(service, arguments.videos, arguments.seconds)
            figures = measure(service, ids, as_assets=arguments.as_assets)
        finally:
            service.stop(whole_group=True)
    for cells in (figures, ["---"] * len(figures), figures.values()):
        print(f"| {' | '.join(cells)} |")
    keep("backfill", **figures)


def stop_vods(service: Service) -> None:
    """Switch the sensor `vods` off, as the switch on its page does."""
    query = "query($s: SensorSelector!) {sensorOrError(sensorSelector: $s) {... on Sensor {id}}}"
    found = ask(service, query, s={**SELECTOR, "sensorName": "vods"})["sensorOrError"]["id"]
    query = "mutation($id: String) {stopSensor(id: $id) {... on StopSensorMutationResult {instigationState {status}}}}"
    assert ask(service, query, id=found)["stopSensor"]["instigationState"]["status"] == "STOPPED"


def drop(service: Service, number: int, seconds: float) -> list[str]:
    """Put recordings with captions into the inbox and list them as partitions; return their ids."""
    settings = service.settings
    for seed in range(number):
        path = write_wav(settings.vod_inbox / f"short-{seed:03d}.wav", seconds, seed=seed, loud=[(2, 3)])
        write_vtt(path.with_name(f"{path.stem}.en.vtt"), [(0.5, seconds - 1.5, "Oh wow, that was an amazing shot!")])
    settled = settle(read_inbox(settings.vod_inbox).recordings, Registry(settings.memory_path), None)
    ids = [entry.video_id for entry in settled.ready]
    assert len(set(ids)) == number, ids
    assert not service.runs(PROCESS_VIDEO), "the sensor vods was faster"
    with service.instance() as instance:
        instance.add_dynamic_partitions(VIDEOS.name or "", ids)
    return ids


def measure(service: Service, ids: list[str], *, as_assets: bool) -> dict[str, str]:
    """Launch one backfill over all partitions, wait for its end and for the warehouse; return headings and cells."""
    began, peaks = time.monotonic(), dict[int, int]()
    backfill = launch(service, ids, as_assets=as_assets)

    def ended() -> str | None:
        _note_peaks(service, peaks)
        query = "query($id: String!) {partitionBackfillOrError(backfillId: $id) {... on PartitionBackfill {status}}}"
        status = str(ask(service, query, id=backfill)["partitionBackfillOrError"]["status"])
        return None if status in ("REQUESTED", "CANCELING", "FAILING") else status

    def published() -> bool:
        return service.sql("SELECT count(*) AS n FROM videos WHERE duration_s > 0") == [{"n": len(ids)}]

    status = service.wait(ended, "the end of the backfill")
    ended_s = time.monotonic() - began
    runs = [run for run in service.runs() if run.dagster_run.tags.get("dagster/backfill") == backfill]
    outcomes = Counter(run.dagster_run.status.value.lower() for run in runs)
    assert len(runs) >= len(ids), outcomes
    if ok := status == "COMPLETED_SUCCESS":
        service.wait(published, "every video in klip.duckdb")
    return {
        "videos": str(len(ids)),
        "until the backfill ended": f"{ended_s:.0f} s ({status})",
        "per video": f"{ended_s / len(ids):.1f} s",
        "runs": ", ".join(f"{count} {name}" for name, count in sorted(outcomes.items())),
        "per run (median)": f"{median((run.end_time or 0) - (run.start_time or 0) for run in runs):.1f} s",
        "publishes in that time": str(len(service.runs(PUBLISH))),
        "peak memory of a worker": f"{max(peaks.values(), default=0) / 1024:.0f} MB",
        "until all were published": f"{time.monotonic() - began:.0f} s" if ok else "never",
    }


def launch(service: Service, ids: list[str], *, as_assets: bool) -> str:
    """Launch the backfill with the request that the browser sends; return its id."""
    assets = [{"path": [name]} for name in ("weights", *VIDEO_TABLES)]
    params: dict[str, Any] = {"tags": [], "assetSelection": assets, "partitionNames": ids, "fromFailure": False}
    if not as_assets:
        params["selector"] = {"partitionSetName": f"{PROCESS_VIDEO}_partition_set", "repositorySelector": SELECTOR}
    query = """mutation($p: LaunchBackfillParams!) {launchPartitionBackfill(backfillParams: $p) {
        __typename ... on LaunchBackfillSuccess {backfillId} ... on PythonError {message}}}"""
    answer = ask(service, query, p=params)["launchPartitionBackfill"]
    assert "backfillId" in answer, answer
    return str(answer["backfillId"])


def ask(service: Service, query: str, **variables: object) -> dict[str, Any]:
    """Query the GraphQL API of the web server."""
    body, kind = json.dumps({"query": query, "variables": variables}).encode(), {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{service.url}/graphql", body, kind)
    with urllib.request.urlopen(request, timeout=60) as reply:
        answer = json.load(reply)
    assert "errors" not in answer, answer["errors"]
    return dict(answer["data"])


def _note_peaks(service: Service, peaks: dict[int, int]) -> None:
    # The highest resident memory of each process that a code server started for a run, in KiB.
    for pid, command in service.processes().items():
        with suppress(OSError, IndexError):  # It may have ended meanwhile.
            if "spawn_main" in command:
                peaks[pid] = int(Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2].split()[0])


if __name__ == "__main__":
    main()
