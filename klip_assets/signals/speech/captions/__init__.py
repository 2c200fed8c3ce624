"""Caption and transcript files beside a recording: every format to timed words and sounds.

Put here: a reader for each format, with its line in `formats`.
Keep out: recognizers.
"""
