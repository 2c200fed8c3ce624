"""The wide variants of a few tests, which `make test-wide` asks for: more of the same, too long for every change."""

from __future__ import annotations

import os

#: Whether what a killed run left goes on by `klip process` each time, all of the crowd is retaken, and so on.
WIDE = bool(os.environ.get("KLIP_TESTS_WIDE"))
