"""Tweets: from a file of any kind to rows by day, merged copies and the day's roll-up."""
