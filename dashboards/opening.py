"""What a page run works with: the app, the publication in force, and answers remembered per publication."""

from collections.abc import Callable
from types import FunctionType
from typing import Any, TypeVar

import streamlit as st

from engine.shared.errors import HelmdeskError, NotFound
from pipelines.app.container import App, open_app
from pipelines.figures.charts import Picture
from pipelines.marts import MartReader, current

__all__ = ["HelmdeskError", "app", "ask", "drawn", "marts"]

Answer = TypeVar("Answer")


def app() -> App:
    """The app of the present settings, opened once a process."""
    return _shared_app(open_app())


def marts(opened: App) -> MartReader | None:
    """The publication in force; None if nothing was published yet."""
    try:
        current(opened.settings.marts_folder)
    except NotFound:
        return None
    return _reader(opened)


def ask(query: Callable[..., Answer], reader: MartReader, *questions: Any, **options: Any) -> Answer:
    """`query(reader, *questions, **options)`, worked out once a publication and question; of an app as a question its
    settings and policy files count."""
    answer: Answer = _answer(query, reader, questions, options)
    return answer


@st.cache_data(max_entries=500, show_spinner=False, hash_funcs={FunctionType: lambda picture: picture.__qualname__})
def drawn(picture: Callable[..., Picture], *shown: Any, **options: Any) -> dict[str, Any]:
    """The Vega-Lite specification of `picture(*shown, **options)` with its data, worked out once."""
    specification: dict[str, Any] = picture(*shown, **options).to_dict()
    return specification


def _settings(opened: App) -> str:
    return opened.settings.model_dump_json()


def _rules(opened: App) -> str:
    """The settings, and when each policy file was last changed."""
    files = sorted((opened.settings.data / "policies").rglob("*.yaml"))
    return f"{_settings(opened)} {[(str(file), file.stat().st_mtime_ns) for file in files]}"


def _publication(opened: App) -> str:
    return str(current(opened.settings.marts_folder).folder)


@st.cache_resource(max_entries=2, show_spinner=False, on_release=App.close, hash_funcs={App: _settings})
def _shared_app(opened: App) -> App:
    return opened


@st.cache_resource(max_entries=2, show_spinner=False, on_release=MartReader.close, hash_funcs={App: _publication})
def _reader(opened: App) -> MartReader:
    return MartReader(opened.settings.marts_folder)


@st.cache_data(
    max_entries=500,
    show_spinner=False,
    hash_funcs={
        FunctionType: lambda query: query.__qualname__,
        MartReader: lambda reader: str(reader.publication.folder),
        "triage.feedback.policy.DriftPolicy": lambda policy: policy.model_dump_json(),
        "sla.reporting.goals.AttainmentGoals": lambda goals: goals.model_dump_json(),
        App: _rules,
    },
)
def _answer(query: Callable[..., Any], reader: MartReader, questions: tuple[Any, ...], options: dict[str, Any]) -> Any:
    return query(reader, *questions, **options)
