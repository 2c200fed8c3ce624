"""Odd recordings of every kind and container, for `odd_recordings.py`."""
