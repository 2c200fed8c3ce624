"""Roll-ups for analysts: one SQL file per mart, run when a version is built.

Put here: SQL over published tables.
Keep out: anything that needs more than one statement.
"""
