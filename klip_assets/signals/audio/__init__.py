"""What can be heard besides words: level, loudness, spectrum, pitch, raised voices, voice activity, a row per second.

Put here: features of sound.
Keep out: words, and what is made of features.
"""
