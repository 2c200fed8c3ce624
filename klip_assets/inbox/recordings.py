"""Recordings in the inbox and the sidecars beside them."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from klip_assets.inbox.listing import display_name, is_visible, list_files, unreadable
from klip_assets.inbox.media_files import has_media_suffix, is_recording
from klip_assets.inbox.sidecars import (
    CAPTION_SUFFIXES,
    CHAT_SUFFIXES,
    INFO_SUFFIX,
    TRANSCRIPT_SUFFIXES,
    Kind,
    Role,
    holds_chat,
    plain,
    prefixes,
    role_of,
    unpacked,
)

#: Reason of a file that is none of Klip's.
UNKNOWN = "unknown kind of file"
_HIDDEN = "hidden: its name begins with a dot"


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

    Unfinished downloads and anything that is not a regular file (pipes, devices) are skipped; hidden files that are
    named like recordings or sidecars are named as unknown. Links to files are followed, wherever they lead. Links to
    folders are not, since they could be circular; those and links to nothing are named as unreadable.
    """
    recordings: list[Recording] = []
    unknown: list[tuple[Path, str]] = []
    listing = list_files(root)
    folders: dict[Path, list[Path]] = defaultdict(list)
    for path in listing.files:
        folders[path.parent].append(path)
    for _, files in sorted(folders.items()):
        media: list[Path] = []
        others: list[Path] = []
        for path in files:
            # Thousands of files may be there that are none of ours: only what would be read is opened.
            if not is_recording(path):
                others.append(path)
            elif problem := unreadable(path):
                unknown.append((path, problem))
            else:
                media.append(path)
        owners = _Owners(media)
        for path in others:
            if problem := owners.refuse(path):
                unknown.append((path, problem))
        recordings += [owners.recording(root, path) for path in media]
    unknown += [(path, _HIDDEN) for path in listing.hidden if _is_named_as_ours(path)]
    return Contents(recordings, unknown, listing.unreadable)


def recording_at(root: Path, path: Path) -> Recording | None:
    """Return one recording with its sidecars as `read_inbox` finds them, without opening other files beside it.

    Args:
        root: The inbox.
        path: The recording.

    Returns:
        None if there is no such recording or it can't be read.
    """
    return _look_beside(root, path)[0] if _can_be_read(path) else None


def recording_with_rest(path: Path) -> tuple[Recording | None, list[tuple[Path, str]]]:
    """Return a recording in any folder as `recording_at` does, and the files beside it that are left behind.

    Returns:
        The recording; and files whose names begin like its own, but that are none of its sidecars, with the reason.
        Sidecars of other recordings are not among them.
    """
    return _look_beside(path.parent, path) if _can_be_read(path) else (None, [])


def _can_be_read(path: Path) -> bool:
    return is_visible(path) and is_recording(path) and unreadable(path) is None


def _look_beside(root: Path, path: Path) -> tuple[Recording, list[tuple[Path, str]]]:
    own = plain(path.stem)
    try:
        with os.scandir(path.parent) as entries:
            beside = sorted(path.parent / entry.name for entry in entries if _begins(entry.name, own))
    except OSError:
        beside = [path]
    # Those that begin with the same stem may have a better claim to a sidecar.
    media = [file for file in beside if file == path or (has_media_suffix(file) and is_visible(file))]
    owners, left = _Owners(media), []
    for file in beside:
        if file in media:
            continue
        if file.name.startswith("."):
            if file.is_file() and _is_named_as_ours(file):
                left.append((file, _HIDDEN))
        elif is_visible(file) and owners.owner(file) in (None, path.stem) and (problem := owners.refuse(file)):
            left.append((file, problem))
    return owners.recording(root, path), left


def _begins(name: str, own: str) -> bool:
    return plain(name.lstrip(".")).startswith(own)


def sidecar_stem(path: Path) -> str | None:
    """Return the stem of the recording a sidecar belongs to, None if the name alone does not identify a sidecar.

    `talk.json` beside `talk.mp4` is a transcript too, but elsewhere it may be anything; `read_inbox` decides.
    """
    name = unpacked(path.name)
    lowered = name.lower()
    for suffix in (*CHAT_SUFFIXES, INFO_SUFFIX):
        if lowered.endswith(suffix):
            return name[: -len(suffix)]
    if Path(lowered).suffix in CAPTION_SUFFIXES and not lowered.endswith(".tsv"):  # Tweets come as .tsv, too.
        return _caption_stem(name)
    for suffix in TRANSCRIPT_SUFFIXES:
        if lowered.endswith(suffix) and len(name) > len(suffix):
            return _caption_stem(f"{name[: -len(suffix)]}.", strict=True)
    return None


