"""Who wrote in a chat, without their names.

Finding names in logs is the readers' work; whether names are wanted is a setting.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

#: Of 20,000 authors two get the same 64 bits once in 10^11 chats.
HASH_DIGITS = 16


def author_hashes(salt: bytes) -> Callable[[str], str]:
    """Return a function from what identifies an author to 16 hexadecimal digits (HMAC-SHA256, RFC 2104).

    One author is the same in all logs of an installation. Without the salt nobody can try names against the digits.

    Args:
        salt: Secret bytes of the installation (`store.state.salt`).
    """

    def hashed(author: str) -> str:
        return hmac.digest(salt, author.encode("utf-8", "surrogatepass"), "sha256").hex()[:HASH_DIGITS]

    return hashed


def salt_version(salt: bytes) -> str:
    """Return what tells one salt from another and gives none away."""
    return hashlib.sha256(b"version\x00" + salt).hexdigest()[:HASH_DIGITS]
