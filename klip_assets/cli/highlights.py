"""`klip highlights`: the best moments, why each was chosen, rejected candidates, and lists for editing software."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from klip_assets.cli.output import clock, json_option, note, say, shortened, show_rows, write_text
from klip_assets.errors import InputError, NotFoundError
from klip_assets.products.editing import EXPORTS
from klip_assets.settings import Settings
from klip_assets.store.warehouse.query import run_sql

#: Rows shown without --top.
SHOWN = 10


@click.command()
@click.argument("video", required=False)
@click.option("--top", type=click.IntRange(min=1), help=f"How many; default: show {SHOWN}, export all.")
@click.option("--why", is_flag=True, help="Show what raised each score, term by term.")
@click.option("--rejected", is_flag=True, help="Show the rejected candidates of VIDEO, and what beat them.")
@click.option(
    "--export",
    "form",
    type=click.Choice([export.name for export in EXPORTS]),
    help=f"Write a list for another program: {', '.join(export.described for export in EXPORTS)}.",
)
@click.option(
    "--output",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File for --export, instead of the terminal.",
)
@click.option("--force", is_flag=True, help="Overwrite the file of --output.")
@json_option
def highlights(
    video: str | None,
    top: int | None,
    why: bool,
    rejected: bool,
    form: str | None,
    file: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Show the best moments of VIDEO, or of all videos."""
    _refuse_contradictions(video, why=why, rejected=rejected, form=form, file=file, force=force, as_json=as_json)
    settings = Settings()
    if form is not None and video is not None:
        _write_list(settings, video, form, top, file, force=force)
    elif rejected and video is not None:
        rows = near_misses(settings, video, top or SHOWN)
        shown = rows if as_json else [_miss_line(row) for row in rows]
        show_rows(shown, as_json=as_json, empty=f"{video} has no rejected candidates")
    elif why:
        _show_why(settings, top_highlights(settings, video, top or SHOWN), video, as_json=as_json)
    else:
        rows = top_highlights(settings, video, top or SHOWN)
        shown = rows if as_json else [highlight_line(row, video is None) for row in rows]
        show_rows(shown, as_json=as_json, empty=_no_highlights(video))


def top_highlights(settings: Settings, video: str | None, top: int | None) -> list[dict[str, Any]]:
    """Return the best highlights of one video or of all videos; all of them without `top`.

    Raises:
        NotFoundError: The video is not published.
    """
    path = settings.warehouse_path
    if video is None:
        return run_sql(path, "SELECT * FROM highlights ORDER BY score DESC, video_id, rank LIMIT ?", [top]).to_pylist()
    published_video(settings, video)
    statement = "SELECT * FROM highlights WHERE video_id = ? ORDER BY rank LIMIT ?"
    return run_sql(path, statement, [video, top]).to_pylist()


def published_video(settings: Settings, video: str) -> dict[str, Any]:
    """Return the row of a video.

    Raises:
        NotFoundError: It is not published.
        InputError: It can't be read.
    """
    found = run_sql(settings.warehouse_path, "SELECT * FROM videos WHERE video_id = ?", [video]).to_pylist()
    if not found:
        raise NotFoundError(f"no video {video!r} is published", hint="klip videos lists them, klip process adds them")
    if found[0]["status"] == "unreadable":
        raise InputError(f"{video} can't be read: {found[0]['error']}")
    return dict(found[0])


def chosen_highlights(settings: Settings, video: str, ranks: Sequence[int]) -> list[dict[str, Any]]:
    """Return highlights of a video by their ranks, each once.

    Raises:
        NotFoundError: The video is not published, or has no highlight of that rank.
    """
    rows = {row["rank"]: row for row in top_highlights(settings, video, None)}
    missing = [str(rank) for rank in ranks if rank not in rows]
    if missing:
        there = f"its ranks are 1 to {max(rows)}" if rows else "it has no highlights"
        raise NotFoundError(f"{video} has no highlight {', '.join(missing)}", hint=there)
    return [rows[rank] for rank in dict.fromkeys(ranks)]


def near_misses(settings: Settings, video: str, top: int) -> list[dict[str, Any]]:
    """Return the peaks of a video that did not become highlights, best first, each with the peak that beat it."""
    published_video(settings, video)
    statement = """
        SELECT c.* EXCLUDE (kept), b.peak_s AS beaten_by_peak_s, h.rank AS beaten_by_rank
        FROM highlight_candidates c
        LEFT JOIN highlight_candidates b ON b.video_id = c.video_id AND b.candidate_index = c.beaten_by
        LEFT JOIN highlights h ON h.video_id = b.video_id AND h.peak_s = b.peak_s
        WHERE c.video_id = ? AND NOT c.kept ORDER BY c.score DESC, c.peak_s LIMIT ?"""
    return run_sql(settings.warehouse_path, statement, [video, top]).to_pylist()


