"""What people asked for, made from the rows of several senses.

Put here: a package or module for each product.
Keep out: another product (editing alone reads highlights), the inbox.
"""
