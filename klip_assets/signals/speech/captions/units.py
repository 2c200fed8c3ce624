"""The unit of a file's times, judged by the whole: how long words last in it, and where they lie in the recording.

Many programs write the same shape in another unit: seconds where milliseconds are meant, milliseconds for seconds.
Speech is neither a thousand times faster nor slower than people speak, so that a wrong unit shows, whatever the format.
Where exactly one other unit makes the whole plausible, the times are in that unit, and this is said; where none or
several do, the file is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from klip_assets.errors import UnreadableSidecarError
from klip_assets.formats.refused import Refused
from klip_assets.media.sidecar_clock import MOST, Place
from klip_assets.signals.speech.captions.caption_format import Cues, Reading
from klip_assets.signals.speech.captions.rolling import new_lines, plain_text
from klip_assets.signals.speech.captions.sounds import SoundEvent
from klip_assets.signals.speech.captions.spoken import LONGEST_S, Heard, Piece
from klip_assets.signals.speech.words import Word

#: What `quarantine` says of a file whose unit was found to be another.
OTHER_UNIT = "times in another unit"
#: What it says of an entry that is not in the unit of the others.
MIXED_UNITS = "not in the unit of the rest of the file"

#: Units of times: how many a second has, and the name.
_UNITS = (
    (1.0, "seconds"), (100.0, "hundredths of a second"), (1e3, "milliseconds"), (1e6, "microseconds"),
    (1e7, "ticks of 100 nanoseconds"), (1e9, "nanoseconds"), (1e-3, "seconds that were divided by 1,000"),
)  # fmt: skip

#: Seconds per word of ordinary speech: another unit must give this, in the middle, to be believed.
_USUAL_S = (0.12, 4.0)
#: Words that suffice to judge the unit by; of fewer, only what is much shorter or longer.
_ENOUGH = 30
#: Words that suffice to refuse a file of which no unit is plausible.
_ENOUGH_TO_REFUSE = 50
#: Less per word, and no further apart than the first: nobody speaks so fast. Titles and end cards of few words may
#: be that short.
_SHORTEST_S, _SHORTEST_OF_FEW_S = 0.06, 0.02
#: Of a few short words, only a unit so many times as long is believed: they may be a card or a flash.
_FACTOR_OF_FEW = 50
#: More per word: where most lies outside the recording, the unit is doubted. Captions may stand for a minute.
_LONGEST_S = 60.0
#: The same where the length of the recording is unknown.
_LONGEST_ANYWHERE_S = 100.0
#: The first sign of the scripts without spaces: radicals, kana, ideographs.
_UNSPACED = "\u2e80"
#: Share of the spans that must lie inside the recording in another unit; else most of them, of one unit only.
_NEARLY_ALL = 0.9
#: What could be a stream's: such captions must not shrink to less than this share of the recording.
_STREAM_S, _REACH = 86_400.0, 0.2
#: Words within a smaller share of the recording than this are at one spot.
_SPOT = 0.01
#: If more of the words are squeezed together by another unit, the file mixes units.
_MIXED = 0.1
#: A word of a few seconds, taken for milliseconds.
_MOMENT_S = 0.004

#: A spoken span: start and end in seconds as read, and its words.
Span = tuple[float, float, int]


class ImplausibleTimesError(UnreadableSidecarError):
    """The times of a file can't be those of speech in this recording, in any unit or in several."""


class _Spans:
    """Spoken spans, judged by quantiles of their words: single words far away or very long change nothing."""

    def __init__(self, spans: Sequence[Span], place: Place) -> None:
        self._spans, self._place = spans, place
        self.words = sum(count for *_, count in spans)
        lasting = _quantile([(max(0.0, end - start) / count, count) for start, end, count in spans], 0.5)
        #: Seconds from one word to the next, in the middle half of them.
        self.apart_s = 2 * self._reach_s(0.25) / self.words
        #: Seconds that a word lasts; of words without a length, how far they are apart.
        self.pace_s = lasting or self.apart_s
        #: Where nearly all of them have ended.
        self.last_s = _quantile([(end, count) for _, end, count in spans], 0.95)

    def inside(self, factor: float) -> float:
        """Return the share that begins inside the recording; 1 where its length is unknown."""
        if self._place.end_s is None:
            return 1.0
        length_s, section_s = self._place.end_s + self._place.tolerance_s, self._place.section_s
        starts = [start * factor for start, *_ in self._spans]
        if section_s and any(section_s <= start < section_s + length_s for start in starts):
            return 1.0  # Of the whole stream.
        return sum(1 for start in starts if start < length_s) / len(starts)

    def are_usual(self, factor: float) -> bool:
        """Return whether another unit makes ordinary speech of this recording of them."""
        if not _USUAL_S[0] <= self.pace_s * factor <= _USUAL_S[1] or self.inside(factor) < MOST:
            return False
        mixed = sum(count for span in self._spans if is_squeezed(*span[:2], factor, self._place) for count in span[2:])
        return mixed <= _MIXED * self.words

    def would_shrink(self, factor: float) -> bool:
        """Return whether what may be a long stream's would become a small part of this recording."""
        length_s = self._place.end_s or 0.0
        return factor < 1 and self.last_s < _STREAM_S and self.last_s * factor < _REACH * length_s

    def are_at_one_spot(self) -> bool:
        """Return whether enough words for a whole recording lie at one spot of it."""
        if self.words < _ENOUGH_TO_REFUSE:
            return False
        length_s = self._place.end_s or self.words * _SHORTEST_S
        return self._reach_s(0.05) < _SPOT * length_s

    def _reach_s(self, beside: float) -> float:
        starts = [(start, count) for start, _, count in self._spans]
        ends = [(end, count) for _, end, count in self._spans]
        return max(0.0, _quantile(ends, 1 - beside) - _quantile(starts, beside))


