"""What does a click cost? Each page as a reader opens it, opens it again, and filters it, in CPU seconds and memory.

`uv run python -m benchmarks.dashboards --tickets 60000` runs every page by AppTest, without a browser, on a home that
is made once below var/ (synthetic tickets, their clocks, allocation and marts; triage looks at the newest 300 alone,
since it costs the most and no page's cost hangs on it). A click is the median of a few.
"""

import argparse
import json
import logging
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from engine.access import Right, User, UserRole
from engine.shared.errors import HelmdeskError
from pipelines.app.container import open_app
from pipelines.commands.bench import DAYS, START, deliveries

PAGES_FOLDER = Path(__file__).resolve().parents[1] / "dashboards"
AS_OF = datetime(START.year, START.month, START.day, 8, tzinfo=UTC) + timedelta(days=DAYS)
CLICKS, TRIAGED, LIMIT = 5, 300, 0.3
READER, AUDITOR = "AGT-31", "auditor"
"""A manager, who is an agent too; and who opens what only auditors read."""


class Cost(NamedTuple):
    """CPU seconds of a page: opened first in a process, run again as it is, with another choice in its first filter;
    and by how many MB the most that the process held has grown. `error` is what the page says is wrong, and then its
    figures say little."""

    page: str
    first: float
    again: float
    filtered: float | None
    grown_mb: float
    error: str = ""


def home_of(tickets: int) -> Path:
    """The home with so many tickets, made if it is not there."""
    home = Path("var") / f"dashboards-{tickets}"
    if (home / "marts" / "current.json").is_file():
        return home
    from pipelines.app.clock import set_demo_clock
    from pipelines.jobs.cycle import CycleRun
    from pipelines.jobs.people import bring_people
    from pipelines.jobs.triage_tickets import classify, draft

    with open_app(home=home) as app:
        set_demo_clock(app.settings, began_at=AS_OF, at=AS_OF)
        bring_people(app, app.settings.data / "people")
        app.store.put([User(id=AUDITOR, name="Auditor", roles=(UserRole.AUDITOR,))])
        for delivery in deliveries(app, tickets) if app.store.ticket_count() < tickets else ():
            app.store.ingest(delivery, at=app.now())
        run = CycleRun(app, AS_OF)
        some = run.snapshot.tickets_now.sort("created_at").tail(TRIAGED)
        classify(app, some, at=AS_OF)
        draft(app, some, at=AS_OF)
        run.walk(["evaluate", "allocate", "publish"])
    return home


def measure(url: str) -> Cost:
    """One page, in this process."""
    from streamlit.testing.v1 import AppTest
    from streamlit.util import calc_hash

    page = AppTest.from_file(str(PAGES_FOLDER / "app.py"), default_timeout=600)
    before = _peak_mb()
    page._page_hash = calc_hash(url)
    first = _cpu(page.run)
    again = statistics.median(_cpu(page.run) for _ in range(CLICKS))
    filtered = _choose_another(page)
    wrong = [*(one.message for one in page.exception), *(one.value for one in page.error)]
    error = " ".join(str(wrong[0]).split()) if wrong else ""
    return Cost(url, first, again, filtered, _peak_mb() - before, error)


def _visit_from_this_machine() -> None:
    """Streamlit's stand-in for a connection has no address, and such a visitor is nobody here."""
    from streamlit.runtime.context import ContextProxy, StreamlitHeaders

    ContextProxy.ip_address = property(lambda _: None)  # type: ignore[method-assign,assignment]
    ContextProxy.headers = property(lambda _: StreamlitHeaders([]))  # type: ignore[method-assign,assignment]


def _choose_another(page: Any) -> float | None:
    """CPU seconds of the next choice in the page's first filter that has one; None without."""
    for filters in (page.selectbox, page.multiselect):
        for one in filters:
            rest = [option for option in one.options if option not in (one.value, *(one.value or ()))]
            if not one.disabled and rest:
                one.select(rest[0])
                return _cpu(page.run)
    return None


def _cpu(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dashboards", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--tickets", type=int, default=60_000)
    parser.add_argument("--page", action="append", help="the url of a page; again for more; none: all")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.tickets < 1:
        parser.error(f"--tickets {given.tickets}: give one or more")
    try:
        home = home_of(given.tickets)
    except HelmdeskError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    os.environ["HELMDESK_HOME"] = str(home)
    from dashboards.pages import PAGES

    logging.disable(logging.WARNING)  # a page without a browser is warned of at each turn
    _visit_from_this_machine()
    found = []
    for page in PAGES:
        if not given.page or page.url in given.page:
            os.environ["HELMDESK_USER"] = AUDITOR if page.right == Right.AUDIT else READER
            found.append(measure(page.url))
    if given.json:
        sys.stdout.write(json.dumps({"tickets": given.tickets, "pages": [one._asdict() for one in found]}) + "\n")
        return 0
    sys.stdout.write(f"{given.tickets:,} tickets, CPU seconds; a click should cost at most {LIMIT}\n")
    sys.stdout.write(f"{'page':<12}{'first':>8}{'again':>8}{'filter':>8}{'MB more':>9}\n")
    for one in found:
        filtered = "–" if one.filtered is None else f"{one.filtered:.2f}"
        numbers = f"{one.first:>8.2f}{one.again:>8.2f}{filtered:>8}{one.grown_mb:>9.0f}"
        sys.stdout.write(f"{one.page:<12}{numbers}  {one.error}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
