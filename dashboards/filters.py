"""The one filter bar of the Look pages: drawn by the entry script above each of them, kept in the address.

Each filter is bound to a parameter of the address by the names that the reader sees; the entry script draws it, so it
stays from page to page. A link can't set bound parameters (Streamlit adds to them): it carries LINK, which is taken off
the address before the bar is drawn.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import streamlit as st

from dashboards import navigation, opening, pages
from pipelines.app import identity
from pipelines.app.container import App
from pipelines.app.identity import Right, User
from pipelines.figures import queries, words
from pipelines.figures.selection import Period, Selection
from pipelines.marts import MartReader


def _month_before(today: date) -> Period:
    last = today.replace(day=1) - timedelta(days=1)
    return Period(last.replace(day=1), last)


PERIOD, DAYS, LINK = "during", "days", "where"
OWN = "own days"
DEFAULT = "last 12 weeks"
PRESETS: Mapping[str, Callable[[date], Period]] = {
    DEFAULT: lambda today: Period.of_days(84, until=today),
    "last 4 weeks": lambda today: Period.of_days(28, until=today),
    "last 7 days": lambda today: Period.of_days(7, until=today),
    "this month": lambda today: Period(today.replace(day=1), today),
    "last month": _month_before,
    "this quarter": lambda today: Period(today.replace(month=today.month - (today.month - 1) % 3, day=1), today),
    "all history": lambda _: Period(),
}
"""Periods by name, as of a day."""


class Filter(NamedTuple):
    """One filter: its label, the order and names of its values, what "none" is called where there may be none."""

    label: str
    order: Sequence[str] = ()
    names: Mapping[str, str] = {}
    none: str = ""


SHOWN: Mapping[str, Filter] = {
    "clocks": Filter("Clock", names=words.CLOCKS),
    "tiers": Filter("Contract tier", words.TIERS),
    "priorities": Filter("Priority", words.RANKS),
    "groups": Filter("Group", none="no group"),
}
FOLDED: Mapping[str, Filter] = {
    "agents": Filter("Agent", none="no agent"),
    "customers": Filter("Customer", none="no customer"),
    "sources": Filter("Source"),
    "products": Filter("Product", none="no product"),
    "types": Filter("Type"),
    "segments": Filter("Segment", none="no segment"),
}
"""Behind "More": chosen more rarely."""
FILTERS = {**SHOWN, **FOLDED}
"""By the field of a Selection, which is its name in the address."""
FIELDS = {
    "clock": "clocks", "tier": "tiers", "priority": "priorities", "group": "groups", "agent": "agents",
    "customer": "customers", "source": "sources", "product": "products", "type": "types", "segment": "segments",
}  # fmt: skip
"""The field of each dimension."""


def above(app: App, visitor: User | None, page: Any) -> None:
    """Draw the bar above a page of the section Look for a reader with its right, once there is something to look at."""
    home = navigation.home_of(app, visitor).url
    about = pages.page_at(home if page.url_path in ("", navigation.HOME) else page.url_path)
    may_read = (
        visitor is not None and identity.has(app, visitor, Right.READ) and identity.has(app, visitor, about.right)
    )
    if about.section == "Look" and may_read and (reader := opening.marts(app)):
        bar(reader)


def bar(reader: MartReader) -> None:
    _arrive(reader)
    offered = opening.ask(queries.choices, reader)
    names = opening.ask(queries.names, reader)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _period(reader)
        for key, one in SHOWN.items():
            _choose(key, one, offered[key], names, width=146)
        given = sum(bool(st.session_state.get(key)) for key in FOLDED)
        with st.popover(f"More ({given})" if given else "More", width=105):
            for key, one in FOLDED.items():
                _choose(key, one, offered[key], names)


def chosen(reader: MartReader) -> Selection:
    """What the bar says: everything in the last twelve weeks unless the reader chose."""
    picked: dict[str, Any] = {field: tuple(st.session_state.get(field) or ()) for field in FILTERS}
    return Selection(period=period(reader), **picked)


def period(reader: MartReader) -> Period:
    """The days that the bar says; an own period without its last day ends today."""
    name, today = st.session_state.get(PERIOD, DEFAULT), day_of(reader)
    if name != OWN:
        return PRESETS[name](today)
    days = st.session_state.get(DAYS) or ()
    first, last = (*days, None, None)[:2]
    return Period(first, last or today) if first else PRESETS[DEFAULT](today)


def in_words(reader: MartReader) -> str:
    """The period as a sentence names it: `last 12 weeks`, `5 Oct to 11 Oct 2026`."""
    name = st.session_state.get(PERIOD, DEFAULT)
    return words.days(*period(reader)) if name == OWN else str(name)


def described(chosen: Selection) -> str:
    """A selection as a file's head says it: its days, then each filter with its ids."""
    given = {field: getattr(chosen, field) for field in FILTERS if getattr(chosen, field)}
    parts = [f"{field} {', '.join(one or FILTERS[field].none for one in values)}" for field, values in given.items()]
    parts += [f"which {chosen.which}"] if chosen.which else []
    return "; ".join([words.days(*chosen.period), *parts])