def highlight_line(row: Mapping[str, Any], with_video: bool) -> dict[str, Any]:
    """Return a highlight as a row for the terminal."""
    line: dict[str, Any] = {"video": row["video_id"]} if with_video else {}
    line |= {
        "rank": row["rank"],
        "time": clock(row["peak_s"]),
        "clip": f"{clock(row['start_s'])}-{clock(row['end_s'])}",
        "score": f"{row['score']:.3f}",
        "emotion": row["dominant_emotion"] or "-",
    }
    return {**line, "text": shortened(row["text"], 90)}


def _refuse_contradictions(
    video: str | None, *, why: bool, rejected: bool, form: str | None, file: Path | None, force: bool, as_json: bool
) -> None:
    chosen = [name for name, given in (("--why", why), ("--rejected", rejected), ("--export", form)) if given]
    if len(chosen) > 1:
        raise click.UsageError(f"{' and '.join(chosen)} can't be combined.")
    if video is None and (rejected or form):
        raise click.UsageError(f"{chosen[0]} requires a VIDEO.")
    if form and as_json:
        raise click.UsageError("--export and --json can't be combined; use --export json.")
    if not form and (file or force):
        raise click.UsageError("--output and --force require --export.")


def _write_list(settings: Settings, video: str, form: str, top: int | None, file: Path | None, *, force: bool) -> None:
    from klip_assets.store.files import write_atomically

    if file is not None and file.exists() and not force:
        raise InputError(f"{file} exists", hint="--force overwrites it")
    row = published_video(settings, video)
    chosen = top_highlights(settings, video, top)
    if not chosen:
        raise InputError(_no_highlights(video))
    (export,) = (export for export in EXPORTS if export.name == form)
    if export.counts_frames:
        from klip_assets.store.lake.lake import Lake
        from klip_assets.store.state.registry import Registry
        from klip_assets.work.recording_file import start_timecode_of

        lake, registry = Lake(settings.lake_dir), Registry(settings.memory_path)
        row |= {"start_timecode": start_timecode_of(row, inbox=settings.vod_inbox, lake=lake, registry=registry)}
    text = export.write(row, chosen)
    if file is None:
        write_text(text)
        return
    write_atomically(file, lambda to: to.write_bytes(text.encode()))
    note(f"Wrote {len(chosen)} highlights to {file}.")


def _show_why(settings: Settings, rows: Sequence[dict[str, Any]], video: str | None, *, as_json: bool) -> None:
    from klip_assets.products.editing.contributions import contributions

    sets: dict[str, dict[str, float]] = {}
    for row in run_sql(settings.warehouse_path, "SELECT * FROM weights").to_pylist():
        sets.setdefault(row["weights_version"], {})[row["term"]] = row["weight"]
    taken_apart = [contributions(row, sets.get(row["weights_version"], {})) for row in rows]
    if as_json or not rows:
        listed = [{**row, "terms": [asdict(c) for c in found]} for row, found in zip(rows, taken_apart, strict=True)]
        show_rows(listed, as_json=as_json, empty=_no_highlights(video))
        return
    for row, found in zip(rows, taken_apart, strict=True):
        name = "" if video else f"{row['video_id']}  "
        score = f"score {row['score']:.3f}"
        if row["base_score"] is not None:
            score += f"  base {row['base_score']:.3f}"
        if row["model_score"] is not None:
            weight = sets.get(row["weights_version"], {}).get("model_score")
            score += f"  model {row['model_score']:.3f}" + ("" if weight is None else f" (weight {weight:g})")
        times = f"{clock(row['peak_s'])}  {clock(row['start_s'])}-{clock(row['end_s'])}"
        say((f"{name}{row['rank']}  {times}  {score}", "bold"))
        say(f"   {row['why'] or '-'}")
        lines = [
            {
                "  term": f"  {c.term.removesuffix('_term').replace('_', ' ')}",
                "value": "-" if c.value is None else f"{c.value:.3f}",
                "weight": f"{c.weight:g}",
                "adds": "unknown" if c.share is None else f"{c.share:.3f} {'▇' * round(c.share * 40)}",
            }
            for c in found
        ]
        show_rows(lines, as_json=False, empty=f"   the weights of {row['weights_version']} are not published")
        say()


def _miss_line(row: Mapping[str, Any]) -> dict[str, Any]:
    beaten_by = "-"
    if row["beaten_by_peak_s"] is not None:
        rank = "" if row["beaten_by_rank"] is None else f" (rank {row['beaten_by_rank']})"
        beaten_by = f"{clock(row['beaten_by_peak_s'])}{rank}"
    return {
        "time": clock(row["peak_s"]),
        "clip": f"{clock(row['start_s'])}-{clock(row['end_s'])}",
        "score": f"{row['score']:.3f}",
        "beaten by": beaten_by,
        "reason": row["reason"],
    }


def _no_highlights(video: str | None) -> str:
    return f"{video} has no highlights" if video else "no highlights are published yet"
