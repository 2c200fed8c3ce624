"""The fictional livestream behind `data/sample`: what is said, heard, seen, chatted and tweeted.

Belongs here: what `scripts/make_sample.py` needs to invent a recording whose highlights are known beforehand.
Does not belong here: anything Klip itself runs on. `klip_assets` never imports this package.
"""
