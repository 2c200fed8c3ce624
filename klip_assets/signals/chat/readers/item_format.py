"""What a reader of one kind of log declares of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from klip_assets.signals.chat.readers.log import Found

#: An entry of a log in JSON.
Item = Mapping[str, object]


@dataclass(frozen=True)
class ItemFormat:
    """A kind of log whose entries are JSON objects.

    Attributes:
        name: Who writes it, as the README calls them.
        sniff: Says whether an object is of this kind.
        read: Yields what an object of this kind holds, given its position in the file and the object.
    """

    name: str
    sniff: Callable[[Item], bool]
    read: Callable[[str, Item], Iterable[Found]]
