"""Group `recordings`: a file's metadata, words, audio and sound events."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from klip_assets.contracts import AUDIO_FEATURES, SOUND_EVENTS, TRANSCRIPT_SOUNDS, TRANSCRIPT_WORDS, VIDEOS
from klip_assets.errors import NotFoundError, OtherClockError, UnreadableMediaError, UnreadableSidecarError
from klip_assets.formats.refused import Refused
from klip_assets.formats.text import stored_name
from klip_assets.inbox.listing import display_name
from klip_assets.inbox.recordings import Recording
from klip_assets.media.claims import claimed_s, missing_bytes, unread_bytes
from klip_assets.media.decode import Decoding, decode_sound, has_any_sound
from klip_assets.media.info import StreamInfo, read_info
from klip_assets.media.placing import TOLERANCE_S
from klip_assets.media.probe import MediaInfo, probe
from klip_assets.media.scan import read_timeline
from klip_assets.media.sidecar_clock import OUTSIDE, Place
from klip_assets.media.timeline import Timeline
from klip_assets.media.tracks import choose_track
from klip_assets.signals.audio.features import measure_sound
from klip_assets.signals.speech.captions.placing import outside
from klip_assets.signals.speech.captions.sounds import (
    MAX_EVENTS,
    digest_of,
    sound_table,
    to_notes,
    transcript_sounds_table,
)
from klip_assets.signals.speech.captions.units import OTHER_UNIT, ImplausibleTimesError
from klip_assets.signals.speech.chunks import ChunkLog
from klip_assets.signals.speech.transcribe import best_captions, engine_for, transcribe
from klip_assets.signals.speech.words import Transcript
from klip_assets.store.files import file_sha256
from klip_assets.work.findings import Finding
from klip_assets.work.stages.originals import original_of, video_inputs
from klip_assets.work.stages.soundness import sound_findings, timeline_findings
from klip_assets.work.stages.stage import Output, Stage, StageSpec, moment, versions_of

GROUP = "recordings"

#: Containers round lengths to this.
ROUNDING_S = 0.005

#: Reason of a caption file whose times can't be those of speech, in `quarantine`.
IMPLAUSIBLE = "implausible times"

_NOTHING_HEARD = Transcript([], None, "none", "")


def videos(stage: Stage) -> Output:
    """Probed with FFmpeg's libraries, titled by the yt-dlp sidecar; known content is marked as a duplicate."""
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
    facts, status, error, media, timeline = _facts(recording, stage.settings.max_duration_h * 3600)
    holder = original_of(stage, sha256) if status != "unreadable" else stage.key
    if holder != stage.key:
        status = "duplicate"
    row |= facts | {"status": status, "error": error, "duplicate_of": None if holder == stage.key else holder}
    files = {
        "recording": f"{sha256}:{status}{_oddness(timeline, media) if timeline and media else ''}",
        "captions": _joint_hash(path for _, path in recording.captions),
        "chat": _joint_hash([recording.chat] if recording.chat else []),
        "section": f"{info.section_s:g}" if info.section_s else "",
        "started_at": moment(info.started_at),
    }
    notes = {
        "files": files,
        "status": status,
        "has_sound": status == "ok",
        "unreadable": status == "unreadable",
        "signature": stage.signature,
        "section_s": info.section_s,
    }
    if holder != stage.key:
        notes["duplicate_of"] = holder
    findings: list[Finding] = []
    if timeline is not None and media is not None:
        notes["timeline"] = timeline.as_notes()
        notes["timecode"] = media.timecode
        if status != "duplicate":
            findings += timeline_findings(
                timeline,
                claimed_s=claimed_s(recording.path, media),
                missing_bytes=missing_bytes(recording.path, media),
                unread_bytes=unread_bytes(recording.path, media, timeline),
            )
    return Output(VIDEOS.from_rows([row]), notes, findings, refused=refused)


def _oddness(timeline: Timeline, media: MediaInfo) -> str:
    """Return what names a timeline in the version of a recording: '' for an ordinary one.

    Rows of an older Klip, which counted samples and believed the header, are right for an ordinary recording; of
    others, everything that refers to its clock is stale.
    """
    start = timeline.sound_s[0] if timeline.sound_s else 0.0
    is_stated = media.duration_s is not None and abs(timeline.duration_s - media.duration_s) < ROUNDING_S
    if is_stated and start <= TOLERANCE_S and timeline.in_one_piece and not timeline.counted:
        return ""
    return ":" + hashlib.sha256(json.dumps(timeline.as_notes(), sort_keys=True).encode()).hexdigest()[:16]


def _transcript_inputs(stage: Stage) -> dict[str, str]:
    settings = stage.settings
    return {
        "recording": stage.files["recording"],
        "captions": stage.files["captions"],
        "engine": engine_for(has_captions=bool(stage.files["captions"]), whisper_model=settings.whisper_model),
        "language": settings.language or "",
        **({"section": section} if (section := stage.files.get("section")) else {}),
    }


