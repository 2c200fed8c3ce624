"""How good highlights and tweet sentiment are: golden sets, metrics, baselines, weights learnt from verdicts.

Put here: golden sets and their formats, metrics, intervals, and learning from editors' verdicts.
Keep out: training text models (`training`), and anything that produces what is measured.
"""
