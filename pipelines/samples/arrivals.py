"""When tickets come in and from whom: working hours where the customer is, quiet weekends, a storm day, a wave."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, partial
from itertools import accumulate
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

from engine.contracts import Company, Contact, Location, Tier

HOURS = (1, 1, 1, 1, 1, 2, 5, 14, 30, 42, 40, 33, 22, 30, 38, 36, 28, 18, 9, 6, 5, 4, 3, 2)
"""Tickets by local hour, relative: a peak in the morning and one after lunch."""

WEEKDAYS = (1.2, 1.08, 1.0, 1.0, 0.88, 0.12, 0.09)
TIERS = {Tier.ENTERPRISE: 5.0, Tier.BUSINESS: 3.0, Tier.STANDARD: 1.7, Tier.FREE: 0.8}


class Storm(NamedTuple):
    """A day on which many write about one thing. `place` is a share of the period; it breaks out at `hour` UTC."""

    topic: str
    share: float
    place: float
    hour: int


class Wave(NamedTuple):
    """What more people than usual write about in the last `days` of the period, each at an ordinary hour."""

    topic: str
    share: float
    days: int


STORM, WAVE = Storm("SWG-231", 0.03, 0.45, 7), Wave("ZTNA-301", 0.055, 21)

PLACES = {
    "Africa/Johannesburg": (-26.2, 28.05, "Johannesburg"),
    "America/Bogota": (4.71, -74.07, "Bogota"),
    "America/Chicago": (41.88, -87.63, "Chicago"),
    "America/Los_Angeles": (34.05, -118.24, "Los Angeles"),
    "America/Mexico_City": (19.43, -99.13, "Mexico City"),
    "America/New_York": (40.71, -74.01, "New York"),
    "America/Santiago": (-33.45, -70.67, "Santiago"),
    "America/Sao_Paulo": (-23.55, -46.63, "Sao Paulo"),
    "America/Toronto": (43.65, -79.38, "Toronto"),
    "Asia/Dubai": (25.2, 55.27, "Dubai"),
    "Asia/Kolkata": (12.97, 77.59, "Bengaluru"),
    "Asia/Singapore": (1.35, 103.82, "Singapore"),
    "Asia/Tokyo": (35.68, 139.69, "Tokyo"),
    "Australia/Sydney": (-33.87, 151.21, "Sydney"),
    "Europe/Berlin": (52.52, 13.4, "Berlin"),
    "Europe/Copenhagen": (55.68, 12.57, "Copenhagen"),
    "Europe/Lisbon": (38.72, -9.14, "Lisbon"),
    "Europe/London": (51.51, -0.13, "London"),
    "Europe/Madrid": (40.42, -3.7, "Madrid"),
    "Europe/Oslo": (59.91, 10.75, "Oslo"),
    "Europe/Paris": (48.86, 2.35, "Paris"),
    "Europe/Stockholm": (59.33, 18.07, "Stockholm"),
    "Europe/Warsaw": (52.23, 21.01, "Warsaw"),
    "Europe/Zurich": (47.38, 8.54, "Zurich"),
    "Pacific/Auckland": (-36.85, 174.76, "Auckland"),
}


class Arrival(NamedTuple):
    """A moment at which somebody writes; `topic` is what a storm or a wave is about."""

    at: datetime
    contact: Contact
    topic: str | None


def arrivals(
    rng: Random, count: int, *, start: date, days: int, contacts: list[Contact], companies: list[Company]
) -> list[Arrival]:
    """`count` arrivals in the UTC days from `start`, oldest first."""
    senders = [(contact, weight) for contact, weight in zip(contacts, _weights(rng, contacts, companies), strict=True)]
    people, sums = [contact for contact, _ in senders], list(accumulate(weight for _, weight in senders))
    calendar = [start + timedelta(days=day) for day in range(days)]
    hour_sums = list(accumulate(HOURS))
    zones = {name: ZoneInfo(name) for name in {contact.timezone or "UTC" for contact in contacts}}
    first, last = datetime.combine(start, time(), UTC), datetime.combine(start, time(), UTC) + timedelta(days=days)

    def ordinary(contact: Contact, among: Sequence[date]) -> datetime:
        weights = [WEEKDAYS[day.weekday()] for day in among]
        while True:
            day = rng.choices(among, weights)[0]
            hour = rng.choices(range(24), cum_weights=hour_sums)[0]
            local = datetime.combine(
                day, time(hour, rng.randrange(60), rng.randrange(60)), zones[contact.timezone or "UTC"]
            )
            at = local.astimezone(UTC)
            if first <= at < last:
                return at

    def stormy(contact: Contact) -> datetime:
        del contact
        minutes = (STORM.hour + abs(rng.gauss(0, 2.2))) * 60 + rng.random() * 40
        at = first + timedelta(days=storm_day(start, days), minutes=minutes)
        return min(at, last - timedelta(minutes=1)).replace(microsecond=0)

    def write_at(instant: Callable[[Contact], datetime], much: int, topic: str | None = None) -> list[Arrival]:
        return [Arrival(instant(contact), contact, topic) for contact in rng.choices(people, cum_weights=sums, k=much)]

    found = write_at(stormy, round(count * STORM.share), STORM.topic)
    found += write_at(partial(ordinary, among=calendar[-WAVE.days :]), round(count * WAVE.share), WAVE.topic)
    found += write_at(partial(ordinary, among=calendar), count - len(found))
    return sorted(found, key=lambda arrival: (arrival.at, arrival.contact.id))


def storm_day(start: date, days: int) -> int:
    """The storm's day, counted from the start; one that falls on a weekend breaks out on the Friday before."""
    day = int(STORM.place * days)
    return max(0, day - max(0, (start + timedelta(days=day)).weekday() - 4))


@cache
def place(timezone: str | None) -> Location | None:
    """The city by which a time zone is known."""
    if timezone not in PLACES:
        return None
    lat, lng, name = PLACES[timezone]
    return Location(lat=lat, lng=lng, timezone=timezone, name=name)


def _weights(rng: Random, contacts: list[Contact], companies: list[Company]) -> list[float]:
    habit = {company.id: TIERS[company.tier] * rng.lognormvariate(0, 0.3) for company in companies}
    heads = {company.id: sum(contact.company_id == company.id for contact in contacts) for company in companies}
    return [
        habit.get(contact.company_id or "", 1.0)
        / heads.get(contact.company_id or "", 1)
        * rng.lognormvariate(0, 0.4)
        * (0.5 if contact.vip else 1)
        for contact in contacts
    ]
