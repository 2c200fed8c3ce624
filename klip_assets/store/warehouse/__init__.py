"""The published DuckDB file: built from accepted generations, replaced atomically, opened read-only.

Put here: DDL, building, versions and the link to the newest one, queries.
Keep out: what is accepted, and when to publish.
"""
