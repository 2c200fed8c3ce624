"""The assets, one module for each group of the lineage graph.

Put here: reading inputs, one call of a room below, a table with metadata.
Keep out: algorithms.
"""