def transcript_words(stage: Stage) -> Output:
    """From captions beside the recording, else from faster-whisper if KLIP_WHISPER_MODEL is set, else pocketsphinx."""
    captions = list(stage.recording.captions)
    refused: dict[str, list[Refused]] = {display_name(path, stage.recording.root): [] for _, path in captions}
    # If a run dies, the next one continues from what is in this log; it is removed once the transcript is written.
    log = ChunkLog(stage.settings.chunk_log(stage.key), stage.work)
    if stage.video["status"] == "duplicate":
        return _transcript_output(stage, _NOTHING_HEARD, {}, log)
    while True:
        chosen = best_captions(captions, stage.settings.language)
        if chosen is None and stage.sound is None:
            return _transcript_output(stage, _NOTHING_HEARD, refused, log)
        try:
            transcript = _transcribe(stage, captions, log)
            break
        except UnreadableSidecarError as error:
            # The next best source is used; the broken file is listed in `quarantine`.
            assert chosen is not None
            captions.remove(chosen)
            name = display_name(chosen[1], stage.recording.root)
            refused[name] = [Refused("file", _why_unused(error), str(error))]
            stage.log.warning(str(error))
    if chosen:
        refused[display_name(chosen[1], stage.recording.root)] = list(transcript.refused)
    if len(transcript.sounds) > MAX_EVENTS:
        stage.log.warning(f"only the first {MAX_EVENTS:,} of {len(transcript.sounds):,} sound events are kept")
    return _transcript_output(stage, transcript, refused, log)


def _why_unused(error: UnreadableSidecarError) -> str:
    if isinstance(error, ImplausibleTimesError):
        return IMPLAUSIBLE
    return OUTSIDE if isinstance(error, OtherClockError) else "can't be read as captions"


def _transcript_output(
    stage: Stage, transcript: Transcript, refused: dict[str, list[Refused]], log: ChunkLog
) -> Output:
    sounds = to_notes(transcript.sounds)
    notes = {
        "engine": transcript.engine,
        "engine_model": transcript.engine_model,
        "sounds": len(sounds),
        # `files` has what stages read besides tables: equal words with other sounds are a different input.
        "files": {"sounds": digest_of(sounds)},
    }
    return Output(
        transcript.table(stage.key),
        notes,
        list(_transcript_findings(transcript, refused)),
        refused,
        also={TRANSCRIPT_SOUNDS.name: transcript_sounds_table(sounds, stage.key)},
        finish=log.remove,
    )


def _transcript_findings(transcript: Transcript, refused: dict[str, list[Refused]]) -> Iterable[Finding]:
    if transcript.engine != _NOTHING_HEARD.engine:
        yield Finding("engine", f"the words come from {transcript.engine} ({transcript.engine_model})")
    for name, entries in refused.items():
        if moved := [entry for entry in entries if entry.reason == OTHER_UNIT]:
            entries = [entry for entry in entries if entry.reason != OTHER_UNIT]
            yield Finding("cues", f"the times of {name} were {moved[0].detail}")
        if entries and entries[0].reason in (OUTSIDE, IMPLAUSIBLE):
            yield Finding("cues", f"captions not used: {entries[0].detail}", partial=True)
        elif count := outside(entries):
            what, were = ("one caption reaches", "was") if count == 1 else (f"{count:,} captions reach", "were")
            yield Finding("cues", f"{what} over the end of the recording and {were} cut ({name})", partial=True)
        elif entries:
            yield Finding("cues", f"{len(entries)} cues of {name} were refused: {entries[0].reason}")


def _sounds(stage: Stage) -> list[Any]:
    """Return the sounds noted in the transcript's source, in the form of `to_notes`.

    Raises:
        NotFoundError: They are missing, or belong to another transcript.
    """
    record = stage.record(TRANSCRIPT_WORDS)
    if record is not None and "sound_events" in record.notes:
        return list(record.notes["sound_events"])  # Where they were kept before they had their own table.
    rows = stage.lake.read(TRANSCRIPT_SOUNDS, stage.key)
    columns = (rows[name].to_pylist() for name in ("start_s", "end_s", "label"))
    sounds = [list(row) for row in zip(*columns, strict=True)]
    if record is not None and digest_of(sounds) != record.notes.get("files", {}).get("sounds"):
        raise NotFoundError(
            f"the sounds and words of {stage.key} do not match", hint=f"klip process {stage.key} rebuilds both"
        )
    return sounds


def _sound_inputs(stage: Stage) -> dict[str, str]:
    record = stage.record(TRANSCRIPT_WORDS)
    notes = record.notes if record else {}
    sounds = notes.get("files", {}).get("sounds") or digest_of(_sounds(stage))
    return {**versions_of(TRANSCRIPT_WORDS)(stage), "sounds": sounds, "engine": str(notes.get("engine"))}


def sound_events(stage: Stage) -> pa.Table:
    """Tags such as [laughter] in the captions; no rows if the words come from a recognizer that writes none."""
    record = stage.record(TRANSCRIPT_WORDS)
    return sound_table(_sounds(stage), stage.key, str(record.notes.get("engine", "none")) if record else "none")


