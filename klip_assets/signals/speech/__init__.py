"""Who said what when: captions and recognizers to timed words, words to sentences and segments.

Put here: recognizers, and the way from words to segments.
Keep out: what is meant by the words (`signals.text`).
"""
