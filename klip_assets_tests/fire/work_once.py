"""Do what is due with the present settings, without Dagster, and say what came of it: one line of JSON."""

from __future__ import annotations

import json
import os

from klip_assets.settings import Settings
from klip_assets_tests.fire.memory import peak_mb
from klip_assets_tests.worked import work

if __name__ == "__main__":
    worked = work(Settings())
    peak = peak_mb()
    print(json.dumps({"problems": worked.problems, "processor_s": sum(os.times()[:4]), "peak_mb": peak}))  # noqa: T201
