"""Errors with a message for people."""

from __future__ import annotations


class KlipError(Exception):
    """A failure with a message for people: what happened, to which file or row, and what to do.

    Args:
        message: One line that names the file, line or row.
        hint: What the reader can do about it, if anything.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        # File names may contain invalid UTF-8, which neither a log nor a table can hold.
        message = message.encode("utf-8", "backslashreplace").decode()
        super().__init__(message if hint is None else f"{message} ({hint})")
        self.message = message
        self.hint = hint


class ContractError(KlipError):
    """A table that breaks its contract: wrong column or type, NULL or duplicate key, value out of range."""


class UnreadableMediaError(KlipError):
    """A recording that can't be opened or decoded. Retrying will not help."""


class UnreadableSidecarError(KlipError):
    """A caption or chat file that can't be read as the format its name implies."""


class OtherClockError(UnreadableSidecarError):
    """A sidecar whose times lie outside the recording, so that it belongs to another one or to another clock."""


class EngineUnavailableError(KlipError):
    """A speech engine or model tier was requested but is not available on this machine."""


class NotFoundError(KlipError):
    """A video, day, table or file that does not exist."""


class ChangedMeanwhileError(KlipError):
    """A file that was replaced or written to while it was being read. What was read is discarded."""


class LockHeldError(KlipError):
    """Another process is working on the same partition or publishing, and did not finish in time."""


class InputError(KlipError):
    """Invalid input: something a person typed or dropped into the inbox."""


class DamagedError(KlipError):
    """A file of Klip's own that can no longer be read: the disk is damaged, or someone wrote to it."""
