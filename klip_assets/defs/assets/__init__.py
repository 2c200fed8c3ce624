"""The Dagster layer, one module a group of the lineage graph.

An asset reads its inputs, calls one function of a domain package and returns a table with metadata. No algorithm
lives here.
"""
