"""The `klip` command: click for arguments, rich for tables, one module per family of commands.

Put here: arguments in, tables out, and how errors are shown; a command calls a room below or has Dagster run a job.
Keep out: work, that is, anything someone would call without a terminal. Dagster (`defs`) is imported only inside
functions.
"""

from __future__ import annotations

import os
import shutil
import sys
import traceback
from types import TracebackType
from typing import Any

import click

from klip_assets import __version__
from klip_assets.errors import KlipError
from klip_assets.formats.screen import shown

#: With less free space than this, a failure is attributed to the disk.
_FULL_BYTES = 4 << 20

#: Command -> (module, function). A module is imported when its command runs, so that `klip --help` is quick.
_COMMANDS = {
    "demo": "klip_assets.cli.demo:demo",
    "add": "klip_assets.cli.inbox:add",
    "process": "klip_assets.cli.process:process",
    "highlights": "klip_assets.cli.highlights:highlights",
    "clip": "klip_assets.cli.clips:clip",
    "rate": "klip_assets.cli.rate:rate",
    "videos": "klip_assets.cli.show:videos",
    "tweets": "klip_assets.cli.show:tweets",
    "sql": "klip_assets.cli.show:sql",
    "eval": "klip_assets.cli.evaluate:evaluate",
    "export": "klip_assets.cli.show:export",
    "remove": "klip_assets.cli.inbox:remove",
    "cache": "klip_assets.cli.cache:cache",
    "prune": "klip_assets.cli.service:prune",
    "dev": "klip_assets.cli.service:dev",
    "doctor": "klip_assets.cli.doctor:doctor",
}


class _LazyGroup(click.Group):
    """A group whose commands are imported when needed, and whose errors are one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        from importlib import import_module

        module, _, name = _COMMANDS[cmd_name].partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            if ctx.params.get("debug") and not isinstance(error, click.ClickException):
                sys.excepthook = _show_traceback
                raise
            raise click.ClickException(shown(_message(error), lines=True)) from error


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show the full traceback of an error.")
@click.version_option(__version__, prog_name="klip")
def main(debug: bool) -> None:
    """Stream recordings and tweets in; explained highlights and audience sentiment out.

    Start with `klip demo`, then `klip add stream.mp4` and `klip process`.
    """
    _point_out_a_stray_file()


def _point_out_a_stray_file() -> None:
    """Say that the `.env` of the working folder is not read, where it looks as if it were meant to be."""
    from klip_assets.env_files import FILE_VARIABLE, stray_file
    from klip_assets.settings import Settings

    if FILE_VARIABLE in os.environ:
        return
    try:
        found = stray_file(Settings().env_files)
    except Exception:  # noqa: BLE001 (the command reports what is wrong with the settings)
        return
    if found:
        click.echo(f"Note: {shown(str(found))} is not read (klip doctor says which settings files are).", err=True)


def _show_traceback(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    click.echo(shown("".join(traceback.format_exception(kind, error, trace)), lines=True), err=True, nl=False)


def _message(error: Exception) -> str:
    if isinstance(error, click.UsageError):
        name = error.ctx.command_path if error.ctx else "klip"
        return f"{error.format_message()} ({name} --help shows how)"
    if isinstance(error, click.ClickException):
        return error.format_message()
    return str(error) if isinstance(error, KlipError) else _one_line(error)


def _one_line(error: Exception) -> str:
    from pydantic import ValidationError

    if isinstance(error, ValidationError):
        first = error.errors()[0]
        name = "_".join(["KLIP", *(str(part) for part in first["loc"])]).upper()
        return f"{name}: {first['msg']} (found {str(first['input'])!r})"
    full = _full_disk()
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}{full}"
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else 'no message'} (klip --debug ... shows the traceback){full}"


def _full_disk() -> str:
    """Return a note if a disk is full: SQLite and DuckDB report that in many different ways."""
    from klip_assets.settings import Settings

    try:
        settings = Settings()
    except Exception:  # noqa: BLE001 (another error is being reported)
        return ""
    for folder in (settings.data_dir, settings.lake_dir, settings.warehouse_dir, settings.state_dir):
        if folder.is_dir() and shutil.disk_usage(folder).free < _FULL_BYTES:
            return f"; the disk that holds {folder} is full: free some space and run klip process again"
    return ""


if __name__ == "__main__":
    sys.exit(main())
