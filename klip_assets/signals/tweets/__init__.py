"""Tweets: from a file of any kind to rows by day, and merged copies.

Put here: readers, the values of a tweet, splitting by day, merging.
Keep out: fetching (`sources`), what models read in tweets (`signals.text`), roll-ups (`products`).
"""
