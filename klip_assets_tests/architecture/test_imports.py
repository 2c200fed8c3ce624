"""What importing a module brings along: no Dagster for the command line, no setting for anything."""

from __future__ import annotations

import os
import pkgutil
import subprocess
import sys

import klip_assets
from klip_assets_tests.made import REPOSITORY

#: Modules that are programs: importing them runs them.
PROGRAMS = ("klip_assets.cli.__main__", "klip_assets.signals.speech.sphinx_process")

MODULES = [
    module.name for module in pkgutil.walk_packages(klip_assets.__path__, "klip_assets.") if module.name not in PROGRAMS
]


def python(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_command_line_loads_no_dagster() -> None:
    modules = [name for name in MODULES if name.startswith("klip_assets.cli")]
    assert "klip_assets.cli.process" in modules
    imports = "\n".join(f"import {name}" for name in modules)
    assert python(f"import sys\n{imports}\nprint(*[name for name in sys.modules if 'dagster' in name])").split() == []


def test_no_setting_is_read_when_a_module_is_imported() -> None:
    # A variable that can't be used: whoever builds the settings with it fails.
    imports = "\n".join(f"import {name}" for name in MODULES)
    said = python(f"{imports}\nprint('imported')", KLIP_SENSOR_INTERVAL_S="not a number")
    assert said == "imported\n"
