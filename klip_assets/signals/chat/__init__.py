"""Chat logs: the messages beside a recording, and what they show second by second.

Put here: reading logs, placing messages in time, what they say about a moment.
Keep out: deciding which moments are good.
"""
