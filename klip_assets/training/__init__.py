"""Training the compact model of the BERT tier: texts, network, fitting, export, measuring.

Needs the extra `train` (torch, transformers, scikit-learn, the base encoder). Nothing here is imported for inference.

Put here: training, exporting and measuring text models.
Keep out: reading texts with them (`signals.text`).
"""
