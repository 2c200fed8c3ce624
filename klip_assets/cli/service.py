"""`klip dev` and `klip prune`: the Dagster services on this machine."""

from __future__ import annotations

from datetime import timedelta

import click

from klip_assets.cli.output import note, say
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
def prune(older_than: int) -> None:
    """Delete finished runs older than DAYS, with their logs and events. The lake and the warehouse are not touched."""
    from klip_assets.defs.services import delete_finished_runs

    deleted = delete_finished_runs(Settings(), older_than=timedelta(days=older_than))
    say(f"Deleted {deleted} finished runs older than {older_than} days.")
