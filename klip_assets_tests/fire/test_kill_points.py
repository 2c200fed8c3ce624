"""SIGKILL at every named point of a video's run and of its publish. Tweets: test_kill_points_of_tweets."""

from __future__ import annotations

import pytest

from klip_assets.settings import Settings
from klip_assets_tests.fire.stories import Story, wrong_after_real_kills, wrong_in
from klip_assets_tests.fire.victims import Victims
from klip_assets_tests.made import write_vtt
from klip_assets_tests.processed import drop_stream

pytestmark = pytest.mark.slow


def change(settings: Settings) -> None:
    path = drop_stream(settings, "stream", 50.0, seed=9)
    write_vtt(path.with_name("stream.en.vtt"), [(2.0, 6.0, "Other words."), (40.0, 44.0, "What a wonderful shot!")])


def test_a_kill_at_any_point_of_a_video_loses_nothing_and_the_next_run_finishes_the_work(
    story: Story, victim: Victims
) -> None:
    assert len(story.points) > 80
    assert wrong_in(story, victim) == []


def test_what_a_real_kill_leaves_is_what_was_copied_and_no_lock_is_held(story: Story, victim: Victims) -> None:
    assert wrong_after_real_kills(story, victim) == []


def test_every_kind_of_point_is_reached(story: Story) -> None:
    reached = {point.split(" ")[0] for point in story.reached}
    assert reached >= {
        "stage.begin", "stage.computed", "write.filled", "write.placed", "link.made",
        "memory.commit", "memory.committed", "accept.forget", "publish.begin", "publish.build", "publish.commit",
        "publish.committed", "publish.built", "publish.named", "publish.turn", "publish.turned",
    }  # fmt: skip
    for name in ("videos", "segments", "highlights", "stage_status"):
        assert any(point.startswith(f"write.placed {name}/") for point in story.reached)
