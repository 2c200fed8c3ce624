"""Plan of `klip process --stale`: which videos and days, how many hours of audio, about how long."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from klip_assets.cli.output import counted, duration, say, show_rows
from klip_assets.contracts import Subject
from klip_assets.settings import Settings

if TYPE_CHECKING:
    from klip_assets.work.stale import Stale, Work


def show_plan(
    settings: Settings, *, videos: Sequence[str], days: Sequence[str], tables: Collection[str], as_json: bool
) -> None:
    """Print what rebuilding the stale stages would take: one row per stage, and the total."""
    from klip_assets.work.installation import Installation
    from klip_assets.work.stale import plan, stale_subjects

    here = Installation(settings)
    found, gone = stale_subjects(here, videos=videos, days=days, tables=tables)
    works = plan(here, found)
    if as_json:
        show_rows([_row(work) for work in works], as_json=True)
        return
    if works:
        show_rows([_line(work) for work in works], as_json=False)
        say(f"{summary(works, found)} To start: klip process --stale")
    else:
        say("Nothing is stale.")
    if gone:
        say(f"Skipped, because their recordings are not in the inbox: {', '.join(gone)}")


def summary(works: Sequence[Work], found: Sequence[tuple[Subject, list[Stale]]]) -> str:
    """Return a sentence with how many videos and days are stale, and about how long rebuilding them takes."""
    videos = sum(not subject.is_day for subject, _ in found)
    known = sum(work.seconds or 0.0 for work in works)
    more = ", plus stages never timed" if any(work.subjects and work.seconds is None for work in works) else ""
    what = f"{counted(videos, 'video')} and {counted(len(found) - videos, 'day')} of tweets"
    return f"{what}: {duration(known)}{more}, estimated from earlier runs."


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
