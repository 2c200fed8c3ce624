"""Recordings in the inbox and the sidecars beside them."""

from __future__ import annotations

import glob
import os
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from klip_assets.inbox.listing import display_name, is_visible, list_files, unreadable

#: Containers that PyAV's FFmpeg opens; the content decides in the end (a wrong suffix gives an unreadable video).
MEDIA_SUFFIXES = frozenset(
    {
        ".3gp", ".aac", ".ac3", ".aif", ".aiff", ".avi", ".caf", ".flac", ".flv", ".m2ts", ".m4a", ".m4b", ".m4v",
        ".mka", ".mkv", ".mov", ".mp2", ".mp3", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".ogg", ".oga",
        ".ogv", ".opus", ".ts", ".vob", ".wav", ".weba", ".webm", ".wma", ".wmv",
    }
)  # fmt: skip
CAPTION_SUFFIXES = (".vtt", ".srt", ".sbv", ".ttml", ".dfxp", ".json3")
#: Output of recognizers. Any other JSON file is a transcript only if it is named after a recording beside it.
TRANSCRIPT_SUFFIXES = (".transcript.json", ".whisper.json", ".words.json", ".deepgram.json", ".assemblyai.json")
#: `.live_chat.json` is yt-dlp's name for the chat of a YouTube stream. The format is detected from the content.
CHAT_SUFFIXES = (
    ".chat.json", ".live_chat.json", ".chat.jsonl", ".chat.csv",
    ".chat.json.gz", ".live_chat.json.gz", ".chat.jsonl.gz", ".chat.csv.gz",
)  # fmt: skip
INFO_SUFFIX = ".info.json"

#: Suffixes of files that may be recordings or sidecars.
_READ_SUFFIXES = MEDIA_SUFFIXES | {*CAPTION_SUFFIXES, ".json", ".jsonl", ".csv", ".gz"}

_UNKNOWN = "unknown kind of file"

#: A language tag in the name of a JSON file: `de`, `pt-BR`, `zh-Hans`.
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,2}")


@dataclass(frozen=True)
class Recording:
    """A recording and its sidecars.

    Attributes:
        root: The inbox.
        path: The file.
        captions: Caption and transcript files with their language ('' if the name gives none), sorted.
        chat: The chat log, if there is one.
        info: The yt-dlp metadata, if there is any.
    """

    root: Path
    path: Path
    captions: tuple[tuple[str, Path], ...] = ()
    chat: Path | None = None
    info: Path | None = None

    @property
    def name(self) -> str:
        """Path relative to the inbox, safe to print and store."""
        return display_name(self.path, self.root)

    @property
    def files(self) -> tuple[Path, ...]:
        """The recording and all its sidecars."""
        return (self.path, *(p for _, p in self.captions), *(p for p in (self.chat, self.info) if p))

    @property
    def signature(self) -> str:
        """Sizes and modification times; changes whenever any of the files may have changed.

        Raises:
            FileNotFoundError: A file has disappeared since the inbox was read.
        """
        states = ((path.name, path.stat()) for path in self.files)
        return "|".join(f"{os.fsencode(name).hex()}:{s.st_size}:{s.st_mtime_ns}" for name, s in states)


@dataclass(frozen=True)
class Contents:
    """The contents of an inbox.

    Attributes:
        recordings: The recordings.
        unknown: Files that are not used, with the reason.
        unreadable: Folders and links that can't be read, with the reason: they may hold more.
    """

    recordings: list[Recording]
    unknown: list[tuple[Path, str]]
    unreadable: Mapping[Path, str] = field(default_factory=dict)


def read_inbox(root: Path) -> Contents:
    """Read an inbox folder with its subfolders, sorted by name.

    Hidden files, unfinished downloads and anything that is not a regular file (pipes, devices) are skipped. Links to
    files are followed, wherever they lead. Links to folders are not, since they could be circular; those and links to
    nothing are named as unreadable.
    """
    folders: dict[Path, list[Path]] = defaultdict(list)
    recordings: list[Recording] = []
    unknown: list[tuple[Path, str]] = []
    listing = list_files(root)
    for path in listing.files:
        # Thousands of files may be there that are none of ours: only what would be read is opened.
        if path.suffix.lower() not in _READ_SUFFIXES:
            unknown.append((path, _UNKNOWN))
        elif problem := unreadable(path):
            unknown.append((path, problem))
        else:
            folders[path.parent].append(path)
    for _, files in sorted(folders.items()):
        media = [path for path in files if path.suffix.lower() in MEDIA_SUFFIXES]
        stems = {path.stem for path in media}
        sidecars: dict[str, _Sidecars] = defaultdict(_Sidecars)
        for path in files:
            if path.suffix.lower() not in MEDIA_SUFFIXES and not _is_sidecar(path, stems, sidecars):
                unknown.append((path, _why_unknown(path, stems)))
        recordings += [sidecars[path.stem].of(root, path) for path in media]
    return Contents(recordings, unknown, listing.unreadable)


