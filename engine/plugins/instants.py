"""How people write an instant: formats, zone names, month names of a language, day numbers of a spreadsheet."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import polars as pl

NUMBERS: Final = ("epoch_s", "epoch_ms", "excel", "excel_1904")
LANGUAGE: Final = "language:"
ISO_LOCAL: Final = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d")
ISO_ZONED: Final = ("%+", "%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z")
ZONES: Final = {
    name: offset
    for offset, names in {
        "-10:00": "HST", "-09:00": "AKST", "-08:00": "PST AKDT", "-07:00": "MST PDT", "-06:00": "MDT", "-05:00": "EST",
        "-04:00": "EDT", "-03:00": "BRT ART", "+00:00": "UTC GMT WET", "+01:00": "CET MEZ WEST WAT",
        "+02:00": "CEST MESZ EET SAST CAT", "+03:00": "EEST MSK EAT", "+05:00": "PKT", "+05:45": "NPT", "+07:00": "WIB",
        "+08:00": "SGT HKT AWST", "+09:00": "JST KST", "+09:30": "ACST", "+10:00": "AEST", "+10:30": "ACDT",
        "+11:00": "AEDT", "+12:00": "NZST", "+13:00": "NZDT",
    }.items()
    for name in names.split()
}  # fmt: skip
"""Names with one meaning. CST (Chicago, Shanghai, Havana), IST, BST and their like have several, and are no names."""
OFFSET: Final = re.compile(r"^[+-](0\d|1[0-4]):[0-5]\d$")

EXCEL_EPOCHS: Final = {"excel": 25_569, "excel_1904": 24_107}
"""The day number of 1970-01-01. From March 1900 on, the 1900 system is a day ahead: it has a 29 February 1900."""
_TIME: Final = re.compile(r"\b(\d{1,2}):(\d{2})(?::(\d{2}))?")

UNITS: Final = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400, "clock": 0, "words": 0}
"""Seconds; `clock` is 26:30 or 26:30:15, `words` is 1d 2h 30m or 1 day 2 hours, a day of 24 hours."""


class Writing(NamedTuple):
    """How the instants of a file are written; local ones are in `zone`."""

    formats: Sequence[str]
    zone: str
    day_first: bool | None = None
    zone_names: Mapping[str, str] = {}

    @property
    def shown(self) -> str:
        return f"an instant written as {' or '.join(self.formats)} in {self.zone}"


def instant(raw: pl.Expr, writing: Writing) -> pl.Expr:
    """UTC instant by the first format that fits.

    An hour that a clock change repeats means its first pass; one that it skips, and years outside 1970–2199, are null.
    """
    text, found = raw.str.strip_chars(), list[pl.Expr]()
    for form in writing.formats:
        found += _readings(text, form, writing, found)
    return _usual(pl.coalesce(found))


def why_none(cells: pl.Series, writing: Writing) -> list[str]:
    """Why each of these cells is no instant, in words that follow it."""
    text = pl.col("cell").str.strip_chars()
    frame = cells.to_frame("cell").select(
        "cell",
        local=_usual(
            pl.coalesce(
                pl.lit(None, pl.Datetime("us")),
                *(naive for form in writing.formats for naive in _naive(text, form, writing)),
            )
        ),
        other=pl.coalesce(pl.lit(None, pl.Datetime("us")), *(_parsed(text, form) for form in _swapped(writing))),
    )
    return [_why_none(cell, local, other, writing) for cell, local, other in frame.iter_rows()]


def _why_none(cell: str, local: datetime | None, other: datetime | None, writing: Writing) -> str:
    if local is not None:
        return f"is an hour that does not exist in {writing.zone}: its clocks skip it"
    if other is not None:
        return f"is not {writing.shown}; a column is read in one order of day and month"
    if any("%Z" in form for form in writing.formats) and (name := re.search(r"\b[A-Z]{2,5}$", cell.strip())):
        return f"is not {writing.shown}; {name[0]} is no zone with one meaning, give its offset under `zone_names`"
    return f"is not {writing.shown}"


def _swapped(writing: Writing) -> list[str]:
    """Formats with day and month as numbers, in the other order and with any of the usual marks."""
    places = [form for form in writing.formats if _day_first(form) is not None]
    turned = [re.sub("%[dm]", lambda code: "%m" if code[0] == "%d" else "%d", form) for form in places]
    return [re.sub(r"(?<=%[dm])[./-]", mark, form) for form in turned for mark in "./-"]


def _readings(text: pl.Expr, form: str, writing: Writing, before: Sequence[pl.Expr]) -> list[pl.Expr]:
    match form:
        case "epoch_s" | "epoch_ms":
            number = _number(text, r"^\d+(\.\d+)?$") * (1000 if form == "epoch_s" else 1)
            millis = pl.when(number < 10**13).then(number).round().cast(pl.Int64)
            return [(millis * 1000).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")]
        case _ if "%Z" in form:
            return [_parsed(_with_offset(text, writing.zone_names), form.replace("%Z", "%z"), "UTC")]
        case _ if form != "iso" and any(code in form for code in ("%z", "%:z", "%#z", "%+")):
            return [_parsed(text, form, "UTC")]
        case _ if form.startswith(LANGUAGE) and before:
            text = pl.when(pl.coalesce(before).is_null()).then(text)
    zoned = [_parsed(text, iso, "UTC") for iso in ISO_ZONED] if form == "iso" else []
    return zoned + [_in_zone(naive, writing.zone) for naive in _naive(text, form, writing)]


def _naive(text: pl.Expr, form: str, writing: Writing) -> list[pl.Expr]:
    """Local readings; none of a format that tells the zone."""
    if form == "iso":
        return [_parsed(text, iso) for iso in ISO_LOCAL]
    if form in EXCEL_EPOCHS:
        days = _number(text, r"^\d+([.,]\d+)?$") - EXCEL_EPOCHS[form]
        seconds = pl.when(days.is_between(0, 84_006)).then(days * 86_400).round().cast(pl.Int64)
        return [(seconds * 1_000_000).cast(pl.Datetime("us"))]
    if form.startswith(LANGUAGE):
        language, first = form.removeprefix(LANGUAGE), _order(writing)
        return [text.map_batches(lambda cells: _by_language(cells, language, first), return_dtype=pl.Datetime("us"))]
    if form in NUMBERS or any(code in form for code in ("%z", "%:z", "%#z", "%+", "%Z")):
        return []
    return [_parsed(_half_days(text) if "%p" in form else text, form)]


def _parsed(text: pl.Expr, form: str, zone: str | None = None) -> pl.Expr:
    return text.str.strptime(pl.Datetime("us", zone), form, strict=False)


def duration(raw: pl.Expr, unit: str) -> pl.Expr:
    """How long a cell says something took; null for what is no duration in this unit."""
    text = raw.str.strip_chars().str.to_lowercase()
    match unit:
        case "clock":
            parts = [
                text.str.extract(r"^(\d+):([0-5]\d)(?::([0-5]\d))?$", n).cast(pl.Int64).fill_null(0) for n in (1, 2, 3)
            ]
            good, seconds = text.str.contains(r"^\d+:[0-5]\d(:[0-5]\d)?$"), parts[0] * 3600 + parts[1] * 60 + parts[2]
        case "words":
            amounts = [(text.str.extract(rf"(\d+)\s*{word}"), size) for word, size in _SPANS.items()]
            good = text.str.contains(rf"^(\d+\s*({'|'.join(_SPANS)})[\s,]*)+$")
            seconds = pl.sum_horizontal(amount.cast(pl.Int64).fill_null(0) * size for amount, size in amounts)
        case _:
            number = _number(text, r"^\d+([.,]\d+)?$")
            good, seconds = number.is_not_null() & (number < 10**9), number * UNITS[unit]
    return pl.when(good).then(pl.duration(milliseconds=(seconds * 1000).round().cast(pl.Int64)))


_SPANS: Final = {
    r"d(?:ays?)?\b": 86_400,
    r"h(?:(?:ou)?rs?)?\b": 3_600,
    r"m(?:in(?:ute)?s?)?\b": 60,
    r"s(?:ec(?:ond)?s?)?\b": 1,
}


def _in_zone(naive: pl.Expr, zone: str) -> pl.Expr:
    return (
        _usual(naive).dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC")
    )


def _usual(moment: pl.Expr) -> pl.Expr:
    return pl.when(moment.dt.year().is_between(1970, 2199)).then(moment)


def _number(text: pl.Expr, pattern: str) -> pl.Expr:
    digits = pl.when(text.str.contains(pattern)).then(text.str.replace(",", ".", literal=True))
    return digits.cast(pl.Float64, strict=False)


def _half_days(text: pl.Expr) -> pl.Expr:
    """`a. m.` as am, and the narrow blank before it as a blank."""
    return text.str.replace_all("[\u00a0\u202f]", " ").str.replace(r"(?i)\b([ap])\.\s?m\b\.?", "${1}m")


def _with_offset(text: pl.Expr, more: Mapping[str, str]) -> pl.Expr:
    """A zone's name as its offset; `UTC+2` as +02:00."""
    names = ZONES | {name.upper(): offset for name, offset in more.items()}
    name = text.str.extract(rf"\b({'|'.join(names)})\b", 1)
    plain = (
        text.str.replace(r"\b(?:UTC|GMT)([+-])(\d)(:?\d\d)?\b", "${1}0${2}${3}")
        .str.replace(r"\b(?:UTC|GMT)([+-]\d\d)", "${1}")
        .str.replace(r"([+-]\d\d)$", "${1}:00")
    )
    return (
        pl.when(name.is_null() | (plain != text))
        .then(plain)
        .otherwise(
            text.str.replace(rf"\b({'|'.join(names)})\b", "\x01").str.replace(
                "\x01", name.replace_strict(names, default=None), literal=True
            )
        )
    )


