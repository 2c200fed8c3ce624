"""How a headless Chromium is started, for tests and benchmarks."""

from __future__ import annotations

#: Nothing of it needs the network.
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
SIZE = {"width": 1600, "height": 1000}
