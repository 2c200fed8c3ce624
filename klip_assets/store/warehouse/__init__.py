"""The published DuckDB file: built from accepted generations, replaced in one step, opened read-only.

Put here: DDL, building, versions and the link to the newest, queries.
Keep out: what is accepted, and when to publish.
"""
