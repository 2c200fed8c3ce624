from __future__ import annotations

from klip_assets_tests.names import SNAPSHOT, names


def test_no_asset_job_sensor_check_command_option_or_column_changed_its_name_unnoticed() -> None:
    assert names() == SNAPSHOT.read_text(), "if the change is meant: python -m klip_assets_tests.names"
