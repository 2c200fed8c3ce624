"""Caption and transcript files beside a recording: every kind to timed words and sounds."""
