"""From bytes to text, JSON values and records, whatever the file is about.

Put here: opening and decoding within stated limits, and the form in which readers report refusals.
Keep out: what a file is about; settings, folders, tables.
"""
