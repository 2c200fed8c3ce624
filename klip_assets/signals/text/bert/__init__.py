"""The BERT tier: a text-classification model of Hugging Face by name, or the compact model that Klip ships.

Put here: loading and running such models.
Keep out: other tiers.
"""
