"""Errors a person is meant to read."""

from __future__ import annotations


class KlipError(Exception):
    """A failure with a message for people: what happened, to which file or row, and what to do.

    Args:
        message: One line that names the file, line or row.
        hint: What the reader can do about it, if there is something.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        # File names may hold bytes that are no UTF-8; no log and no table could take them.
        message = message.encode("utf-8", "backslashreplace").decode()
        super().__init__(message if hint is None else f"{message} ({hint})")
        self.message = message
        self.hint = hint


class ContractError(KlipError):
    """A table that breaks its contract: wrong column or type, NULL or double key, value out of range."""


class UnreadableMediaError(KlipError):
    """A recording that can't be opened or decoded. Retrying will not help."""


class UnreadableSidecarError(KlipError):
    """A caption or chat file that can't be read as what its name says it is."""


class EngineUnavailableError(KlipError):
    """A speech engine or model tier was asked for and can't be had on this machine."""


class NotFoundError(KlipError):
    """A video, day, table or file that does not exist."""


class ChangedMeanwhileError(KlipError):
    """A file that was replaced or written to while it was being read. What was read of it is thrown away."""


class LockHeldError(KlipError):
    """Somebody else works on the same partition or publishes, and did not finish in time."""


class InputError(KlipError):
    """Something a person typed or dropped that Klip can't take."""


class DamagedError(KlipError):
    """A file of Klip's own that can't be read any more: a damaged disk, or somebody wrote to it."""
