"""Audio features, one row per second: level, loudness, spectrum, pitch, raised voices, voice activity.

Put here: features of sound.
Keep out: words, and anything derived from the features.
"""
