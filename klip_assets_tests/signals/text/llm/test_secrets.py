"""The key is sent to its endpoint and to nobody else, and stands nowhere."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from klip_assets.errors import InputError
from klip_assets.settings import Settings
from klip_assets.signals.text.item import Item
from klip_assets.signals.text.llm.models import model_chain
from klip_assets.signals.text.llm.reader import LlmTier
from klip_assets_tests.signals.text.llm.conftest import KEY
from klip_assets_tests.signals.text.llm.fake_llm import FakeLlm, Reply, answers, error, says

Make = Callable[..., LlmTier]


@pytest.mark.parametrize(
    "reply",
    [
        answers(),
        error(401, f"Incorrect API key provided: {KEY}"),
        error(403, f"{KEY[:9]}***{KEY[-4:]} may not do this"),
        error(500, f"failed with Authorization: Bearer {KEY}"),
        error(400, f"bad header {KEY}"),
        Reply(200, f"<html>{KEY}</html>".encode()),
        says(f"your key is {KEY}"),
        Reply(200, b'{"choices": [{"message": {"content": null, "refusal": "I know %s"}}]}' % KEY.encode()),
        Reply(200, b'data: {"error": {"message": "%s expired"}}\n\n' % KEY.encode()),
    ],
    ids=["ok", "401", "403", "500", "400", "html", "said", "refused", "stream"],
)
def test_the_key_stands_in_no_row_no_file_and_no_log(
    reply: Reply, llm: FakeLlm, tier: Make, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    llm.reply = lambda _: reply
    told: list[str] = []
    with caplog.at_level(logging.DEBUG):
        readings = tier("first", notify=told.append).read([Item("text")])
    assert llm.asked[0].headers["authorization"] == f"Bearer {KEY}"
    for text in (repr(readings), " ".join(told), caplog.text):
        assert KEY not in text and KEY[-6:] not in text
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes()


def test_settings_do_not_show_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KLIP_LLM_API_KEY", KEY)
    settings = Settings()
    assert settings.llm_api_key is not None and settings.llm_api_key.get_secret_value() == KEY
    assert KEY not in repr(settings) + str(settings) + settings.model_dump_json()


def test_a_key_is_not_sent_to_an_endpoint_it_is_not_meant_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "models.toml"
    file.write_text(
        '[[model]]\nname = "a"\n[[model]]\nname = "b"\nbase_url = "http://other/v1"\n'
        '[[model]]\nname = "c"\nbase_url = "http://third/v1"\napi_key_env = "THIRD_API_KEY"\ninput_usd_per_mtok = 0.5\n'
    )
    monkeypatch.setenv("THIRD_API_KEY", "for-the-third")
    first, second, third = model_chain(
        str(file), "http://user:pass@main:8000/v1/?k=1", _secret(KEY), input_usd_per_mtok=2
    )
    assert [model.endpoint.api_key.get_secret_value() for model in (first, second, third)] == [
        KEY, "none", "for-the-third"
    ]  # fmt: skip
    assert first.endpoint.name == "http://main:8000/v1"
    assert (first.input_usd_per_mtok, third.input_usd_per_mtok) == (2, 0.5)


@pytest.mark.parametrize(
    ("content", "says_what"),
    [
        ("[[model]]\nbase_url = 'http://x/v1'", "name"),
        ("[[model]]\nname = 'a'\nprice = 3", "price"),
        ("[[model]]\nname = 'a'\ninput_usd_per_mtok = -1", "input_usd_per_mtok"),
        ("[[model]\n", "not valid TOML"),
        ("", "contains no model"),
        ("[[model]]\nname = 'a'\nbase_url = 'ftp://x'", "no endpoint"),
        ("[[model]]\nname = 'a'\napi_key_env = 'NOT_SET_ANYWHERE_API_KEY'", "NOT_SET_ANYWHERE_API_KEY"),
    ],
)
def test_a_file_of_models_that_can_not_be_used_says_what_is_wrong(content: str, says_what: str, tmp_path: Path) -> None:
    file = tmp_path / "models.toml"
    file.write_text(content)
    with pytest.raises(InputError, match=says_what):
        model_chain(str(file), "http://main/v1", None)


def test_a_file_of_models_gets_no_secret_but_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "models.toml"
    file.write_text("[[model]]\nname = 'a'\napi_key_env = 'AWS_SECRET_ACCESS_KEY'")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEY)
    with pytest.raises(InputError, match=r"models\.toml: .*AWS_SECRET_ACCESS_KEY.*KLIP_KEY_VARIABLES") as told:
        model_chain(str(file), "http://main/v1", None)
    assert KEY not in str(told.value)
    monkeypatch.setenv("KLIP_KEY_VARIABLES", "AWS_SECRET_ACCESS_KEY")
    (model,) = model_chain(str(file), "http://main/v1", None)
    assert model.endpoint.api_key.get_secret_value() == KEY


def test_a_file_of_models_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.toml can't be read"):
        model_chain(str(tmp_path / "nowhere.toml"), None, None)


def _secret(value: str) -> object:
    from pydantic import SecretStr

    return SecretStr(value)
