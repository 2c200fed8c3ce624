"""Signals: rows measured from sound, speech, chat, text and tweets.

Put here: plain Python in, plain tables out, one package per signal.
Keep out: other signals (only speech uses audio), the store, the inbox, settings.
"""
