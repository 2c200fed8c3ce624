"""No command lets a text of strangers steer the terminal, reorder or hide what it shows."""

from __future__ import annotations

import ast
import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

import klip_assets.cli
from klip_assets.cli import main, output
from klip_assets.cli.output import say, show_rows
from klip_assets.products.editing.lists import as_csv
from klip_assets.settings import Settings
from klip_assets_tests.formats.test_screen import HOSTILE, is_hostile, texts
from klip_assets_tests.made import tweet, tweet_id_at, write_chat, write_tweets, write_vtt, write_wav
from klip_assets_tests.products.editing.test_lists import VIDEO, highlight
from klip_assets_tests.worked import work

EVIL = "\x1b]0;owned\x07 \x1b[2J \x9b31m \u202e[bold]gnirts[/bold] \u2066 =1+1"
DAY = "2026-06-12"
MODULES = sorted(Path(klip_assets.cli.__file__).parent.glob("*.py"))


def klip(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], prog_name="klip")


def is_safe(text: str) -> bool:
    return not any(map(is_hostile, text.replace("\n", "")))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation in which every text that a stranger could write is hostile, its folder's name too."""
    base = tmp_path_factory.mktemp("hostile") / "[bold]d :smile:"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("KLIP_DATA_DIR", str(base))
        environment.setenv("KLIP_CHAT_KEEP_NAMES", "1")
        settings = Settings()
        settings.make_folders()
        path = write_wav(settings.vod_inbox / "stream.wav", 70, loud=[(40, 44)])
        cues = [(1, 5, f"a calm walk {EVIL}"), (40, 44, f"=HYPERLINK(1) oh wow, what a shot {EVIL}")]
        write_vtt(path.with_name("stream.en.vtt"), cues)
        write_chat(path.with_name("stream.chat.csv"), [(46 + n / 4, f"v{n}{EVIL}", f"LUL {EVIL}") for n in range(16)])
        info = {"title": f"Title {EVIL}", "channel": EVIL, "webpage_url": f"https://x/{EVIL}"}
        path.with_name("stream.info.json").write_text(json.dumps(info))
        entry = tweet(tweet_id_at(DAY, 0), f"love this {EVIL}")
        write_tweets(settings.tweet_inbox / "tweets.jsonl", [{**entry, "author": EVIL, "lang": EVIL}])
        (settings.vod_inbox / "\x1b[2J\u202e[red].mp4").write_text("no video")
        work(settings)
    return base


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ("videos",), ("tweets",), ("tweets", DAY), ("highlights",), ("highlights", "stream"),
        ("highlights", "stream", "--why"), ("highlights", "stream", "--rejected"),
        ("sql", "SELECT * FROM videos"), ("sql", "SELECT * FROM chat_messages"), ("sql", "SELECT * FROM tweets"),
        ("sql", "SELECT * FROM segments"), ("sql", "SELECT * FROM quarantine"), ("sql", "SELECT * FROM stage_status"),
        ("sql", f'SELECT 1 AS "{EVIL}", [$$' + EVIL + "$$] AS list"), ("sql", f"SELECT {EVIL}"),
        ("sql", "SELECT $$\x9b$$::INT"), ("--debug", "sql", "SELECT $$\x9b$$::INT"), ("eval", EVIL),
        ("highlights", EVIL), ("clip", EVIL, "1"), ("rate", "stream", "99", "good"), ("process", EVIL), ("add", EVIL),
        ("doctor",), ("tweets", EVIL), (EVIL,), ("videos", f"--{EVIL}"), ("process", "--stale", "--dry-run"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", ["table", "json"])
def test_no_command_writes_control_characters(
    words: tuple[str, ...], form: str, hostile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KLIP_DATA_DIR", str(hostile))
    told = klip(*words, *(["--json"] if form == "json" else []))
    assert is_safe(told.stdout) and is_safe(told.stderr), told.output
    assert told.output or told.exit_code


@pytest.mark.slow
def test_what_is_escaped_is_still_told(hostile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KLIP_DATA_DIR", str(hostile))
    shown = klip("sql", "SELECT title FROM videos WHERE video_id = 'stream'").stdout
    assert r"\x1b[2J" in shown and r"\x9b31m" in shown and r"\u202e[bold]gnirts[/bold]" in shown
    (row,) = json.loads(klip("sql", "--json", "SELECT title FROM videos WHERE video_id = 'stream'").stdout)
    assert row["title"].split() == f"Title {EVIL}".split(), "JSON is exact"
    missing = hostile / "[bold]none :smile:.mp4"
    assert str(missing) in klip("add", missing).output


@pytest.mark.slow
@pytest.mark.parametrize("form", ["csv", "edl", "srt", "json", "md"])
def test_no_export_holds_control_characters(
    form: str, hostile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KLIP_DATA_DIR", str(hostile))
    told = klip("highlights", "stream", "--export", form)
    assert (told.exit_code == 0 and "what a shot" in told.stdout) or form == "edl"
    assert is_safe(told.stdout.replace("\r\n", "\n"))
    file = tmp_path / f"[bold]a.{form}"
    assert f"to {file}." in klip("highlights", "stream", "--export", form, "--output", file).stderr.replace("\n", "")
    assert file.read_bytes().decode().replace("\r\n", "\n") == told.stdout.replace("\r\n", "\n")


@given(st.lists(st.dictionaries(st.sampled_from(["video", "text", "\x1b"]), texts | st.lists(texts)), min_size=1))
def test_a_table_of_any_texts_has_no_control_character(rows: list[dict[str, object]]) -> None:
    rows = [{name: row.get(name) for name in rows[0]} for row in rows]
    for as_json in (False, True):
        file = io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(output, "console", Console(file=file, width=140))
            patch.setattr(output.click, "echo", file.write)
            show_rows(rows, as_json=as_json, title="".join(HOSTILE), empty="\x1b")
            say("a [bold] ", ("".join(HOSTILE), "bold"), to=output.console)
        assert is_safe(file.getvalue())


def test_every_command_prints_through_one_module() -> None:
    # There texts are escaped and markup is off: a `print` elsewhere would show texts of strangers as they are.
    for path in MODULES:
        if path.name in ("output.py", "__init__.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute):
                assert node.attr not in ("print", "echo", "secho"), f"{path.name}:{node.lineno}"
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("rich"):
                assert node.module == "rich.progress", f"{path.name}:{node.lineno}"


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n=1", "＝1", "\x1b=1", "\u202e=1"]
)
@pytest.mark.parametrize("column", ["text", "why", "dominant_emotion"])
def test_no_text_is_a_formula_of_a_spreadsheet(column: str, text: str) -> None:
    row = highlight(1, 3.0, 9.0, sentiment=-0.5, **{column: text})
    (read,) = csv.DictReader(io.StringIO(as_csv(VIDEO, [row]), newline=""))
    cell = read["emotion" if column == "dominant_emotion" else column]
    assert cell.startswith("'") and cell.endswith(text[-1])
    assert read["sentiment"] == "-0.5", "a number stays one"
