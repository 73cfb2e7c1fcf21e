"""The beginning of each page: its head, who reads, the publication in force, and what people and groups are called."""

from collections.abc import Mapping

import streamlit as st

from dashboards import cards, opening, pages, sign_in
from pipelines.app.container import App
from pipelines.app.identity import User
from pipelines.figures import queries
from pipelines.marts import MartReader

Names = Mapping[str, str]


def begin(url: str, *, is_logged: bool = True) -> tuple[App, User, MartReader, Names]:
    """As `arrive`; the page ends here, too, where nothing was published yet, and says what publishes."""
    app, user, reader, names = arrive(url, is_logged=is_logged)
    if reader is None:
        cards.nothing_yet()
        st.stop()
    return app, user, reader, names


def arrive(url: str, *, is_logged: bool = True) -> tuple[App, User, MartReader | None, Names]:
    """The page at this path for a reader with its right; it ends here for anybody else. Names are by id, none before a
    publication. The view is logged, but for a page that shows one ticket and says itself which."""
    page = pages.page_at(url)
    st.title(page.title)
    st.caption(page.question)
    app = opening.app()
    user = sign_in.reader(app, page, is_logged=is_logged)
    reader = opening.marts(app)
    return app, user, reader, opening.ask(queries.names, reader) if reader else {}
