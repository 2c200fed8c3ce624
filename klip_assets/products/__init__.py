"""Products for users, built from the rows of several signals.

Put here: one package or module per product.
Keep out: other products (only editing reads highlights), the inbox.
"""
