"""Group `recordings`: what a dropped file holds: its facts, its words, its sound, its chat."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from klip_assets.contracts import (
    AUDIO_FEATURES,
    CHAT_ACTIVITY,
    CHAT_MESSAGES,
    SOUND_EVENTS,
    TRANSCRIPT_WORDS,
    VIDEOS,
)
from klip_assets.defs.assets.declare import versions_of, video_stage
from klip_assets.defs.assets.stage import Output, Stage
from klip_assets.errors import UnreadableMediaError, UnreadableSidecarError
from klip_assets.formats.refused import Refused
from klip_assets.formats.text import stored_name
from klip_assets.inbox.fingerprint import file_sha256, fingerprint
from klip_assets.inbox.recordings import Recording, display_name
from klip_assets.media.decode import Decoding, decode_sound, has_any_sound
from klip_assets.media.info import StreamInfo, read_info
from klip_assets.media.length import length_of
from klip_assets.media.probe import probe
from klip_assets.media.tracks import choose_track
from klip_assets.signals.audio.features import measure_sound
from klip_assets.signals.chat.activity import chat_activity as activity_of
from klip_assets.signals.chat.activity import messages_a_second
from klip_assets.signals.chat.authors import author_hashes, salt_version
from klip_assets.signals.chat.lag import estimate_lag
from klip_assets.signals.chat.readers import read_chat
from klip_assets.signals.speech.captions.sounds import MAX_EVENTS, digest_of, sound_table, to_notes
from klip_assets.signals.speech.chunks import ChunkLog
from klip_assets.signals.speech.transcribe import best_captions, engine_for, transcribe
from klip_assets.signals.speech.words import Transcript
from klip_assets.store.state.salt import read_salt

GROUP = "recordings"

_NOTHING_HEARD = Transcript([], None, "none", "")


def _source(stage: Stage) -> dict[str, str]:
    stage.signature  # noqa: B018  Taken before the content is read.
    return {"source": fingerprint(stage.recording)}


@video_stage(VIDEOS, group=GROUP, upstream=[], inputs=_source, code_version="3", kinds={"ffmpeg"})
def videos(stage: Stage) -> Output:
    """Probed with FFmpeg's libraries, titled by the yt-dlp sidecar; content that is already there is a duplicate."""
    recording = stage.recording
    info, refused = _stream_info(recording)
    sha256 = file_sha256(recording.path)
    row: dict[str, Any] = {
        "video_id": stage.key,
        "title": info.title or stored_name(recording.path.stem),
        "channel": info.channel,
        "game": info.game,
        "platform": info.platform,
        "url": info.url,
        "started_at": info.started_at,
        "size_bytes": recording.path.stat().st_size,
        "sha256": sha256,
        "source_path": recording.name,
        "caption_languages": sorted({language for language, _ in recording.captions if language}),
        "has_chat": recording.chat is not None,
        "ingested_at": datetime.now(UTC).replace(tzinfo=None),
    }
    facts, status, error = _facts(recording, stage.settings.max_duration_h * 3600)
    holder = stage.installation.registry.claim_content(sha256, stage.key) if status != "unreadable" else stage.key
    if holder != stage.key:
        status = "duplicate"
    row |= facts | {"status": status, "error": error, "duplicate_of": None if holder == stage.key else holder}
    files = {
        "recording": f"{sha256}:{status}",
        "captions": _joint_hash(path for _, path in recording.captions),
        "chat": _joint_hash([recording.chat] if recording.chat else []),
        "started_at": _moment(info.started_at),
    }
    notes = {"files": files, "status": status, "unreadable": status == "unreadable", "signature": stage.signature}
    return Output(VIDEOS.from_rows([row]), notes, refused)


