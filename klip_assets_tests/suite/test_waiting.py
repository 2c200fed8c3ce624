from __future__ import annotations

import itertools

import pytest

from klip_assets_tests.suite.waiting import STILL_S, StalledError, until


class Clock:
    """Seconds that pass only while somebody sleeps; each wait lasts a minute."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, _seconds: float) -> None:
        self.now += 60


def test_what_is_there_already_is_not_waited_for() -> None:
    clock = Clock()
    assert until(lambda: "there", "it", moves=int, clock=clock, sleep=clock.sleep) == "there"
    assert clock.now == 0


def test_it_waits_as_long_as_something_moves_however_long_that_is() -> None:
    clock, steps = Clock(), itertools.count()
    assert until(lambda: clock.now > 36_000, "ten hours", moves=lambda: next(steps), clock=clock, sleep=clock.sleep)


def test_it_gives_up_once_nothing_has_moved_and_says_what_is_known() -> None:
    clock = Clock()
    with pytest.raises(StalledError, match=r"(?s)waited for Godot.*3 events.*the end of a log"):
        until(
            lambda: False, "Godot", moves=lambda: "3 events" if clock.now > 600 else clock.now,
            explain=lambda: "the end of a log", clock=clock, sleep=clock.sleep,
        )  # fmt: skip
    assert STILL_S < clock.now - 600 < STILL_S + 200
