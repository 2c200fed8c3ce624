"""Klip: stream recordings and tweets in; ranked, explained highlights and audience sentiment out.

Rooms: `assets` and its neighbours are the Dagster layer; `lake` and `warehouse` store; `inbox` knows what was
dropped; `media`, `speech`, `audio`, `chat`, `sentiment`, `highlights`, `tweets` are plain Python in, plain
tables out; `evaluation` measures; `cli` is the `klip` command.
"""

__version__ = "0.1.0"
