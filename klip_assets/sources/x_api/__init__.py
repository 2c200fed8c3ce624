"""Posts of the X API, version 2: asked for, laid into the tweet inbox as they come, each once.

Put here: queries, requests, and how far each query is.
Keep out: what is in a post.
"""
