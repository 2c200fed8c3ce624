"""The salt that prevents names of chat authors from being guessed from their hashes."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from klip_assets.errors import InputError
from klip_assets.store.files import write_atomically
from klip_assets.store.locks import hold

SALT_BYTES = 32

_WAIT_S = 30.0


def read_salt(path: Path) -> bytes:
    """Return the salt of this installation; the first call creates it, readable only by its owner.

    Args:
        path: The file.

    Raises:
        InputError: The file is not a salt.
        LockHeldError: Another process has held the lock for half a minute.
    """
    if not path.exists():
        with hold(path.with_name(f"{path.name}.lock"), what="the salt of author names", timeout_s=_WAIT_S):
            if not path.exists():
                write_atomically(path, _write_salt)
    salt = path.read_bytes()
    if len(salt) != SALT_BYTES:
        raise InputError(
            f"{path.name}: {len(salt)} bytes, expected {SALT_BYTES}",
            hint="restore it from a backup, or remove it: then all authors get new hashes",
        )
    return salt


def _write_salt(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(SALT_BYTES))
