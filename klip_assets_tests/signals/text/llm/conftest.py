from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from klip_assets.signals.text.llm import channel
from klip_assets.signals.text.llm.models import Endpoint, Model
from klip_assets.signals.text.llm.prompt import SEGMENT
from klip_assets.signals.text.llm.reader import LlmTier
from klip_assets_tests.signals.text.llm.fake_llm import FakeLlm, serving

KEY = "sk-secret-1234567890"


@pytest.fixture
def llm() -> Iterator[FakeLlm]:
    """A server that answers well until a test says otherwise."""
    with serving(FakeLlm()) as fake:
        yield fake


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between requests of a hundredth of what they are."""
    monkeypatch.setattr(channel, "FIRST_WAIT_S", 0.005)


@pytest.fixture
def tier(llm: FakeLlm, quick: None, tmp_path: Path) -> Callable[..., LlmTier]:
    """Make the tier; the models `first`, `second` and `third` unless others are named."""

    def make(*names: str, price: float | None = None, **options: Any) -> LlmTier:
        endpoint = Endpoint(llm.base_url, SecretStr(KEY))
        models = [Model(name, endpoint, price, price) for name in names or ("first", "second", "third")]
        options = {"prompt_version": SEGMENT, "state": tmp_path / "state" / "llm.sqlite", "timeout_s": 5.0} | options
        return LlmTier(models, **options)

    return make
