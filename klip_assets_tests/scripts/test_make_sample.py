"""The shipped sample and the script that makes it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from klip_assets_tests.programs import load

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "data" / "sample"
SNOWFLAKE_EPOCH_MS = 1_288_834_974_657

needs_flite = pytest.mark.usefixtures("flite")


@pytest.fixture(scope="module")
def script() -> Any:
    return load("scripts/make_sample.py")


@pytest.fixture(scope="module")
def truth() -> dict[str, Any]:
    return json.loads((SAMPLE / "truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def sound() -> tuple[np.ndarray, int]:
    """The shipped recording: (samples,) float32 and their rate in Hz."""
    with av.open(str(SAMPLE / "sample_stream.mp4")) as container:
        rate_hz = container.streams.audio[0].rate
        return np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)]), rate_hz


@pytest.fixture(scope="module")
def tweets() -> list[dict[str, Any]]:
    pages = [json.loads(line) for line in (SAMPLE / "tweets.jsonl").read_text(encoding="utf-8").splitlines()]
    assert all(page["meta"]["result_count"] == len(page["data"]) for page in pages)
    return [tweet for page in pages for tweet in page["data"]]


def level_dbfs(sound: tuple[np.ndarray, int], span: dict[str, Any]) -> float:
    samples, rate_hz = sound
    piece = samples[round(span["start_s"] * rate_hz) : round(span["end_s"] * rate_hz)]
    return float(10 * np.log10(np.mean(np.square(piece, dtype=np.float64))))


def offsets_s(chat: dict[str, Any]) -> np.ndarray:
    return np.array([comment["content_offset_seconds"] for comment in chat["comments"]])


def test_the_shipped_sample_is_whole_small_and_as_long_as_its_truth_says(truth: dict[str, Any]) -> None:
    names = {"sample_stream.mp4", "sample_stream.info.json", "sample_stream.chat.json", "tweets.jsonl", "truth.json"}
    assert names <= {path.name for path in SAMPLE.iterdir()}
    assert sum(path.stat().st_size for path in SAMPLE.iterdir()) < 8_000_000
    with av.open(str(SAMPLE / "sample_stream.mp4")) as container:
        assert container.duration / 1e6 == pytest.approx(truth["duration_s"], abs=0.2)
        assert [stream.codec_context.name for stream in container.streams] == ["h264", "aac"]


def test_moments_keep_their_distances(truth: dict[str, Any]) -> None:
    planted, decoy, duration_s = truth["planted"], truth["decoy"], truth["duration_s"]
    for one, following in pairwise(planted):
        assert following["start_s"] - one["end_s"] >= 25
    for moment in planted:
        assert 6 <= moment["end_s"] - moment["start_s"] <= 10
        assert moment["start_s"] >= 8 and moment["end_s"] <= duration_s - 8
        assert moment["end_s"] + 20 <= decoy["start_s"] or decoy["end_s"] + 20 <= moment["start_s"]
    assert planted[0]["peak_s"] < duration_s / 3 and planted[-1]["peak_s"] > duration_s * 2 / 3


def test_people_speak_for_about_three_fifths_of_the_time_and_never_during_the_decoy(truth: dict[str, Any]) -> None:
    spoken, decoy = truth["spoken"], truth["decoy"]
    assert 0.55 <= sum(s["end_s"] - s["start_s"] for s in spoken) / truth["duration_s"] <= 0.65
    assert not [s for s in spoken if s["start_s"] < decoy["end_s"] and s["end_s"] > decoy["start_s"]]
    assert all(one["end_s"] < following["start_s"] for one, following in pairwise(spoken))


def test_planted_moments_are_louder_than_calm_speech_and_the_decoy_is_no_quieter(
    truth: dict[str, Any], sound: tuple[np.ndarray, int]
) -> None:
    calm = [level_dbfs(sound, s) for s in truth["spoken"] if s["kind"] == "calm"]
    planted = [level_dbfs(sound, moment) for moment in truth["planted"]]
    assert min(planted) > np.median(calm) + 4
    assert level_dbfs(sound, truth["decoy"]) >= max(planted)


def test_the_chat_answers_planted_moments_with_a_lag_and_the_decoy_not_at_all(truth: dict[str, Any]) -> None:
    at_s = offsets_s(json.loads((SAMPLE / "sample_stream.chat.json").read_text(encoding="utf-8")))
    assert np.all(np.diff(at_s) >= 0) and at_s[-1] < truth["duration_s"]
    for moment in truth["planted"]:
        lag_s = at_s - moment["peak_s"]
        assert np.sum((lag_s > 0) & (lag_s < 4)) <= 3
        assert np.sum((lag_s >= 4) & (lag_s <= 14)) >= 10
    decoy = truth["decoy"]
    assert np.sum((at_s > decoy["start_s"]) & (at_s < decoy["end_s"] + 5)) <= 5


def test_fragments_of_a_message_make_up_its_body() -> None:
    chat = json.loads((SAMPLE / "sample_stream.chat.json").read_text(encoding="utf-8"))
    for message in (comment["message"] for comment in chat["comments"]):
        assert "".join(fragment["text"] for fragment in message["fragments"]) == message["body"]
        emotes = [f["text"] for f in message["fragments"] if f["emoticon"]]
        assert emotes == [message["body"][e["begin"] : e["end"] + 1] for e in message["emoticons"] or []]


def test_tweet_ids_carry_the_time_of_the_tweet(tweets: list[dict[str, Any]]) -> None:
    assert len({tweet["id"] for tweet in tweets}) == len(tweets) >= 190
    assert len({tweet["created_at"][:10] for tweet in tweets}) == 3
    for tweet in tweets:
        at = datetime.fromisoformat(tweet["created_at"])
        since_1970_ms = (at - datetime.fromisoformat("1970-01-01T00:00:00Z")) // timedelta(milliseconds=1)
        assert (int(tweet["id"]) >> 22) + SNOWFLAKE_EPOCH_MS == since_1970_ms
        assert tweet["edit_history_tweet_ids"][-1] == tweet["id"]


def test_entities_point_at_what_they_name(tweets: list[dict[str, Any]]) -> None:
    kinds = {"hashtags": ("#", "tag"), "cashtags": ("$", "tag"), "mentions": ("@", "username"), "urls": ("", "url")}
    seen = set()
    for tweet in tweets:
        for kind, entities in tweet.get("entities", {}).items():
            sign, key = kinds[kind]
            for entity in entities:
                assert tweet["text"][entity["start"] : entity["end"]] == sign + entity[key]
                seen.add(kind)
    assert seen == set(kinds)


@pytest.mark.slow
@needs_flite
def test_the_same_seed_gives_the_same_truth_chat_tweets_and_sound(script: Any, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        script.make_sample(tmp_path / folder, seed=3, duration_s=60, planted=1, captions=True, video=False)
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert {"sample_stream.m4a", "sample_stream.en.vtt"} <= set(names)
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name

    heard = []
    for folder in ("c", "d"):
        (tmp_path / folder).mkdir()
        speakers = script.Speakers(tmp_path / folder)
        truth = script.timeline.lay_out("sample_stream", 3, 60.0, 1, speakers)
        heard.append(script.sound.mix(truth, speakers))
    assert np.array_equal(*heard)
    assert np.abs(heard[0]).max() < 0.97


def test_the_script_still_writes_the_shipped_tweets(script: Any) -> None:
    lines = (SAMPLE / "tweets.jsonl").read_text(encoding="utf-8").splitlines()
    assert script.tweets.pages(7) == [json.loads(line) for line in lines]


@pytest.mark.slow
@needs_flite
def test_making_a_sample_again_leaves_hard_links_to_the_old_one_alone(script: Any, tmp_path: Path) -> None:
    script.make_sample(tmp_path / "out", seed=3, duration_s=60, planted=1, video=False)
    linked = {}
    for path in sorted((tmp_path / "out").iterdir()):
        (tmp_path / path.name).hardlink_to(path)
        linked[tmp_path / path.name] = path.read_bytes()
    script.make_sample(tmp_path / "out", seed=4, duration_s=60, planted=1, video=False)
    for link, before in linked.items():
        assert link.read_bytes() == before
        assert (tmp_path / "out" / link.name).read_bytes() != before, link.name


@needs_flite
def test_moments_that_do_not_fit_are_refused(script: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="6 planted moments and a decoy do not fit into 90 s"):
        script.make_sample(tmp_path / "out", duration_s=90, planted=6, video=False)
    assert not (tmp_path / "out").exists()


def test_without_flite_the_message_names_the_package(
    script: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="install the Debian package flite"):
        script.make_sample(tmp_path / "out", duration_s=60, planted=1)
