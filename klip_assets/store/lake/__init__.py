"""The lake: Parquet partitions, the system of record.

Put here: partitions with their provenance, the check before each write, the quarantine, stage status, the sources of
tweets, accepted generations.
Keep out: what a partition is made from, and whether a generation is accepted.
"""