def _quantile(values: Sequence[tuple[float, int]], share: float) -> float:
    """Return the value below which this share of the weights lies."""
    ordered, at = sorted(values), 0.0
    limit = share * sum(weight for _, weight in ordered)
    for value, weight in ordered:
        at += weight
        if at >= limit:
            return value
    return ordered[-1][0]


def is_squeezed(start_s: float, end_s: float, factor: float, place: Place) -> bool:
    """Return whether a span inside the recording, of ordinary length, would become one moment in another unit."""
    if factor >= 1 or place.end_s is None or start_s >= place.end_s:
        return False
    return 0 < end_s - start_s <= _LONGEST_S and (end_s - start_s) * factor < _SHORTEST_S


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
    good = [cue for cue in cues if cue.end_s >= cue.start_s]
    spans = [
        (cue.start_s, cue.end_s, count)
        for cue, lines in zip(good, new_lines(good), strict=True)
        if (count := _spoken_in(lines))
    ]
    factor, unit = _factor(spans, 1.0, place, name)
    if factor == 1.0:
        return found
    refused.append(_said(unit, 1.0))
    moved = []
    for cue in cues:
        if is_squeezed(cue.start_s, cue.end_s, factor, place):
            refused.append(Refused(cue.place, MIXED_UNITS, f"{cue.start_s} to {cue.end_s}"))
        else:
            moved.append(replace(cue, start_s=cue.start_s * factor, end_s=cue.end_s * factor))
    return moved, refused


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
        _drop_seconds_among_milliseconds(reading, place)
        return reading
    whole.refused.append(_said(unit, whole.per_second))
    heard = whole.heard
    words = [word for word in heard.words if not is_squeezed(word.start_s, word.end_s, factor, place)]
    if dropped := len(heard.words) - len(words):
        whole.refused.append(Refused("words", MIXED_UNITS, f"{dropped:,} words"))
    heard.words = [_scaled_word(word, factor) for word in words if word.start_s * factor <= LONGEST_S]
    heard.sounds = [_scaled_sound(sound, factor) for sound in heard.sounds if sound.start_s * factor <= LONGEST_S]
    return whole


def _drop_seconds_among_milliseconds(reading: Reading, place: Place) -> None:
    # They would all be heard in the first moment, each shorter than any word.
    if reading.per_second < 1e3 or place.end_s is None:
        return
    words, begins_s = reading.heard.words, place.end_s / 1e3
    left = [word for word in words if word.start_s >= begins_s or not 0 < word.end_s - word.start_s <= _MOMENT_S]
    if len(words) - len(left) > 1 and left:
        reading.refused.append(Refused("words", MIXED_UNITS, f"{len(words) - len(left):,} words"))
        reading.heard.words = left


def _factor(spans: Sequence[Span], per_second: float, place: Place, name: str) -> tuple[float, str]:
    """Return by what times are multiplied, and the unit that they are in."""
    if not spans:
        return 1.0, ""
    whole = _Spans(spans, place)
    is_long = whole.words >= _ENOUGH
    shortest_s = _SHORTEST_S if is_long else _SHORTEST_OF_FEW_S
    too_fast = whole.pace_s < shortest_s and whole.apart_s < _SHORTEST_S
    if place.end_s is None:
        outside, too_slow = False, is_long and whole.pace_s > _LONGEST_ANYWHERE_S
    else:
        # Inside the recording, captions may stand as long as they like.
        outside = whole.inside(1.0) < MOST
        too_slow = outside and whole.pace_s > _LONGEST_S
    if not (too_fast or too_slow):
        return 1.0, ""  # What lies outside is of another recording: `placing` says so.
    least = 1 if is_long else _FACTOR_OF_FEW
    fitting = [
        (factor, unit)
        for per, unit in _UNITS
        if per != per_second
        and whole.are_usual(factor := per_second / per)
        and (factor > least if too_fast else factor < 1)
    ]
    fitting = [found for found in fitting if whole.inside(found[0]) >= _NEARLY_ALL] or fitting
    if len(fitting) == 1:
        return (1.0, "") if whole.would_shrink(fitting[0][0]) else fitting[0]
    if not (whole.are_at_one_spot() if too_fast else outside and fitting):
        return 1.0, ""
    words = "one word" if whole.words == 1 else f"{whole.words:,} words"
    what = f"{words} of {whole.pace_s:.2g} s each up to {whole.last_s:,.3g} s"
    units = " and ".join(unit for _, unit in fitting)
    why = f"{units} would both be plausible" if fitting else "no other unit would be plausible either"
    raise ImplausibleTimesError(f"{name}: implausible times: {what}, read in {_name_of(per_second)}; {why}")


def _spans_of(reading: Reading) -> list[Span]:
    return [(word.start_s, word.end_s, _words_in(word.text)) for word in reading.heard.words]


def _spoken_in(lines: Sequence[str]) -> int:
    """Return how many words are spoken in the lines of a cue; tags of sounds are none."""
    heard = Heard()
    heard.add([Piece(0.0, 0.0, "\n".join(plain_text(line) for line in lines))])
    return sum(_words_in(word.text) for word in heard.words)


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
