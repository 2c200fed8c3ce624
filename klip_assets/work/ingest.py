"""Ingesting tweet files into the lake: which are new, changed or gone, and reading each file once."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import PurePath

from klip_assets.contracts import TWEETS, TWEETS_DELETED
from klip_assets.formats.refused import Refused
from klip_assets.inbox.tweet_changes import TweetFile, tweet_changes
from klip_assets.inbox.tweet_files import map_path
from klip_assets.signals.tweets.clock import FIRST_DAY
from klip_assets.signals.tweets.staging import stage as stage_file
from klip_assets.store.files import scratch_folder
from klip_assets.store.lake.lake import Lake
from klip_assets.store.lake.quarantine import quarantine, refused_as_a_whole
from klip_assets.store.lake.tweet_sources import add_source, has_source, remove_source
from klip_assets.store.locks import hold, ingest_lock
from klip_assets.store.state.registry import Registry
from klip_assets.work import read_attempts
from klip_assets.work.installation import Installation
from klip_assets.work.refusals import refuse_tweet_folders

#: Errors of the disk that Klip writes to, not of a file in the inbox.
_OUR_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})

#: At the end of the refusal of a file whose new content can't be used at all.
_KEPT = "; the tweets it had before stay"

#: How many missing files are named.
_NAMED = 3

#: What is counted per file.
COUNTS = ("rows", "duplicates", "deletions", "refused", "time_mismatches")


@dataclass(frozen=True)
class Pending:
    """Differences between the tweet inbox and the lake.

    Attributes:
        fresh: Files to read.
        gone: Files that were read and no longer exist.
        missing: Files that were read and went together with everything around them: they stay unless a person says so.
        leftovers: Hashes of content in the lake that is no longer in any file.
        deaths: Files on which processes died, with how many.
        settling: Signatures of files that may still be written to, by name; for the next scan.
        unreadable: Folders and files that can't be read, relative to the inbox, with the reason.
    """

    fresh: Sequence[TweetFile] = ()
    gone: Sequence[PurePath] = ()
    missing: Sequence[PurePath] = ()
    leftovers: Sequence[str] = ()
    deaths: Sequence[str] = ()
    settling: Mapping[str, str] = field(default_factory=dict)
    unreadable: Mapping[str, str] = field(default_factory=dict)

    @property
    def problems(self) -> dict[str, str]:
        """What keeps the inbox from being read as a whole, by folder or file relative to it."""
        found = dict(self.unreadable)
        if self.missing:
            found.setdefault(self.missing_from, self.missing_text)
        return found

    @property
    def missing_from(self) -> str:
        """The folder that the missing files were in, or the one above their folders, relative to the inbox."""
        return str(PurePath(os.path.commonpath([str(name.parent) for name in self.missing])))

    @property
    def missing_text(self) -> str:
        """What is said of the missing files."""
        names = [name.name for name in self.missing[:_NAMED]]
        if more := len(self.missing) - len(names):
            names.append(f"{more:,} more")
        one = len(self.missing) == 1
        files = "1 tweet file is" if one else f"{len(self.missing):,} tweet files are"
        return (
            f"{files} missing, as where a mount is lost ({', '.join(names)}); {'its' if one else 'their'} tweets stay. "
            f"If {'it was' if one else 'they were'} removed on purpose: klip process --accept-removals"
        )

    @property
    def is_any(self) -> bool:
        """Whether an ingest is due."""
        return bool(self.fresh or self.gone or self.leftovers)

    @property
    def names(self) -> list[str]:
        """Names of the files to read, relative to the inbox."""
        return [str(file.name) for file in self.fresh]

    @property
    def version(self) -> str:
        """Hash of what is to be ingested."""
        files = (f"{file.name}:{file.signature}" for file in self.fresh)
        return _digest([*files, *map(str, self.gone), *self.leftovers, *self.deaths])


def pending(installation: Installation, before: Mapping[str, str] | None = None) -> Pending:
    """Compare the tweet inbox with what is in the lake.

    Args:
        installation: The installation.
        before: Signatures from the previous scan; None: a person asked, so the files are taken as complete.
    """
    changes = tweet_changes(
        installation.settings.tweet_inbox,
        installation.registry,
        before,
        is_other=lambda name: _holds_other(installation.lake, name),
    )
    died = read_attempts.deaths(installation, changes.fresh) if changes.fresh else ()
    found = Pending(
        changes.fresh,
        changes.gone,
        changes.missing,
        installation.registry.leftovers(),
        died,
        changes.pending,
        changes.unreadable,
    )
    refuse_tweet_folders(installation.lake, found.problems, run_id="")
    return found


@dataclass
class Ingested:
    """What an ingest did.

    Attributes:
        files: Number of files to read.
        removed_files: Number of files whose tweets were removed.
        days: Days whose sources changed.
        counts: Totals over all files: rows, duplicates, deletions, refused, time_mismatches.
        times_off: File -> how many of its times disagree with the tweet ids, and by how much.
        version: Version of everything now in the lake.
    """

    files: int = 0
    removed_files: int = 0
    days: set[str] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    times_off: dict[str, str] = field(default_factory=dict)
    version: str = ""


def ingest(
    installation: Installation,
    *,
    only: Collection[str] | None = None,
    accept_removals: bool = False,
    run_id: str = "",
    interrupts_count: bool = False,
    log: logging.Logger,
) -> Ingested:
    """Read new and changed files, and remove the tweets of files that were replaced or removed.

    A file that can't be read is listed in the quarantine and stays new; it does not stop the others. One on which
    processes died is read after the others, and after `MAX_DEATHS` of them no more; the quarantine says so.

    Args:
        installation: The installation.
        only: Names of the files to read; None: all that are new or changed.
        accept_removals: Remove also the tweets of files that are missing: a person says that they were meant to go.
        run_id: The run.
        interrupts_count: Whether an interrupt while a file is read counts as a death.
        log: Logs the outcome of each file.

    Raises:
        OSError: The disk that Klip writes to is full or read-only.
        LockHeldError: Another ingest did not finish in time.
    """
    lake, registry, settings = installation.lake, installation.registry, installation.settings
    done = Ingested()
    # Two ingests at once would mistake each other's files for leftovers.
    with hold(ingest_lock(lake.root), what="the tweet inbox", timeout_s=settings.lock_timeout_s):
        found = pending(installation)
        fresh = [file for file in found.fresh if only is None or str(file.name) in only]
        done.files = len(fresh)
        for file in read_attempts.in_order(installation, fresh):
            try:
                sha256 = file.sha256
                kept = sha256
                with read_attempts.reading(installation, file, sha256, interrupts_count=interrupts_count) as allowed:
                    if allowed:
                        kept = _read(installation, file, sha256, done, run_id=run_id, log=log)
                    else:
                        _skip(installation, file, sha256, done, run_id=run_id, log=log)
                # After the attempt has ended: a kill in between has the file read again, but leaves no death behind.
                registry.record_staged(file.name, file.signature, kept)
            except OSError as error:
                if error.errno in _OUR_DISK:
                    raise
                log.error(f"{file.name}: {error}")
                refused = [Refused("file", "can't be read", error.strerror or type(error).__name__)]
                quarantine(lake, str(file.name), TWEETS.name, refused, run_id=run_id)
                done.counts["refused"] += 1
        gone = [*found.gone, *(found.missing if accept_removals else _moved(found.missing, registry))]
        done.removed_files = len(gone)
        for name in gone:
            quarantine(lake, str(name), TWEETS.name, [], run_id=run_id)
            registry.forget_staged(name)
            read_attempts.forget(installation, name)
        if found.missing:
            pending(installation)  # So that the quarantine has only what is still missing.
        # Last, and from the registry: this also finishes the job of a run that was killed before it got here.
        for sha256 in registry.leftovers():
            done.days |= set(remove_source(lake, sha256))
            registry.forget_leftover(sha256)
        staged = "|".join(sorted(sha for _, sha in registry.staged_files().values()))
        done.version = hashlib.sha256(staged.encode()).hexdigest()[:32]
    return done


def _holds_other(lake: Lake, name: str) -> bool:
    """Return whether the lake holds other content of a file than it had when it was last read."""
    found = refused_as_a_whole(lake, [name], TWEETS.name)
    return any(entry.detail.endswith(_KEPT) for entry in found.values())


def _moved(missing: Sequence[PurePath], registry: Registry) -> list[PurePath]:
    """Return the missing files whose content is in another file now: nothing is lost with them."""
    staged = registry.staged_files()
    there = {sha256 for name, (_, sha256) in staged.items() if name not in missing}
    return [name for name in missing if staged[name][1] in there]


def _skip(
    installation: Installation, file: TweetFile, sha256: str, done: Ingested, *, run_id: str, log: logging.Logger
) -> None:
    """Take a file as read without any row, since processes died on it: what they left of it is removed."""
    registry = installation.registry
    read_attempts.skip(installation, file, run_id=run_id)
    if sha256 not in {sha for name, (_, sha) in registry.staged_files().items() if name != file.name}:
        done.days |= set(remove_source(installation.lake, sha256))
    done.counts["refused"] += 1
    log.error(f"{file.name}: skipped, because processes died while reading it")


def _read(
    installation: Installation, file: TweetFile, sha256: str, done: Ingested, *, run_id: str, log: logging.Logger
) -> str:
    """Read a file and write its rows for each of its days.

    Content that can't be used at all (its column map is lost, say) does not replace what was read of the file before.

    Returns:
        Hash of the content that the file's rows in the lake come from.
    """
    lake, registry, name = installation.lake, installation.registry, str(file.name)
    with scratch_folder(installation.settings.scratch_dir) as scratch:
        staged = stage_file(file.path, scratch=scratch, column_map=map_path(file.path))
        first, last = FIRST_DAY, datetime.now(UTC).date()
        refused = list(staged.refused)
        for day in staged.parts:
            if not first <= day <= last:
                refused += [
                    Refused(f"tweet {tweet_id}", "created before Twitter or in the future", f"{day}")
                    for tweet_id in staged.parts[day]["tweet_id"].to_pylist()
                ]
        before = registry.staged_files().get(file.name)
        is_unusable = not staged.parts and not staged.deleted and any(entry.position == "file" for entry in refused)
        if is_unusable and before and has_source(lake, before[1]):
            refused = [replace(entry, detail=entry.detail + _KEPT) for entry in refused]
            quarantine(lake, name, TWEETS.name, refused, run_id=run_id)
            done.counts["refused"] += len(refused)
            log.error(f"{name}: {refused[-1].reason}{_KEPT}")
            return before[1]
        quarantine(lake, name, TWEETS.name, [*refused, *staged.unread], run_id=run_id)
        days: list[date] = [day for day in staged.parts if first <= day <= last]
        deleted = [(day, rows) for day, rows in staged.deleted.items() if first <= day <= last]
        registry.begin_staging(sha256)
        rows = add_source(lake, sha256, name, ((day, staged.parts[day]) for day in days))
        add_source(lake, sha256, name, deleted, table=TWEETS_DELETED)
    done.days |= {day.isoformat() for day in (*days, *(day for day, _ in deleted))}
    found = (rows, staged.duplicates, staged.deletions, len(refused), staged.time_mismatches)
    for what, count in zip(COUNTS, found, strict=True):
        done.counts[what] += count
    if staged.time_mismatches:
        done.times_off[name] = f"{staged.time_mismatches} rows, mostly {staged.typical_offset}"
    parts = [f"{staged.kind or 'unknown format'}: {rows} tweets on {len(days)} days"]
    parts += [
        f"{count} {what}"
        for count, what in (
            (staged.duplicates, "copies"),
            (staged.deletions, "reported as deleted"),
            (len(refused), "refused"),
            (staged.time_mismatches, f"whose time disagrees with their id (mostly {staged.typical_offset} off)"),
        )
        if count
    ]
    log.info(f"{name}: {', '.join(parts)}")
    return sha256


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:32]
