"""What a reader is offered: the pages of their rights in four sections, with what waits there, and a home by role."""

import streamlit as st

from dashboards import counts, pages
from pipelines.app import identity
from pipelines.app.container import App
from pipelines.app.identity import User

HOME = "home"


def sections(app: App, user: User | None) -> dict[str, list[st.Page]]:
    """The sections that have a page for this reader, in their order; the home is the default page.

    A page without its right, and the home by its own path, are there and not shown: whoever has the address is told by
    the page what is missing. Nobody (None) is offered everything, and told so on each page.
    """
    home = home_of(app, user)
    offered = [page for page in pages.PAGES if user is None or identity.has(app, user, page.right)]
    shown = {
        section: [
            st.Page(page.file, title=titled(app, user, page), help=page.question,
                    url_path=HOME if page is home else page.url, default=page is home)
            for page in offered
            if page.section == section
        ]
        for section in pages.SECTIONS
    }  # fmt: skip
    hidden = [page for page in pages.PAGES if page is home or page not in offered]
    shown[home.section] += [
        st.Page(page.file, title=page.title, url_path=page.url, visibility="hidden") for page in hidden
    ]
    return {section: members for section, members in shown.items() if members}


def home_of(app: App, user: User | None) -> pages.Page:
    """The first of HOMES that there is and that the reader has the right to."""
    known = {page.url: page for page in pages.PAGES}
    return next(
        known[url] for url, right in pages.HOMES if url in known and (user is None or identity.has(app, user, right))
    )


def titled(app: App, user: User | None, page: pages.Page) -> str:
    """The title, with how many things wait there."""
    waiting = counts.waiting(app, user, page.url) if user else None
    return f"{page.title} ({waiting:,})" if waiting else page.title
