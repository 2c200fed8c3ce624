"""Chat logs: messages of a log beside a recording, and what they show second by second.

Put here: reading logs, placing them in time, what they say of a moment.
Keep out: deciding which moments are good.
"""
