from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from klip_assets.cli import main
from klip_assets.settings import Settings
from klip_assets_tests.made import REPOSITORY, SAMPLE
from klip_assets_tests.processed import query

pytestmark = pytest.mark.slow


def test_the_demo_finds_the_planted_moments_and_does_no_work_twice(settings: Settings) -> None:
    first = CliRunner().invoke(main, ["demo"])
    assert first.exit_code == 0, first.output
    assert "The top 4 hit 4 of 4 planted moments" in first.output
    assert "the loud stretch in which nothing happens is not among them" in " ".join(first.output.split())
    for said in (
        "Highlights",
        "Tweets by day",
        "Sentiment tiers: bert (klip-compact",
        "not configured",
        "klip.duckdb",
        "Next:",
    ):
        assert said in first.output, said
    assert re.search(r"1  0:0\d:\d\d ", first.output)
    runs = query(settings, "SELECT count(*) AS n, max(written_at) AS last FROM provenance")
    second = CliRunner().invoke(main, ["demo"])
    assert second.exit_code == 0, second.output
    assert "Nothing to do" in second.output
    assert query(settings, "SELECT count(*) AS n, max(written_at) AS last FROM provenance") == runs
    measured = CliRunner().invoke(main, ["eval"])
    assert measured.exit_code == 0 and re.search(r"klip +4 ", measured.output), measured.output
    rows = json.loads(CliRunner().invoke(main, ["eval", "sample", "--json"]).stdout)
    found = {f"{row['metric'].split(' ')[0]}, {row['system']}": row["value"] for row in rows}
    record = tomllib.loads((REPOSITORY / "klip_assets_tests" / "evaluation" / "recorded.toml").read_text("utf-8"))
    assert found == pytest.approx(record["sample"], abs=1e-3)
    # The sample is what the UI's README picture shows; nothing of it may have been changed by running it.
    assert (SAMPLE / "truth.json").exists()


@pytest.mark.usefixtures("flite")
def test_fresh_variants_are_hit_without_chat_or_words_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(REPOSITORY / "benchmarks"))
    monkeypatch.setenv("KLIP_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KLIP_DAGSTER_STORAGE", str(tmp_path / "dagster"))
    import planted_moments

    found = planted_moments.hits_of_seeds(tmp_path, range(50, 53), duration_s=120, planted=3)
    for condition in ("all signals", "without chat", "without words"):
        hits = found[condition].values()
        assert sum(h.hit for h in hits) == sum(h.moments for h in hits), condition
        assert not any(h.decoy_picked for h in hits), condition
        assert sum(h.hit for h in hits) > 2 * sum(h.random for h in hits)
    sys.modules.pop("planted_moments")
