"""The unit of a file's times, judged by the whole: how long words last in it, and where they lie in the recording.

Many programs write the same shape in another unit: seconds where milliseconds are meant, milliseconds for seconds.
Speech is neither a thousand times faster nor slower than people speak, so that a wrong unit shows, whatever the format.
Where exactly one other unit makes the whole plausible, the times are in that unit, and this is said; where none or
several do, the file is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from klip_assets.errors import UnreadableSidecarError
from klip_assets.formats.refused import Refused
from klip_assets.media.sidecar_clock import MOST, Place
from klip_assets.signals.speech.captions.caption_format import Cues, Reading
from klip_assets.signals.speech.captions.sounds import SoundEvent
from klip_assets.signals.speech.captions.spoken import LONGEST_S
from klip_assets.signals.speech.words import Word

#: What `quarantine` says of a file whose unit was found to be another.
OTHER_UNIT = "times in another unit"

#: Units of times: how many a second has, and the name.
_UNITS = (
    (1.0, "seconds"), (100.0, "hundredths of a second"), (1e3, "milliseconds"), (1e6, "microseconds"),
    (1e7, "ticks of 100 nanoseconds"), (1e9, "nanoseconds"), (1e-3, "seconds that were divided by 1,000"),
)  # fmt: skip

#: Seconds per word, over a whole file, of ordinary speech: another unit must give this to be believed.
_USUAL_S = (0.12, 4.0)
#: Outside this, the unit is doubted. One or two words may be short.
_SHORTEST_S, _SHORTEST_OF_FEW_S = 0.06, 0.02
_LONGEST_S = 100.0
_FEW, _MANY = 3, 10
#: If the words lie further apart than this, on average, they are believed however short they are said to be.
_APART_S = 0.1
#: The first sign of the scripts without spaces: radicals, kana, ideographs.
_UNSPACED = "\u2e80"
#: Share of the words that must lie inside the recording in another unit.
_NEARLY_ALL = 0.9


class ImplausibleTimesError(UnreadableSidecarError):
    """The times of a file can't be those of speech in this recording, in any unit or in several."""


@dataclass(frozen=True)
class _Spans:
    """Spoken spans: (start, end, words), in seconds as read."""

    spans: Sequence[tuple[float, float, int]]
    place: Place

    def pace_s(self, factor: float) -> float:
        """Return how long a word lasts on average; of words without a length, how far apart they are."""
        words = sum(count for *_, count in self.spans)
        lasting = sum(max(0.0, end - start) for start, end, _ in self.spans)
        return factor * (lasting or self._reach_s()) / words

    def apart_s(self, factor: float) -> float:
        """Return how far words are apart on average."""
        return factor * self._reach_s() / sum(count for *_, count in self.spans)

    def _reach_s(self) -> float:
        return max(end for _, end, _ in self.spans) - min(start for start, *_ in self.spans)

    def inside(self, factor: float) -> float:
        """Return the share that begins inside the recording; 1 where its length is unknown."""
        if self.place.end_s is None:
            return 1.0
        end_s = self.place.end_s + self.place.tolerance_s
        return sum(1 for start, *_ in self.spans if start * factor < end_s) / len(self.spans)


def cues_in_seconds(found: Cues, place: Place, name: str) -> Cues:
    """Return cues with their times in seconds, whatever unit they were written in.

    Args:
        found: The cues, and what was refused.
        place: Where the recording lies.
        name: The file, for messages.

    Raises:
        ImplausibleTimesError: No unit or several units would make them plausible.
    """
    cues, refused = found
    spans = [
        (cue.start_s, cue.end_s, count)
        for cue in cues
        if cue.end_s >= cue.start_s and (count := sum(_words_in(token) for line in cue.lines for token in line.split()))
    ]
    factor, unit = _factor(spans, 1.0, place, name)
    if factor == 1.0:
        return found
    refused.append(_said(unit, 1.0))
    return [replace(cue, start_s=cue.start_s * factor, end_s=cue.end_s * factor) for cue in cues], refused


