"""What a slot in a phrase stands for: numbers drawn afresh each time, and names that stay for one ticket."""

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

Fill = Callable[[Random, datetime], str]
"""Draws a value; the instant is when the ticket is written."""

# fmt: off
FIRST = (
    "Adele", "Bruno", "Carla", "Dmitri", "Elin", "Farid", "Greta", "Henrik", "Ines", "Jonah", "Kamala", "Leon",
    "Mira", "Niels", "Oona", "Paolo", "Quentin", "Rhea", "Sven", "Tariq", "Ulrike", "Vera", "Wim", "Xenia", "Yusuf",
    "Zora", "Arno", "Blanca", "Cato", "Dilara", "Emil", "Fiona", "Goran", "Hanne", "Ivo", "Jette", "Kofi", "Lotte",
)
LAST = (
    "Abel", "Brandt", "Castro", "Duval", "Ekholm", "Faber", "Gruber", "Holm", "Ivanova", "Jansen", "Kaya", "Larsen",
    "Meyer", "Novak", "Okafor", "Peters", "Quast", "Rossi", "Schmid", "Takeda", "Usman", "Vidal", "Weber", "Yilmaz",
    "Zeller", "Alonso", "Bauer", "Costa", "Dunn", "Ebert", "Fischer", "Gomes", "Hansen", "Lund", "Moreau",
)
# fmt: on
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
ORDINALS = ("second", "third", "fourth", "fifth", "umpteenth")


def _between(low: int, high: int) -> Fill:
    span = high - low + 1
    return lambda rng, _: str(low + int(rng.random() * span))


def _one_of(values: tuple[str, ...]) -> Fill:
    return lambda rng, _: values[int(rng.random() * len(values))]


def _hex(digits: int) -> Fill:
    return lambda rng, _: f"{rng.getrandbits(4 * digits):0{digits}x}"


def _clock(rng: Random, _: datetime) -> str:
    return f"{6 + int(rng.random() * 14):02}:{int(rng.random() * 12) * 5:02}"


def _date(soonest: int, latest: int) -> Fill:
    def draw(rng: Random, now: datetime) -> str:
        day = now + timedelta(days=soonest + int(rng.random() * (latest - soonest + 1)))
        return (f"{day.day} {day:%B}", f"{day:%Y-%m-%d}", f"{day:%d.%m.%Y}", f"{day:%b} {day.day}")[
            int(rng.random() * 4)
        ]

    return draw


def _stamp(rng: Random, now: datetime) -> str:
    return (now - timedelta(seconds=int(rng.random() * 9000))).strftime("%Y-%m-%dT%H:%M:%SZ")


def _user(rng: Random, _: datetime) -> str:
    first, last = rng.choice(FIRST).lower(), rng.choice(LAST).lower()
    return (f"{first[0]}.{last}", f"{last}{first[:2]}", f"{first}.{last}", f"u{rng.randrange(10_000, 99_999)}")[
        int(rng.random() * 4)
    ]


def _month(rng: Random, now: datetime) -> str:
    return (now - timedelta(days=30 * rng.randrange(4))).strftime("%B")


FRESH: dict[str, Fill] = {
    "n": _between(2, 9),
    "nn": _between(11, 89),
    "many": _between(110, 4900),
    "pct": _between(12, 96),
    "mins": _between(3, 58),
    "hours": _between(2, 11),
    "days": _between(2, 12),
    "ms": _between(350, 7800),
    "mb": _between(2, 900),
    "gb": _between(2, 60),
    "port": _between(1025, 49_151),
    "hex": _hex(12),
    "hex4": _hex(4),
    "hour": _clock,
    "day": _one_of(WEEKDAYS),
    "nth": _one_of(ORDINALS),
    "date": _date(-21, -1),
    "coming": _date(2, 24),
    "ts": _stamp,
}
"""Drawn again at each mention."""

PER_TICKET: dict[str, Fill] = {
    "user": _user,
    "person": lambda rng, _: f"{rng.choice(FIRST)} {rng.choice(LAST)}",
    "ver": lambda rng, _: f"{rng.randrange(3, 8)}.{rng.randrange(20)}.{rng.randrange(9)}",
    "ip": lambda rng, _: f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}",
    "pubip": lambda rng, _: f"{rng.choice(('203.0.113', '198.51.100', '192.0.2'))}.{rng.randrange(1, 255)}",
    "subnet": lambda rng, _: f"10.{rng.randrange(256)}.{rng.randrange(0, 256, 16)}.0/{rng.randrange(20, 27)}",
    "month": _month,
}
"""Drawn once a ticket; a name with a 2 after it is another of the same kind."""
