"""How good the highlights and the readings of tweets are: golden sets, metrics, baselines, weights from verdicts.

Put here: sets in their forms, metrics, intervals, and what is learnt from editors' verdicts.
Keep out: making text models (`training`), and anything that makes what is measured.
"""
