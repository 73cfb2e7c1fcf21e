"""What a page run works with: the house, the publication in force, and answers remembered per publication."""

from collections.abc import Callable
from types import FunctionType
from typing import Any, TypeVar

import streamlit as st

from engine.errors import HelmdeskError, NotFound
from pipelines.marts import MartReader, current
from pipelines.wiring import House, open_house

__all__ = ["HelmdeskError", "ask", "house", "marts"]

Answer = TypeVar("Answer")


def house() -> House:
    """The house of the present settings, opened once a process."""
    return _kept(open_house())


def marts(opened: House) -> MartReader | None:
    """The publication in force; None if nothing was published yet."""
    try:
        current(opened.settings.marts_folder)
    except NotFound:
        return None
    return _reader(opened)


def ask(query: Callable[..., Answer], reader: MartReader, *questions: Any, **options: Any) -> Answer:
    """`query(reader, *questions, **options)`, worked out once a publication and question."""
    answer: Answer = _answer(query, reader, questions, options)
    return answer


def _settings(opened: House) -> str:
    return f"{opened.settings.home} {opened.settings.store_url}"


def _publication(opened: House) -> str:
    return str(current(opened.settings.marts_folder).folder)


@st.cache_resource(max_entries=2, show_spinner=False, on_release=House.close, hash_funcs={House: _settings})
def _kept(opened: House) -> House:
    return opened


@st.cache_resource(max_entries=2, show_spinner=False, on_release=MartReader.close, hash_funcs={House: _publication})
def _reader(opened: House) -> MartReader:
    return opened.marts()


@st.cache_data(
    max_entries=500,
    show_spinner=False,
    hash_funcs={
        FunctionType: lambda query: query.__qualname__,
        MartReader: lambda reader: str(reader.publication.folder),
    },
)
def _answer(query: Callable[..., Any], reader: MartReader, questions: tuple[Any, ...], options: dict[str, Any]) -> Any:
    return query(reader, *questions, **options)
