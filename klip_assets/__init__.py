"""Klip: stream recordings and tweets in; ranked, explained highlights and audience sentiment out.

Packages and their layers: docs/architecture.md.
"""

__version__ = "0.1.0"
