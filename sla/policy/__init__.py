"""What was promised to whom: policies and calendars as files, and what they mean."""
