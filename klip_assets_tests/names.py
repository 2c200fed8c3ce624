"""The names that people and their scripts depend on, as text: assets, checks, jobs, sensors, commands, tables.

`names.txt` is what they were at the last commit; a change of it is a change that users see.

    python -m klip_assets_tests.names    writes it
"""

from __future__ import annotations

from pathlib import Path

import click
import dagster as dg

from klip_assets.cli import main
from klip_assets.contracts import TABLES, sql_type
from klip_assets.defs.build import build_defs
from klip_assets.settings import Settings

SNAPSHOT = Path(__file__).with_name("names.txt")


def names() -> str:
    """Return every name, one to a line, by kind."""
    definitions = build_defs()
    repository = definitions.get_repository_def()
    parts = {
        "assets": [_asset(spec) for spec in definitions.resolve_all_asset_specs()],
        "checks": [_check(spec) for check in definitions.asset_checks or () for spec in check.check_specs],
        "jobs": [_job(job) for job in repository.get_all_jobs() if not job.name.startswith("__")],
        "sensors": [_sensor(sensor) for sensor in repository.sensor_defs],
        "schedules": [f"{entry.name} -> {entry.job_name}" for entry in repository.schedule_defs],
        "resources": list(definitions.resources or {}),
        "commands": _commands(),
        "settings": [f"KLIP_{name.upper()}" for name in Settings.model_fields],
    }
    sections = [[f"# {title}", *sorted(lines)] for title, lines in parts.items()]
    for table in TABLES.values():
        columns = [f"{field.name} {sql_type(field.type)}" for field in table.schema]
        sections.append([f"# table {table.name} ({table.published_as}; key {', '.join(table.key)})", *columns])
    return "\n\n".join("\n".join(lines) for lines in sections) + "\n"


def _asset(spec: dg.AssetSpec) -> str:
    upstream = ", ".join(sorted(dep.asset_key.to_user_string() for dep in spec.deps))
    partitions = getattr(spec.partitions_def, "name", None) or type(spec.partitions_def).__name__
    return f"{spec.key.to_user_string()} [{spec.group_name}, {partitions}, {spec.code_version}] <- {upstream or '-'}"


def _check(spec: dg.AssetCheckSpec) -> str:
    return f"{spec.asset_key.to_user_string()}: {spec.name}{' (blocking)' if spec.blocking else ''}"


def _job(job: dg.JobDefinition) -> str:
    keys = sorted(key.to_user_string() for key in job.asset_layer.executable_asset_keys)
    return f"{job.name}: {', '.join(keys)}"


def _sensor(sensor: dg.SensorDefinition) -> str:
    jobs = [job.name for job in sensor.jobs] if sensor.has_jobs else [target.job_name for target in sensor.targets]
    return f"{sensor.name} -> {', '.join(sorted(jobs)) or '-'}"


def _commands() -> list[str]:
    context = main.make_context("klip", ["--help"], resilient_parsing=True)
    lines = [f"klip {_options(main)}"]
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        lines.append(f"klip {name} {_options(command)}")
        for inner, sub in getattr(command, "commands", {}).items():
            lines.append(f"klip {name} {inner} {_options(sub)}")
    return lines


def _options(command: click.Command) -> str:
    return " ".join(
        "/".join([*param.opts, *param.secondary_opts]) if isinstance(param, click.Option) else str(param.name).upper()
        for param in command.params
    )


if __name__ == "__main__":
    SNAPSHOT.write_text(names())
