"""`klip dev` and `klip prune`: the Dagster services on this machine."""

from __future__ import annotations

from datetime import timedelta

import click

from klip_assets.cli.output import counted, json_option, note, say, show_rows
from klip_assets.settings import Settings


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address the web UI listens on.")
@click.option("--port", default=3000, show_default=True, type=click.IntRange(1, 65535), help="Port of the web UI.")
@click.option(
    "--insecure-public",
    is_flag=True,
    help="Allow a --host that other machines can reach. The web UI asks for no password: whoever reaches it can start "
    "runs, read everything and delete it.",
)
def dev(host: str, port: int, insecure_public: bool) -> None:
    """Start the Dagster web UI and the daemon that watches the inbox. Ctrl-C stops both."""
    from klip_assets.defs.services import refuse_public, serve

    if not insecure_public:
        refuse_public(host)
    settings = Settings()
    settings.make_folders()

    def announce() -> None:
        address = f"[{host}]" if ":" in host else host
        if insecure_public:
            note(("Warning: whoever can reach this address can start runs, read everything and delete it.", "yellow"))
        say(f"Dagster UI: http://{address}:{port}   inbox: {settings.vod_inbox}   Ctrl-C stops.", wrap=False)

    if ended := serve(settings, host=host, port=port, on_start=announce):
        note((ended, "red"), "; stopping klip dev. Runs in progress continue; start klip dev again.")
        raise click.exceptions.Exit(1)


@click.command()
@click.option(
    "--older-than", default=30, show_default=True, type=click.IntRange(min=0), metavar="DAYS", help="Minimum age."
)
@click.option("--dry-run", is_flag=True, help="Delete nothing; say what would be.")
@json_option
def prune(older_than: int, dry_run: bool, as_json: bool) -> None:
    """Delete finished runs older than DAYS, with their logs and events, and what killed processes left behind.

    The inbox, the lake, the warehouse, models and replies of language models are not touched (klip cache clear).
    """
    from klip_assets.defs.history import TICKS, prune_history
    from klip_assets.work.leftovers import remove_leftovers
    from klip_assets.work.sizes import RUN_HISTORY, human

    settings, age = Settings(), timedelta(days=older_than)
    freed: dict[str, list[int]] = {}
    for step in (prune_history, remove_leftovers):
        for part in step(settings, older_than=age, dry_run=dry_run):
            total = freed.setdefault(part.kind, [0, 0])
            total[0] += part.bytes
            total[1] += part.count
            if part.left:
                note((f"Not made smaller: {part.left}.", "yellow"))
    rows = [{"kind": kind, "count": count, "bytes": size} for kind, (size, count) in freed.items() if size or count]
    if as_json:
        show_rows(rows, as_json=True)
        return
    runs, ticks = (freed.get(kind, [0, 0])[1] for kind in (RUN_HISTORY, TICKS))
    deleted, gone = ("Would delete", "Would free at least") if dry_run else ("Deleted", "Freed")
    more = f" and {counted(ticks, 'tick')}" if ticks else ""
    say(f"{deleted} {runs:,} finished runs{more} older than {older_than} days.")
    sizes = sorted(((size, kind) for kind, (size, _) in freed.items() if size), reverse=True)
    parts = [f"{human(size)} {kind}" for size, kind in sizes]
    if not parts:
        say("Nothing to free." if dry_run else "Freed nothing.")
        return
    say(f"{gone} {human(sum(size for size, _ in sizes))}: {', '.join(parts)}.")
