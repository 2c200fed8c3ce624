"""How good the highlights are: golden sets, metrics, baselines, and weights learnt from verdicts."""
