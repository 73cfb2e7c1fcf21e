"""How a page says times, deadlines, amounts and shares to a person."""

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.not_measured import in_words
from engine.shared.wilson import wilson

CLOCKS = {
    "first_response": "First response",
    "resolution": "Resolution",
    "next_response": "Next update",
    "next_reply": "Next reply",
}
STATES = {
    "on_track": "on track", "at_risk": "at risk", "breached": "breached", "met": "met",
    "not_measured": "not measured", "no_target": "nothing promised", "no_clock": "not started",
}  # fmt: skip
REASONS = {
    "never_picked_up": "never picked up in time", "waiting_internally": "waited on our side",
    "over_effort": "the work took longer",
}  # fmt: skip
TICK = 5
"""Seconds between two looks at what is counted down."""
RANKS = ("critical", "high", "medium", "low")
TIERS = ("enterprise", "business", "standard", "free")


def not_counted(why: str) -> str:
    """Why a clock is in no share, as the end of a sentence that begins with how many."""
    return "left out by outcome (spam, duplicate, …)" if why == "left_out" else f"not measured: {in_words(why)}"


def plain(word: str | None) -> str:
    """A word of the data as it is said: `waiting_customer` becomes `waiting customer`."""
    return "–" if word is None else word.replace("_", " ")


def count(amount: int, one: str, many: str | None = None) -> str:
    """So many of a thing: `1 ticket`, `1,500 tickets`."""
    return f"{amount:,} {one if amount == 1 else many or f'{one}s'}"


def listed(items: Sequence[str]) -> str:
    """As a sentence lists them: `agent`, `agent and expert`, `manager, agent and expert`."""
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def in_order(values: Iterable[str], order: Sequence[str]) -> list[str]:
    """Values in the desk's own order, those it does not know behind, by name."""
    return sorted(values, key=lambda value: (order.index(value) if value in order else len(order), value))


def span(seconds: float) -> str:
    """A length of time in its two largest units, cut, not rounded: `2 d 3 h`, `2 h 10 min`, `under 1 min`."""
    minutes = int(abs(seconds)) // 60
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    first = next((i for i, (amount, _) in enumerate(parts) if amount), None)
    if first is None:
        return "under 1 min"
    return " ".join(f"{amount} {unit}" for amount, unit in parts[first : first + 2] if amount)


def worked(seconds: float) -> str:
    """Business time in hours and minutes: a working day has not 24 hours, so days are not said."""
    minutes = int(abs(seconds)) // 60
    parts = [f"{minutes // 60:,} h" if minutes >= 60 else "", f"{minutes % 60} min" if minutes % 60 else ""]
    return " ".join(part for part in parts if part) or "under 1 min"


def left(seconds: float) -> str:
    """What remains of a target in business time: `1 h 20 min left`, `over by 3 h`."""
    return f"{worked(seconds)} left" if seconds > 0 else f"over by {worked(seconds)}" if seconds < 0 else "nothing left"


def countdown(seconds: int) -> str:
    """Business time to the second: `1:04:09`; what is used up to the last second at closing is late from opening on."""
    if not seconds:
        return "late at opening,"
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def due(due_at: datetime | None, now: datetime, seconds_left: float | None = None) -> str:
    """A deadline seen from now: `due in 2 h 10 min`, `late by 3 h`; without a deadline nothing runs out.

    A target used up to the last second at closing time is not late before the next opening (`seconds_left` is 0).
    """
    if due_at is None:
        return "no deadline"
    if due_at <= now and seconds_left is not None and seconds_left >= 0:
        return "due at opening"
    until = (due_at - now) / timedelta(seconds=1)
    return f"due in {span(until)}" if until >= 0 else f"late by {span(until)}"


def instant(at: datetime | None, zone: str | None = None) -> str:
    """An instant on the reader's clock: `Fri 20 Nov 2026, 14:05 CET`."""
    if at is None:
        return "–"
    try:
        local = at.astimezone(ZoneInfo(zone or "UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        local = at.astimezone(ZoneInfo("UTC"))
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M %Z}"


def day(on: date) -> str:
    """A day without its year: `28 Sep`."""
    return f"{on.day} {on:%b}"


def days(first: date | None, last: date | None) -> str:
    """A period of whole days: `5 Oct to 11 Oct 2026`; `all history` without ends."""
    ends = [f"{on.day} {on:%b}" if on else None for on in (first, last)]
    match ends, last or first:
        case [str(begin), str(end)], date() as on:
            return f"{begin} to {end} {on.year}" if begin != end else f"{begin} {on.year}"
        case [str(begin), None], date() as on:
            return f"since {begin} {on.year}"
        case [None, str(end)], date() as on:
            return f"up to {end} {on.year}"
    return "all history"


def percent(share: float | None, digits: int = 0) -> str:
    """A share as a percentage. What is not whole is never rounded up to 100 % nor down to 0 %."""
    if share is None:
        return "–"
    shown = round(share * 100, digits)
    if shown in (0, 100) and share not in (0, 1):
        return "> 99 %" if shown else "< 1 %"
    return f"{shown:.{digits}f} %"


def with_interval(share: float | None, low: float | None, high: float | None, digits: int = 0) -> str:
    """A share with its 95 % interval, in percent: `78 % [71–84]`."""
    if share is None or low is None or high is None:
        return percent(share, digits)
    return f"{percent(share, digits)} [{low * 100:.{digits}f}–{high * 100:.{digits}f}]"


def share_of(hits: int, trials: int, digits: int = 0) -> str:
    """Hits / trials as `with_interval`; `–` of none."""
    return with_interval(hits / trials, *wilson(hits, trials), digits) if trials else percent(None)


def sources(citations: str | None) -> list[str]:
    """The cited sources of a draft (JSON, as published), a line each: `[1] Title, address`."""
    return [f"[{cited['index']}] {cited['title']}, {cited['url']}" for cited in json.loads(citations or "[]")]
