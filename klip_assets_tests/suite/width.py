"""The wide variants of a few tests, which `make test-wide` asks for: more of the same, too long for every change."""

from __future__ import annotations

import os

#: Whether the copy at every kill point goes on by `klip process`, and all of the crowd is replaced.
WIDE = bool(os.environ.get("KLIP_TESTS_WIDE"))
