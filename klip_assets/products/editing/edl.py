"""Edit decision lists (CMX 3600), which editing programs open as a sequence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from klip_assets.formats.screen import without_controls
from klip_assets.products.editing.export import Export
from klip_assets.products.editing.timecode import source_clock

#: Event numbers have three digits.
MAX_EVENTS = 999
#: The sequence begins at one hour, as on tapes.
RECORD_START = "01:00:00:00"


def edl(video: Mapping[str, Any], highlights: Sequence[Mapping[str, Any]]) -> str:
    """Return highlights as a CMX 3600 list: cuts in sequence, in the order of the recording.

    Source times count the frames of the recording from its own start timecode if it has one, else from 00:00:00:00;
    record times are contiguous from 01:00:00:00.
    The reel is AX (a file, not a tape); programs find the file by its name in FROM CLIP NAME.

    Args:
        video: The row of `videos`, with `start_timecode`.
        highlights: Rows of `highlights`, best first; only the best 999 are used.
    """
    clock = source_clock(video["fps"], video.get("start_timecode"))
    rate = clock.rate
    lines = [
        f"TITLE: {_line(video['title'] or video['video_id'])[:70]}",
        f"FCM: {'DROP FRAME' if rate.drop else 'NON-DROP FRAME'}",
        "",
    ]
    # Comments belong to the event above them: some readers reject comments before the first.
    notes = [f"* FRAME RATE: {float(rate.exact):.6g}{f' ({rate.note})' if rate.note else ''}"]
    if clock.note:
        notes.append(f"* START TIMECODE: {_line(clock.note)}")
    if len(highlights) > MAX_EVENTS:
        notes.append(f"* THE BEST {MAX_EVENTS} OF {len(highlights)}")
    name = _line(PurePosixPath(video["source_path"] or video["video_id"]).name)
    channels = _channels(video)
    record = rate.frame_of(RECORD_START)
    chosen = sorted(highlights[:MAX_EVENTS], key=lambda row: (row["start_s"], row["rank"]))
    for number, row in enumerate(chosen, start=1):
        start = rate.frame_at(row["start_s"])
        end = max(start + 1, rate.frame_at(row["end_s"]))
        source = (clock.label(start), clock.label(end))
        times = " ".join((*source, rate.label(record), rate.label(record + end - start)))
        lines += [
            f"{number:03d}  {'AX':8} {channels:5} {'C':8} {times}",
            f"* FROM CLIP NAME: {name}",
            f"* RANK {row['rank']}, SCORE {row['score']:.3f}: {_line(row['why'])}",
            *notes,
            "",
        ]
        notes = []
        record += end - start
    return "\n".join(lines)


EDL = Export("edl", "editing program (CMX 3600)", edl, counts_frames=True)


def _channels(video: Mapping[str, Any]) -> str:
    # A: first sound track only; B: sound and picture; AA/V: picture and two sound tracks.
    if not video["video_codec"]:
        return "A"
    if not video["audio_codec"]:
        return "V"
    return "B" if video["channels"] == 1 else "AA/V"


def _line(text: str | None) -> str:
    return " ".join(without_controls(text or "").split())
