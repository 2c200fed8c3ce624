"""What `klip process --stale` would do: which videos and days, how many hours of sound, about how long."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from klip_assets.cli.output import console, counted, duration, show_rows
from klip_assets.contracts import TABLES, TABLES_OF, VIDEOS, Subject, is_day
from klip_assets.errors import InputError, NotFoundError
from klip_assets.settings import Settings

if TYPE_CHECKING:
    from klip_assets.work.installation import Installation
    from klip_assets.work.stale import Stale, Work


def stale_subjects(
    here: Installation, *, videos: Sequence[str] = (), days: Sequence[str] = (), tables: Collection[str] = ()
) -> tuple[list[tuple[Subject, list[Stale]]], list[str]]:
    """Find the videos and days with stages that would be made otherwise now.

    Args:
        here: The installation.
        videos: Only these videos.
        days: Only these days of tweets; neither videos nor days: everything that was processed.
        tables: Only these tables, and what reads them.

    Returns:
        The videos and days with their stale stages, and the ids of videos that are stale too but have no recording in
        the inbox any more.

    Raises:
        NotFoundError: A video or day that was named has not been processed.
        InputError: A day that was named is not one.
    """
    from klip_assets.work.stale import processed, stale

    if wrong := [day for day in days if not is_day(day)]:
        raise InputError(f"{wrong[0]!r} is not a day", hint="write it as YYYY-MM-DD")
    by_name = {str(entry.path): entry.video_id for entry in here.registry.known().values()}
    by_name |= {entry.path.name: entry.video_id for entry in here.registry.known().values()} | by_name
    named = [Subject.video(by_name.get(name, name)) for name in videos]
    named = list(dict.fromkeys([*named, *map(Subject.day, days)]))
    for subject in named:
        if not here.lake.exists(TABLES[TABLES_OF[subject.kind][0]], subject.key):
            raise NotFoundError(f"{subject} has not been processed", hint="klip videos and klip tweets list what has")
    found = [(subject, stages) for subject in named or processed(here.lake) if (stages := stale(here, subject, tables))]
    gone = [subject.key for subject, _ in found if not subject.is_day and not _is_there(here, subject)]
    return [(subject, stages) for subject, stages in found if subject.key not in gone], gone


def show_plan(
    settings: Settings, *, videos: Sequence[str], days: Sequence[str], tables: Collection[str], as_json: bool
) -> None:
    """Print what remaking the stale stages would take: a row a stage, and the sum."""
    from klip_assets.work.installation import Installation
    from klip_assets.work.stale import plan

    here = Installation(settings)
    found, gone = stale_subjects(here, videos=videos, days=days, tables=tables)
    works = plan(here, found)
    if as_json:
        show_rows([_row(work) for work in works], as_json=True)
        return
    if works:
        show_rows([_line(work) for work in works], as_json=False)
        console.print(f"{summary(works, found)} klip process --stale does it.")
    else:
        console.print("Nothing is stale: no stage would be made otherwise.")
    if gone:
        console.print(f"Left as they are, since their recordings are not in the inbox: {', '.join(gone)}")


def summary(works: Sequence[Work], found: Sequence[tuple[Subject, list[Stale]]]) -> str:
    """Say in a sentence how many videos and days are stale, and about how long remaking them takes."""
    videos = sum(not subject.is_day for subject, _ in found)
    known = sum(work.seconds or 0.0 for work in works)
    more = ", and what was never measured" if any(work.subjects and work.seconds is None for work in works) else ""
    what = f"{counted(videos, 'video')} and {counted(len(found) - videos, 'day')} of tweets"
    return f"{what}: {duration(known)}{more}, by what it took before."


def _is_there(here: Installation, subject: Subject) -> bool:
    name = here.registry.path_of(subject.key)
    if name is None:
        # Where the memory of names was lost, the row tells.
        name = here.lake.read(VIDEOS, subject.key)["source_path"][0].as_py()
    return name is not None and (here.settings.vod_inbox / name).is_file()


def _row(work: Work) -> dict[str, Any]:
    return {
        "table": work.spec.name,
        "of": "days" if work.kind == "day" else "videos",
        "remade": work.subjects,
        "may_change": work.behind,
        "reason": "; ".join(work.reasons) or None,
        "sound_s": work.sound_s,
        "estimated_s": work.seconds,
    }


def _line(work: Work) -> dict[str, Any]:
    unit = "day" if work.kind == "day" else "video"
    return {
        "table": work.spec.name,
        "remade": counted(work.subjects, unit) if work.subjects else "-",
        "may change": counted(work.behind, unit) if work.behind else "-",
        "sound": f"{work.sound_s / 3600:.1f} h" if work.subjects and work.kind == "video_id" else "-",
        "takes": ("unknown" if work.seconds is None else duration(work.seconds)) if work.subjects else "-",
        "reason": "; ".join(work.reasons) or "reads a table above",
    }
