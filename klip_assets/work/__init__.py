"""What Klip decides: what is due, what may be accepted, what is refused, how progress is told.

Put here: rules over the store, the inbox and the senses, callable without Dagster.
Keep out: Dagster, how a value is computed, how it is shown.
"""