def audio_features(stage: Stage) -> Output:
    """Measured in one streaming pass over the decoded audio, in constant memory."""
    if stage.sound is None:
        return Output(AUDIO_FEATURES.empty())
    timeline, decoding = stage.timeline, Decoding()
    blocks = decode_sound(
        stage.sound,
        decoding,
        track=stage.video["audio_track"],
        timeline=timeline,
        longest_s=stage.settings.max_duration_h * 3600,
    )
    measured = measure_sound(
        blocks, stage.key, stage.report_progress(), missing=decoding.missing, duration_s=timeline.duration_s
    )
    rows = measured.rows
    notes = {
        "decoded_s": round(decoding.seconds - decoding.missing_s, 3),
        "missing_s": round(decoding.missing_s, 3),
        "decode_errors": decoding.errors,
        "first_decode_error": decoding.first_error or "",
        "all_zero": rows["peak_dbfs"].null_count == rows.num_rows,
        "loudness_integrated_lufs": measured.integrated_lufs,
    }
    return Output(rows, notes, list(sound_findings(decoding, timeline)))


def _stream_info(recording: Recording) -> tuple[StreamInfo, dict[str, list[Refused]]]:
    if recording.info is None:
        return StreamInfo(), {}
    name = display_name(recording.info, recording.root)
    try:
        return read_info(recording.info), {name: []}
    except UnreadableSidecarError as error:
        return StreamInfo(), {name: [Refused("file", "can't be read as metadata", str(error))]}


def _facts(
    recording: Recording, longest_s: float
) -> tuple[dict[str, Any], str, str | None, MediaInfo | None, Timeline | None]:
    try:
        track = choose_track(recording.path)
        index = track.index if track else None
        media = probe(recording.path, index)
        timeline = read_timeline(recording.path, index, longest_s=longest_s)
    except UnreadableMediaError as error:
        return {}, "unreadable", str(error), None, None
    facts = {
        "duration_s": timeline.duration_s or None,
        "container": media.container,
        "video_codec": media.video_codec,
        "width": media.width,
        "height": media.height,
        "fps": media.fps,
        "audio_codec": media.audio_codec,
        "sample_rate_hz": media.sample_rate_hz,
        "channels": media.channels,
        "audio_tracks": track.count if track else 0,
        "audio_track": index,
        "audio_track_why": track.why if track else None,
    }
    if media.audio_codec is None:
        return facts, "no_audio", None, media, timeline
    decoding = Decoding()
    if has_any_sound(recording.path, decoding, track=index):
        return facts, "ok", None, media, timeline
    if decoding.heard_s is None:
        reason = decoding.first_error or "the decoder returned no samples"
        if decoding.beyond_s:
            reason = "all samples are far beyond full scale"
        return facts, "no_audio", f"the audio can't be decoded: {reason}", media, timeline
    return facts, "silent", None, media, timeline


def _transcribe(stage: Stage, captions: list[tuple[str, Path]], log: ChunkLog) -> Transcript:
    settings = stage.settings
    return transcribe(
        stage.recording.path,
        captions=captions,
        place=Place(stage.video["duration_s"], stage.section_s),
        track=stage.video["audio_track"],
        timeline=stage.timeline,
        longest_s=settings.max_duration_h * 3600,
        whisper_model=settings.whisper_model,
        whisper_device=settings.whisper_device,
        whisper_compute_type=settings.whisper_compute_type,
        language=settings.language,
        on_progress=stage.report_progress(),
        log=log,
    )


def _joint_hash(paths: Iterable[Path]) -> str:
    hashes = [f"{path.name}:{file_sha256(path)}" for path in paths]
    joint = "|".join(sorted(hashes)).encode("utf-8", "surrogateescape")
    return hashlib.sha256(joint).hexdigest()[:32] if hashes else ""


RECORDING_STAGES = (
    StageSpec(
        VIDEOS,
        version="5",
        group=GROUP,
        upstream=(),
        inputs=video_inputs,
        compute=videos,
        kinds=frozenset({"ffmpeg"}),
    ),
    StageSpec(
        TRANSCRIPT_WORDS,
        version="4",
        group=GROUP,
        upstream=(VIDEOS,),
        inputs=_transcript_inputs,
        compute=transcript_words,
        also=(TRANSCRIPT_SOUNDS,),
    ),
    StageSpec(
        SOUND_EVENTS,
        version="1",
        group=GROUP,
        upstream=(VIDEOS, TRANSCRIPT_WORDS),
        inputs=_sound_inputs,
        compute=sound_events,
    ),
    StageSpec(
        AUDIO_FEATURES,
        version="4",
        group=GROUP,
        upstream=(VIDEOS,),
        inputs=lambda stage: {"recording": stage.files["recording"]},
        compute=audio_features,
        kinds=frozenset({"numpy"}),
    ),
)
