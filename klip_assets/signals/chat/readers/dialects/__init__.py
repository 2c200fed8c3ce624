"""Chat log formats whose entries are JSON objects, each a module with its `FORMAT`.

Put here: a module for each format; nothing else has to name it.
Keep out: delimited rows (`readers.flat`) and lines of text (`readers.lines`).
"""
