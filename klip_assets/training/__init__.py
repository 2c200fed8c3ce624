"""How the compact model of the BERT tier is made: texts, network, fitting, export, measuring.

Needs the extra `train` (torch, transformers, scikit-learn, the base encoder). Nothing here is imported when Klip reads.

Put here: learning, exporting and measuring text models.
Keep out: reading with them (`signals.text`).
"""
