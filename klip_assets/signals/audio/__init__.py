"""What can be heard besides words: level, loudness, spectrum, pitch, voice activity, a row a second."""
