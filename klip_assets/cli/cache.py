"""`klip cache`: list and delete cached replies from language models."""

from __future__ import annotations

from datetime import UTC, datetime
from time import time

import click

from klip_assets.cli.output import json_option, say, show_rows
from klip_assets.settings import Settings
from klip_assets.store.state.replies import Store


@click.group()
def cache() -> None:
    """Cached replies from language models, so that each prompt is paid for only once."""


@cache.command()
@json_option
def stats(as_json: bool) -> None:
    """List cached replies by endpoint, model and prompt version."""
    path = Settings().llm_path
    rows = []
    if path.exists():
        with Store(path) as store:
            rows = [
                {
                    "model": kept.model,
                    "endpoint": kept.endpoint,
                    "prompt_version": kept.prompt_version,
                    "replies": kept.replies,
                    "kilobytes": round(kept.bytes / 1000, 1),
                    "oldest": _day(kept.oldest),
                    "newest": _day(kept.newest),
                }
                for kept in store.kept()
            ]
    if not rows and not as_json:
        say("The cache is empty.")
        return
    show_rows(rows, as_json=as_json)


@cache.command()
@click.option("--model", help="Only replies from this model.")
@click.option("--older-than", "days", type=click.FloatRange(min=0), help="Only replies older than this many days.")
def clear(model: str | None, days: float | None) -> None:
    """Delete cached replies. The ledger of calls (llm_calls) is kept."""
    path = Settings().llm_path
    gone = 0
    if path.exists():
        with Store(path) as store:
            gone = store.clear(model=model, before=None if days is None else time() - days * 86_400)
    say(f"Deleted {gone} replies.")


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
