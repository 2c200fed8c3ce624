"""The published DuckDB file: built whole from accepted generations, replaced in one step, read by anybody."""
