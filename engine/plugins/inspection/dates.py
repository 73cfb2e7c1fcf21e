"""How a column writes its instants: the formats that fit, how many cells they fit, and whether it could be read two
ways."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Literal, NamedTuple

Order = Literal["day", "month", "year"]
"""What stands first in a date of three numbers."""

LANGUAGES: Final = (
    "es",
    "pt",
    "fr",
    "de",
    "it",
    "nl",
    "pl",
    "sv",
    "da",
    "nb",
    "fi",
    "cs",
    "tr",
    "ru",
    "uk",
    "hu",
    "ro",
)
"""In which months are looked for."""
PROBED: Final = 12
"""Cells by which the language of months is told."""

Fits = Callable[[str, Sequence[str]], list[bool]]
"""Which cells a format of a mapping reads."""

_DATE = re.compile(r"(?P<a>\d{1,4})(?P<s>[./\- ])(?P<b>\d{1,2})(?P=s)(?P<c>\d{4}|\d{2})(?!\d)")
_TIME = re.compile(
    r"(?P<gap>,? +|T|, ?)(?P<h>\d{1,2})(?P<s1>[:.h])(?P<m>\d{2})((?P<s2>[:.])(?P<sec>\d{2})(?P<frac>[.,]\d+)?)?"
    r"(?P<half>[ \u00a0\u202f]?[AaPp](?:[Mm]|\.[ \u00a0]?[Mm]\.?))?"
    r"(?P<zone> ?(?:Z|[+-]\d{2}:?\d{2})| (?:UTC|GMT)?[+-]\d\S*| [A-Z]{2,5})?"
)
_MONTH_FIRST = re.compile(r"(?P<month>[^\W\d_]+)\.?(?P<s1> )(?P<d>\d{1,2})(?P<s2>,? )(?P<y>\d{4}|\d{2})(?!\d)")
_DAY_FIRST = re.compile(
    r"(?P<d>\d{1,2})(?P<s1>[./\- ]|\. )(?P<month>[^\W\d_]+)(?P<s2>[./\-, ]|\. |, )(?P<y>\d{4}|\d{2})(?!\d)"
)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?(?: ?(?:Z|[+-]\d{2}:?\d{2}))?")
_EPOCHS = ((re.compile(r"1\d{9}"), "epoch_s"), (re.compile(r"1\d{12}"), "epoch_ms"))


class DateColumn(NamedTuple):
    """How the cells of a column are read as instants."""

    formats: tuple[str, ...]
    share: float
    """Of the cells that hold something, how many one of the formats reads."""
    readings: dict[Order, tuple[str, ...]]
    """More than one where as many cells can be read with either order."""
    odd: str | None
    """A cell that none of the formats reads."""
    differ: bool
    """Whether the readings mean another day for some cell."""

    @property
    def language(self) -> str | None:
        """Of its month names, if it has any."""
        if any("%b" in form.lower() for form in self.formats):
            return "en"
        return next((form.partition(":")[2] for form in self.formats if form.startswith("language:")), None)

    @property
    def is_ambiguous(self) -> bool:
        return len(self.readings) > 1 and self.differ


class _Shape(NamedTuple):
    """What cells written alike have in common: the format of each order that they may have."""

    formats: tuple[tuple[Order, str], ...]


def date_column(cells: Mapping[str, int], *, fits: Fits, languages: Sequence[str] = ()) -> DateColumn | None:
    """How the distinct cells, each with its count, are read; None if fewer than half of them are instants. Months that
    are not English are looked for in `languages` first."""
    by_shape: dict[_Shape, list[str]] = {}
    for cell in cells:
        if shape := _shape(cell.strip()):
            by_shape.setdefault(shape, []).append(cell)
    read = [_Reading.of(shape, some, cells, fits, languages) for shape, some in by_shape.items()]
    read = [each for each in read if each.orders]
    total, dated = sum(cells.values()), sum(max(each.by_order.values()) for each in read)
    if not total or dated * 2 < total:
        return None
    first, *others = sorted(read, key=lambda each: -each.total)
    return _joined(first, others, cells, total, fits)


class _Reading(NamedTuple):
    """The cells of one shape: how many, and how many of them each order reads."""

    shape: _Shape
    total: int
    cells: list[str]
    by_order: dict[Order, int]

    @classmethod
    def of(
        cls, shape: _Shape, some: list[str], cells: Mapping[str, int], fits: Fits, languages: Sequence[str]
    ) -> "_Reading":
        def read(form: str) -> int:
            return sum(cells[cell] for cell, good in zip(some, fits(form, some), strict=True) if good)

        count, by_order = sum(cells[cell] for cell in some), {order: read(form) for order, form in shape.formats}
        if any("%b" in form.lower() for _, form in shape.formats) and max(by_order.values()) < count:
            order, form = shape.formats[0][0], _in_language(some, fits, languages)
            if form and (found := read(form)) > by_order[order]:
                return cls(_Shape(((order, form),)), count, some, {order: found})
        return cls(shape, count, some, by_order)

    @property
    def orders(self) -> tuple[Order, ...]:
        """The order that reads the most cells; each of them where several do."""
        most = max(self.by_order.values(), default=0)
        return tuple(order for order, count in self.by_order.items() if count == most and most)

    def forms(self, order: Order) -> list[str]:
        return [form for each, form in self.shape.formats if each == order]


def _joined(
    first: _Reading, others: Iterable[_Reading], cells: Mapping[str, int], total: int, fits: Fits
) -> DateColumn | None:
    """The most frequent shape decides what is asked; a rarer one that could be read two ways is read as it is decided
    where it has the same separators, and else not at all."""
    shapes = [first, *others]
    sure = [each for each in shapes if len(each.orders) == 1]
    same = [each for each in sure if _separator(each) == _separator(first)]
    orders = first.orders if not same else tuple(dict.fromkeys(each.orders[0] for each in same))[:1]
    if not orders:
        return None
    readings: dict[Order, tuple[str, ...]] = {}
    for order in orders:
        forms: dict[str, None] = {}
        for each in shapes:
            mine = order if order in each.by_order and _separator(each) == _separator(first) else None
            mine = mine or (each.orders[0] if len(each.orders) == 1 else None)
            forms |= dict.fromkeys(each.forms(mine) if mine else ())
        readings[order] = tuple(forms)
    formats = readings[orders[0]]
    good = _read_by(formats, list(cells), fits)
    odd = next((cell for cell, is_read in good.items() if not is_read), None)
    share = sum(cells[cell] for cell, is_read in good.items() if is_read) / total
    return DateColumn(formats, share, readings, odd, _differ(first))


def _in_language(some: list[str], fits: Fits, languages: Sequence[str]) -> str | None:
    """The format with the months of the language that reads the most of these cells."""
    probe, best, most = some[:PROBED], None, 0
    for form in (f"language:{each}" for each in dict.fromkeys((*languages, *LANGUAGES)) if each != "en"):
        if (count := sum(fits(form, probe))) > most:
            best, most = form, count
        if most == len(probe):
            break
    return best


def _read_by(formats: Iterable[str], cells: list[str], fits: Fits) -> dict[str, bool]:
    good = dict.fromkeys(cells, False)
    for form in formats:
        for cell, is_read in zip(cells, fits(form, cells), strict=True):
            good[cell] = good[cell] or is_read
    return good


def _differ(reading: _Reading) -> bool:
    """Whether the order matters for any cell: 03/03 is the same day either way."""
    dates = [found for cell in reading.cells if (found := _DATE.match(cell.strip()))]
    return any(len({found["a"].zfill(2), found["b"].zfill(2)}) > 1 for found in dates)


def _separator(reading: _Reading) -> str:
    found = _DATE.match(reading.cells[0].strip())
    return found["s"] if found else ""


def _shape(cell: str) -> _Shape | None:
    for pattern, name in _EPOCHS:
        if pattern.fullmatch(cell):
            return _Shape((("year", name),))
    if _ISO.fullmatch(cell):
        return _Shape((("year", "iso"),))
    for pattern, dates in ((_DATE, _numeric), (_DAY_FIRST, _day_first), (_MONTH_FIRST, _month_first)):
        if (found := pattern.match(cell)) and (time := _time(cell[found.end() :])) is not None:
            return _Shape(tuple((order, date + time) for order, date in dates(found)))
    return None


def _numeric(found: re.Match[str]) -> list[tuple[Order, str]]:
    s, year = found["s"], "%Y" if len(found["c"]) == 4 else "%y"
    if len(found["a"]) > 2:
        return [("year", f"%Y{s}%m{s}%d")] if len(found["a"]) == 4 and len(found["c"]) == 2 else []
    orders: list[tuple[Order, str]] = [("day", f"%d{s}%m{s}{year}"), ("month", f"%m{s}%d{s}{year}")]
    return [*orders, ("year", f"%y{s}%m{s}%d")] if s == "-" and year == "%y" else orders


def _day_first(found: re.Match[str]) -> list[tuple[Order, str]]:
    return [("day", f"%d{found['s1']}{_month(found)}{found['s2']}{_year(found)}")]


def _month_first(found: re.Match[str]) -> list[tuple[Order, str]]:
    return [("month", f"{_month(found)}{found['s1']}%d{found['s2']}{_year(found)}")]


def _month(found: re.Match[str]) -> str:
    return "%b" if len(found["month"]) <= 3 else "%B"


def _year(found: re.Match[str]) -> str:
    return "%Y" if len(found["y"]) == 4 else "%y"


def _time(rest: str) -> str | None:
    """The format of what follows a date; None if it is no time of day."""
    if not rest:
        return ""
    found = _TIME.fullmatch(rest)
    if not found:
        return None
    half = found["half"]
    text = f"{found['gap']}{'%I' if half else '%H'}{found['s1']}%M"
    if found["sec"]:
        text += f"{found['s2']}%S" + ("%.f" if found["frac"] else "")
    if half:
        text += "%p" if half[0] in "AaPp" else " %p"
    if zone := found["zone"]:
        text += (" " if zone[0] == " " else "") + ("%#z" if re.fullmatch(r" ?(Z|[+-]\d{2}:?\d{2})", zone) else "%Z")
    return text
