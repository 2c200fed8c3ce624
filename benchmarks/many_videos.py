"""Ten thousand videos: scans of the sensors, publishes, `klip process`.

    python benchmarks/many_videos.py [--videos 10000] [--keep FOLDER]

One short stream is actually processed; its partitions and its accepted generation are then copied under other ids (the
same rows except for ids). The real operations are then timed on that lake. With `--keep` the folder is kept, to be
opened with `klip dev` (KLIP_DATA_DIR=FOLDER/data DAGSTER_HOME=FOLDER).
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
from record import keep

from klip_assets.contracts import STAGE_STATUS, TABLES, VIDEO_TABLES, Subject
from klip_assets.defs.instance import dagster_instance
from klip_assets.defs.partitions import VIDEOS
from klip_assets.defs.resources import Installation as InstallationResource
from klip_assets.defs.sensors import build_sensors
from klip_assets.inbox.changes import settle
from klip_assets.inbox.recordings import read_inbox
from klip_assets.settings import Settings
from klip_assets.store.lake.generations import withdraw
from klip_assets.store.lake.lake import Lake
from klip_assets.store.lake.provenance import FOOTER_KEY, Provenance
from klip_assets.store.lake.stage_status import read_stages
from klip_assets.store.state.registry import Registry
from klip_assets.work.installation import Installation
from klip_assets.work.publishing import publish_accepted
from klip_assets.work.stages.catalogue import STAGES
from klip_assets.work.stale import stale_subjects
from klip_assets_tests.made import REPOSITORY
from klip_assets_tests.processed import drop_stream, process


def main() -> None:
    """Build the lake, time the operations on it, print the rows of a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--videos", type=int, default=10_000)
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    base = arguments.keep or Path(tempfile.mkdtemp())
    base.mkdir(parents=True, exist_ok=True)
    shutil.copy(REPOSITORY / "dagster.yaml", base)
    storage = base / "data" / ".dagster"
    os.environ |= {"KLIP_DATA_DIR": str(base / "data"), "DAGSTER_HOME": str(base), "KLIP_DAGSTER_STORAGE": str(storage)}
    settings = Settings()
    settings.make_folders()
    drop_stream(settings)
    process(settings)
    multiply(settings, arguments.videos)
    took: dict[str, float] = {}
    for what, seconds in measure(settings):
        print(f"| {what} | {seconds:.2f} s |", flush=True)
        took[what] = round(seconds, 2)
    keep("many_videos", videos=arguments.videos, seconds=took)
    if not arguments.keep:
        shutil.rmtree(base)


def multiply(settings: Settings, number: int) -> None:
    """Copy the partitions of the one video under other ids, until there are `number` videos."""
    lake = Lake(settings.lake_dir)
    rows = {name: lake.read(TABLES[name], "stream") for name in VIDEO_TABLES}
    records = {name: lake.provenance(TABLES[name], "stream") for name in VIDEO_TABLES}
    stages = read_stages(lake, "stream")
    for i in range(1, number):
        path = settings.vod_inbox / f"{i // 500:03d}" / f"stream-{i:05d}.wav"
        path.parent.mkdir(exist_ok=True)
        os.link(settings.vod_inbox / "stream.wav", path)
    entries = settle(read_inbox(settings.vod_inbox).recordings, Registry(settings.memory_path), None).ready
    for entry in entries:
        if entry.video_id == "stream":
            continue
        versions = {"source": entry.fingerprint} | {name: f"{name}-of-{entry.video_id}" for name in VIDEO_TABLES}
        for name in VIDEO_TABLES:
            ids = pa.repeat(entry.video_id, rows[name].num_rows)
            changed = rows[name].set_column(rows[name].schema.get_field_index("video_id"), "video_id", ids)
            # Columns named by a stage contain no id, so their versions stay the same.
            inputs = {
                source: version if STAGES[name].columns_of(source) else versions.get(source, version)
                for source, version in records[name].input_versions.items()
            }
            record = replace(records[name], input_versions=inputs, data_version=versions[name])
            _write(lake.path(TABLES[name], entry.video_id), changed, record)
        mine = STAGE_STATUS.from_rows([{**row, "partition": entry.video_id} for row in stages])
        _write(lake.path(STAGE_STATUS, entry.video_id), mine, Provenance("benchmark", "1", written_at="2026-01-01"))
    with dagster_instance(settings) as instance:
        keys = lake.keys(TABLES["videos"])
        for start in range(0, len(keys), 500):
            instance.add_dynamic_partitions(VIDEOS.name or "", keys[start : start + 500])


def _write(path: Path, rows: pa.Table, record: Provenance) -> None:
    # As the lake does, but without its checks and fsync: these rows have already passed them.
    path.parent.mkdir(parents=True)
    pq.write_table(rows.replace_schema_metadata({FOOTER_KEY: record.to_json().encode()}), path, compression="zstd")


def measure(settings: Settings) -> Iterator[tuple[str, float]]:
    """Time the operations that grow with the number of videos."""
    yield "first publish: every video is checked and accepted", _timed(lambda: _publish(settings, from_nothing=True))
    yield "publish of all accepted videos from scratch", _timed(lambda: _publish(settings, from_nothing=True))
    changed = Lake(settings.lake_dir).keys(TABLES["videos"])[-1]
    withdraw(Lake(settings.lake_dir), Subject.video(changed))
    yield "publish that removes one video", _timed(lambda: _publish(settings))
    os.utime(Lake(settings.lake_dir).path(STAGE_STATUS, changed))
    yield "publish that accepts one video", _timed(lambda: _publish(settings))
    with dagster_instance(settings) as instance:
        sensors = {sensor.name: sensor for sensor in build_sensors(settings)}
        for name in ("vods", "publish"):
            resources = {"installation": InstallationResource()}
            with dg.build_sensor_context(instance=instance, cursor="{}", resources=resources) as context:
                yield f"scan of the sensor {name}", _timed(lambda scan=sensors[name], context=context: scan(context))
    yield "klip process with nothing to do", _timed(lambda: process(settings))
    yield "finding what is stale", _timed(lambda: stale_subjects(Installation(settings)))


def _publish(settings: Settings, *, from_nothing: bool = False) -> None:
    done = publish_accepted(Installation(settings), from_nothing=from_nothing)
    assert not done.waiting and done.from_nothing == from_nothing, done


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
