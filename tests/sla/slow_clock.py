"""Membership second by second: slow and obviously right. Knows nothing of the intervals the room compiles."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def seconds(text: str) -> int:
    hours, minutes = text.split(":")[:2]
    return int(hours) * 3600 + int(minutes) * 60


def is_open(calendar: dict[str, Any], at: datetime) -> bool:
    """By the wall clock, straight from the data form of a calendar."""
    if calendar.get("always"):
        return True
    local = at.astimezone(ZoneInfo(calendar["tz"]))
    today, now = local.date(), local.hour * 3600 + local.minute * 60 + local.second
    overrides = calendar.get("overrides", {})
    if today.isoformat() in calendar.get("holidays", []) and today.isoformat() not in overrides:
        return False

    def windows(day: date) -> list[list[str]]:
        return overrides.get(day.isoformat(), calendar["weekly"].get(DAYS[day.weekday()], []))

    for start, end in windows(today):
        a, b = seconds(start), seconds(end)
        if a <= now and (now < b or b <= a):
            return True
    for start, end in windows(today - timedelta(days=1)):
        a, b = seconds(start), seconds(end)
        if b <= a and now < b:
            return True
    return False


def elapsed(calendar: dict[str, Any], start: datetime, end: datetime, step: int = 1) -> int:
    """Business seconds in [start, end), counted in steps that all edges are multiples of."""
    count, at = 0, start
    while at < end:
        count += step * is_open(calendar, at)
        at += timedelta(seconds=step)
    return count


def deadline(calendar: dict[str, Any], start: datetime, need: int, limit: datetime, step: int = 1) -> datetime | None:
    """The first instant at which `need` business seconds have passed; None if that is after `limit`."""
    at = start
    while need > 0:
        if at >= limit:
            return None
        need -= step * is_open(calendar, at)
        at += timedelta(seconds=step)
    return at


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)
