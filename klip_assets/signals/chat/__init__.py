"""Chat logs: messages of a log beside a recording, and what they show second by second."""
