"""Scripts and benchmarks, which are files and not modules, loaded for tests of what they compute."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from klip_assets_tests.made import REPOSITORY


def load(program: str) -> Any:
    """Load a program by its path in the repository, e.g. `scripts/make_sample.py`."""
    path = REPOSITORY / program
    name = f"program_{Path(program).stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their own module up while it is made.
    sys.modules[name] = module
    with pytest.MonkeyPatch.context() as patch:
        # A program finds its neighbours, as Python has it for one that is started.
        patch.syspath_prepend(path.parent)
        spec.loader.exec_module(module)
    return module