def reading_in_seconds(reading: Reading, place: Place, name: str) -> Reading:
    """Return words and sounds with their times in seconds, as `cues_in_seconds`.

    Raises:
        ImplausibleTimesError: No unit or several units would make them plausible.
    """
    whole = reading.unlimited or reading
    spans = _spans_of(whole)
    try:
        factor, unit = _factor(spans, whole.per_second, place, name)
    except ImplausibleTimesError:
        if reading.unlimited is None or not reading.heard.words:
            raise
        whole, (factor, unit) = reading, _factor(_spans_of(reading), reading.per_second, place, name)
    if factor == 1.0:
        return reading
    whole.refused.append(_said(unit, whole.per_second))
    heard = whole.heard
    heard.words = [_scaled_word(word, factor) for word in heard.words if word.start_s * factor <= LONGEST_S]
    heard.sounds = [_scaled_sound(sound, factor) for sound in heard.sounds if sound.start_s * factor <= LONGEST_S]
    return whole


def _factor(spans: Sequence[tuple[float, float, int]], per_second: float, place: Place, name: str) -> tuple[float, str]:
    """Return by what times are multiplied, and the unit that they are in."""
    if not spans:
        return 1.0, ""
    all_of_it = _Spans(spans, place)
    pace_s, count = all_of_it.pace_s(1.0), sum(words for *_, words in spans)
    if pace_s == 0 and count <= _MANY:
        return 1.0, ""  # A few words at one moment: nothing shows.
    shortest_s = _SHORTEST_S if count > _FEW else _SHORTEST_OF_FEW_S
    too_fast = pace_s < shortest_s
    too_slow = pace_s > _LONGEST_S and count > _FEW
    outside = all_of_it.inside(1.0) < MOST and not place.section_s
    if not (too_fast or too_slow or outside):
        return 1.0, ""
    others = [(per_second / per, unit) for per, unit in _UNITS if per != per_second]
    fitting = [
        (factor, unit)
        for factor, unit in others
        if _USUAL_S[0] <= all_of_it.pace_s(factor) <= _USUAL_S[1] and all_of_it.inside(factor) >= _NEARLY_ALL
    ]
    if len(fitting) == 1:
        return fitting[0]
    if outside and not too_fast and not fitting:
        return 1.0, ""  # Of another recording: `placing` says so.
    if (too_slow and not outside) or (too_fast and all_of_it.apart_s(1.0) >= _APART_S and not fitting):
        return 1.0, ""
    last_s = max(end for _, end, _ in spans)
    words = "one word" if count == 1 else f"{count:,} words"
    what = f"{words} of {pace_s:.2g} s each up to {last_s:,.3g} s"
    units = " and ".join(unit for _, unit in fitting)
    why = f"{units} would both be plausible" if fitting else "no other unit would be plausible either"
    raise ImplausibleTimesError(f"{name}: implausible times: {what}, read in {_name_of(per_second)}; {why}")


def _spans_of(reading: Reading) -> list[tuple[float, float, int]]:
    return [(word.start_s, word.end_s, _words_in(word.text)) for word in reading.heard.words]


def _words_in(token: str) -> int:
    # Scripts without spaces have whole sentences between two: about two signs make a word.
    return 1 if token.isascii() else max(1, sum(1 for sign in token if sign >= _UNSPACED) // 2)


def _said(unit: str, per_second: float) -> Refused:
    detail = f"read as {unit}: as {_name_of(per_second)}, they would not be those of speech in this recording"
    return Refused("times", OTHER_UNIT, detail)


def _name_of(per_second: float) -> str:
    return next((unit for per, unit in _UNITS if per == per_second), f"1/{per_second:g} s")


def _scaled_word(word: Word, factor: float) -> Word:
    return replace(word, start_s=word.start_s * factor, end_s=word.end_s * factor)


def _scaled_sound(sound: SoundEvent, factor: float) -> SoundEvent:
    return replace(sound, start_s=sound.start_s * factor, end_s=sound.end_s * factor)
