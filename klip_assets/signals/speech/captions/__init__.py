"""Caption and transcript files beside a recording: every kind to timed words and sounds.

Put here: a reader for each kind of file, with its line in `formats`.
Keep out: recognizers.
"""
