"""The fictional livestream behind `data/sample`: speech, sound, picture, chat and tweets.

Belongs here: what `scripts/make_sample.py` needs to generate a recording with known highlights.
Does not belong here: anything Klip itself needs. `klip_assets` never imports this package.
"""
