"""Which moments are worth watching, and why: terms, weights, the score curve, picking, explanations.

Put here: scoring and picking from tables, with every term recorded.
Keep out: measuring how good they are (`evaluation`), the store, settings.
"""
