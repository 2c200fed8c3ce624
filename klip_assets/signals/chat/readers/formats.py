"""The chat log formats whose entries are JSON objects: every module of `dialects`, and plain objects."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from klip_assets.signals.chat.readers import dialects, flat
from klip_assets.signals.chat.readers.item_format import ItemFormat


def _found() -> tuple[ItemFormat, ...]:
    modules = [import_module(f"{dialects.__name__}.{found.name}") for found in pkgutil.iter_modules(dialects.__path__)]
    return tuple(sorted((module.FORMAT for module in modules), key=lambda known: (known.order, known.name)))


#: In the order they are tried; the last one accepts any object. For delimited rows, see `flat.read_rows`.
ITEM_FORMATS: tuple[ItemFormat, ...] = (*_found(), flat.FORMAT)

#: Keys under which documents hold their entries.
CONTAINERS = frozenset({known.container for known in ITEM_FORMATS if known.container} | set(flat.CONTAINERS))

#: Hint for users; it names every format.
SUPPORTED = (
    f"supported: JSON from {', '.join(known.name for known in ITEM_FORMATS)}, lines such as [0:01:05] Ann: hello, and "
    "CSV or JSON lines with a time (offset_s, offset_ms, time, timestamp, created_at: seconds, milliseconds, h:mm:ss "
    "or a time of day), an author and a text"
)
