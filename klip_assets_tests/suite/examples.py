"""How many examples a property test tries."""

from __future__ import annotations

from hypothesis import settings

#: Under the profile `fast`, which `make test-fast` asks for.
FAST = 25


def examples(count: int) -> int:
    """Return the number of examples that a test asks for, no more than 25 of them under the profile `fast`."""
    return min(count, FAST) if settings.get_current_profile_name() == "fast" else count
