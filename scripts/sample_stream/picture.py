"""The picture: a small side-scrolling game with a progress bar and a clock.

Belongs here: frames. Does not belong here: encoding them (media).

Everything is drawn in indexed colours, (rows, columns) uint8, where 0 is transparent; PALETTE defines the colours.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

WIDTH, HEIGHT, FPS = 320, 180, 10
TILE = 20
WORLD_TILES = 160
HILLS_WIDTH = 960
SPEED_PX_S = 60
PLAYER_X = 90
HILL, GRASS, EARTH, EDGE, COIN, PLAYER, WHITE, BAR, SKY = range(1, 10)
PALETTE = np.zeros((SKY + HEIGHT // 2, 3), dtype=np.uint8)
PALETTE[:SKY] = (
    (0, 0, 0), (70, 120, 150), (90, 190, 80), (130, 85, 50), (100, 55, 20), (250, 210, 60), (220, 50, 60),
    (245, 245, 245), (255, 120, 40),
)  # fmt: skip
PALETTE[SKY:] = [(76 + 0.8 * y, 132 + 0.8 * y, min(255, 204 + 0.8 * y)) for y in range(HEIGHT // 2)]
GLYPHS = {
    "0": "75557", "1": "26227", "2": "71747", "3": "71717", "4": "55711", "5": "74717",
    "6": "74757", "7": "71122", "8": "75757", "9": "75717", ":": "02020",
}  # fmt: skip
"""Characters of 3 x 5 pixels: five rows, each an octal digit."""


def frames(duration_s: float, seed: int) -> Iterator[np.ndarray]:
    """Yield the pictures of a recording, ten per second.

    Args:
        duration_s: Length of the recording in seconds.
        seed: Seed of the landscape.

    Yields:
        (180, 320, 3) uint8, RGB.
    """
    rng = np.random.default_rng([seed, 3])
    heights_px = TILE * np.clip(np.cumsum(rng.integers(-1, 2, size=WORLD_TILES)) % 6, 1, 4)
    world, hills, glyphs = _world(heights_px, rng), _hills(), _glyphs()
    count = round(duration_s * FPS)
    for number in range(count):
        left = number * SPEED_PX_S // FPS % (WORLD_TILES * TILE)
        far = number * SPEED_PX_S // FPS // 3 % HILLS_WIDTH
        near = world[:, left : left + WIDTH]
        picture = np.where(near, near, hills[:, far : far + WIDTH])
        _player(picture, heights_px, left)
        picture[6:12, 60:310] = WHITE
        picture[7:11, 61 : 61 + 248 * number // max(1, count - 1)] = BAR
        minutes, seconds = divmod(number // FPS, 60)
        for place, character in enumerate(f"{minutes:02d}:{seconds:02d}"):
            picture[4:14, 8 + place * 9 : 14 + place * 9][glyphs[character]] = WHITE
        yield PALETTE[picture]


def _world(heights_px: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw the ground and the coins, with the start repeated at the end."""
    world = np.zeros((HEIGHT, WORLD_TILES * TILE), dtype=np.uint8)
    for tile, height_px in enumerate(heights_px):
        x, top = tile * TILE, HEIGHT - height_px
        world[top:, x : x + TILE] = EARTH
        world[top:, x] = EDGE
        world[top : top + 5, x : x + TILE] = GRASS
        if rng.random() < 0.25:
            world[top - 34 : top - 26, x + 6 : x + 14] = COIN
    return np.hstack([world, world[:, :WIDTH]])


def _hills() -> np.ndarray:
    """Draw the sky and the far hills, with the start repeated at the end."""
    x, y = np.arange(HILLS_WIDTH), np.arange(HEIGHT)[:, None]
    ridge = 105 + 18 * np.sin(2 * np.pi * x / 320) + 9 * np.sin(2 * np.pi * x / 192)
    hills = np.where(y > ridge, HILL, SKY + y // 2).astype(np.uint8)
    return np.hstack([hills, hills[:, :WIDTH]])


def _player(picture: np.ndarray, heights_px: np.ndarray, left: int) -> None:
    """Draw the player on the ground, hopping where the ground changes; changes the picture in place."""
    at = (left + PLAYER_X) / TILE
    tile, along = int(at) % WORLD_TILES, at % 1.0
    here, ahead = int(heights_px[tile]), int(heights_px[(tile + 1) % WORLD_TILES])
    hop_px = 26 * 4 * along * (1 - along) if here != ahead else 0.0
    feet = round(HEIGHT - here - (ahead - here) * along - hop_px)
    picture[feet - 16 : feet, PLAYER_X - 6 : PLAYER_X + 6] = PLAYER
    picture[feet - 13 : feet - 10, PLAYER_X + 1 : PLAYER_X + 4] = WHITE


def _glyphs() -> dict[str, np.ndarray]:
    """Return the characters of the clock at double size: (10, 6) bool, true for foreground."""
    bits = np.array([4, 2, 1])
    inks = {name: np.array([int(row) for row in rows])[:, None] & bits > 0 for name, rows in GLYPHS.items()}
    return {name: np.kron(ink, np.ones((2, 2), dtype=bool)) for name, ink in inks.items()}
