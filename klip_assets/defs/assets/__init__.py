"""The assets, one module per group of the lineage graph.

Put here: reading inputs, one call to a room below, a table with metadata.
Keep out: algorithms.
"""