@video_stage(
    TRANSCRIPT_WORDS,
    group=GROUP,
    upstream=[VIDEOS],
    inputs=lambda stage: {
        "recording": stage.files["recording"],
        "captions": stage.files["captions"],
        "engine": engine_for(
            captions=stage.recording.captions,
            whisper_model=stage.settings.whisper_model,
            language=stage.settings.language,
        ),
        "language": stage.settings.language or "",
    },
    code_version="2",
    kinds={"python"},
)
def transcript_words(stage: Stage) -> Output:
    """From captions beside the recording, else by faster-whisper if KLIP_WHISPER_MODEL is set, else by pocketsphinx."""
    captions = list(stage.recording.captions)
    refused: dict[str, list[Refused]] = {display_name(path, stage.recording.root): [] for _, path in captions}
    # What a run that dies has recognized is kept for the next one, until the transcript is written.
    log = ChunkLog(stage.settings.chunk_log(stage.key), stage.work)
    if stage.video["status"] == "duplicate":
        return Output(TRANSCRIPT_WORDS.empty(), _transcript_notes(_NOTHING_HEARD), finish=log.remove)
    while True:
        chosen = best_captions(captions, stage.settings.language)
        if chosen is None and stage.sound is None:
            return Output(TRANSCRIPT_WORDS.empty(), _transcript_notes(_NOTHING_HEARD), refused, finish=log.remove)
        try:
            transcript = _transcribe(stage, captions, log)
            break
        except UnreadableSidecarError as error:
            # The next best source is used; the broken file is named in `quarantine`.
            assert chosen is not None
            captions.remove(chosen)
            name = display_name(chosen[1], stage.recording.root)
            refused[name] = [Refused("file", "not readable as captions", str(error))]
            stage.context.log.warning(str(error))
    if chosen:
        refused[display_name(chosen[1], stage.recording.root)] = list(transcript.refused)
    if len(transcript.sounds) > MAX_EVENTS:
        stage.context.log.warning(f"of {len(transcript.sounds):,} sound events the first {MAX_EVENTS:,} are kept")
    return Output(transcript.table(stage.key), _transcript_notes(transcript), refused, finish=log.remove)


def _transcript_notes(transcript: Transcript) -> dict[str, Any]:
    sounds = to_notes(transcript.sounds)
    return {
        "engine": transcript.engine,
        "engine_model": transcript.engine_model,
        "sounds": len(sounds),
        "sound_events": sounds,
        # Under `files` stands what stages read beside tables: equal words with other sounds are another input.
        "files": {"sounds": digest_of(sounds)},
    }


def _sounds(stage: Stage) -> dict[str, Any]:
    provenance = stage.lake.provenance(TRANSCRIPT_WORDS, stage.key)
    return dict(provenance.notes) if provenance else {}


@video_stage(
    SOUND_EVENTS,
    group=GROUP,
    upstream=[VIDEOS, TRANSCRIPT_WORDS],
    inputs=lambda stage: {
        **versions_of(TRANSCRIPT_WORDS)(stage),
        "sounds": digest_of(_sounds(stage).get("sound_events", [])),
        "engine": str(_sounds(stage).get("engine")),
    },
    code_version="1",
    kinds={"python"},
)
def sound_events(stage: Stage) -> pa.Table:
    """Tags such as [laughter] in the captions; no rows where the words come from a recognizer that writes none."""
    notes = _sounds(stage)
    return sound_table(notes.get("sound_events", []), stage.key, str(notes.get("engine", "none")))


@video_stage(
    AUDIO_FEATURES,
    group=GROUP,
    upstream=[VIDEOS],
    inputs=lambda stage: {"recording": stage.files["recording"]},
    code_version="3",
    kinds={"numpy"},
)
def audio_features(stage: Stage) -> Output:
    """Measured in one streaming pass over the decoded sound, at constant memory."""
    if stage.sound is None:
        return Output(AUDIO_FEATURES.empty())
    track = stage.video["audio_track"]
    info = probe(stage.sound, track)
    decoding = Decoding()
    longest_s = stage.settings.max_duration_h * 3600
    blocks = decode_sound(stage.sound, decoding, track=track, longest_s=longest_s)
    measured = measure_sound(blocks, stage.key, stage.report_progress())
    rows = measured.rows
    shorter = info.sound_duration_s is not None and info.sound_duration_s <= decoding.seconds + 1
    notes = {
        "decoded_s": round(decoding.seconds, 3),
        "lost_s": round(decoding.lost_s, 3),
        "decode_errors": decoding.errors,
        "first_decode_error": decoding.first_error or "",
        "all_zero": rows["peak_dbfs"].null_count == rows.num_rows,
        "track_shorter": shorter,
        "loudness_integrated_lufs": measured.integrated_lufs,
    }
    return Output(rows, notes)


def _chat_inputs(stage: Stage) -> dict[str, str]:
    found = {
        "chat": stage.files["chat"],
        "recording": stage.files["recording"],
        "started_at": _moment(stage.video["started_at"]),
    }
    if stage.recording.chat is not None:
        # Another setting or another salt gives other authors.
        salt = _salt(stage)
        found["author_names"] = "as they are" if salt is None else salt_version(salt)
    return found


def _salt(stage: Stage) -> bytes | None:
    return None if stage.settings.chat_keep_names else read_salt(stage.settings.chat_salt_path)


