"""Sources that are fetched into the inbox automatically.

Put here: one package per source.
Keep out: reading the fetched files: they are handled like files a person put into the inbox.
"""