def recording_at(root: Path, path: Path) -> Recording | None:
    """Return one recording with its sidecars as `read_inbox` finds them, without opening other files beside it.

    Args:
        root: The inbox.
        path: The recording.

    Returns:
        None if there is no such recording or it can't be read.
    """
    if path.suffix.lower() not in MEDIA_SUFFIXES or not is_visible(path) or unreadable(path) is not None:
        return None
    beside = _Sidecars()
    # The name of a sidecar begins with the stem of its recording.
    for file in sorted(path.parent.glob(f"{glob.escape(path.stem)}*")):
        is_sidecar = file.suffix.lower() not in MEDIA_SUFFIXES and is_visible(file)
        if is_sidecar and unreadable(file) is None:
            _is_sidecar(file, {path.stem}, {path.stem: beside})
    return beside.of(root, path)


def sidecar_stem(path: Path) -> str | None:
    """Return the stem of the recording a sidecar belongs to, None if the name alone does not identify a sidecar.

    `talk.json` beside `talk.mp4` is a transcript too, but elsewhere it may be anything; `read_inbox` decides.
    """
    name = path.name
    lowered = name.lower()
    for suffix in (*CHAT_SUFFIXES, INFO_SUFFIX):
        if lowered.endswith(suffix):
            return name[: -len(suffix)]
    if path.suffix.lower() in CAPTION_SUFFIXES:
        return _caption_stem(path)[0]
    for suffix in TRANSCRIPT_SUFFIXES:
        if lowered.endswith(suffix) and len(name) > len(suffix):
            return _split_language(name[: -len(suffix)])[0]
    return None


class _Sidecars:
    """The files beside one recording."""

    def __init__(self) -> None:
        self.captions: list[tuple[str, Path]] = []
        self.chat: Path | None = None
        self.info: Path | None = None

    def of(self, root: Path, path: Path) -> Recording:
        """Return the recording with these sidecars."""
        return Recording(root, path, tuple(sorted(self.captions)), self.chat, self.info)


def _is_sidecar(path: Path, stems: set[str], sidecars: Mapping[str, _Sidecars]) -> bool:
    """Assign a file to the recordings it belongs to; return whether there is one."""
    lowered = path.name.lower()
    if lowered.endswith(INFO_SUFFIX) or lowered.endswith(CHAT_SUFFIXES):
        stem = sidecar_stem(path)
        if stem is None or stem not in stems:
            return False
        if lowered.endswith(INFO_SUFFIX):
            sidecars[stem].info = path
        elif sidecars[stem].chat is None:
            sidecars[stem].chat = path
        else:
            return False
        return True
    owners = {stem: language for stem, language in _owners_of_words(path) if stem in stems}
    for stem, language in owners.items():
        sidecars[stem].captions.append((language, path))
    return bool(owners)


def _owners_of_words(path: Path) -> list[tuple[str, str]]:
    """Return the stems of the recordings that a caption file may belong to, each with its language or ''."""
    suffix, lowered = path.suffix.lower(), path.name.lower()
    if suffix in CAPTION_SUFFIXES:
        # The whole stem as well: in "v1.final.srt" beside "v1.final.mp4", the last part is not a language.
        return [(path.stem, ""), _caption_stem(path)]
    if suffix != ".json":
        return []
    ending = next((known for known in (*TRANSCRIPT_SUFFIXES, suffix) if lowered.endswith(known)), suffix)
    rest = path.name[: -len(ending)]
    owner, language = _split_language(rest)
    if ending == suffix and len(language.partition("-")[0]) != 2:
        return [(rest, "")]  # "talk.raw.json": three letters are a language only before a known ending.
    return [(rest, ""), (owner, language)]


def _why_unknown(path: Path, stems: set[str]) -> str:
    owner = sidecar_stem(path)
    if owner in stems and path.name.lower().endswith(CHAT_SUFFIXES):
        return f"a second chat log of {owner}; only the first by name is read"
    if owner is not None:
        return f"a sidecar without a recording named {owner} beside it"
    parts = path.name.split(".")
    if path.suffix.lower() == ".json" and any(".".join(parts[:n]) in stems for n in range(1, len(parts))):
        endings = ", ".join((INFO_SUFFIX, *CHAT_SUFFIXES, ".json", ".<language>.json", *TRANSCRIPT_SUFFIXES))
        return f"a JSON file beside a recording, but with an unknown ending; known: {endings}"
    return _UNKNOWN


def _split_language(stem: str) -> tuple[str, str]:
    # "talk.en" -> ("talk", "en"); "talk" -> ("talk", ""); "v1.2 final" -> ("v1.2 final", "")
    owner, dot, language = stem.rpartition(".")
    if dot and owner and _LANGUAGE.fullmatch(language):
        return owner, language
    return stem, ""


def _caption_stem(path: Path) -> tuple[str, str]:
    # "talk.en.vtt" -> ("talk", "en"), "talk.vtt" -> ("talk", ""), "v1.2 final.srt" -> ("v1.2 final", "")
    stem, dot, language = path.stem.rpartition(".")
    if dot and stem and 2 <= len(language) <= 12 and language.replace("-", "").isalpha():
        return stem, language
    return path.stem, ""
