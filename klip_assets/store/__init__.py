"""Storage on disk: state shared by all runs, the Parquet lake, the published warehouse.

Put here: how data is stored, locked, read back and recovered after a kill.
Keep out: why it is stored, what it means, and whether it may be published.
"""
