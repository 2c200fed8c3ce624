"""`klip doctor`: what is installed and configured, what will be used and why, and how to fix what is missing."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

import click

from klip_assets.cli.output import counted, json_option, show_rows
from klip_assets.env_files import FILE_VARIABLE, stray_file
from klip_assets.errors import InputError, KlipError
from klip_assets.settings import Settings

_LIBRARIES = {
    "dagster": "the graph, runs and sensors",
    "dagster-webserver": "the Dagster UI",
    "duckdb": "the warehouse",
    "pyarrow": "the lake",
    "pandas": "tables for notebooks",
    "av": "reading recordings",
    "faster-whisper": "the voice detector, and the recognizer once KLIP_WHISPER_MODEL names a model",
    "pocketsphinx": "the embedded speech recognizer",
    "openai": "the LLM tier",
    "onnxruntime": "the voice detector and the compact model of the BERT tier",
    "tokenizers": "the compact model of the BERT tier",
    "vaderSentiment": "the lexicon tier",
    "textblob": "the lexicon tier (KLIP_LEXICON=textblob)",
    "py3langid": "the language of tweets",
    "httpx2": "the X API",
}
Finding = dict[str, str | int | None]

_EXTRAS = {"torch": "ml", "transformers": "ml"}


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Check what is installed, which engines and tiers will be used and why, and how to get what is missing."""
    rows = list(findings(Settings()))
    if not as_json:
        # In the table they are part of the detail.
        rows = [{name: value for name, value in row.items() if name != "bytes"} for row in rows]
    show_rows(rows, as_json=as_json)
    if any(row["state"] == "missing" for row in rows):
        raise click.exceptions.Exit(1)


def findings(settings: Settings) -> Iterator[Finding]:
    """Yield one row per item checked: what, state (ok, off, warning, missing), detail, fix, bytes if it takes room."""
    yield _row("python", "ok", ".".join(map(str, sys.version_info[:3])))
    for name, use in _LIBRARIES.items():
        found = _version(name)
        fix = "" if found else "pip install -e ."
        yield _row(name, "ok" if found else "missing", f"{found or 'not installed'}: {use}", fix)
    for name, extra in _EXTRAS.items():
        found = _version(name)
        fix = "" if found else f"pip install -c constraints.txt -e '.[{extra}]'"
        yield _row(name, "ok" if found else "off", found or f"not installed (extra {extra})", fix)
    yield from _settings_files(settings)
    yield from _choices(settings)
    yield from _folders(settings)
    yield from _sizes(settings)


def _choices(settings: Settings) -> Iterator[Finding]:
    from klip_assets.signals.text.tiers import tier_states

    if not settings.whisper_model:
        detail = "pocketsphinx (US English, offline) where there are no captions; far less accurate than faster-whisper"
        yield _row("speech engine", "ok", detail, "KLIP_WHISPER_MODEL=small")
    else:
        yield _row("speech engine", "ok", f"faster-whisper {settings.whisper_model} where there are no captions")
    for use, names in (("segments", settings.segment_tier_names), ("tweets", settings.tweet_tier_names)):
        states = tier_states(names, settings)
        used = next((state for state in states if state.ready), None)
        skipped = "; ".join(f"{state.name} {state.why}" for state in states if not state.ready)
        detail = f"{used.name}: {used.why}" if used else "no tier is available"
        fix = "" if used else "KLIP_SEGMENT_TIERS, KLIP_TWEET_TIERS: add lexicon"
        yield _row(f"tier for {use}", "ok" if used else "missing", f"{detail} ({skipped})" if skipped else detail, fix)
    yield _x_api(settings)
    yield _weights(settings)
    if settings.alert_webhook:
        yield _row("alerts", "ok", "failed runs are posted to KLIP_ALERT_WEBHOOK")
    else:
        yield _row("alerts", "off", "failed runs are only logged", "KLIP_ALERT_WEBHOOK=URL")


def _weights(settings: Settings) -> Finding:
    from klip_assets.products.highlights.weights import weight_set

    try:
        return _row("weights", "ok", f"{weight_set(settings.weights).version} (KLIP_WEIGHTS)")
    except InputError as error:
        return _row("weights", "missing", error.message, error.hint or "fix KLIP_WEIGHTS")


