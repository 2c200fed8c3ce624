"""Attempts to read tweet files: content on which three processes died is skipped, and the other files are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import PurePath

from klip_assets.contracts import TWEETS
from klip_assets.errors import InputError
from klip_assets.failpoints import fail_point
from klip_assets.formats.refused import Refused
from klip_assets.inbox.tweet_changes import TweetFile
from klip_assets.store.lake.quarantine import quarantine
from klip_assets.store.state.attempts import MAX_DEATHS, NEVER_TRIED, Attempt, Ending
from klip_assets.work.installation import Installation

#: Before the name of a file, in the memory of attempts. No video id has a slash, and no day.
_PREFIX = "tweets/"


def in_order(installation: Installation, files: Sequence[TweetFile]) -> list[TweetFile]:
    """Return files with those last on which a process died, so that they don't block others."""
    tried = installation.attempts.all()
    return sorted(files, key=lambda file: tried.get(_subject(file.name), NEVER_TRIED).begun)


def deaths(installation: Installation, files: Sequence[TweetFile]) -> list[str]:
    """Return how many processes died on which of these files: a part of the name of the next attempt to read them."""
    tried = installation.attempts.all()
    found = ((file.name, tried.get(_subject(file.name), NEVER_TRIED).begun) for file in files)
    return [f"{name}:{begun}" for name, begun in found if begun]


@contextmanager
def reading(installation: Installation, file: TweetFile, sha256: str, *, interrupts_count: bool) -> Iterator[bool]:
    """Record that a file is being read; whoever dies on it leaves that record.

    Args:
        installation: The installation.
        file: The file.
        sha256: Hash of its content.
        interrupts_count: Whether an interrupt counts as a death: in a run of the daemon, a service that is stopped
            because it hangs ends with one. A person's Ctrl-C does not count, as it does not for recordings.

    Yields:
        Whether to read it: False if too many processes died on this content.
    """
    subject, attempts = _subject(file.name), installation.attempts
    attempt = attempts.all().get(subject, NEVER_TRIED)
    if not attempt.allows(sha256):
        yield False
        return
    attempts.begin({subject: sha256})
    try:
        fail_point("tweets.reading", str(file.name))
        yield True
    except BaseException as error:
        if isinstance(error, Exception) or not interrupts_count:
            attempts.end({subject: Ending.DONE})
        raise
    attempts.end({subject: Ending.DONE})


def skip(installation: Installation, file: TweetFile, *, run_id: str) -> None:
    """Name a file in the quarantine that is not read because processes died on it."""
    reason = f"not read: {MAX_DEATHS} processes died while reading it (out of memory, or it never ended)"
    refused = [Refused("file", reason, f"replace the file; to retry: klip process {file.name}")]
    quarantine(installation.lake, str(file.name), TWEETS.name, refused, run_id=run_id)


def skipped_files(installation: Installation) -> list[str]:
    """Return the names of the files that are not read because processes died on them."""
    read = installation.registry.staged_files()
    return sorted(str(name) for name, attempt in _tried(installation).items() if attempt.crash_looping and name in read)


def read_again(installation: Installation, asked: str) -> bool:
    """Have the next ingest read a tweet file once more, whatever became of it before.

    Args:
        installation: The installation.
        asked: Its path relative to the inbox, or its name alone if that is unique.

    Returns:
        Whether there is such a file.

    Raises:
        InputError: Several files have this name.
    """
    read = installation.registry.staged_files()
    known = {*read, *_tried(installation)}
    root = installation.settings.tweet_inbox
    names = [name for name in known if asked in (str(name), name.name) and (root / name).is_file()]
    if PurePath(asked) in names:
        names = [PurePath(asked)]
    if len(names) > 1:
        listed = ", ".join(sorted(map(str, names)))
        raise InputError(f"several tweet files are named {asked!r}: {listed}", hint="give its path in the inbox")
    for name in names:
        installation.attempts.forget(_subject(name))
        installation.registry.forget_staged(name)
    return bool(names)


def forget(installation: Installation, name: PurePath) -> None:
    """Forget the attempts on a file that is gone."""
    installation.attempts.forget(_subject(name))


def _tried(installation: Installation) -> Mapping[PurePath, Attempt]:
    return {
        PurePath(subject.removeprefix(_PREFIX)): attempt
        for subject, attempt in installation.attempts.all().items()
        if subject.startswith(_PREFIX)
    }


def _subject(name: PurePath) -> str:
    return f"{_PREFIX}{name}"
