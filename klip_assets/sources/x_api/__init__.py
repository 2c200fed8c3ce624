"""Posts from the X API, version 2: fetched and stored in the tweet inbox unchanged, each once.

Put here: queries, requests, and the progress of each query.
Keep out: the content of posts.
"""
