"""Recordings as files: what they contain and how their sound is decoded.

Put here: opening, probing, length, tracks, decoding.
Keep out: what is heard or seen in them.
"""
