"""Bytes to text, JSON values and records, whatever the file is about.

Put here: opening and decoding within stated limits, and the shape in which readers report what they refused.
Keep out: what a file is about; settings, folders, tables.
"""
