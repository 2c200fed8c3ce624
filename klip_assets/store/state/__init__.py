"""State that many runs write: SQLite files in which every change is one transaction.

Put here: names of recordings and contents, attempts, staged files, replies of language models, the ledger of calls.
Keep out: rules over them.
"""