def day_of(reader: MartReader) -> date:
    """The day of the desk's zone in which the marts' instant lies."""
    publication = reader.publication
    at: datetime = publication.as_of
    return at.astimezone(ZoneInfo(publication.time_zone)).date()


def link(chosen: Selection | None) -> dict[str, str]:
    """The parameter by which a link to a Look page sets the bar to a selection; None is everything of all history."""
    wanted = chosen or Selection()
    values: dict[str, Any] = {field: given for field in FILTERS if (given := getattr(wanted, field))}
    ends = [day.isoformat() if day else None for day in wanted.period]
    return {LINK: json.dumps(values | {PERIOD: ends})}


def narrowed(chosen: Selection, dimension: str, value: str) -> Selection:
    """The selection of one value of a dimension (its id; of a week its Monday)."""
    if dimension == "week":
        return chosen._replace(period=Period.of_week(date.fromisoformat(value)))
    field: dict[str, Any] = {FIELDS[dimension]: (value,)}
    return chosen._replace(**field)


def _arrive(reader: MartReader) -> None:
    """What a link asks for holds; else what was chosen on another page does, from the first look on."""
    if LINK in st.query_params:
        _set(reader, st.query_params[LINK])
        del st.query_params[LINK]
        return
    for key in (PERIOD, DAYS, *FILTERS):
        if key in st.session_state and key not in st.query_params:
            st.session_state[key] = st.session_state[key]


def _set(reader: MartReader, wanted_bar: str) -> None:
    """A link that is no link of ours changes nothing."""
    try:
        wanted = json.loads(wanted_bar)
        ends = Period(*(date.fromisoformat(day) if day else None for day in wanted[PERIOD]))
        lists = {key: [str(value) for value in wanted.get(key, ())] for key in FILTERS}
    except (ValueError, TypeError, KeyError, AttributeError):
        return
    today = day_of(reader)
    name = next((name for name, of in PRESETS.items() if of(today) == ends), OWN)
    st.session_state[PERIOD] = name
    if name == OWN:
        st.session_state[DAYS] = (ends.first or date(2000, 1, 1), ends.last or today)
    offered = opening.ask(queries.choices, reader)
    for key, values in lists.items():
        st.session_state[key] = [value for value in values if value in _options(FILTERS[key], offered[key])]


def _period(reader: MartReader) -> None:
    st.selectbox("Period", [*PRESETS, OWN], key=PERIOD, width=146, bind="query-params", persist_state="session")
    if st.session_state[PERIOD] == OWN:
        last = PRESETS[DEFAULT](day_of(reader))
        st.session_state.setdefault(DAYS, (last.first, last.last))
        st.date_input(f"Days ({reader.publication.time_zone})", key=DAYS, width=230, format="YYYY-MM-DD",
                      bind="query-params", persist_state="session")  # fmt: skip


def _choose(key: str, one: Filter, offered: Sequence[str], names: Mapping[str, str], *, width: Any = "stretch") -> None:
    """Nothing chosen is everything."""
    known = {**names, **one.names, "": one.none}
    st.multiselect(
        one.label,
        _options(one, offered),
        format_func=lambda value: known.get(value, words.plain(value)),
        placeholder="all",
        key=key,
        width=width,
        bind="query-params",
        persist_state="session",
    )


def _options(one: Filter, offered: Sequence[str]) -> list[str]:
    """The values in the desk's own order, "" first where there may be none."""
    return [*([""] if one.none else []), *(words.in_order(offered, one.order) if one.order else offered)]
