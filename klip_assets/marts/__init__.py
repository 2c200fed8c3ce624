"""Roll-ups for analysts, each a statement in a SQL file of its own name: the day, the hour, hashtags, authors, streams.

`tweet_daily` is made a day at a time when its tweets change; the others are made at a publish from the published tables
that their contract names (`reads`).

Put here: SQL over tables that are there, and what runs it. Keep out: columns (`contracts.marts`), reading texts.
"""
