from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klip_assets.contracts import CHAT_ACTIVITY, CHAT_MESSAGES
from klip_assets.signals.chat.activity import chat_activity, local_robust_z, message_rate, messages_per_second
from klip_assets.signals.chat.lexicon import phrases_of
from klip_assets.signals.chat.readers import read_chat
from klip_assets.store.lake.validate import conform
from klip_assets_tests.suite.examples import examples

Log = Callable[..., pa.Table]


def activity(messages: pa.Table, duration_s: float = 20.0, lag_s: float = 0.0) -> list[dict[str, Any]]:
    table = chat_activity(messages, video_id="v", duration_s=duration_s, lag_s=lag_s)
    rows: list[dict[str, Any]] = conform(CHAT_ACTIVITY, table).to_pylist()
    return rows


def test_every_second_of_the_video_has_its_row_also_the_last_started_one(log: Log) -> None:
    rows = activity(log({"offset_s": 1.0}), duration_s=19.2, lag_s=8.0)
    assert [row["t_s"] for row in rows] == list(range(20))
    assert {(row["lag_s"], row["lag_source"]) for row in rows} == {(8.0, "default")}


def test_without_messages_there_are_no_rows(log: Log) -> None:
    assert activity(log()) == []
    assert activity(log({"offset_s": 1.0}), duration_s=0.0) == []


def test_only_people_count_and_only_within_the_video(log: Log) -> None:
    rows = activity(
        log(
            {"offset_s": -0.5}, {"offset_s": 3.0}, {"offset_s": 3.999, "author": "bob"},
            {"offset_s": 3.5, "is_bot": True, "author": "bot"}, {"offset_s": 20.0}, {"offset_s": 99.0},
        )
    )  # fmt: skip
    assert [row["messages"] for row in rows] == [2 if t == 3 else 0 for t in range(20)]
    assert rows[3]["unique_chatters"] == 2


def test_a_log_of_bots_only_is_silent(log: Log) -> None:
    rows = activity(log({"offset_s": 1.0, "is_bot": True}))
    assert {(row["messages"], row["unique_chatters"], row["rate_z"]) for row in rows} == {(0, 0, 0.0)}


def test_shares_and_sentiment_are_means_and_not_known_where_nobody_wrote(log: Log) -> None:
    rows = activity(
        log(
            {"offset_s": 2.0, "emotes": ["Pog"], "text": "lol", "sentiment": 0.5},
            {"offset_s": 2.1, "sentiment": -0.25},
            {"offset_s": 2.2},
            {"offset_s": 2.3},
            {"offset_s": 5.0},
        )
    )
    assert [rows[2][name] for name in ("emote_share", "laughter_share", "sentiment")] == [0.25, 0.25, 0.125]
    assert [rows[3][name] for name in ("emote_share", "laughter_share", "sentiment")] == [None, None, None]
    assert [rows[5][name] for name in ("emote_share", "sentiment")] == [0.0, None]


def test_somebody_counts_as_present_for_ten_seconds_and_once(log: Log) -> None:
    rows = activity(
        log({"offset_s": 2.0}, {"offset_s": 2.5}, {"offset_s": 6.0}, {"offset_s": 4.0, "author": "bob"}), duration_s=20
    )
    assert [row["unique_chatters"] for row in rows] == [0, 0, 1, 1] + [2] * 10 + [1] * 2 + [0] * 4


def test_where_nobody_has_a_name_how_many_wrote_is_not_known(log: Log) -> None:
    assert {row["unique_chatters"] for row in activity(log({"offset_s": 2.0, "author": None}))} == {None}


def test_a_phrase_of_three_people_is_repeated_and_one_of_two_or_of_one_is_not(log: Log) -> None:
    said = [(3, "ann", "NO WAYYY"), (4, "bob", "no way"), (5, "cat", "no  way"), (5, "dan", "hello"), (5, "dan", "hi")]
    rows = activity(log(*({"offset_s": float(s), "author": a, "text": x} for s, a, x in said)))
    # The seconds whose surroundings, 4 s before to 5 s after, hold all three.
    assert [row["repeated_share"] for row in rows] == [0.6 if t <= 7 else 0.0 if t < 10 else None for t in range(20)]
    alone = [{"offset_s": 3.0 + i / 9, "author": "ann" if i else "bob", "text": "buy now"} for i in range(9)]
    assert {row["repeated_share"] for row in activity(log(*alone))} == {0.0, None}


def test_where_nobody_has_a_name_three_messages_are_a_repeated_phrase(log: Log) -> None:
    rows = activity(log(*({"offset_s": 3.0 + i, "author": None, "text": "gg"} for i in range(3))))
    assert rows[4]["repeated_share"] == 1.0


def test_a_spammer_does_not_hide_what_three_people_say(log: Log) -> None:
    spam = [{"offset_s": 3.0 + i / 10, "author": "spam", "text": "follow me"} for i in range(6)]
    people = [{"offset_s": 3.0, "author": name, "text": "gg"} for name in ("ann", "bob", "cat")]
    assert activity(log(*people, *spam))[3]["repeated_share"] == pytest.approx(3 / 9)


