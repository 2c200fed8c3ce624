"""Which moments are worth watching, and why: terms, weights, the score curve, picking, explanations."""
