"""Dagster's side of Klip: assets, checks, jobs, sensors, schedules, the instance and its services.

Put here: what needs Dagster (nothing else imports it), as a thin layer over the other rooms.
Keep out: decisions, and how anything is computed or shown.
"""
