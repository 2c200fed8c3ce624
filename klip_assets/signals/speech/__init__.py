"""Speech: captions and recognizers to timed words, words to sentences and segments.

Put here: recognizers, and the steps from words to segments.
Keep out: what the words mean (`signals.text`).
"""