def _x_api(settings: Settings) -> Finding:
    from klip_assets.sources.x_api.client import checked_address
    from klip_assets.sources.x_api.sources import SEARCH, read_sources

    try:
        sources, address = read_sources(settings.x_queries), checked_address(settings.x_base_url)
    except InputError as error:
        return _row("X API", "missing", error.message, error.hint or "fix KLIP_X_QUERIES or KLIP_X_BASE_URL")
    searches = sum(source.endpoint == SEARCH for source in sources)
    listed = f"{searches} searches, {len(sources) - searches} timelines at {address}"
    if not settings.fetches_from_x:
        token = "set" if settings.x_bearer_token else "not set"
        fix = "KLIP_X_BEARER_TOKEN and KLIP_X_QUERIES: docs/tweets.md"
        return _row("X API", "off", f"no posts are fetched: token {token}, {listed}", fix)
    often = f"every {settings.x_every_min} min, up to {settings.x_max_posts} posts per run"
    return _row("X API", "ok", f"{listed}, {often}; token set")


def _settings_files(settings: Settings) -> Iterator[Finding]:
    there = [str(path) for path in settings.env_files if path.is_file()]
    if there:
        yield _row("settings files", "ok", f"{', '.join(there)} (the last one wins, the environment before all)")
    else:
        looked = ", ".join(map(str, settings.env_files)) or f"{FILE_VARIABLE} is empty, or no folder is named"
        yield _row("settings files", "off", f"none ({looked})")
    if stray := stray_file(settings.env_files):
        fix = f"move it to {settings.data_dir / '.env'}, or name it: {FILE_VARIABLE}={stray}"
        yield _row("settings files", "off", f"{stray} is not read: a working folder's .env may be a stranger's", fix)


def _folders(settings: Settings) -> Iterator[Finding]:
    data = settings.data_dir
    there = data if data.exists() else data.parent
    writable = os.access(there, os.W_OK)
    free = shutil.disk_usage(there).free / 1e9 if there.exists() else 0.0
    state = "ok" if writable else "missing"
    yield _row("data folder", state, f"{data} ({free:.0f} GB free)", "" if writable else f"make {there} writable")
    published = settings.warehouse_path.exists()
    detail = str(settings.warehouse_path) if published else "nothing published yet"
    yield _row("warehouse", "ok" if published else "off", detail, "" if published else "klip demo")
    if published:
        yield _read_only(settings)
        yield _stale(settings)


def _sizes(settings: Settings) -> Iterator[Finding]:
    from klip_assets.work import sizes

    ways = {
        sizes.RECORDINGS: "published rows stay without them: docs/operations.md",
        sizes.EARLIER_VERSIONS: "KLIP_KEEP_VERSIONS=1 before the next publish",
        sizes.RUN_HISTORY: "klip prune --older-than DAYS",
        sizes.LOGS: "klip prune --older-than DAYS",
        sizes.CACHES: "klip cache clear (replies are paid for again)",
        sizes.LEFT_OVER: "klip prune",
    }
    for size in sizes.sizes(settings):
        detail = f"{sizes.human(size.bytes)} in {counted(size.files, 'file')}"
        fix = ways.get(size.kind, "") if size.bytes else ""
        yield _row(f"size: {size.kind}", "ok", detail, fix, size.bytes)


def _read_only(settings: Settings) -> Finding:
    """Return whether the mode of the published file keeps this user from writing to it."""
    path = settings.warehouse_path.resolve()
    mode = f"{path.stat().st_mode & 0o777:04o}"
    if os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        who = "root" if os.geteuid() == 0 else "this user"
        detail = f"{who} can write to it although it is read-only ({mode}); writing locks others out, and is lost"
        return _row("warehouse", "warning", detail, "open it read-only (duckdb -readonly), or as another user")
    return _row("warehouse", "ok", f"its mode ({mode}) keeps this user from writing to it")


def _stale(settings: Settings) -> Finding:
    from klip_assets.work.installation import Installation
    from klip_assets.work.publishing import waiting
    from klip_assets.work.stale import stale_subjects

    here = Installation(settings)
    try:
        found, gone = stale_subjects(here)
    except KlipError as error:
        return _row("stale", "missing", f"unknown: {error.message}", error.hint or "")
    videos = sum(not subject.is_day for subject, _ in found) + len(gone)
    days = len(found) + len(gone) - videos
    detail = f"{counted(videos, 'video')} and {counted(days, 'day')} of tweets are out of date"
    held = (
        f"; {len(waiting(here))} not published in their current state (klip process says why)" if waiting(here) else ""
    )
    fix = "klip process --stale --dry-run estimates the rebuild" if found else ""
    return _row("stale", "off" if found else "ok", detail + held, fix)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _row(what: str, state: str, detail: str, fix: str = "", size: int | None = None) -> Finding:
    return {"what": what, "state": state, "detail": detail, "fix": fix, "bytes": size}
