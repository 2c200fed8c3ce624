"""Which `.env` is read, and whose values may be sent to a server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from klip_assets import env_files, settings
from klip_assets.cli import main
from klip_assets.definitions import defs
from klip_assets.env_files import is_key_variable
from klip_assets.errors import InputError
from klip_assets.settings import Settings
from klip_assets.signals.text.tiers import tier_states
from klip_assets_tests.made import REPOSITORY
from klip_assets_tests.processed import drop_stream
from klip_assets_tests.signals.text.llm.fake_llm import FakeLlm, serving
from klip_assets_tests.worked import work


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder that the environment names, beside a checkout, from which a stranger's folder is worked in."""
    for name in ("KLIP_ENV_FILE", "KLIP_DAGSTER_STORAGE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("checkout", "data", "stranger"):
        (tmp_path / name).mkdir()
    (tmp_path / "checkout" / "workspace.yaml").touch()
    for module in (env_files, settings):
        monkeypatch.setattr(module, "checkout", lambda: tmp_path / "checkout")
    monkeypatch.setenv("KLIP_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path / "stranger")
    return tmp_path / "data"


@pytest.fixture
def llm() -> Iterator[FakeLlm]:
    """A server that keeps what it is asked."""
    with serving(FakeLlm()) as fake:
        yield fake


def test_the_env_file_of_the_working_folder_is_not_read(data: Path) -> None:
    Path(".env").write_text("KLIP_LLM_BASE_URL=http://stranger/v1\nKLIP_X_BASE_URL=http://stranger\n")
    assert Settings().llm_base_url is None and "stranger" not in Settings().x_base_url


def test_those_of_the_checkout_and_of_the_data_folder_are_and_the_nearer_one_wins(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data.parent / "checkout" / ".env").write_text("KLIP_WEIGHTS=klip-1\nKLIP_LANGUAGE=de\nKLIP_CHAT_LAG_S=3\n")
    (data / ".env").write_text("export KLIP_LANGUAGE='fr'\nklip_chat_lag_s=4\n")
    monkeypatch.setenv("KLIP_CHAT_LAG_S", "5")
    found = Settings()
    assert (found.weights, found.language, found.chat_lag_s) == ("klip-1", "fr", 5)


def test_a_working_folder_that_is_the_checkout_or_the_data_folder_counts_as_such(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, language in ((data.parent / "checkout", "de"), (data, "fr")):
        (folder / ".env").write_text(f"KLIP_LANGUAGE={language}\n")
        monkeypatch.chdir(folder)
        assert Settings().language == language


def test_the_checkouts_file_can_name_the_data_folder_whose_file_is_read_then(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KLIP_DATA_DIR")
    (data.parent / "checkout" / ".env").write_text("KLIP_DATA_DIR=../data\n")
    (data / ".env").write_text("KLIP_LANGUAGE=fr\n")
    assert (Settings().data_dir, Settings().language) == (data, "fr")


def test_a_data_folders_file_can_not_name_another_data_folder(data: Path) -> None:
    (data / ".env").write_text("KLIP_DATA_DIR=../other\n")
    with pytest.raises(InputError, match=r"data/\.env sets KLIP_DATA_DIR to another folder"):
        Settings()
    (data / ".env").write_text("KLIP_DATA_DIR=.\n")
    assert Settings().data_dir == data


def test_a_data_folder_given_by_the_caller_is_one_that_was_named(data: Path) -> None:
    (data.parent / "second").mkdir()
    (data.parent / "second" / ".env").write_text("KLIP_LANGUAGE=es\n")
    assert Settings(data_dir=data.parent / "second").language == "es"


def test_without_a_checkout_only_a_named_data_folder_has_a_file(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (env_files, settings):
        monkeypatch.setattr(module, "checkout", lambda: None)
    (data / ".env").write_text("KLIP_LANGUAGE=fr\n")
    assert Settings().language == "fr"
    monkeypatch.delenv("KLIP_DATA_DIR")
    monkeypatch.chdir(data.parent)
    assert Settings().data_dir == data, "the default one lies in the working folder"
    assert Settings().language is None and Settings().env_files == []


@pytest.mark.parametrize("name", ["", "other.env"])
def test_a_named_file_is_read_instead_of_both(name: str, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (data / ".env").write_text("KLIP_LANGUAGE=fr\n")
    Path("other.env").write_text("KLIP_LANGUAGE=it\n")
    monkeypatch.setenv("KLIP_ENV_FILE", name)
    assert Settings().language == ("it" if name else None)


def test_a_relative_path_in_a_file_counts_from_the_files_folder(data: Path) -> None:
    (data / ".env").write_text(
        "KLIP_LLM_MODELS=models.toml\nKLIP_WEIGHTS=own.toml#mine-1\nKLIP_X_QUERIES=q.toml\nKLIP_GOLDEN_DIR=golden\n"
        "KLIP_WHISPER_MODEL=whisper\nKLIP_TEXT_MODEL=text,someone/emotions\n"
    )
    (data / "whisper").mkdir()
    (data / "text").mkdir()
    found = Settings()
    assert found.llm_models == str(data / "models.toml") and found.x_queries == str(data / "q.toml")
    assert found.weights == f"{data / 'own.toml'}#mine-1" and found.golden_dir == data / "golden"
    assert found.whisper_model == str(data / "whisper")
    assert found.text_model_names == (str(data / "text"), "someone/emotions")


def test_a_relative_path_in_the_environment_counts_from_the_working_folder(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KLIP_LLM_MODELS", "models.toml")
    assert Settings().llm_models == str(Path.cwd() / "models.toml")
    monkeypatch.setenv("KLIP_LLM_MODELS", "first,second")
    assert Settings().llm_models == "first,second"


@pytest.mark.parametrize("variable", ["AWS_SECRET_ACCESS_KEY", "PATH", "GITHUB_TOKEN", "DATABASE_URL"])
@pytest.mark.parametrize("setting", ["KLIP_LLM_API_KEY={}", "KLIP_LLM_BASE_URL=http://x/{}/v1", "OTHER_API_KEY={}"])
@pytest.mark.parametrize("form", ["${%s}", "${%s:-none}"])
def test_a_file_does_not_pass_on_a_variable_that_is_no_key(
    form: str, setting: str, variable: str, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "a-secret")
    (data / ".env").write_text(setting.format(form % variable) + "\n")
    with pytest.raises(InputError, match=rf"data/\.env: .* uses the variable {variable}, .*KLIP_KEY_VARIABLES") as told:
        Settings()
    assert "a-secret" not in str(told.value)


def test_a_file_may_use_what_it_sets_itself_keys_and_the_home_folder(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "one")
    monkeypatch.setenv("HOME", "/home/ann")
    (data / ".env").write_text(
        "HOST=models.example\nKLIP_LLM_BASE_URL=https://${HOST}/v1\nKLIP_LLM_API_KEY=${OPENAI_API_KEY}\n"
        "KLIP_GOLDEN_DIR=${HOME}/golden\n"
    )
    found = Settings()
    assert found.llm_base_url == "https://models.example/v1" and found.golden_dir == Path("/home/ann/golden")
    assert found.llm_api_key is not None and found.llm_api_key.get_secret_value() == "one"


@pytest.mark.parametrize("name", ["KLIP_KEY_VARIABLES", "klip_key_variables", "KLIP_ENV_FILE"])
def test_a_file_can_not_widen_what_is_read_or_sent(name: str, data: Path) -> None:
    (data / ".env").write_text(f"{name}=AWS_SECRET_ACCESS_KEY\n")
    with pytest.raises(InputError, match=rf"data/\.env sets {name.upper()}, which only the environment can set"):
        Settings()


def test_only_variables_for_keys_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "KLIP_LLM_API_KEY", "KLIP_SECOND_KEY"):
        assert is_key_variable(name), name
    for name in ("AWS_SECRET_ACCESS_KEY", "OPENAI_API_KEY_FILE", "PATH", "", "X API_KEY", "API_KEY", "A;_API_KEY"):
        assert not is_key_variable(name), name
    # They are secrets of other servers.
    for name in ("KLIP_X_BEARER_TOKEN", "KLIP_POSTGRES_URL", "KLIP_ALERT_WEBHOOK"):
        assert not is_key_variable(name), name
    monkeypatch.setenv("KLIP_KEY_VARIABLES", "THIRD_KEY, OTHER")
    assert is_key_variable("THIRD_KEY") and is_key_variable("OTHER") and not is_key_variable("THIRD")


@pytest.mark.parametrize("content", [b"KLIP_LANGUAGE=\xff\n", None])
def test_a_file_that_can_not_be_read_is_named(
    content: bytes | None, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data / ".env").write_bytes(content or b"KLIP_LANGUAGE=fr")
    if content is None:

        def refuse(*_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(env_files, "dotenv_values", refuse)
    with pytest.raises(InputError, match=r"data/\.env (is not UTF-8|can't be read: Permission denied)"):
        Settings()


def write_models(path: Path, llm: FakeLlm, variable: str) -> None:
    path.write_text(f'[[model]]\nname = "a"\nbase_url = "{llm.base_url}"\napi_key_env = "{variable}"\n')


def test_no_file_has_a_secret_of_the_environment_sent_to_a_server(
    data: Path, llm: FakeLlm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the-secret")
    write_models(data / "models.toml", llm, "AWS_SECRET_ACCESS_KEY")
    (data / ".env").write_text("KLIP_LLM_MODELS=models.toml\n")
    Settings().make_folders()
    drop_stream(Settings(), seconds=10)
    assert work(Settings()).ok
    (state,) = tier_states(["llm"], Settings())
    assert llm.asked == [] and not state.ready
    assert "models.toml: api_key_env of a names the variable AWS_SECRET_ACCESS_KEY" in state.why
    monkeypatch.setenv("KLIP_KEY_VARIABLES", "AWS_SECRET_ACCESS_KEY")
    (state,) = tier_states(["llm"], Settings())
    assert state.ready, "a person may allow it"


def test_a_key_may_be_in_the_environment_or_in_a_file_that_is_read(
    data: Path, llm: FakeLlm, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_models(data / "models.toml", llm, "OTHER_API_KEY")
    (data / ".env").write_text("KLIP_LLM_MODELS=models.toml\n")
    Path(".env").write_text("OTHER_API_KEY=a-strangers\n")
    assert "OTHER_API_KEY, which holds the key of a, is not set" in tier_states(["llm"], Settings())[0].why
    (data / ".env").write_text("KLIP_LLM_MODELS=models.toml\nOTHER_API_KEY=of-the-file\n")
    assert Settings().key_value("OTHER_API_KEY") == "of-the-file"
    monkeypatch.setenv("OTHER_API_KEY", "of-the-environment")
    assert Settings().key_value("OTHER_API_KEY") == "of-the-environment"
    assert tier_states(["llm"], Settings())[0].ready


def test_a_file_that_is_not_read_is_pointed_out(data: Path) -> None:
    Path(".env").write_text("# mine\nKLIP_LANGUAGE=fr\n")
    told = CliRunner().invoke(main, ["doctor", "--json"])
    assert ".env is not read" in told.stderr and f'"{Path.cwd() / ".env"} is not read' in told.stdout
    Path(".env").write_text("OTHER=1\n# KLIP_LANGUAGE=fr\n")
    assert "is not read" not in CliRunner().invoke(main, ["doctor"]).output
    (data / ".env").write_text("KLIP_LANGUAGE=fr\n")
    assert str(data / ".env") in CliRunner().invoke(main, ["doctor", "--json"]).stdout


def test_dagster_does_not_serve_what_it_read_from_a_strangers_folder(data: Path) -> None:
    Path(".env").write_text("KLIP_LLM_BASE_URL=http://stranger/v1\n")
    with pytest.raises(InputError, match=r"Dagster has read .*stranger/\.env"):
        defs()
    Path(".env").unlink()
    assert defs().get_repository_def()


def test_an_installed_checkout_knows_itself(tmp_path: Path) -> None:
    copy = tmp_path / "checkout"
    shutil.copytree(
        REPOSITORY / "klip_assets", copy / "klip_assets", ignore=shutil.ignore_patterns("*.onnx", "__pycache__")
    )
    shutil.copy(REPOSITORY / "workspace.yaml", copy)
    (copy / ".env").write_text("KLIP_LANGUAGE=de\n")
    (tmp_path / ".env").write_text("KLIP_LANGUAGE=xx\n")
    code = "from klip_assets.settings import Settings; print(Settings().language, Settings().data_dir)"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KLIP_")}
    environment["PYTHONPATH"] = str(copy)
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.stdout.split() == ["de", str(copy / "data")], done.stderr
