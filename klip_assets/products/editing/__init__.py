"""For whoever cuts: lists for editing programs, clips from the recording, verdicts on highlights.

Put here: what leaves Klip for an editing program, and what an editor says of it.
Keep out: choosing moments (`products.highlights`).
"""
