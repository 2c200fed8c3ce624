"""What was dropped into the inbox: which files belong together, what they are called, what changed."""
