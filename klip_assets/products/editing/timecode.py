"""Timecodes of editing programs: hours, minutes, seconds and frames."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction

#: Measured rates (`videos.fps`) deviate from a standard one by less than this share; standard ones are 0.1 % apart.
NEAR = 0.0003
#: The frame number in a second has two digits.
MAX_FPS = 60
#: Where a clock begins again.
A_DAY = "24:00:00:00"
#: What stands before the frames in drop-frame timecode.
DROP_MARKS = (";", ".")

_LABEL = re.compile(r"(\d{2,9}):(\d{2}):(\d{2})[:;.](\d{2})")


@dataclass(frozen=True)
class FrameRate:
    """How frames are counted and labelled.

    Attributes:
        exact: Frames in a second of real time.
        nominal: Frames in a second of timecode.
        drop: Drop-frame labels (SMPTE ST 12-1): at the start of each minute except every tenth, two labels (four at
            60) are skipped, so that they keep up with real time at 29.97 and 59.94.
        note: Why it differs from the rate of the picture, if it does.
    """

    exact: Fraction
    nominal: int
    drop: bool = False
    note: str | None = None

    def frame_at(self, seconds: float) -> int:
        """Return the number of the frame whose start is nearest to a time, from 0."""
        return round(Fraction(seconds) * self.exact)

    def label(self, frame: int) -> str:
        """Return the timecode of a frame: hh:mm:ss:ff, with drop-frame hh:mm:ss;ff. Hours continue past 24."""
        if self.drop:
            skipped = self.nominal // 15
            minute = 60 * self.nominal - skipped
            tens, rest = divmod(frame, 10 * minute + skipped)
            # The first of ten minutes skips none.
            frame += 9 * skipped * tens + skipped * max(0, (rest - skipped) // minute)
        seconds, frames = divmod(frame, self.nominal)
        minutes, seconds = divmod(seconds, 60)
        mark = ";" if self.drop else ":"
        return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}{mark}{frames:02d}"

    def frame_of(self, label: str) -> int:
        """Return the number of the frame with a timecode.

        Raises:
            ValueError: It is not a timecode, or one that drop-frame skips.
        """
        found = _LABEL.fullmatch(label)
        if found is None:
            raise ValueError(f"{label!r} is not a timecode")
        hours, minutes, seconds, frames = map(int, found.groups())
        if minutes >= 60 or seconds >= 60 or frames >= self.nominal:
            raise ValueError(f"{label!r} is not a timecode at {self.nominal} frames per second")
        minutes += 60 * hours
        frame = (60 * minutes + seconds) * self.nominal + frames
        if not self.drop:
            return frame
        skipped = self.nominal // 15
        if minutes % 10 and seconds == 0 and frames < skipped:
            raise ValueError(f"{label!r} is skipped in drop-frame timecode")
        return frame - skipped * (minutes - minutes // 10)


@dataclass(frozen=True)
class SourceClock:
    """Timecodes of a recording.

    Attributes:
        rate: How its frames are counted.
        first: Number of its first frame, by its start timecode; None if it has none.
        note: What is wrong with its start timecode.
    """

    rate: FrameRate
    first: int | None = None
    note: str | None = None

    def label(self, frame: int) -> str:
        """Return the timecode of a frame of the recording. A clock of its own begins again after 24 hours."""
        if self.first is None:
            return self.rate.label(frame)
        return self.rate.label((self.first + frame) % self.rate.frame_of(A_DAY))


def source_clock(fps: float | None, start_timecode: str | None) -> SourceClock:
    """Return the timecodes of a recording.

    Its start timecode says, too, whether 29.97 and 59.94 frames per second are counted in drop-frame.

    Args:
        fps: As for `frame_rate`.
        start_timecode: As the file has it, None if it has none; a malformed one is ignored, and named in the note.
    """
    rate = frame_rate(fps)
    if not start_timecode:
        return SourceClock(rate)
    if rate.drop:
        rate = replace(rate, drop=start_timecode[-3:-2] in DROP_MARKS)
    try:
        first = rate.frame_of(start_timecode)
        if first >= rate.frame_of(A_DAY):
            raise ValueError(f"{start_timecode!r} is later than a day has timecodes")
    except ValueError as problem:
        return SourceClock(frame_rate(fps), note=f"{problem}: ignored, source times count from 00:00:00:00")
    return SourceClock(rate, first)


def frame_rate(fps: float | None) -> FrameRate:
    """Return how to count the frames of a recording.

    Whole rates and their NTSC neighbours (N x 1000 / 1001) count their own frames; 29.97 and 59.94 in drop-frame,
    23.976 and the like without. Any other rate (a recording of variable rate), or one above 60, has no timecode of its
    own: then timecodes follow the clock, at the nearest whole rate.

    Args:
        fps: Frames per second of the picture; None for sound only, which is counted at 25.
    """
    if not fps:
        return FrameRate(Fraction(25), 25, note="no picture: counted at 25 frames per second")
    for nominal in range(1, MAX_FPS + 1):
        if abs(fps / nominal - 1) < NEAR:
            return FrameRate(Fraction(nominal), nominal)
        ntsc = Fraction(nominal * 1000, 1001)
        if nominal >= 24 and abs(fps / float(ntsc) - 1) < NEAR:
            return FrameRate(ntsc, nominal, drop=nominal in (30, 60))
    nominal = min(MAX_FPS, max(1, round(fps)))
    note = f"the picture has {fps:.3f} frames per second: counted by the clock at {nominal}"
    return FrameRate(Fraction(nominal), nominal, note=note)


def clock_ms(seconds: float, mark: str = ".") -> str:
    """Return a time as hh:mm:ss.mmm; subtitles use a comma."""
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02d}:{whole % 3600 // 60:02d}:{whole % 60:02d}{mark}{milliseconds:03d}"
