"""Klip's decisions: what is due, what may be published, what is refused, whether a recording is still the same.

Put here: rules over the store, the inbox and the signals, callable without Dagster.
Keep out: Dagster, how a value is computed, how it is shown.
"""
