"""State shared by all runs: SQLite files in which every change is one transaction.

Put here: ids of recordings and contents, attempts, staged files, replies from language models, the ledger of calls.
Keep out: rules over them.
"""
