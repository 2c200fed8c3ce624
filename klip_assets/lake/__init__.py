"""The lake: Parquet partitions, the system of record. Atomic write, read, validate, accept."""
