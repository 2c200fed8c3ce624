"""Files in the inbox: which belong together, what they are called, which changed.

Put here: names and fingerprints of files, and comparing them with the registry.
Keep out: acting on the result; what is in a file.
"""
