"""A whole backlog at once, with the same answers as one ticket read aloud."""
