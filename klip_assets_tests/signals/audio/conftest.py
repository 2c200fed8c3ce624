"""Sounds that several tests measure."""

from __future__ import annotations

import numpy as np
import pytest

from klip_assets.media.decode import SAMPLE_RATE_HZ


@pytest.fixture(scope="session")
def tones() -> np.ndarray:
    """Ten seconds of chords, sweeps, steps and noise."""
    rng = np.random.default_rng(1)
    t = np.arange(10 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    sweep = np.sin(2 * np.pi * (100 * t + 300 * np.square(t)))
    chord = sum(np.sin(2 * np.pi * f * t) for f in (220, 277, 330))
    level = np.repeat([0.01, 0.3, 0.05, 0.6, 0.1], 2 * SAMPLE_RATE_HZ)
    return (level * (sweep + chord + 0.1 * rng.standard_normal(len(t))) / 4).astype(np.float32)
