"""The BERT tier: any Hugging Face text-classification model by name, or the compact model that ships with Klip.

Put here: loading and running such models.
Keep out: other tiers.
"""
