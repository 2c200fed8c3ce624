"""What a reader of one log format declares about itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from klip_assets.signals.chat.readers.log import Found

#: An entry of a log in JSON.
Item = Mapping[str, object]


@dataclass(frozen=True)
class ItemFormat:
    """A log format whose entries are JSON objects.

    Attributes:
        name: The program that writes it, as named in the README.
        sniff: Returns whether an object is of this format.
        read: Yields what an object of this format holds, given its position in the file and the object.
        of_stream: Whether its times always count from the start of the stream, also where the log or the recording is
            only a section of it.
        container: Key under which a document of this format holds its entries, "" if it is a list of them.
        order: Formats are tried in this order.
    """

    name: str
    sniff: Callable[[Item], bool]
    read: Callable[[str, Item], Iterable[Found]]
    of_stream: bool = False
    container: str = ""
    order: int = 0
