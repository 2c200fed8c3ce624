"""Who wrote in a chat, without their names.

Put here: what is stored in place of a name, and the salt that keeps it from being guessed. Keep out: finding names in
logs (`chat.readers`) and whether names are wanted (`settings`).
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from klip_assets.errors import InputError
from klip_assets.store.files import write_atomically
from klip_assets.store.locks import hold

SALT_BYTES = 32
#: Of 20,000 authors two get the same 64 bits once in 10^11 chats.
HASH_DIGITS = 16

_WAIT_S = 30.0


def author_hashes(salt: bytes) -> Callable[[str], str]:
    """Return a function from what identifies an author to 16 hexadecimal digits (HMAC-SHA256, RFC 2104).

    One author is the same in all logs of an installation. Without the salt nobody can try names against the digits.

    Args:
        salt: As `read_salt` gives it.
    """

    def hashed(author: str) -> str:
        return hmac.digest(salt, author.encode("utf-8", "surrogatepass"), "sha256").hex()[:HASH_DIGITS]

    return hashed


def salt_version(salt: bytes) -> str:
    """Return what tells one salt from another and gives none away."""
    return hashlib.sha256(b"version\x00" + salt).hexdigest()[:HASH_DIGITS]


def read_salt(path: Path) -> bytes:
    """Return the salt of this installation; the first call makes it, for its owner's eyes only.

    Args:
        path: The file.

    Raises:
        InputError: The file holds something else.
        LockHeldError: Another process has been making it for half a minute.
    """
    if not path.exists():
        with hold(path.with_name(f"{path.name}.lock"), what="the salt of author names", timeout_s=_WAIT_S):
            if not path.exists():
                write_atomically(path, _write_salt)
    salt = path.read_bytes()
    if len(salt) != SALT_BYTES:
        raise InputError(
            f"{path.name}: {len(salt)} bytes, a salt has {SALT_BYTES}",
            hint="put it back from a copy, or remove it: then all authors get new hashes",
        )
    return salt


def _write_salt(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(SALT_BYTES))
