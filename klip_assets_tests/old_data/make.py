"""Makes a small data folder with the Klip that is on the path, and packs it; how `88ecca5.tar.gz` came about.

    git worktree add ../then 88ecca5
    PYTHONPATH=../then DAGSTER_HOME=../then python klip_assets_tests/old_data/make.py 88ecca5.tar.gz

It holds one recording of 70 s with captions, chat and metadata, read by a language model (a server in this file, at
`LLM_URL`), two days of tweets, a verdict, an evaluation, the published warehouse, and Dagster's own state.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import tempfile
import threading
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import numpy as np

#: The discard port: who opens the folder later finds the replies in the cache, and nobody listening.
LLM_PORT = 9
LLM_URL = f"http://127.0.0.1:{LLM_PORT}/v1"
LLM_MODEL = "old-model"

RATE_HZ, FPS, SECONDS = 16_000, 5, 70
LOUD_S = (40, 44)
EMOTIONS = ("excitement", "amusement", "joy", "surprise", "anger", "disgust", "fear", "sadness", "neutral")

CAPTIONS = """WEBVTT

00:00:01.000 --> 00:00:05.000
So this is a calm walk to the river.

00:00:20.000 --> 00:00:23.000
[laughter]

00:00:40.000 --> 00:00:44.000
Oh wow, that was amazing, what a shot!
"""


def write_recording(path: Path) -> None:
    """Write noise that is 20 dB louder for four seconds, under a picture that grows brighter."""
    samples = 0.01 * np.random.default_rng(0).standard_normal(SECONDS * RATE_HZ).astype(np.float32)
    samples[LOUD_S[0] * RATE_HZ : LOUD_S[1] * RATE_HZ] *= 10
    with av.open(str(path), "w") as output:
        picture = output.add_stream("libx264", rate=FPS, options={"preset": "ultrafast"})
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        picture.codec_context.gop_size = 2 * FPS
        sound = output.add_stream("aac", rate=RATE_HZ, layout="mono")
        sound.bit_rate = 24_000
        packets = []
        for index in range(SECONDS * FPS):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), index % 256, np.uint8), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            packets += picture.encode(frame)
        packets += picture.encode(None)
        for at in range(0, len(samples), 1024):
            piece = av.AudioFrame.from_ndarray(samples[None, at : at + 1024], "fltp", "mono")
            piece.sample_rate, piece.pts, piece.time_base = RATE_HZ, at, Fraction(1, RATE_HZ)
            packets += sound.encode(piece)
        packets += sound.encode(None)
        for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
            output.mux(packet)


def write_inbox(data: Path) -> None:
    """Lay out the inbox: a recording with its sidecars, and a file of tweets."""
    vods, tweets = data / "inbox" / "vods", data / "inbox" / "tweets"
    vods.mkdir(parents=True)
    tweets.mkdir(parents=True)
    write_recording(vods / "race.mp4")
    (vods / "race.en.vtt").write_text(CAPTIONS)
    lines = [f"{at},viewer{at % 7},hello there" for at in range(0, SECONDS, 5)]
    lines += [f"{46 + i / 4},viewer{i},LUL what a shot" for i in range(16)]
    (vods / "race.chat.csv").write_text("offset_s,author,text\n" + "\n".join(lines) + "\n")
    info = {"title": "The race", "channel": "klip", "game": "Lumendrift", "timestamp": 1781287200}
    (vods / "race.info.json").write_text(json.dumps(info))
    texts = ("I love this #speedrun", "this is terrible", "Lumendrift again tonight", "@klip what a race!")
    rows = []
    for day, noon_ms in (("2026-06-12", 1781265600000), ("2026-06-13", 1781352000000)):
        for n, text in enumerate(texts):
            number = (noon_ms + 1000 * n - 1288834974657) << 22
            created = f"{day}T12:00:{n:02d}.000Z"
            rows.append({"id": str(number), "text": text, "created_at": created, "author_id": str(n), "lang": "en"})
    (tweets / "tweets.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


class Model(BaseHTTPRequestHandler):
    """A language model's server whose answers follow from the length of the question alone."""

    def do_POST(self) -> None:
        """Answer one chat completion."""
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        share = len(json.loads(asked)["messages"][-1]["content"]) % 64 / 128
        answer = {"sentiment": share, "highlight_score": share, **dict.fromkeys(EMOTIONS, share)}
        choice = {"index": 0, "message": {"role": "assistant", "content": json.dumps(answer)}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
        reply = {"id": "x", "object": "chat.completion", "created": 1, "model": LLM_MODEL, "choices": [choice]}
        body = json.dumps({**reply, "usage": usage}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def make(data: Path) -> None:
    """Make the folder with the commands a person would type."""
    write_inbox(data)
    golden = data.with_name("golden")
    golden.mkdir()
    os.link(data / "inbox" / "vods" / "race.mp4", golden / "race.mp4")
    truth = {"name": "race", "duration_s": SECONDS, "planted": [{"start_s": 40.0, "end_s": 44.0, "peak_s": 42.0}]}
    (golden / "truth.json").write_text(json.dumps(truth))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KLIP_")}
    environment |= {"KLIP_DATA_DIR": str(data), "KLIP_LLM_BASE_URL": LLM_URL, "KLIP_LLM_MODELS": LLM_MODEL}

    def klip(*words: str) -> None:
        subprocess.run([sys.executable, "-m", "klip_assets.cli", *words], env=environment, check=True)

    server = ThreadingHTTPServer(("127.0.0.1", LLM_PORT), Model)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    klip("process")
    klip("rate", "race", "1", "good")
    klip("eval", str(golden))
    klip("process")
    server.shutdown()


def main() -> None:
    """Make the folder and pack it."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        make(data)
        with tarfile.open(sys.argv[1], "w:gz") as archive:
            archive.add(data, "data")


if __name__ == "__main__":
    main()
