"""Reading the presentation timeline of a recording.

All packets are read once, because headers are wrong about lengths in cut, growing and joined files.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import av

from klip_assets.errors import UnreadableMediaError
from klip_assets.formats.text import shown_name
from klip_assets.media.decode import LONGEST_S, Decoding, decode_sound
from klip_assets.media.pieces import Run, Stamps, lay_out, settle_start
from klip_assets.media.probe import audio_stream, is_cover, open_media
from klip_assets.media.timeline import PICTURE, SOUND, Timeline

#: Packets at the end of the sound that are decoded, to see where it really ends.
_TAIL_PACKETS = 64

#: Reading stops after this many consecutive read errors; what was read before counts.
_MAX_ERRORS_IN_A_ROW = 200

#: Codecs pad their last frame with silence. Where the track states an end this close before the one that decodes, it
#: is the real one (an edit list, a LAME tag).
_PADDING_S = 0.15

#: A stream whose packets last this many times longer than its timestamps say has no usable timestamps.
_STUCK = 1.5

#: FFmpeg's name of raw AAC. It has no timestamps, and those that FFmpeg makes are wrong once the sample rate changes.
_ADTS = "aac"

#: A picture without a stated duration is shown for at most this long if it is the last one.
_LONGEST_PICTURE_S = 10.0


def read_timeline(path: Path, track: int | None = None, *, longest_s: float = LONGEST_S) -> Timeline:
    """Read the timestamps of all packets of a recording.

    Args:
        path: The recording.
        track: Audio track (`media.tracks`); None for FFmpeg's choice.
        longest_s: Maximum length.

    Raises:
        UnreadableMediaError: It can't be opened, or is longer than `longest_s`.
    """
    with open_media(path) as container:
        timeline = _Scan(container, track).timeline()
    if timeline.sound_s is None and timeline.shifts.get(SOUND) is not None:
        timeline = _decoded_length(path, track, timeline, longest_s)
    if timeline.duration_s > longest_s:
        stated = timeline.duration_s
        shown = f"{stated / 3600:,.0f} h" if stated > 7200 else f"{stated:,.0f} s"
        raise UnreadableMediaError(
            f"{shown_name(path.name)}: {shown} long, more than the limit of {longest_s / 3600:g} h",
            hint="cut it into parts; KLIP_MAX_DURATION_H sets the limit",
        )
    return timeline


class _Track:
    """The runs of one track."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.runs: list[Run] = []
        self.lasting_s = 0.0  # Sum of the durations of its packets.
        self._stamps = Stamps()
        self._step = 0.0
        self._previous: float | None = None
        # Asking each packet for its time base, a fraction, would take as long as reading it.
        self._numerator, self._denominator = stream.time_base.numerator, stream.time_base.denominator

    def take(self, packet: Any, number: int, other: _Track | None) -> None:
        """Follow one packet; `number` counts packets of all tracks."""
        pts, dts, numerator, denominator = packet.pts, packet.dts, self._numerator, self._denominator
        stamp = dts if dts is not None else pts
        if stamp is None:
            return
        at = stamp * numerator / denominator
        length = (packet.duration or 0) * numerator / denominator
        jumped = self._stamps.jumps(at, length)
        shown = at if pts is None or pts == stamp else pts * numerator / denominator
        if not length and self._previous is not None and not jumped:
            self._step = min(_LONGEST_PICTURE_S, max(0.0, at - self._previous))
        self._previous = at
        self.lasting_s += length
        end = shown + (length or self._step)
        if jumped or not self.runs:
            current = other.runs[-1].end_s if other and other.runs else None
            self.runs.append(
                Run(number, shown, end, self._stamps.backwards, current, len(other.runs) - 1 if other else -1)
            )
        elif end > self.runs[-1].end_s and not packet.is_discard:
            self.runs[-1].end_s = end

    @property
    def is_stuck(self) -> bool:
        """Whether its timestamps are unusable."""
        return not self.runs or self.lasting_s > 2 + _STUCK * sum(run.end_s - run.begin_s for run in self.runs)


