"""Sentiment and emotions of texts, by the tiers llm, bert and lexicon, best first.

Put here: tiers, and choosing among them.
Keep out: where a text comes from; training models (`training`).
"""