@video_stage(
    CHAT_MESSAGES,
    group=GROUP,
    upstream=[VIDEOS],
    inputs=_chat_inputs,
    code_version="2",
    kinds={"python"},
)
def chat_messages(stage: Stage) -> Output:
    """From the chat log beside the recording, of Twitch, YouTube or plain; no rows where there is none."""
    path = stage.recording.chat
    if path is None or stage.video["status"] == "duplicate":
        return Output(CHAT_MESSAGES.empty())
    name = display_name(path, stage.recording.root)
    salt = _salt(stage)
    try:
        chat = read_chat(
            path,
            stage.key,
            stage.video["started_at"],
            duration_s=stage.video["duration_s"],
            author_key=None if salt is None else author_hashes(salt),
        )
    except UnreadableSidecarError as error:
        stage.context.log.warning(str(error))
        return Output(
            CHAT_MESSAGES.empty(),
            {"unreadable_chat": str(error)},
            {name: [Refused("file", "not readable as a chat log", str(error))]},
        )
    notes = {
        "refused": len(chat.refused),
        "passed_over": sum(chat.passed_over.values()),
        "passed_over_kinds": dict(chat.passed_over),
        "placed_by_time_of_day": chat.by_day,
    }
    return Output(chat.messages, notes, {name: chat.refused})


@video_stage(
    CHAT_ACTIVITY,
    group=GROUP,
    upstream=[VIDEOS, CHAT_MESSAGES, AUDIO_FEATURES],
    inputs=lambda stage: {
        **versions_of(CHAT_MESSAGES, AUDIO_FEATURES)(stage),
        "recording": stage.files["recording"],
        "chat_lag_s": str(stage.settings.chat_lag_s),
    },
    code_version="2",
    kinds={"numpy"},
)
def chat_activity(stage: Stage) -> Output:
    """Counts and rates a second; the lag is estimated from sound and chat where they tell, else KLIP_CHAT_LAG_S."""
    messages, duration_s = stage.read(CHAT_MESSAGES), stage.video["duration_s"] or 0.0
    counts = messages_a_second(messages, duration_s)
    lag = estimate_lag(stage.read(AUDIO_FEATURES), counts, stage.settings.chat_lag_s)
    rows = activity_of(messages, video_id=stage.key, duration_s=duration_s, lag_s=lag.lag_s, lag_source=lag.source)
    notes = {"lag_s": lag.lag_s, "lag_source": lag.source, "correlation": lag.correlation, "rival": lag.rival}
    return Output(rows, notes if rows.num_rows else {})


def _stream_info(recording: Recording) -> tuple[StreamInfo, dict[str, list[Refused]]]:
    if recording.info is None:
        return StreamInfo(), {}
    name = display_name(recording.info, recording.root)
    try:
        return read_info(recording.info), {name: []}
    except UnreadableSidecarError as error:
        return StreamInfo(), {name: [Refused("file", "not readable as metadata", str(error))]}


def _facts(recording: Recording, longest_s: float) -> tuple[dict[str, Any], str, str | None]:
    try:
        track = choose_track(recording.path)
        media = probe(recording.path, track.index if track else None)
        duration_s = length_of(recording.path, media, longest_s=longest_s)
    except UnreadableMediaError as error:
        return {}, "unreadable", str(error)
    facts = {
        "duration_s": duration_s,
        "container": media.container,
        "video_codec": media.video_codec,
        "width": media.width,
        "height": media.height,
        "fps": media.fps,
        "audio_codec": media.audio_codec,
        "sample_rate_hz": media.sample_rate_hz,
        "channels": media.channels,
        "audio_tracks": track.count if track else 0,
        "audio_track": track.index if track else None,
    }
    if media.audio_codec is None:
        return facts, "no_audio", None
    decoding = Decoding()
    if has_any_sound(recording.path, decoding, track=track.index if track else None):
        return facts, "ok", None
    if decoding.samples == 0:
        return facts, "no_audio", f"the sound can't be decoded: {decoding.first_error or 'no samples came out'}"
    return facts, "silent", None


def _transcribe(stage: Stage, captions: list[tuple[str, Any]], log: ChunkLog) -> Transcript:
    settings = stage.settings
    return transcribe(
        stage.recording.path,
        captions=captions,
        track=stage.video["audio_track"],
        longest_s=settings.max_duration_h * 3600,
        whisper_model=settings.whisper_model,
        whisper_device=settings.whisper_device,
        whisper_compute_type=settings.whisper_compute_type,
        language=settings.language,
        on_progress=stage.report_progress(),
        log=log,
    )


def _moment(started_at: datetime | None) -> str:
    return started_at.isoformat() if started_at else ""


def _joint_hash(paths: Any) -> str:
    hashes = [f"{path.name}:{file_sha256(path)}" for path in paths]
    joint = "|".join(sorted(hashes)).encode("utf-8", "surrogateescape")
    return hashlib.sha256(joint).hexdigest()[:32] if hashes else ""
