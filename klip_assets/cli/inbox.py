"""`klip add` and `klip remove`: put files into the inbox, and remove videos from the lake and the warehouse."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from klip_assets.cli.output import counted, json_option, say, show_rows
from klip_assets.errors import InputError, LockHeldError, NotFoundError
from klip_assets.inbox.listing import UNREADABLE, display_name
from klip_assets.inbox.media_files import is_recording
from klip_assets.inbox.recordings import UNKNOWN, read_inbox, recording_with_rest, sidecar_stem
from klip_assets.inbox.sidecars import INFO_SUFFIX
from klip_assets.inbox.tweet_files import TWEET_SUFFIXES, map_path
from klip_assets.media.info import write_info
from klip_assets.settings import Settings
from klip_assets.signals.tweets.columns import checked_map
from klip_assets.store.files import Place, file_sha256, placed_together

#: Files of other kinds that are named one by one.
MOST_NAMED = 5


@click.command()
@click.argument("path", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--title", help="Title of the recording.")
@click.option("--channel", help="Channel or streamer.")
@click.option("--game", help="Game played: tweets that name it count as being about the stream.")
@click.option("--started-at", help="When the stream started, e.g. 2026-06-13T18:00:00Z (UTC if no zone is given).")
@click.option("--copy", is_flag=True, help="Copy recordings instead of hard-linking them on the same disk.")
@click.option("--replace", is_flag=True, help="Replace a different file with the same name.")
@click.option(
    "--map",
    "columns",
    multiple=True,
    metavar="COLUMN=NAME",
    help="Map a column of a tweet file, e.g. text=body, or text=#3 in a file without a header.",
)
@json_option
def add(
    path: Sequence[Path],
    title: str | None,
    channel: str | None,
    game: str | None,
    started_at: str | None,
    copy: bool,
    replace: bool,
    columns: Sequence[str],
    as_json: bool,
) -> None:
    """Put recordings, with the sidecars beside them, and tweet files into the inbox. A folder is added recursively."""
    settings = Settings()
    settings.make_folders()
    described = {"title": title, "channel": channel, "game": game, "timestamp": _timestamp(started_at)}
    mapped = _mapped(columns)
    rows = []
    for one in path:
        rows += add_path(settings, one, described, copy=copy, replace=replace, mapped=mapped)
    placed = [row for row in rows if row["to"]]
    if as_json:
        show_rows(rows, as_json=True)
    else:
        if placed or not rows:
            show_rows(placed, as_json=False)
        for row in rows:
            if not row["to"]:
                say(f"{row['file']}: {row['done']}", wrap=False)
        say("Next: ", ("klip process", "bold"))
    if any(row["done"].startswith(UNREADABLE) for row in rows):
        raise click.exceptions.Exit(1)


def add_path(
    settings: Settings,
    path: Path,
    described: Mapping[str, object] | None = None,
    *,
    copy: bool = False,
    replace: bool = False,
    mapped: Mapping[str, str] | None = None,
) -> list[dict[str, str]]:
    """Put one file or folder into the inbox.

    Args:
        settings: Says where the inbox is.
        path: A recording, a tweet file, or a folder of recordings.
        described: Entries for the metadata sidecar of a recording; None for those not given.
        copy: Copy instead of linking.
        replace: Replace a different file with the same name.
        mapped: Klip's column names -> those of a tweet file; written beside it, replacing any existing map.

    Returns:
        One row per file: file, where it went, what was done; files left behind went nowhere (''), for a reason.

    Raises:
        NotFoundError: There is no such file.
        InputError: Klip can't use this kind of file, the inbox has a different one with the same name, or it can't be
            written to; then the inbox is as it was.
    """
    if not path.exists():
        raise NotFoundError(f"{path}: no such file")
    is_media = not path.is_dir() and is_recording(path)
    if mapped and (path.is_dir() or is_media):
        raise InputError(f"{path}: --map is for tweet files")
    left: list[tuple[Path, str]] = []
    if path.is_dir():
        contents = read_inbox(path)
        left = [*contents.unreadable.items(), *contents.unknown]
        if not contents.recordings and not any(why.startswith(UNREADABLE) for _, why in left):
            raise InputError(f"{path} contains no recording", hint="add tweet files by name")
        chosen = [file for recording in contents.recordings for file in recording.files]
        media = {recording.path for recording in contents.recordings}
    elif is_media:
        recording, left = recording_with_rest(path)
        chosen = list(recording.files) if recording else [path]
        media = {path}
    elif path.name.lower().endswith(TWEET_SUFFIXES) and sidecar_stem(path) is None:
        return _put_tweets(path, settings.tweet_inbox / path.name, mapped, replace=replace)
    else:
        raise InputError(
            f"{path}: neither a recording nor a tweet file",
            hint="sidecars (.vtt, .srt, .chat.json, .info.json) are added with the recording beside them",
        )
    targets = {
        file: settings.vod_inbox / (file.relative_to(path) if path.is_dir() else file.name)
        for file in dict.fromkeys(chosen)
    }
    with _whole(path) as place:
        # A recording is large, so it is linked; text that someone may still edit in place is copied.
        rows = [
            _put(file, target, place, copy=copy or file not in media, replace=replace)
            for file, target in targets.items()
        ]
    if any(value is not None for value in (described or {}).values()):
        for file in media:
            write_info(targets[file].with_name(file.stem + INFO_SUFFIX), **(described or {}))
    return [*rows, *_left_behind(left, path if path.is_dir() else path.parent)]


def _left_behind(left: Sequence[tuple[Path, str]], folder: Path) -> Iterator[dict[str, str]]:
    """Yield a row for each file that was left behind; those that are none of Klip's are counted."""
    strangers = [path for path, why in left if why == UNKNOWN]
    for path, why in left:
        if why != UNKNOWN or len(strangers) <= MOST_NAMED:
            if why == UNKNOWN and path.name.lower().endswith(TWEET_SUFFIXES):
                why = "if it holds tweets, add it by its name"
            done = why if why.startswith(UNREADABLE) else f"left behind: {why}"
            yield {"file": display_name(path, folder), "to": "", "done": done}
    if len(strangers) > MOST_NAMED:
        yield {"file": counted(len(strangers), "other file"), "to": "", "done": f"left behind: {UNKNOWN}"}


