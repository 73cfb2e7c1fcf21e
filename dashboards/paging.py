"""Where a reader is within a page: the part that is open and the page of a long list stand in the address."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import streamlit as st

from pipelines.figures import words

KEY, PART = "page", "part"
T = TypeVar("T")


class Leaf(Protocol):
    """The rows of one page, and how many there are in all."""

    @property
    def rows(self) -> list[dict[str, Any]]: ...
    @property
    def total(self) -> int: ...


def chosen_part(parts: Mapping[str, str], default: str | None = None) -> str:
    """The part that is open, of those by their short names; the buttons say what each is called and counts."""
    open_part = str(st.query_params.get(PART) or default)
    open_part = open_part if open_part in parts else next(iter(parts))
    with st.container(horizontal=True, gap="small"):
        for name, label in parts.items():
            is_open = name == open_part
            st.button(
                label, key=f"part {name}", type="primary" if is_open else "secondary", on_click=_open, args=(name,)
            )
    return open_part


def _open(part: str) -> None:
    st.query_params[PART] = part
    st.session_state.pop(KEY, None)


def turned(ask: Callable[[int], Leaf], what: str, *, size: int = 50, order: str = "the newest first") -> Leaf:
    """The page that the reader turned to, of what `ask(page)` gives; said, with the pager, above it."""
    number = _number()
    leaf = ask(number)
    if leaf.total and not leaf.rows:
        number = _pages(leaf.total, size)
        leaf = ask(number)
    if leaf.total:
        _counted(leaf.total, what, number, size, order)
    return leaf


def part_of(every: Sequence[T], what: str, *, size: int, order: str) -> Sequence[T]:
    """The same of a list that is there already."""
    number = min(_number(), _pages(len(every), size))
    _counted(len(every), what, number, size, order)
    return every[(number - 1) * size : number * size]


def _counted(total: int, what: str, number: int, size: int, order: str) -> None:
    first = (number - 1) * size + 1
    st.caption(f"{first:,} to {min(total, first + size - 1):,} of {words.count(total, what)}, {order}")
    if total > size:
        st.pagination(_pages(total, size), key=KEY, bind="query-params")


def _pages(total: int, size: int) -> int:
    return max(1, -(-total // size))


def _number() -> int:
    """The address says it before the pager is drawn."""
    found = str(st.session_state.get(KEY) or st.query_params.get(KEY) or 1)
    return max(1, int(found)) if found.isdecimal() else 1
