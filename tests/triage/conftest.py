"""The data and the instant of triage's tests."""

from datetime import UTC, datetime
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "data"
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def monday() -> datetime:
    return MONDAY