@settings(max_examples=examples(150), deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(-3, 42), st.sampled_from(["a", "b", "c", "d", None]), st.sampled_from(["gg", "GG", "w", ""])
        ),
        min_size=1,
        max_size=60,
    )
)
def test_the_repeated_share_agrees_with_its_definition(said: list[tuple[int, str | None, str]]) -> None:
    messages = CHAT_MESSAGES.from_rows(
        {
            "video_id": "v",
            "message_index": i,
            "offset_s": float(s),
            "author": a,
            "text": x,
            "emotes": [],
            "is_bot": False,
        }
        for i, (s, a, x) in enumerate(said)
    )
    for row in activity(messages, duration_s=40):
        around = [(a or i, phrases_of([x])[0]) for i, (s, a, x) in enumerate(said)
                  if max(0, row["t_s"] - 4) <= s <= min(39, row["t_s"] + 5)]  # fmt: skip
        shares = [
            sum(other == phrase for _, other in around) / len(around)
            for _, phrase in around
            if phrase and len({who for who, other in around if other == phrase}) >= 3
        ]
        assert row["repeated_share"] == (pytest.approx(max(shares, default=0.0)) if around else None)


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(st.tuples(st.floats(-5, 45), st.sampled_from("abc"), st.booleans()), min_size=1, max_size=40))
def test_counts_agree_with_counting_by_hand(said: list[tuple[float, str, bool]]) -> None:
    messages = CHAT_MESSAGES.from_rows(
        {"video_id": "v", "message_index": i, "offset_s": s, "author": a, "text": "x", "emotes": [], "is_bot": b}
        for i, (s, a, b) in enumerate(sorted(said))
    )
    people = [(s, a) for s, a, b in said if not b and s >= 0]
    for row in activity(messages, duration_s=40):
        t = row["t_s"]
        assert row["messages"] == sum(t <= s < t + 1 for s, _ in people) == messages_per_second(messages, 40.0)[t]
        assert row["unique_chatters"] == len({a for s, a in people if t - 9 <= s < t + 1})


def test_the_rate_is_over_the_ten_seconds_around() -> None:
    counts = np.zeros(30, dtype=int)
    counts[15] = 5
    rate = message_rate(counts)
    assert np.flatnonzero(rate).tolist() == list(range(10, 20))
    assert rate[15] == 0.5
    # At the ends the window is shorter, and a steady chat stays steady.
    assert message_rate(np.ones(30, dtype=int)).tolist() == [1.0] * 30


def test_a_steady_chat_has_a_z_of_zero_and_a_lone_message_in_a_quiet_one_is_not_an_outlier() -> None:
    assert not local_robust_z(np.full(2000, 3.0)).any()
    assert not local_robust_z(np.zeros(5)).any()
    counts = np.zeros(2000, dtype=int)
    counts[1000] = 1
    assert local_robust_z(message_rate(counts)).max() == pytest.approx(1.0)


def test_a_burst_stands_out_against_its_surroundings_and_is_clipped() -> None:
    chance = np.random.default_rng(7)
    counts = chance.poisson(1.0, 3600)
    counts[2000:2010] += 8
    z = local_robust_z(message_rate(counts))
    assert abs(int(z.argmax()) - 2004) <= 3
    assert z.max() > 10
    counts[2000:2010] += 10_000
    assert local_robust_z(message_rate(counts)).max() == 20.0


def test_the_z_agrees_with_the_definition() -> None:
    values = np.random.default_rng(3).gamma(2.0, 1.0, 1500)
    at = 700
    window = values[at - 300 : at + 301]
    sigma = 1.4826 * np.median(np.abs(window - np.median(window)))
    assert local_robust_z(values)[at] == pytest.approx((values[at] - np.median(window)) / sigma)


MILLIONS = """
import json, re, sys, time
import numpy as np, pyarrow as pa
from pathlib import Path
from klip_assets.signals.chat.activity import chat_activity
from klip_assets.contracts import CHAT_MESSAGES
def high_mb(field):
    return int(re.findall(field + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[0]) / 1024
chance = np.random.default_rng(1)
n, seconds = 500_000, 36_000
words = np.array(["gg", "that was close", "KEKW", "lol", "no way he did that", "PogU"])
text = pa.array(chance.choice(words, n))
if sys.argv[1] == "distinct":
    text = pa.array([f"{word} {at}" for at, word in enumerate(text.to_pylist())])
messages = CHAT_MESSAGES.from_columns(
    {
        "video_id": pa.repeat(pa.scalar("v"), n),
        "message_index": pa.array(np.arange(n), pa.int32()),
        "offset_s": np.sort(chance.uniform(0, seconds, n)),
        "author": pa.array(np.char.add("viewer", chance.integers(0, 20_000, n).astype(str))),
        "text": text,
        "emotes": pa.array([[]] * n, pa.list_(pa.string())),
        "is_bot": pa.array(np.zeros(n, bool)),
        "sentiment": chance.uniform(-1, 1, n),
    }
)
del text
chat_activity(messages.slice(0, 1000), video_id="v", duration_s=3600.0, lag_s=8.0)
Path("/proc/self/clear_refs").write_text("5")
before, began = high_mb("VmRSS"), time.process_time()
table = chat_activity(messages, video_id="v", duration_s=float(seconds), lag_s=8.0)
used = time.process_time() - began
print(json.dumps([used, high_mb("VmHWM") - before, sum(table["messages"].to_pylist())]))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "most_s"), [("six phrases", 3), ("distinct", 5)])
def test_half_a_million_messages_over_ten_hours_take_seconds_and_less_than_300_mb(kind: str, most_s: float) -> None:
    done = subprocess.run([sys.executable, "-c", MILLIONS, kind], capture_output=True, text=True, check=True)
    used_s, more_mb, count = json.loads(done.stdout)
    assert count == 500_000
    assert used_s < most_s
    assert more_mb < 300


def test_the_real_log_adds_up(shared_data: Path) -> None:
    chat = read_chat(shared_data / "chat-twitchdownloader" / "pseudonymised" / "chat.json", "v")
    rows = activity(chat.messages, duration_s=13592.0)
    assert len(rows) == 13592
    assert sum(row["messages"] for row in rows) == chat.messages["is_bot"].to_pylist().count(False)
