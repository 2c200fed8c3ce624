"""Tweets: from files of any format to rows by day, with copies merged.

Put here: readers, the values of a tweet, splitting by day, merging.
Keep out: fetching (`sources`), sentiment of tweets (`signals.text`), roll-ups (`products`).
"""
