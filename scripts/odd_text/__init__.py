"""The odd files, rows, replies and answers of `odd_texts.py`, a module for each part of Klip that reads them."""
