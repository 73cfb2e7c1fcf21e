"""The pages, each with the question it answers and the right it takes, in the four sections of the navigation."""

from typing import NamedTuple

from pipelines.app.identity import Right

NOW, ALERTS, QUEUE = "views/now.py", "views/alerts.py", "views/my_queue.py"
TICKET, TICKETS = "views/ticket_page.py", "views/tickets.py"
SECTIONS = ("Now", "Work", "Look", "Desk")


class Page(NamedTuple):
    """`title` is a short noun, `question` stands below it; `url` is the page's path."""

    section: str
    file: str
    title: str
    question: str
    url: str
    right: Right = Right.READ
    """Who lacks it is not offered the page."""


PAGES = (
    Page("Now", NOW, "Now", "Are we keeping up, and what breaks next?", "now", Right.SUPERVISE),
    Page("Now", ALERTS, "Alerts", "What fired, and what is at risk next?", "alerts"),
    Page("Work", QUEUE, "My queue", "What should I do next?", "queue"),
    Page("Work", "views/board.py", "Board", "Where does the work stand?", "board"),
    Page("Work", TICKET, "Ticket", "What do we know and owe?", "ticket"),
    Page("Work", "views/review.py", "Review", "What is it about?", "review", Right.WORK),
    Page("Look", "views/promises.py", "Promises", "Are we keeping our promises?", "promises"),
    Page("Look", "views/why.py", "Why", "Why were promises broken, and who waited on whom?", "why"),
    Page("Look", "views/volume.py", "Volume", "Can we keep up?", "volume"),
    Page("Look", "views/trust.py", "Trust in triage", "Can we trust triage?", "trust"),
    Page(
        "Look",
        "views/what_if.py",
        "What if",
        "What would change if we promised, staffed or chose otherwise?",
        "what-if",
        Right.SUPERVISE,
    ),
    Page("Look", TICKETS, "Tickets", "Which ones are these?", "tickets"),
    Page("Look", "views/sources.py", "Sources", "What do we know of each source?", "sources"),
    Page("Desk", "views/grant_review.py", "Grant review", "Would we grant it again?", "grants", Right.SUPERVISE),
    Page("Desk", "views/inbox.py", "Inbox", "What am I told, where and when?", "inbox"),
    Page("Desk", "views/failed.py", "Failed", "What was not taken in, not sent, or failed?", "failed"),
    Page("Desk", "views/audit.py", "Audit", "Who did and saw what, and is it as recorded?", "audit", Right.AUDIT),
)
HOMES = (("now", Right.SUPERVISE), ("queue", Right.WORK), ("audit", Right.AUDIT), ("promises", Right.READ))
"""The home of a reader is the first page here whose right they have."""


def page_at(url: str) -> Page:
    return next(page for page in PAGES if page.url == url)
