"""A question is paid for once, whoever asks it again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from klip_assets.signals.text.item import Item
from klip_assets.signals.text.llm.dialect import Dialect
from klip_assets.signals.text.llm.reader import LlmTier
from klip_assets.store.state.ledger import Purpose, read_calls
from klip_assets.store.state.replies import Store
from klip_assets_tests.signals.text.llm.fake_llm import FakeLlm, answers, error, says

Make = Callable[..., LlmTier]
TEXTS = [Item(f"text {number}") for number in range(20)]


def test_a_second_reading_costs_no_call_and_gives_the_same(llm: FakeLlm, tier: Make) -> None:
    first = tier().read(TEXTS)
    assert len(llm.asked) == 20
    again = tier(purpose=Purpose("another run", "segment_sentiment", "another video"))
    assert again.read(TEXTS) == first
    assert len(llm.asked) == 20
    assert (again.spent.calls, again.spent.cache_hits, again.spent.cost_usd) == (0, 20, 0.0)


def test_a_repaired_answer_stays_repaired(llm: FakeLlm, tier: Make) -> None:
    llm.reply = lambda asked: says("?") if asked.number == 0 else answers()
    assert tier().read(TEXTS[:1])[0].status == "repaired"
    assert tier().read(TEXTS[:1])[0].status == "repaired"
    assert len(llm.asked) == 2


def test_the_same_text_twice_in_one_table_is_asked_about_once(llm: FakeLlm, tier: Make) -> None:
    assert len(tier().read([TEXTS[0], TEXTS[1], TEXTS[0]])) == 3
    assert len(llm.asked) == 2


def test_another_context_or_loudness_is_another_question_k22(llm: FakeLlm, tier: Make) -> None:
    long = "x" * 150
    tier().read(
        [Item(long + "a"), Item(long + "b"), Item(long + "a", before="y"), Item(long + "a", relative_loudness=0.1)]
    )
    assert len(llm.asked) == 4


def test_only_good_replies_are_kept(llm: FakeLlm, tier: Make) -> None:
    llm.reply = lambda _: says("nothing of use")
    assert {reading.status for reading in tier("only").read(TEXTS[:3])} == {"failed"}
    llm.reply = lambda _: error(500)
    tier("only").read(TEXTS[:3])
    llm.reply = lambda _: answers()
    assert {reading.status for reading in tier("only").read(TEXTS[:3])} == {"ok"}


def test_another_model_prompt_endpoint_or_answer_mode_is_another_question(llm: FakeLlm, tier: Make) -> None:
    tier("first").read(TEXTS[:1])
    tier("second").read(TEXTS[:1])
    tier("first", prompt_version="tweet-1").read(TEXTS[:1])
    assert len(llm.asked) == 3
    with Store(tier().state) as store:
        store.remember_dialect(llm.base_url, "first", vars(Dialect(mode="text")))
    tier("first").read(TEXTS[:1])
    assert len(llm.asked) == 4


def test_a_dialect_that_a_newer_version_wrote_is_used(llm: FakeLlm, tier: Make) -> None:
    with Store(tier().state) as store:
        store.remember_dialect(llm.base_url, "first", {**vars(Dialect(mode="text")), "has_reasoning": True})
    assert {reading.status for reading in tier("first").read(TEXTS[:1])} == {"ok"}
    assert "response_format" not in llm.asked[0].body


def test_what_the_cache_holds_can_be_listed_and_forgotten_by_model(llm: FakeLlm, tier: Make) -> None:
    tier("first").read(TEXTS[:3])
    tier("second").read(TEXTS[:2])
    with Store(tier().state) as store:
        assert [(kept.model, kept.replies) for kept in store.kept()] == [("first", 3), ("second", 2)]
        assert store.clear(before=time.time() - 3600) == 0
        assert store.clear(model="second") == 2
        assert [kept.model for kept in store.kept()] == ["first"]
    assert read_calls(tier().state).num_rows == 5, "the ledger stays"
    tier("second").read(TEXTS[:2])
    assert len(llm.asked) == 7


def test_two_processes_use_one_cache_at_once(llm: FakeLlm, tier: Make) -> None:
    llm.delay_s = 0.02
    processes = [start(tier().state, llm, 60) for _ in range(2)]
    assert [process.wait() for process in processes] == [0, 0]
    asked = len(llm.asked)
    assert 60 <= asked <= 120
    tier("only").read([Item(f"t{number}") for number in range(60)])
    assert len(llm.asked) == asked


@pytest.mark.slow
@pytest.mark.parametrize("point", ["llm.commit", "llm.committed"])
def test_a_kill_at_any_write_leaves_whole_replies_and_the_next_run_asks_only_for_the_rest(
    point: str, llm: FakeLlm, tier: Make
) -> None:
    killed = start(tier().state, llm, 30, KLIP_FAILPOINT=f"kill {point} *")
    assert killed.wait() == -signal.SIGKILL
    with Store(tier().state) as store:
        done = store.rows("SELECT count(*) FROM replies")[0][0]
        calls = store.rows("SELECT count(*) FROM calls WHERE status = 'ok'")[0][0]
    assert done == calls, "a reply is kept with its call or not at all"
    before = len(llm.asked)
    assert start(tier().state, llm, 30).wait() == 0
    assert len(llm.asked) - before == 30 - done


@pytest.mark.slow
def test_a_kill_midway_loses_only_what_was_under_way(llm: FakeLlm, tier: Make) -> None:
    llm.delay_s = 0.05
    process = start(tier().state, llm, 200)
    while len(llm.asked) < 60:
        assert process.poll() is None
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert start(tier().state, llm, 200).wait() == 0
    assert len(llm.asked) <= 200 + 16, "only what was under way is asked for twice"
    with Store(tier().state) as store:
        assert store.rows("SELECT count(*) FROM replies") == [(200,)]


def start(state: Path, llm: FakeLlm, texts: int, **environment: str) -> subprocess.Popen[bytes]:
    """Read texts in a process of its own."""
    code = f"""
        from pathlib import Path
        from pydantic import SecretStr
        from klip_assets.signals.text.item import Item
        from klip_assets.signals.text.llm.models import Endpoint, Model
        from klip_assets.signals.text.llm.reader import LlmTier
        model = Model("only", Endpoint({llm.base_url!r}, SecretStr("none")))
        readings = LlmTier([model], "segment-1", Path({str(state)!r})).read([Item(f"t{{n}}") for n in range({texts})])
        assert all(reading.status == "ok" for reading in readings), readings[0]
    """
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], env=os.environ | environment)
