"""Time per clip, copied and re-encoded, compared with the ffmpeg command.

    python benchmarks/clip_speed.py [--minutes 180] [--clips 8]

On the sample (240 s, 320 x 180) and on a synthetic recording (1280 x 720, 30 frames per second, a keyframe every 2 s,
as on streaming sites). Each clip is 30 s long; one ffmpeg process is started per clip, as one would by hand.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from made import sample
from record import keep, table

from klip_assets.products.editing.clips import make_clip

LENGTH_S = 30.0


def main() -> None:
    """Generate the recording, time each way on each, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=180)
    parser.add_argument("--clips", type=int, default=8)
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="klip-clips-") as folder:
        made = make_recording(Path(folder) / "made.mp4", arguments.minutes * 60)
        for path, length_s in ((sample(), 240.0), (made, arguments.minutes * 60)):
            starts = [(n + 0.37) * (length_s - LENGTH_S) / arguments.clips for n in range(arguments.clips)]
            copied = seconds_each(starts, lambda at, path=path: klip(path, at, Path(folder)))  # type: ignore[misc]
            row: dict[str, object] = {
                "recording": f"{path.name}, {length_s / 60:.0f} min, {path.stat().st_size / 1e6:,.0f} MB",
                "Klip, s per clip": copied,
                "with thumbnail": seconds_each(
                    starts,
                    lambda at, path=path: klip(path, at, Path(folder), thumbnail=True),  # type: ignore[misc]
                ),
                "--exact": seconds_each(starts[:2], lambda at, path=path: klip(path, at, Path(folder), exact=True)),  # type: ignore[misc]
            }
            if shutil.which("ffmpeg"):
                row["ffmpeg -c copy"] = seconds_each(starts, lambda at, path=path: ffmpeg(path, at, Path(folder)))  # type: ignore[misc]
                row["Klip / ffmpeg"] = copied / float(str(row["ffmpeg -c copy"]))
            rows.append(row)
    table(rows)
    keep("clip_speed", minutes=arguments.minutes, clips=arguments.clips, rows=rows)


def seconds_each(starts: list[float], cut: Callable[[float], None]) -> float:
    """Return the median time of a clip."""
    times = []
    for start in starts:
        began = time.perf_counter()
        cut(start)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def klip(path: Path, start_s: float, folder: Path, **options: Any) -> None:
    """Cut one clip like `klip clip`."""
    place = {"start_s": start_s, "end_s": start_s + LENGTH_S, "peak_s": start_s + LENGTH_S / 2}
    make_clip(path, {"video_id": "made", "rank": 1, **place}, folder, force=True, **{"thumbnail": False, **options})


def ffmpeg(path: Path, start_s: float, folder: Path) -> None:
    """Cut one clip with the ffmpeg command."""
    times = ["-ss", f"{start_s:.3f}", "-i", str(path), "-t", f"{LENGTH_S:.3f}"]
    subprocess.run(["ffmpeg", "-v", "error", "-y", *times, "-c", "copy", str(folder / "ffmpeg.mp4")], check=True)


def make_recording(path: Path, length_s: float) -> Path:
    """Encode 20 s of moving pictures and noise, and repeat the packets."""
    import av
    import numpy as np

    rng = np.random.default_rng(0)
    scene = rng.integers(0, 255, (720, 1280, 3), np.uint8)
    piece = path.with_name("piece.mp4")
    with av.open(str(piece), "w") as output:
        picture = output.add_stream("libx264", rate=30, options={"preset": "ultrafast", "b": "3M", "maxrate": "3M"})
        picture.width, picture.height, picture.pix_fmt = 1280, 720, "yuv420p"
        picture.codec_context.gop_size = 60
        sound = output.add_stream("aac", rate=48_000, layout="stereo")
        for index in range(30 * 20):
            frame = av.VideoFrame.from_ndarray(np.roll(scene, 4 * index, axis=1), format="rgb24")
            frame.pts = index
            output.mux(picture.encode(frame))
        for at in range(0, 48_000 * 20, 1024):
            heard = av.AudioFrame.from_ndarray(
                (0.1 * rng.standard_normal((2, 1024))).astype(np.float32), "fltp", "stereo"
            )
            heard.sample_rate, heard.pts = 48_000, at
            output.mux(sound.encode(heard))
        output.mux(picture.encode(None))
        output.mux(sound.encode(None))
    with av.open(str(path), "w") as output:
        offset_s, written = 0.0, None
        while offset_s < length_s:
            with av.open(str(piece)) as opened:
                written = written or [output.add_stream_from_template(stream) for stream in opened.streams]
                for packet in opened.demux():
                    if packet.dts is None or packet.dts < 0 or packet.pts * packet.time_base >= 20:
                        continue
                    shift = round(offset_s / packet.time_base)
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    packet.stream = written[packet.stream.index]
                    output.mux(packet)
            offset_s += 20
    return path


if __name__ == "__main__":
    main()
