"""Recordings in the inbox and the sidecars beside them.

Put here: which file is a recording, which files are its sidecars, which are neither. Keep out: what is in them.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from klip_assets.textfile import stored_name

#: Containers PyAV's FFmpeg opens; the content decides in the end (a wrong one becomes an unreadable video).
MEDIA_SUFFIXES = frozenset(
    {
        ".3gp", ".aac", ".ac3", ".aif", ".aiff", ".avi", ".caf", ".flac", ".flv", ".m2ts", ".m4a", ".m4b", ".m4v",
        ".mka", ".mkv", ".mov", ".mp2", ".mp3", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".ogg", ".oga",
        ".ogv", ".opus", ".ts", ".vob", ".wav", ".weba", ".webm", ".wma", ".wmv",
    }
)  # fmt: skip
CAPTION_SUFFIXES = (".vtt", ".srt")
CHAT_SUFFIXES = (".chat.json", ".chat.jsonl", ".chat.csv")
INFO_SUFFIX = ".info.json"

#: Downloads that are not finished, and files that only the system reads.
_UNFINISHED = (".part", ".tmp", ".crdownload", ".ytdl", ".download", ".aria2")


@dataclass(frozen=True)
class Recording:
    """A recording and its sidecars.

    Attributes:
        root: The inbox it lies in.
        path: The file.
        captions: Caption files by language ('' where the name gives none), sorted.
        chat: The chat log, if there is one.
        info: The yt-dlp metadata, if there is some.
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
        """Sizes and modification times: changes whenever any of the files may have.

        Raises:
            FileNotFoundError: A file is gone since the inbox was read.
        """
        states = ((path.name, path.stat()) for path in self.files)
        return "|".join(f"{os.fsencode(name).hex()}:{s.st_size}:{s.st_mtime_ns}" for name, s in states)


@dataclass(frozen=True)
class Contents:
    """What an inbox holds: recordings, and files that are nothing Klip knows (with the reason)."""

    recordings: list[Recording]
    unknown: list[tuple[Path, str]]


def read_inbox(root: Path) -> Contents:
    """Read an inbox folder, with its subfolders, in the order of names.

    Hidden files, unfinished downloads, links that lead nowhere, and what is no file (folders, pipes, devices) are
    passed over. Links to files are followed, wherever they lead: who put them here may read them. Links to folders
    are not, they could lead in a circle.
    """
    folders: dict[Path, list[Path]] = defaultdict(list)
    recordings: list[Recording] = []
    unknown: list[tuple[Path, str]] = []
    for path in files_below(root):
        problem = unreadable(path)
        if problem is None:
            folders[path.parent].append(path)
        else:
            unknown.append((path, problem))
    for _, files in sorted(folders.items()):
        media = [path for path in files if path.suffix.lower() in MEDIA_SUFFIXES]
        others = [path for path in files if path.suffix.lower() not in MEDIA_SUFFIXES]
        stems = {path.stem for path in media}
        recordings += [_with_sidecars(root, path, others) for path in media]
        for path in others:
            owner = sidecar_stem(path)
            if owner is None:
                unknown.append((path, "not a kind of file Klip knows"))
            elif owner not in stems:
                unknown.append((path, f"a sidecar, but no recording named {owner} lies beside it"))
    return Contents(recordings, unknown)


def sidecar_stem(path: Path) -> str | None:
    """Return the stem of the recording a sidecar belongs to, None if the file is no sidecar."""
    name = path.name
    lowered = name.lower()
    for suffix in (*CHAT_SUFFIXES, INFO_SUFFIX):
        if lowered.endswith(suffix):
            return name[: -len(suffix)]
    if path.suffix.lower() in CAPTION_SUFFIXES:
        return _caption_stem(path)[0]
    return None


def unreadable(path: Path) -> str | None:
    """Return why a file can't be read, such as "can't be read: Permission denied"; None if its first byte can be."""
    try:
        with path.open("rb") as file:
            file.read(1)
    except FileNotFoundError:
        return None  # Gone meanwhile: who opens it next finds that out.
    except OSError as error:
        return f"can't be read: {error.strerror or error}"
    return None


def files_below(root: Path) -> Iterator[Path]:
    """Yield every finished, visible file below a folder, sorted within each folder."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder) / name
            if not name.startswith(".") and path.suffix.lower() not in _UNFINISHED and path.is_file():
                yield path


def display_name(path: Path, root: Path) -> str:
    """Return a path relative to the inbox; bytes that are no UTF-8 are shown as escapes."""
    return stored_name(path.relative_to(root))


def _with_sidecars(root: Path, path: Path, others: list[Path]) -> Recording:
    captions, chat, info = [], None, None
    for other in others:
        lowered = other.name.lower()
        if other.suffix.lower() in CAPTION_SUFFIXES:
            stem, language = _caption_stem(other)
            if stem == path.stem or other.stem == path.stem:
                captions.append((language if stem == path.stem else "", other))
        elif sidecar_stem(other) == path.stem:
            if lowered.endswith(INFO_SUFFIX):
                info = other
            elif chat is None:
                chat = other
    return Recording(root, path, tuple(sorted(captions)), chat, info)


def _caption_stem(path: Path) -> tuple[str, str]:
    # "talk.en.vtt" -> ("talk", "en"), "talk.vtt" -> ("talk", ""), "v1.2 final.srt" -> ("v1.2 final", "")
    stem, dot, language = path.stem.rpartition(".")
    if dot and stem and 2 <= len(language) <= 12 and language.replace("-", "").isalpha():
        return stem, language
    return path.stem, ""
