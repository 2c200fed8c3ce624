"""The stages of a video and of a day of tweets, as data: what each writes, from which inputs, by which function.

Put here: a stage's inputs and the call of the function that computes it; the frame of every stage (`run`).
Keep out: Dagster; how anything is computed.
"""
