"""What is stale: by version, by input, never made; and what remaking it would take."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath

import pytest

from klip_assets.contracts import AUDIO_FEATURES, EMOTION_MOMENTS, VIDEOS, Subject
from klip_assets.errors import InputError
from klip_assets.settings import Settings
from klip_assets.store.lake.generations import accepted_generation
from klip_assets.work.acceptance import consider
from klip_assets.work.installation import Installation
from klip_assets.work.stages.catalogue import STAGES, downstream
from klip_assets.work.stages.run import run_stage
from klip_assets.work.stages.stage import Run
from klip_assets.work.stale import NEVER_MADE, Stale, plan, processed, stale

STREAM = Subject.video("stream")
DAY = Subject.day("2026-06-12")


def reasons(here: Installation, subject: Subject = STREAM, tables: tuple[str, ...] = ()) -> dict[str, str]:
    return {entry.spec.name: entry.reason for entry in stale(here, subject, tables)}


def test_what_was_just_processed_is_not_stale(here: Installation) -> None:
    subjects = list(processed(here.lake))
    assert subjects == [STREAM, DAY, Subject.day("2026-06-13")]
    assert [stale(here, subject) for subject in subjects] == [[], [], []]
    assert stale(here, Subject.video("never_processed")) == []


def test_a_release_of_klip_makes_nothing_stale(here: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("klip_assets.__version__", "99.0.0")
    monkeypatch.setattr("klip_assets.work.stages.run.__version__", "99.0.0")
    assert reasons(here) == reasons(here, DAY) == {}


def test_a_newer_version_of_a_stage_makes_it_stale_and_what_reads_it_may_change(
    here: Installation, raise_version: Callable[[str], None]
) -> None:
    raise_version("segments")
    behind = dict.fromkeys(downstream({"segments"}), "may change")
    assert reasons(here) == {"segments": "version 1 -> 99", **behind}
    assert "highlights" in behind and "audio_features" not in behind
    assert reasons(here, DAY) == {}


def test_a_newer_version_of_a_stage_of_days_concerns_no_video(
    here: Installation, raise_version: Callable[[str], None]
) -> None:
    raise_version("tweet_sentiment")
    assert reasons(here, DAY) == {"tweet_sentiment": "version 3 -> 99", "tweet_daily": "may change"}
    assert reasons(here) == {}


def test_another_setting_makes_stale_what_it_is_an_input_of(
    published: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KLIP_WEIGHTS", "klipstream-1")
    found = reasons(Installation(Settings()))
    assert {name: why for name, why in found.items() if why != "may change"} == dict.fromkeys(
        ("segment_scores", "highlight_candidates", "highlights"), "input weights changed"
    )


def test_a_table_that_an_accepted_video_never_had_is_never_made(here: Installation) -> None:
    here.lake.remove(EMOTION_MOMENTS, "stream")
    # As after a stage that ran since: then the footers tell, not the accepted record.
    run_stage(STAGES["segment_scores"], STREAM, here, Run("later"))
    assert reasons(here) == {"emotion_moments": "never built, or damaged"}


def test_looking_for_what_is_stale_opens_no_recording(here: Installation, raise_version: Callable[[str], None]) -> None:
    raise_version("videos")
    for path in here.settings.vod_inbox.iterdir():
        path.unlink()
    assert reasons(here)["videos"] == "version 5 -> 99"


def test_comparing_makes_no_salt_where_it_was_lost(here: Installation) -> None:
    here.settings.chat_salt_path.unlink()
    assert reasons(here)["chat_messages"] == "input author_names changed"
    assert not here.settings.chat_salt_path.exists()


def test_a_recording_that_cannot_be_read_is_stale_by_its_first_stage_alone(
    settings: Settings, raise_version: Callable[[str], None]
) -> None:
    here = Installation(settings)
    (settings.vod_inbox / "bad.mp4").write_text("no recording")
    here.registry.register(PurePath("bad.mp4"), "", "content")
    run_stage(STAGES["videos"], Subject.video("bad"), here, Run("r"))
    raise_version("segments")
    assert "segments" not in reasons(here, Subject.video("bad"))
    raise_version("videos")
    assert reasons(here, Subject.video("bad"))["videos"].startswith("version 5 -> 99")
    assert set(reasons(here, Subject.video("bad"))) == {"videos"}


def test_tables_that_are_asked_for_leave_the_others_as_they_are(
    here: Installation, raise_version: Callable[[str], None]
) -> None:
    raise_version("segments")
    raise_version("audio_features")
    assert reasons(here, tables=("segments",))["segments"] == "version 1 -> 99"
    assert "audio_features" not in reasons(here, tables=("segments",))
    assert reasons(here, tables=("highlights",)) == {}


def test_remaking_a_stale_stage_brings_the_video_up_to_date(
    here: Installation, raise_version: Callable[[str], None]
) -> None:
    before = accepted_generation(here.lake, STREAM)
    raise_version("segments")
    for name in ("segments", *downstream({"segments"})):
        run_stage(STAGES[name], STREAM, here, Run("again", reuse=True))
    assert reasons(here) == {}
    assert consider(here.lake, STREAM) == []
    after = accepted_generation(here.lake, STREAM)
    assert before and after and after.data_versions == before.data_versions
    assert after.tables["segments"].stage_version == "99", "what is published says which version made it"


def test_a_plan_counts_hours_of_sound_and_estimates_by_what_it_took_before(
    here: Installation, raise_version: Callable[[str], None]
) -> None:
    raise_version("audio_features")
    raise_version("tweets")
    works = {work.spec.name: work for work in plan(here, [(s, stale(here, s)) for s in processed(here.lake)])}
    audio, tweets, segments = works["audio_features"], works["tweets"], works["segments"]
    duration_s = here.lake.read(VIDEOS, "stream")["duration_s"][0].as_py()
    assert (audio.subjects, audio.behind, audio.sound_s) == (1, 0, duration_s)
    assert audio.seconds and audio.reasons == ["version 4 -> 99"]
    assert (tweets.subjects, tweets.sound_s, tweets.kind) == (2, 0.0, "day")
    assert (segments.subjects, segments.behind, segments.seconds) == (0, 1, None)
    assert [*works][:1] == ["audio_features"] and [*works][-1:] == ["tweet_daily"]


def test_a_plan_estimates_a_table_that_was_never_made_by_its_pace_on_others_or_not_at_all(here: Installation) -> None:
    record = here.lake.provenance(AUDIO_FEATURES, "stream")
    assert record is not None
    entry = Stale(STAGES["audio_features"], NEVER_MADE)
    other = Subject.video("other")
    rows = here.lake.read(VIDEOS, "stream")
    rows = rows.set_column(0, "video_id", [["other"]]).cast(rows.schema)
    here.lake.write(VIDEOS, "other", rows, record)
    (alone,) = plan(here, [(other, [entry])])
    assert alone.seconds is None and alone.subjects == 1
    (both,) = plan(here, [(STREAM, [entry]), (other, [entry])])
    (one,) = plan(here, [(STREAM, [entry])])
    assert both.seconds == pytest.approx(2 * (one.seconds or 0.0)) and both.sound_s == 2 * one.sound_s


def test_a_setting_that_cannot_be_used_is_told_and_not_taken_for_nothing(
    published: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KLIP_WEIGHTS", "nope")
    with pytest.raises(InputError, match="nope"):
        stale(Installation(Settings()), STREAM)
