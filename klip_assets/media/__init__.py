"""Media files: what recordings contain, and decoding their audio.

Put here: opening, probing, length, tracks, decoding.
Keep out: what is heard or seen in them.
"""