def _order(writing: Writing) -> bool | None:
    orders = (order for form in writing.formats if (order := _day_first(form)) is not None)
    return next(orders, None) if writing.day_first is None else writing.day_first


def _by_language(cells: pl.Series, language: str, day_first: bool | None) -> pl.Series:
    """Local instants by `dateparser`, which takes a millisecond and is asked once for each half of a day."""
    plain = cells.to_frame("cell").select(_half_days(pl.col("cell"))).to_series()
    known: dict[str, datetime | None] = {}
    found = {}
    for cell, text in zip(cells, plain, strict=True):
        if cell is not None and cell not in found:
            found[cell] = _in_language(text, language, day_first, known)
    return pl.Series(cells.name, [found.get(cell) for cell in cells], dtype=pl.Datetime("us"))


def _in_language(
    text: str, language: str, day_first: bool | None, known: dict[str, datetime | None]
) -> datetime | None:
    time = _TIME.search(text)
    hour, minute, second = (int(part or 0) for part in time.groups()) if time else (0, 0, 0)
    if max(minute, second) > 59 or hour > 23:
        return None
    shown = 13 if hour > 12 else 12 if hour == 12 else min(hour, 1)
    key = _TIME.sub(f"{shown}:00", text, count=1)
    if key not in known:
        known[key] = _by_dateparser(key, language, day_first)
    found = known[key]
    return found and found + timedelta(hours=hour - shown, minutes=minute, seconds=second)


