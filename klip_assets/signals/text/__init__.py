"""What models read in a text: sentiment and emotions, by tiers llm, bert and lexicon, best first.

Put here: tiers, and choosing among them.
Keep out: where a text comes from; making models (`training`).
"""
