"""What happens to files on their way: bytes flipped, cut out, put in or doubled, and ends that are missing."""

from __future__ import annotations


def damaged(data: bytes, damage: list[tuple[str, int, bytes]]) -> bytes:
    """Return the data after a series of damages: what, where, and the bytes it takes."""
    for what, where, noise in damage:
        place = where % (len(data) + 1)
        if what == "flip":
            data = data[:place] + noise + data[place + len(noise) :]
        elif what == "cut":
            data = data[:place] + data[place + 7 * len(noise) :]
        elif what == "insert":
            data = data[:place] + noise + data[place:]
        elif what == "double":
            data = data[:place] + data[max(place - 50, 0) :]
        elif noise[0] < 64:
            data = data[:place]
    return data
