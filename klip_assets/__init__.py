"""Klip: stream recordings and tweets in; ranked, explained highlights and audience sentiment out.

The rooms and the floors they stand on: docs/architecture.md.
"""

__version__ = "0.1.0"
