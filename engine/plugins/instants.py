"""How people write an instant: formats, zone names, month names of a language, day numbers of a spreadsheet."""

import re
from collections.abc import Sequence
from typing import Final

import polars as pl

NUMBERS: Final = ("epoch_s", "epoch_ms", "excel", "excel_1904")
LANGUAGE: Final = "language:"
ISO_LOCAL: Final = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d")
ISO_ZONED: Final = ("%+", "%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z")
ZONES: Final = {
    name: offset
    for offset, names in {
        "-10:00": "HST", "-09:00": "AKST", "-08:00": "PST AKDT", "-07:00": "MST PDT", "-06:00": "MDT", "-05:00": "EST",
        "-04:00": "EDT", "-03:00": "BRT ART", "+00:00": "UTC GMT WET Z", "+01:00": "CET MEZ WEST WAT",
        "+02:00": "CEST MESZ EET SAST CAT", "+03:00": "EEST MSK EAT", "+05:00": "PKT", "+05:45": "NPT", "+07:00": "WIB",
        "+08:00": "SGT HKT AWST", "+09:00": "JST KST", "+09:30": "ACST", "+10:00": "AEST", "+10:30": "ACDT",
        "+11:00": "AEDT", "+12:00": "NZST", "+13:00": "NZDT",
    }.items()
    for name in names.split()
}  # fmt: skip
"""Names with one meaning. CST (Chicago, Shanghai, Havana), IST, BST and their like have several, and are no names."""
OFFSET: Final = re.compile(r"^[+-](0\d|1[0-4]):[0-5]\d$")


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
