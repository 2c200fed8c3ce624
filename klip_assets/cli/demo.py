"""`klip demo`: process the sample from inbox to highlights, and show what to do next."""

from __future__ import annotations

import time

import click

from klip_assets.cli.highlights import highlight_line, top_highlights
from klip_assets.cli.inbox import add_path
from klip_assets.cli.output import clock, say, show_rows
from klip_assets.cli.process import run_process
from klip_assets.cli.show import tweet_days
from klip_assets.errors import NotFoundError
from klip_assets.evaluation.golden import read_golden_set
from klip_assets.evaluation.processed import measure, sample_dir
from klip_assets.settings import Settings
from klip_assets.signals.text.tiers import tier_states
from klip_assets.store.lake.lake import Lake
from klip_assets.store.warehouse.query import run_sql


@click.command()
def demo() -> None:
    """Process the sample stream and tweets that come with Klip, and show the results."""
    began = time.monotonic()
    settings = Settings()
    settings.make_folders()
    if not sample_dir().is_dir():
        raise NotFoundError(f"there is no sample in {sample_dir()}", hint="run klip demo in a checkout of Klip")
    golden = read_golden_set(sample_dir())
    for path in (golden.recording.path, sample_dir() / "tweets.jsonl"):
        add_path(settings, path)
    name, length = golden.recording.path.name, clock(golden.duration_s)
    say(("Klip demo", "bold"), f": {name} ({length}) and tweets.jsonl")
    report = run_process(settings)
    if not report.rows:
        say("Nothing to do: the sample is already processed and has not changed.")
    for row in report.rows:
        say(f"{row['outcome']}  {row['what']}" + (f": {row['problem']}" if row["problem"] else ""))
    if not report.ok:
        raise click.exceptions.Exit(1)
    _show(settings, golden.name, len(golden.moments))
    hits = measure(golden, Lake(settings.lake_dir))
    decoy = "among them" if hits.decoy_picked else "not among them"
    say(
        f"The top {hits.moments} hit {hits.hit} of {hits.moments} planted moments "
        f"(chance: {hits.random:.1f}); the loud stretch in which nothing happens is {decoy}."
    )
    say(f"\nTook {time.monotonic() - began:.0f} s. Warehouse: {settings.warehouse_path}", wrap=False)
    say("Next: ", (f"klip highlights {golden.name} --why", "bold"), ", or ", ("klip add YOUR_STREAM.mp4", "bold"))


def _show(settings: Settings, name: str, top: int) -> None:
    rows = top_highlights(settings, name, max(top, 5))
    say()
    show_rows([highlight_line(row, False) for row in rows], as_json=False, title="Highlights")
    say()
    show_rows(tweet_days(settings, False), as_json=False, title="Tweets by day (UTC)")
    say()
    used = run_sql(
        settings.warehouse_path,
        "SELECT tier, model, count(*) AS texts FROM (SELECT tier, model FROM segment_sentiment UNION ALL "
        "SELECT tier, model FROM tweet_sentiment) WHERE tier IS NOT NULL GROUP BY ALL ORDER BY texts DESC",
    ).to_pylist()
    did = ", ".join(f"{row['tier']} ({row['model']}, {row['texts']} texts)" for row in used) or "none"
    states = tier_states(settings.segment_tier_names, settings)
    why = "; ".join(f"{state.name} {state.why}" for state in states if not state.ready)
    say(f"Sentiment tiers: {did}." + (f" {why}." if why else ""), wrap=False)
    engines = run_sql(settings.warehouse_path, "SELECT DISTINCT engine FROM transcript_words").to_pylist()
    words = ", ".join(row["engine"] for row in engines) or "none"
    better = "" if settings.whisper_model else " (set KLIP_WHISPER_MODEL for a better one)"
    say(f"Transcript source: {words}{better}.", wrap=False)