@click.command()
@click.argument("video")
def remove(video: str) -> None:
    """Remove VIDEO from the lake and the warehouse with all earlier versions, and its partition from Dagster.

    Its file stays in the inbox and is not processed again.
    """
    from klip_assets.cli.progress import BarProgress
    from klip_assets.defs.instance import dagster_instance
    from klip_assets.defs.jobs import PUBLISH
    from klip_assets.defs.runner import Runner
    from klip_assets.defs.runs import unfinished_run, unlist_video
    from klip_assets.work.installation import Installation
    from klip_assets.work.removal import remove_video

    here = Installation(Settings())
    with dagster_instance(here.settings) as instance:
        if run_id := unfinished_run(instance, video):
            raise LockHeldError(f"{video} was not removed: run {run_id} is not finished", hint="try again afterwards")
        removed = remove_video(here, video, lambda: unlist_video(instance, video))
        outcome = Runner(instance, BarProgress(quiet=True)).run(PUBLISH)
    if not outcome.ok:
        raise InputError(f"{video} is removed, but publishing failed: {'; '.join(outcome.problems)}")
    if removed.tables:
        say(f"Removed {video} from the lake and the warehouse.")
    else:
        say(f"Nothing of {video} was in the lake or the warehouse.")
    if removed.refused:
        say(f"Removed {counted(removed.refused, 'row')} of its files from quarantine.")
    say("The warehouse was rebuilt and its earlier versions were dropped: a reader that has one open keeps its file")
    say("until it closes, but its views of words, audio, chat and other detail read nothing any more.")
    if removed.stays:
        say("Its file stays in the inbox; ", (f"klip process {video}", "bold"), " brings it back.")


def _put_tweets(path: Path, target: Path, mapped: Mapping[str, str] | None, *, replace: bool) -> list[dict[str, str]]:
    with _whole(path) as place:
        # The map comes first, so that the file is never read without it.
        if mapped:
            text = json.dumps(mapped, indent=1, ensure_ascii=False) + "\n"
            place(map_path(target), lambda temporary: temporary.write_text(text, encoding="utf-8"))
        elif map_path(path).is_file():
            _put(map_path(path), map_path(target), place, copy=True, replace=replace)
        return [_put(path, target, place, copy=True, replace=replace)]


@contextmanager
def _whole(path: Path) -> Iterator[Place]:
    """Put files into the inbox together: each is whole before the first of them takes its place.

    Raises:
        InputError: One can't be read or written; the inbox is as it was.
    """
    try:
        with placed_together() as place:
            yield place
    except OSError as error:
        raise InputError(
            f"{path} was not added: {error.strerror or error}", hint="the inbox is as it was before"
        ) from error


def _put(source: Path, target: Path, place: Place, *, copy: bool, replace: bool) -> dict[str, str]:
    row = {"file": source.name, "to": str(target)}
    if target.exists():
        if target.samefile(source) or file_sha256(target) == file_sha256(source):
            return {**row, "done": "was there already"}
        if not replace:
            raise InputError(f"{target} exists and is a different file", hint="use --replace, or rename one of them")
    linked = not copy and not source.is_symlink()

    def write(temporary: Path) -> None:
        nonlocal linked
        if linked:
            try:
                os.link(source, temporary)
                return
            except OSError:
                linked = False  # Another disk, or a file system without hard links: copy instead.
        shutil.copy2(source, temporary)

    place(target, write)
    return {**row, "done": "linked" if linked else "copied"}


def _mapped(columns: Sequence[str]) -> dict[str, str] | None:
    pairs = [text.partition("=") for text in columns]
    wrong = [column for column, sign, name in pairs if not (sign and name)]
    if wrong:
        raise InputError(f"--map {wrong[0]!r} is not of the form COLUMN=NAME", hint="e.g. text=body")
    try:
        return checked_map({column.strip(): name for column, _, name in pairs}) if pairs else None
    except ValueError as error:
        raise InputError(f"--map: {error}") from error


def _timestamp(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"--started-at {text!r} is not a valid time", hint="e.g. 2026-06-13T18:00:00Z") from None
    return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())