class _Scan:
    """Reads all packets of the heard sound track and of the first picture track."""

    def __init__(self, container: Any, track: int | None) -> None:
        sound = audio_stream(container, track)
        picture = next((s for s in container.streams.video if s.codec_context is not None and not is_cover(s)), None)
        self._container = container
        self._sound = _Track(sound) if sound is not None else None
        self._picture = _Track(picture) if picture is not None else None
        self._first_sound: float | None = None
        self._tail: deque[Any] = deque(maxlen=_TAIL_PACKETS)
        self._until: int | None = None
        self._rates: set[int] | None = set() if container.format.name == _ADTS else None

    def timeline(self) -> Timeline:
        tracks = {SOUND: self._sound, PICTURE: self._picture}
        by_index = {track.stream.index: track for track in tracks.values() if track}
        until = -1
        for number, packet in enumerate(self._packets([track.stream for track in tracks.values() if track])):
            size, position = packet.size, packet.pos
            if not size:
                continue
            track = by_index[packet.stream_index]
            other = self._picture if track is self._sound else self._sound
            if position is not None and position >= 0 and position + size > until:
                until = position + size
            if track is self._picture and not track.runs and packet.is_discard:
                continue
            track.take(packet, number, other)
            if track is self._sound:
                if self._first_sound is None:
                    self._first_sound = _first_stamp(packet)
                self._tail.append(packet)
                if self._rates is not None:
                    self._rates.add(_adts_rate(packet))
        self._until = until if until >= 0 else None
        return self._laid_out({name: track for name, track in tracks.items() if track})

    def _laid_out(self, tracks: Mapping[str, _Track]) -> Timeline:
        sound = tracks.get(SOUND)
        counted = sound is not None and (sound.is_stuck or len(self._rates or ()) > 1)
        if sound is not None and sound.runs and self._first_sound is not None:
            sound.runs[0].begin_s = self._first_sound
        runs = {name: track.runs for name, track in tracks.items() if track.runs and not (counted and name == SOUND)}
        moved = settle_start(runs)
        origin = min((entry[0].begin_s for entry in runs.values()), default=0.0)
        pieces = lay_out(runs, origin)
        shifts = dict(pieces.shifts)
        if counted:
            shifts[SOUND] = [-origin]
        placed = {
            name: (
                entry[0].begin_s + shifts[name][0],
                max(r.end_s + s for r, s in zip(entry, shifts[name], strict=True)),
            )
            for name, entry in runs.items()
        }
        heard = placed.get(SOUND)
        if heard:
            end = self._end_of_sound()
            heard = (heard[0], end + shifts[SOUND][-1]) if end is not None and self._first_sound is not None else None
        for name, by in moved.items():
            shifts[name][0] += by
        shown = placed.get(PICTURE)
        duration = max((span[1] for span in (heard, shown) if span), default=0.0)
        return Timeline(duration, heard, shown, shifts, tuple(pieces.jumps), counted, self._until)

    def _end_of_sound(self) -> float | None:
        """Return the timestamp at which the last sound that decodes ends, if it is in the last packets."""
        assert self._sound is not None
        context = self._sound.stream.codec_context
        context.flush_buffers()
        end = None
        for packet in [*self._tail, None]:
            for frame in _decoded(context, packet):
                if frame.pts is not None:
                    end = float(frame.pts * frame.time_base) + frame.samples / frame.sample_rate
        stream = self._sound.stream
        if end is None or stream.duration is None or len(self._sound.runs) > 1:
            return end
        stated = float(((stream.start_time or 0) + stream.duration) * stream.time_base)
        return stated if stated < end <= stated + _PADDING_S else end

    def _packets(self, streams: list[Any]) -> Iterator[Any]:
        if not streams:
            return
        in_a_row = 0
        packets = self._container.demux(streams)
        while in_a_row < _MAX_ERRORS_IN_A_ROW:
            try:
                packet = next(packets, None)
            except av.ExitError:
                return  # Every further try would take as long.
            except (av.FFmpegError, ValueError):
                in_a_row += 1
                packets = self._container.demux(streams)
                continue
            if packet is None:
                return
            in_a_row = 0
            yield packet


def _adts_rate(packet: Any) -> int:
    """Return the index of the sample rate in the header of an ADTS frame."""
    return memoryview(packet)[2] >> 2 & 0xF if packet.size > 2 else 0


def _first_stamp(packet: Any) -> float | None:
    return next((float(f.pts * f.time_base) for f in _decoded(packet) if f.pts is not None and f.samples), None)


def _decoded(source: Any, *packets: Any) -> list[Any]:
    try:
        return list(source.decode(*packets))
    except (av.FFmpegError, ValueError):
        return []


def _decoded_length(path: Path, track: int | None, timeline: Timeline, longest_s: float) -> Timeline:
    """Decode the whole sound: neither its timestamps nor its last packets say where it ends."""
    decoding = Decoding()
    for _ in decode_sound(path, decoding, track=track, timeline=timeline, longest_s=longest_s + 1):
        pass
    if decoding.heard_s is None:
        return timeline
    return replace(timeline, sound_s=decoding.heard_s, duration_s=max(timeline.duration_s, decoding.heard_s[1]))
