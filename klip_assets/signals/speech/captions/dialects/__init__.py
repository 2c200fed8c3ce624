"""The kinds of caption and transcript files, a module each; `captions.formats` finds them by listing this package.

Put here: a module with `FORMAT`, a `CaptionFormat` or a `JsonFormat`: how such a file is recognized and read.
Keep out: what several kinds share (it is in `captions`), and anything slow to import: the inbox reads the suffixes.
"""
