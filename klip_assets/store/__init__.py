"""What lies on the disk: state that many runs write, the Parquet lake, the published warehouse.

Put here: how something is stored, locked, read back and found again after a kill.
Keep out: why it is stored, what it means, and whether it may be published.
"""