def _by_dateparser(text: str, language: str, day_first: bool | None) -> datetime | None:
    from dateparser.date import DateDataParser  # noqa: PLC0415  # slow, and for few mappings
    from dateparser.timezone_parser import pop_tz_offset_from_string  # noqa: PLC0415

    all_numbers = re.search(r"\b(\d{1,2})[./-](\d{1,2})[./-]\d{2,4}\b", text)
    if (all_numbers and day_first is None) or pop_tz_offset_from_string(text)[1] is not None:
        return None
    order = {} if day_first is None else {"DATE_ORDER": "DMY" if day_first else "MDY"}
    settings = {"STRICT_PARSING": True, "PARSERS": ["absolute-time"], **order}
    found: datetime | None = DateDataParser(languages=[language], settings=settings).get_date_data(text).date_obj
    if found is not None and all_numbers and int(all_numbers[1 if day_first else 2]) != found.day:
        return None  # it takes the other order where the given one gives no date
    return found


def is_offset(text: str) -> bool:
    return bool(OFFSET.match(text))


def wrong_format(form: str) -> str | None:
    """Why this is no format of a date; None if it is one."""
    if form.startswith(LANGUAGE):
        return None if _is_language(form.removeprefix(LANGUAGE)) else f"{form!r}: dateparser knows no such language"
    if form in ("iso", *NUMBERS) or _works(form):
        return None
    named = ", ".join(("iso", *NUMBERS, f"{LANGUAGE}es"))
    return f"{form!r} is no date format; use strftime codes like %d/%m/%Y %H:%M, or {named}"


def two_orders(formats: Sequence[str]) -> str | None:
    """Why these formats can't stand together: a column is read in one order of day and month."""
    first = {day_first: form for form in formats if (day_first := _day_first(form)) is not None}
    if len(first) < 2:
        return None
    return f"{first[True]!r} and {first[False]!r} read one column in two orders of day and month; give one of them"


def _day_first(form: str) -> bool | None:
    """Whether the day stands before the month, both being numbers; None if one of them is none, or the year leads."""
    day, month, year = (min((form.find(code) for code in codes if code in form), default=-1) for codes in
                        (("%d", "%e", "%-d"), ("%m", "%-m"), ("%Y", "%y")))  # fmt: skip
    return None if min(day, month) < 0 or -1 < year < min(day, month) else day < month


def _is_language(name: str) -> bool:
    from dateparser.data.languages_info import language_order  # noqa: PLC0415  # slow, and for few mappings

    return name in language_order


def _works(form: str) -> bool:
    """Whether a format reads back a date that it wrote."""
    probe = pl.Series(["2016-02-29T13:16:00Z"]).str.to_datetime("%+", time_zone="UTC")
    plain = form.replace("%Z", "%z")
    try:
        back = probe.dt.to_string(plain).str.to_datetime(plain, strict=False)
        return back.dt.date().to_list() == probe.dt.date().to_list()
    except (pl.exceptions.PolarsError, ValueError):
        return False
