"""The pages, each with the question it answers, in the four sections of the navigation."""

from typing import NamedTuple

import streamlit as st

TICKET = "views/ticket_page.py"
SECTIONS = ("Now", "Work", "Look", "Desk")


class Page(NamedTuple):
    """`title` is a short noun, `question` stands below it; `url` is the page's path."""

    section: str
    file: str
    title: str
    question: str
    url: str


PAGES = (
    Page("Now", "views/alerts.py", "Alerts", "What fired, and what is at risk next?", "alerts"),
    Page("Work", "views/queue.py", "Queue", "What should be done next?", "queue"),
    Page("Work", TICKET, "Ticket", "What do we know and owe?", "ticket"),
    Page("Work", "views/review.py", "Review", "What is it about?", "review"),
    Page("Look", "views/promises.py", "Promises", "Are we keeping our promises?", "promises"),
    Page("Look", "views/volume.py", "Volume", "Can we keep up?", "volume"),
    Page("Look", "views/trust.py", "Trust in triage", "Can we trust triage?", "trust"),
    Page("Look", "views/sources.py", "Sources", "What do we know of each source?", "sources"),
    Page("Desk", "views/inbox.py", "Inbox", "What am I told, where and when?", "inbox"),
    Page("Desk", "views/failed.py", "Failed", "What was not taken in, not sent, or failed?", "failed"),
    Page("Desk", "views/audit.py", "Audit", "Who did and saw what, and is it as recorded?", "audit"),
)
HOME = "promises"


def head(url: str) -> None:
    """The title of the page at this path, and its question."""
    page = next(page for page in PAGES if page.url == url)
    st.title(page.title)
    st.caption(page.question)


def navigation() -> dict[str, list[st.Page]]:
    """The sections that have a page, in their order."""
    found = {
        section: [
            st.Page(page.file, title=page.title, url_path=page.url, default=page.url == HOME)
            for page in PAGES
            if page.section == section
        ]
        for section in SECTIONS
    }
    return {section: members for section, members in found.items() if members}
