"""What was dropped into the inbox: which files belong together, what they are called, what changed.

Put here: names and fingerprints of files, and comparing them with what is remembered.
Keep out: acting on it; what is in a file.
"""
