"""Recordings as files: what they contain and how their sound is decoded."""
