"""Group `recordings`: the chat beside a recording, and its activity."""

from __future__ import annotations

from collections.abc import Iterator

from klip_assets.contracts import AUDIO_FEATURES, CHAT_ACTIVITY, CHAT_MESSAGES, VIDEOS
from klip_assets.errors import OtherClockError, UnreadableSidecarError
from klip_assets.formats.refused import Refused
from klip_assets.inbox.listing import display_name
from klip_assets.media.sidecar_clock import MOST, OUTSIDE, Place
from klip_assets.signals.chat.activity import chat_activity as activity_of
from klip_assets.signals.chat.activity import messages_per_second
from klip_assets.signals.chat.authors import author_hashes, salt_version
from klip_assets.signals.chat.lag import estimate_lag
from klip_assets.signals.chat.readers import Chat, read_chat
from klip_assets.signals.chat.readers.placing import BY_DAY
from klip_assets.store.state.salt import read_salt
from klip_assets.work.findings import Finding
from klip_assets.work.stages.recordings import GROUP
from klip_assets.work.stages.soundness import clock
from klip_assets.work.stages.stage import Columns, Output, Stage, StageSpec, versions_of


def _message_inputs(stage: Stage) -> dict[str, str]:
    found = {name: stage.files[name] for name in ("chat", "recording", "started_at")}
    if stage.files["chat"]:
        # A different setting or salt gives different authors.
        found["author_names"] = _authors(stage)
        if section := stage.files.get("section"):
            found["section"] = section
    return found


def _authors(stage: Stage) -> str:
    if stage.records is not None and not stage.settings.chat_salt_path.exists():
        return "with a salt that is still to be made"  # A mere comparison must not create one.
    salt = _salt(stage)
    return "as they are" if salt is None else salt_version(salt)


def _salt(stage: Stage) -> bytes | None:
    return None if stage.settings.chat_keep_names else read_salt(stage.settings.chat_salt_path)


def chat_messages(stage: Stage) -> Output:
    """Read from the chat log beside the recording (Twitch, YouTube or plain); no rows if there is none."""
    path = stage.recording.chat
    if path is None or stage.video["status"] == "duplicate":
        return Output(CHAT_MESSAGES.empty())
    name = display_name(path, stage.recording.root)
    salt = _salt(stage)
    place = Place(stage.video["duration_s"], stage.section_s)
    try:
        chat = read_chat(
            path,
            stage.key,
            stage.video["started_at"],
            place=place,
            author_key=None if salt is None else author_hashes(salt),
        )
    except UnreadableSidecarError as error:
        stage.log.warning(str(error))
        reason = OUTSIDE if isinstance(error, OtherClockError) else "can't be read as a chat log"
        return Output(
            CHAT_MESSAGES.empty(),
            {"unreadable_chat": str(error)},
            [Finding("chat", f"chat not used: {error}", partial=True)],
            refused={name: [Refused("file", reason, str(error))]},
        )
    notes = {
        "refused": len(chat.refused),
        "passed_over": sum(chat.passed_over.values()),
        "passed_over_kinds": dict(chat.passed_over),
        "placed_by_time_of_day": chat.by_day,
        "moved_back_s": chat.placed.shift_s,
        "placed": chat.placed.way,
        "inside": chat.placed.inside,
        "outside": chat.messages.num_rows - chat.placed.inside,
    }
    findings = list(_findings(chat, place, name))
    for finding in findings:
        stage.log.warning(finding.text)
    return Output(chat.messages, notes, findings, refused={name: chat.refused})


def _findings(chat: Chat, place: Place, name: str) -> Iterator[Finding]:
    placed, count = chat.placed, chat.messages.num_rows
    if placed.is_elsewhere:
        yield Finding("chat", f"chat not used: {name}: {placed.refused[0].detail}", partial=True)
        return
    if placed.are_milliseconds:
        yield Finding("chat", f"the times of {name} are read as milliseconds: as seconds, they do not lie in the video")
    if placed.shift_s:
        text = f"the recording begins at {clock(placed.shift_s)} of the stream that {name} is the chat of"
        yield Finding("chat", text)
        return
    if placed.way == BY_DAY:
        yield Finding("chat", f"the messages of {name} are placed by the times of day at which they were sent")
    outside = count - placed.inside
    most = f"{outside:,} of {count:,} messages of {name} lie outside the video and are not counted"
    # Nothing of the recording is missing: it is complete without what was said before and after it.
    if placed.goes_on_s:
        text = f"the chat goes on for {placed.goes_on_s:.0f} s after the end: {most}"
        yield Finding("chat", text, column="error" if placed.goes_on_s > place.tolerance_s else "")
    elif outside > MOST * count:
        yield Finding("chat", most)


def chat_activity(stage: Stage) -> Output:
    """Counts and rates per second; the lag is estimated from sound and chat if possible, else KLIP_CHAT_LAG_S."""
    messages, duration_s = stage.read(CHAT_MESSAGES), stage.video["duration_s"] or 0.0
    counts = messages_per_second(messages, duration_s)
    lag = estimate_lag(stage.read(AUDIO_FEATURES), counts, stage.settings.chat_lag_s)
    rows = activity_of(messages, video_id=stage.key, duration_s=duration_s, lag_s=lag.lag_s, lag_source=lag.source)
    notes = {"lag_s": lag.lag_s, "lag_source": lag.source, "correlation": lag.correlation, "rival": lag.rival}
    return Output(rows, notes if rows.num_rows else {})


CHAT_STAGES = (
    StageSpec(
        CHAT_MESSAGES,
        version="4",
        group=GROUP,
        upstream=(VIDEOS,),
        inputs=_message_inputs,
        compute=chat_messages,
    ),
    StageSpec(
        CHAT_ACTIVITY,
        version="3",
        group=GROUP,
        upstream=(VIDEOS, CHAT_MESSAGES, Columns(AUDIO_FEATURES, ("t_s", "loudness_z", "burst_z"))),
        inputs=lambda stage: {
            **versions_of(CHAT_MESSAGES, AUDIO_FEATURES)(stage),
            "recording": stage.files["recording"],
            "chat_lag_s": str(stage.settings.chat_lag_s),
        },
        compute=chat_activity,
        kinds=frozenset({"numpy"}),
    ),
)
