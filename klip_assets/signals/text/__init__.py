"""What models read in a text: sentiment and emotions, by tiers llm, bert and lexicon, best first."""