class _Owners:
    """The recordings of one folder, and the sidecars that were found for them."""

    def __init__(self, media: Iterable[Path]) -> None:
        self._stems = {path.stem for path in media}
        # Names that look the same: "Talk" and "talk", or "é" in one character and in two.
        self._alike: dict[str, list[str]] = defaultdict(list)
        for stem in sorted(self._stems):
            self._alike[plain(stem)].append(stem)
        self._captions: dict[str, list[tuple[str, Path]]] = defaultdict(list)
        self._chat: dict[str, Path] = {}
        self._info: dict[str, Path] = {}

    def recording(self, root: Path, path: Path) -> Recording:
        """Return a recording with its sidecars."""
        captions = tuple(sorted(self._captions[path.stem]))
        return Recording(root, path, captions, self._chat.get(path.stem), self._info.get(path.stem))

    def owner(self, path: Path) -> str | None:
        """Return the stem of the recordings that a file is a sidecar of, by its name."""
        found = self._find(path.name)
        return found[0] if found else None

    def refuse(self, path: Path) -> str | None:
        """Give a file to the recordings that it is a sidecar of, or return why it is none."""
        found = self._find(path.name)
        if found is None:
            return self._why_unknown(path)
        stem, role = found
        if problem := unreadable(path):
            return problem
        if role.kind is Kind.WORDS and path.suffix.lower() == ".json" and holds_chat(path):
            role = Role(Kind.CHAT)
        if role.kind is Kind.WORDS:
            self._captions[stem].append((role.language, path))
        elif self._one_of(role.kind).setdefault(stem, path) != path:
            what = "chat log" if role.kind is Kind.CHAT else "file of metadata"
            return f"a second {what} of {stem}; only the first by name is read"
        return None

    def _one_of(self, kind: Kind) -> dict[str, Path]:
        return self._chat if kind is Kind.CHAT else self._info

    def _find(self, name: str) -> tuple[str, Role] | None:
        for begin, rest in prefixes(name):
            alike = [begin] if begin in self._stems else self._alike.get(plain(begin), [])
            if len(alike) == 1 and (role := role_of(rest)) is not None:
                return alike[0], role
        return None

    def _why_unknown(self, path: Path) -> str:
        for begin, rest in prefixes(path.name):
            if len(alike := self._alike.get(plain(begin), [])) > 1 and role_of(rest):
                return f"it may belong to {' or to '.join(alike)}: name it exactly like one of them"
        if not any(plain(begin) in self._alike for begin, _ in prefixes(path.name)):
            owner = sidecar_stem(path)
            return f"a sidecar without a recording named {owner} beside it" if owner else UNKNOWN
        what = "a JSON file" if path.suffix.lower() == ".json" else "a file"
        known = ", ".join((INFO_SUFFIX, *CHAT_SUFFIXES[:2], *CAPTION_SUFFIXES[:2], ".<language>.vtt", ".json"))
        more = "others are in docs/chats.md and docs/captions.md"
        return f"{what} beside a recording, but with an unknown ending; known: {known}; {more}"


def _is_named_as_ours(path: Path) -> bool:
    # "._talk.mp4" is what macOS writes beside each file on foreign disks.
    visible = path.with_name(path.name.lstrip("."))
    is_copy = path.name.startswith("._")
    return not is_copy and (has_media_suffix(visible) or sidecar_stem(visible) is not None)


def _caption_stem(name: str, *, strict: bool = False) -> str:
    # "talk.en.vtt" -> "talk", "talk.vtt" -> "talk", "v1.2 final.srt" -> "v1.2 final"
    whole = name.rpartition(".")[0]
    stem, dot, language = whole.rpartition(".")
    if not dot or not stem:
        return whole
    role = role_of(f".{language}.vtt")
    is_language = role is not None and (not strict or len(language.partition("-")[0]) <= 3)
    return stem if is_language else whole
