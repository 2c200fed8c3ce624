"""Process the inbox of the present settings as `klip process` does, and say what came of it: one line of JSON."""

from __future__ import annotations

import json

from klip_assets.settings import Settings
from klip_assets_tests.fire.memory import peak_mb
from klip_assets_tests.processed import process

if __name__ == "__main__":
    report = process(Settings())
    peak = peak_mb()
    print(json.dumps({"rows": report.rows, "peak_mb": peak}))  # noqa: T201
