"""Who wrote in a chat, without their names.

Readers find the names in logs; a setting says whether they are stored.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

#: With 20,000 authors, two share the same 64 bits in one chat out of 10^11.
HASH_DIGITS = 16


def author_hashes(salt: bytes) -> Callable[[str], str]:
    """Return a function that maps an author's identity to 16 hexadecimal digits (HMAC-SHA256, RFC 2104).

    An author has the same hash in all logs of an installation. Without the salt, names cannot be tested against it.

    Args:
        salt: Secret bytes of the installation (`store.state.salt`).
    """

    def hashed(author: str) -> str:
        return hmac.digest(salt, author.encode("utf-8", "surrogatepass"), "sha256").hex()[:HASH_DIGITS]

    return hashed


def salt_version(salt: bytes) -> str:
    """Return an identifier that differs between salts without revealing them."""
    return hashlib.sha256(b"version\x00" + salt).hexdigest()[:HASH_DIGITS]
