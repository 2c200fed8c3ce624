"""`klip clip`: cut highlights out of the recording into files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from klip_assets.cli.highlights import chosen_highlights, published_video, top_highlights
from klip_assets.cli.output import clock, json_option, note, show_rows
from klip_assets.errors import InputError, KlipError
from klip_assets.settings import Settings


@click.command()
@click.argument("video")
@click.argument("ranks", nargs=-1, type=click.IntRange(min=1), metavar="[RANK]...")
@click.option("--all", "everything", is_flag=True, help="Every highlight of VIDEO.")
@click.option(
    "--output",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Folder for the clips; default: the current folder.",
)
@click.option("--exact", is_flag=True, help="Re-encode to start at the exact frame; takes longer.")
@click.option("--thumbnail/--no-thumbnail", default=True, help="Also write a JPEG of the peak (default).")
@click.option("--force", is_flag=True, help="Overwrite existing clips.")
@json_option
def clip(
    video: str,
    ranks: tuple[int, ...],
    everything: bool,
    folder: Path,
    exact: bool,
    thumbnail: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Cut the highlights of VIDEO with these RANKs out of its recording.

    Video and audio are copied without re-encoding, which is fast and lossless; a clip then starts at the last keyframe
    before the highlight, as the column `begins` shows. With --exact it starts at the exact frame.
    """
    if bool(ranks) == everything:
        raise click.UsageError("Name one or more RANKs, or --all.")
    from klip_assets.products.editing.clips import make_clip
    from klip_assets.store.lake.lake import Lake
    from klip_assets.store.state.registry import Registry
    from klip_assets.work.recording_file import find_recording, timeline_of

    settings = Settings()
    row = published_video(settings, video)
    chosen = top_highlights(settings, video, None) if everything else chosen_highlights(settings, video, ranks)
    lake = Lake(settings.lake_dir)
    recording = find_recording(row, inbox=settings.vod_inbox, lake=lake, registry=Registry(settings.memory_path))
    if not chosen:
        raise InputError(f"{video} has no highlights")
    timeline = timeline_of(row, recording, lake)
    made: list[dict[str, Any]] = []
    failed = False
    for highlight in chosen:
        try:
            done = make_clip(
                recording,
                highlight,
                folder,
                timeline=timeline,
                exact=exact,
                thumbnail=thumbnail,
                force=force,
            )
        except KlipError as error:
            failed = True
            note(("failed", "red"), f"  {error}")
            continue
        made.append(
            {
                "rank": highlight["rank"],
                "clip": str(done.path),
                "length_s": round(done.length_s, 3),
                "asked_start_s": highlight["start_s"],
                "start_s": round(done.start_s, 3),
                "thumbnail": str(done.thumbnail) if done.thumbnail else None,
            }
        )
    if made or as_json:
        show_rows(made if as_json else [_line(entry) for entry in made], as_json=as_json)
    if failed:
        raise click.exceptions.Exit(1)


def _line(entry: dict[str, Any]) -> dict[str, Any]:
    early = entry["asked_start_s"] - entry["start_s"]
    return {
        "rank": entry["rank"],
        "clip": entry["clip"],
        "length": f"{entry['length_s']:.1f} s",
        "asked": clock(entry["asked_start_s"]),
        "begins": clock(entry["start_s"]) + (f" ({early:.1f} s before)" if early >= 0.05 else ""),
        "picture": "yes" if entry["thumbnail"] else "-",
    }
