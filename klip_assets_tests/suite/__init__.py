"""How the suite behaves: what a test waits for, what watches it, what it leaves behind, what it could not run."""
