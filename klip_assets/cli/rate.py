"""`klip rate`: an editor's verdict on a highlight."""

from __future__ import annotations

import click

from klip_assets.cli.highlights import chosen_highlights
from klip_assets.cli.output import clock, json_option, say, show_rows
from klip_assets.settings import Settings


@click.command()
@click.argument("video")
@click.argument("rank", type=click.IntRange(min=1))
@click.argument("verdict", type=click.Choice(["good", "bad"]))
@json_option
def rate(video: str, rank: int, verdict: str, as_json: bool) -> None:
    """Rate the highlight of VIDEO with this RANK as good or bad.

    The verdict is added to the table `feedback` at the next publish. A new rating does not delete the old one; the
    latest counts.
    """
    from klip_assets.contracts import FEEDBACK
    from klip_assets.products.editing.feedback import verdict_row
    from klip_assets.store.lake.lake import Lake
    from klip_assets.store.lake.records import write_record

    settings = Settings()
    highlight = chosen_highlights(settings, video, [rank])[0]
    rows = verdict_row(highlight, "good" if verdict == "good" else "bad")
    noted = rows.to_pylist()[0]
    key = noted["feedback_id"]
    write_record(Lake(settings.lake_dir), FEEDBACK, key, rows, run_id=f"rate-{key[:12]}")
    if as_json:
        show_rows([noted], as_json=True)
        return
    place = f"{clock(highlight['start_s'])}-{clock(highlight['end_s'])}"
    say(f"Noted: highlight {rank} of {video} ({place}) is {verdict}.")
