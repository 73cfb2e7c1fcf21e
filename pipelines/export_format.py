"""The forms in which rows leave as a file."""

from enum import StrEnum


class Format(StrEnum):
    CSV = "csv"
    JSON = "json"
    """A line a row."""
    PARQUET = "parquet"
