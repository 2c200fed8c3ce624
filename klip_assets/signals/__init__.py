"""The senses: rows of what can be heard, said, chatted, read and tweeted.

Put here: plain Python in, plain tables out, a room for each sense.
Keep out: other senses (speech alone listens through audio), the store, the inbox, settings.
"""
