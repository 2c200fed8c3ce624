"""Frame-accurate clips: decoded and re-encoded, H.264 and AAC."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from klip_assets.products.editing.cut import M4A, MP4, NOTHING_THERE, Form, Piece
from klip_assets.products.editing.packets import Stretch, read

#: x264's constant quality: no visible loss.
QUALITY = {"crf": "18", "preset": "veryfast"}
SOUND_BITS_PER_S = 192_000
#: Rates and layouts that AAC supports; others are converted to 48 kHz and stereo.
AAC_RATES_HZ = frozenset({8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000})
AAC_LAYOUTS = frozenset({"mono", "stereo", "3.0", "4.0", "5.0", "5.1", "7.1"})
AAC_FRAME = 1024


def exact_form(stretch: Stretch) -> Form:
    """Return the container of a re-encoded clip."""
    return MP4 if stretch.main.type == "video" else M4A


def encode_exactly(container: Any, stretch: Stretch, form: Form, target: Path) -> Piece:
    """Encode picture and sound of a stretch, from its first frame and sample to its last.

    The first picture is the one shown at the start; undecodable packets are skipped.

    Args:
        container: The open recording.
        stretch: What to write.
        form: The container to write.
        target: The file.

    Raises:
        av.FFmpegError: It can't be read or written.
        ValueError: Nothing of the stretch could be decoded.
    """
    with av.open(str(target), "w", format=form.name, options=form.options) as output:
        encoders = {
            stream.index: (_Picture if stream.type == "video" else _Sound)(output, stream, stretch)
            for stream in stretch.streams
        }
        for packet, _ in read(container, stretch):
            encoders[packet.stream.index].take(_decoded(packet))
        for stream in stretch.streams:
            encoders[stream.index].take(_decoded(stream.codec_context))
            encoders[stream.index].finish()
        length = max(encoder.end_s for encoder in encoders.values())
        if not length:
            raise ValueError(NOTHING_THERE)
    return Piece(float(stretch.start), length)


def _decoded(source: Any) -> list[Any]:
    # A damaged packet leaves a gap instead of ending the clip.
    try:
        return list(source.decode())
    except (av.FFmpegError, ValueError):
        return []


class _Picture:
    """Frames of the picture, from the one shown at the start on."""

    def __init__(self, output: Any, source: Any, stretch: Stretch) -> None:
        self._stretch, self._output = stretch, output
        source.thread_type = "AUTO"
        stream = output.add_stream("libx264", rate=source.average_rate or 30, options=QUALITY)
        context, like = stream.codec_context, source.codec_context
        # yuv420p halves the colour resolution in both directions, so sizes must be even.
        stream.width, stream.height = like.width // 2 * 2, like.height // 2 * 2
        stream.pix_fmt = "yuv420p"
        stream.time_base = context.time_base = source.time_base
        if like.sample_aspect_ratio:
            context.sample_aspect_ratio = like.sample_aspect_ratio
        for name in ("color_range", "color_primaries", "color_trc", "colorspace"):
            setattr(context, name, getattr(like, name))
        self._stream, self._base = stream, source.time_base
        self._shown: Any = None
        self._latest = -1
        self.end_s = 0.0

    def take(self, frames: list[Any]) -> None:
        """Encode frames inside the stretch; keep the last one before it."""
        for frame in frames:
            if frame.pts is None:
                continue
            at = frame.pts * self._base
            if at <= self._stretch.start:
                self._shown = frame
            elif at < self._stretch.end:
                self._encode_shown()
                self._encode(frame, at - self._stretch.start)

    def finish(self) -> None:
        """Write what is left."""
        if self._shown is not None and self._shown_until() > self._stretch.start:
            self._encode_shown()
        self._output.mux(self._stream.encode(None))

    def _shown_until(self) -> Fraction:
        lasts = (self._shown.duration or 0) * self._base or 1 / Fraction(self._stream.average_rate)
        return Fraction(self._shown.pts * self._base + lasts)

    def _encode_shown(self) -> None:
        if self._shown is not None:
            self._encode(self._shown, Fraction(0))
            self._shown = None

    def _encode(self, frame: Any, at: Fraction) -> None:
        pts = round(at / self._base)
        if pts <= self._latest:
            return
        picture = frame.reformat(width=self._stream.width, height=self._stream.height, format="yuv420p")
        picture.pts, picture.time_base, picture.pict_type = pts, self._base, 0
        self._latest = pts
        self.end_s = float(min(at + 1 / Fraction(self._stream.average_rate), self._stretch.end))
        self._output.mux(self._stream.encode(picture))


class _Sound:
    """One sound track, cut to the sample; silence where the recording has a gap."""

    def __init__(self, output: Any, source: Any, stretch: Stretch) -> None:
        self._stretch, self._output, self._base = stretch, output, source.time_base
        rate = source.codec_context.sample_rate
        self._rate = rate if rate in AAC_RATES_HZ else 48_000
        layout = source.codec_context.layout.name
        self._layout = layout if layout in AAC_LAYOUTS else "stereo"
        self._stream = output.add_stream("aac", rate=self._rate, layout=self._layout, bit_rate=SOUND_BITS_PER_S)
        self._stream.metadata.update(source.metadata)
        self._graph: Any = None
        self.end_s = 0.0

    def take(self, frames: list[Any]) -> None:
        """Encode the samples inside the stretch."""
        for frame in frames:
            if frame.pts is None or not frame.samples:
                continue
            self._graph = self._graph or self._make_graph(frame)
            self._graph.push(frame)
            self._encode_ready()

    def finish(self) -> None:
        """Write what is left."""
        if self._graph is not None:
            self._graph.push(None)
            self._encode_ready()
        self._output.mux(self._stream.encode(None))

    def _encode_ready(self) -> None:
        for frame in self._pulled():
            self.end_s = float((frame.pts + frame.samples) * frame.time_base)
            self._output.mux(self._stream.encode(frame))

    def _pulled(self) -> Iterator[Any]:
        while True:
            try:
                yield self._graph.pull()
            except (BlockingIOError, EOFError):
                return

    def _make_graph(self, frame: Any) -> Any:
        graph = av.filter.Graph()
        start, end = float(self._stretch.start), float(self._stretch.end)
        nodes = [
            graph.add_abuffer(
                sample_rate=frame.sample_rate, format=frame.format, layout=frame.layout, time_base=frame.time_base
            ),
            graph.add("atrim", f"start={start:.9f}:end={end:.9f}"),
            graph.add("asetpts", f"PTS-({start:.9f}/TB)"),
            graph.add("aresample", f"{self._rate}:async=1:first_pts=0"),
            graph.add("aformat", f"sample_fmts=fltp:channel_layouts={self._layout}"),
            graph.add("asetnsamples", f"n={AAC_FRAME}:p=0"),
            graph.add("abuffersink"),
        ]
        graph.link_nodes(*nodes).configure()
        return graph
