"""For whoever cuts: lists for editing programs, clips from the recording, verdicts on highlights."""
