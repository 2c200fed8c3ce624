"""What fetches into the inbox by itself.

Put here: a room for each place that is asked.
Keep out: reading what came: that is the inbox's way, as if a person had dropped it.
"""
