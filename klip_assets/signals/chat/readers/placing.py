"""Where the messages of a log lie in a recording: moved to its clock, cut at its ends, or not used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from klip_assets.contracts import CHAT_MESSAGES
from klip_assets.errors import OtherClockError
from klip_assets.formats.refused import Refused
from klip_assets.media.sidecar_clock import (
    AFTER_THE_END,
    BEFORE_THE_START,
    Place,
    check_inside,
    rest_of_the_stream,
)
from klip_assets.signals.chat.times import LONGEST_S


class Crop(NamedTuple):
    """The part of a stream that a log was downloaded for."""

    start_s: float
    end_s: float


@dataclass(frozen=True)
class Placed:
    """The messages inside a recording.

    Attributes:
        messages: As CHAT_MESSAGES, on the clock of the recording.
        refused: How many lie outside, where, in an entry each.
        shift_s: What was subtracted from all times.
        after_end: Number of messages after the end; 0 if they belong to the rest of the stream.
        goes_on_s: How long after the end the last of them was sent.
    """

    messages: pa.Table
    refused: tuple[Refused, ...] = ()
    shift_s: float = 0.0
    after_end: int = 0
    goes_on_s: float = 0.0


def crop_of(beside: Mapping[str, object]) -> Crop | None:
    """Return the crop that TwitchDownloader states beside the comments, None if it states none.

    Its comments count from the start of the stream all the same.

    Args:
        beside: The entries of the document besides its comments.
    """
    video = beside.get("video")
    if not isinstance(video, dict):
        return None
    start, end = _seconds(video.get("start")), _seconds(video.get("end"))
    return Crop(start, end) if 0 < start < end else None


def place_messages(messages: pa.Table, place: Place, name: str, *, of_stream: bool, crop: Crop | None) -> Placed:
    """Return the messages inside a recording. Those outside are counted, not listed: there may be many.

    Chats that begin before the video or go on for a while after it are usual.

    Args:
        messages: All messages by time, as CHAT_MESSAGES.
        place: Where the recording lies.
        name: The file, for messages to people.
        of_stream: Whether their times certainly count from the start of the stream.
        crop: The part of the stream that the log was downloaded for, if it says so.

    Raises:
        OtherClockError: Most of them lie outside, or nothing says which part of the stream the recording is.
    """
    if not messages.num_rows:
        return Placed(messages)
    offset_s = messages["offset_s"].to_numpy()
    shift = _shift_s(float(offset_s[-1]), place, name, of_stream=of_stream, crop=crop)
    offset_s = np.round(offset_s - shift, 6) if shift else offset_s
    if place.end_s is None:
        return Placed(_between(messages, offset_s, 0, len(offset_s)), shift_s=shift)
    ends = (0.0, place.end_s, place.end_s + place.tolerance_s)
    first, last, near = map(int, np.searchsorted(offset_s, ends))
    count = len(offset_s)
    # What was said while waiting for the stream tells nothing about the clock.
    counted = count if shift or near == first else count - first
    check_inside(near - first, counted, "messages", first_s=float(offset_s[0]), shift_s=shift, place=place, name=name)
    inside = _between(messages, offset_s, first, last)
    if shift:
        outside = count - (last - first)
        rest = (rest_of_the_stream(f"{outside:,} messages", shift, place),) if outside else ()
        return Placed(inside, rest, shift)
    refused = []
    if first:
        text = f"{_messages(first)}, the first at {offset_s[0]:.1f} s"
        refused.append(Refused("before the start", BEFORE_THE_START, text))
    if last < count:
        text = f"{_messages(count - last)}, the last at {offset_s[-1]:.1f} s; it ends at {place.end_s:.1f} s"
        refused.append(Refused("after the end", AFTER_THE_END, text))
    goes_on = max(0.0, float(offset_s[-1]) - place.end_s)
    return Placed(inside, tuple(refused), after_end=count - last, goes_on_s=goes_on)


def _shift_s(last_s: float, place: Place, name: str, *, of_stream: bool, crop: Crop | None) -> float:
    if place.section_s:
        return place.section_s if of_stream else place.shift_s(last_s)
    if crop is None or place.end_s is None:
        return 0.0
    from_cropped = abs(place.end_s - (crop.end_s - crop.start_s))
    from_whole = max(0.0, crop.end_s - place.end_s)
    if min(from_cropped, from_whole) > place.tolerance_s:
        raise OtherClockError(
            f"{name}: it is the chat from {crop.start_s:.1f} to {crop.end_s:.1f} s of a stream, and the recording, "
            f"{place.end_s:.1f} s long, is neither this part nor the whole stream",
            hint="an .info.json with section_start says where in the stream the recording begins",
        )
    return crop.start_s if from_cropped < from_whole else 0.0


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LONGEST_S:
        return 0.0
    return float(value)


def _between(messages: pa.Table, offset_s: np.ndarray, first: int, last: int) -> pa.Table:
    rows = messages.slice(first, last - first)
    columns = {column: rows[column].combine_chunks() for column in rows.schema.names}
    columns["offset_s"] = pa.array(offset_s[first:last])
    columns["message_index"] = pa.array(np.arange(last - first), pa.int32())
    return CHAT_MESSAGES.from_columns(columns)


def _messages(count: int) -> str:
    return "1 message" if count == 1 else f"{count:,} messages"
