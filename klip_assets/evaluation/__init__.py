"""How good the highlights are: golden sets, metrics, baselines."""
