"""A day at the desk in a real browser: supervisor, agent, expert, manager and auditor, each by their own sign-in.

After each step the page is loaded anew, and what was done still stands. With JOURNEY_PICTURES=FOLDER each step leaves
its pictures there.
"""

import os
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from engine.contracts import Delivery, StandardTicket, Status
from engine.kanban import WipMode
from pipelines.app.clock import set_demo_clock
from pipelines.app.container import open_app
from pipelines.commands.serving import PEER_ITSELF
from tests.dashboards import test_browser
from tests.dashboards.pictures import at_rest, browser, served
from tests.pipelines.test_a_day import AGENT, EXPERT, MANAGER, REVIEWER, TUESDAY, run

pytestmark = test_browser.pytestmark
SUPERVISOR, OTHER, AUDITOR = "AGT-16", "AGT-04", "audrey"
HEADER = "X-Forwarded-User"
QUESTION, ANSWER = "Which rule drops the traffic?", "Rule 7 dropped it; it is off."

DEEDS = (
    ("Curtis Boyd", "assigned it to Aurélie Besson"),
    ("Aurélie Besson", "accepted the ticket"),
    ("Sheryl Nakamura", "finished the request for help"),
    ("Dietrich Falk", "approved the grant"),
    ("Marieke de Groot", "reviewed the grant: upheld"),
)
"""What the history of the ticket says at the end of the day, by whom."""


def ticket(number: str, title: str, priority: str) -> StandardTicket:
    return StandardTicket(
        ticket_id=number, ticket_number=number, title=title, priority=priority, type="incident", source="webhook",
        description="Since 7:30 nothing passes the Lyon firewall; checkout is down.", requester="CT-007",
        company="CO-003", created_at=TUESDAY - timedelta(minutes=25),
    )  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rule gave 4711 to senior support, and nobody has it; 4712 is the agent's and fills a column of hers."""
    home = tmp_path_factory.mktemp("home")
    run(home, "people", "import", "data/people")
    run(home, "users", "set", AUDITOR, "--role", "auditor", "--name", "Audrey Moss")
    with open_app(home=home) as app:
        set_demo_clock(app.settings, began_at=TUESDAY, at=TUESDAY)
        tickets = ticket("4711", "Firewall drops all traffic", "critical"), ticket("4712", "VPN asks twice", "medium")
        app.store.ingest(Delivery(tickets=tickets), at=TUESDAY)
        app.desk.accept("webhook:4712", by=AGENT, at=TUESDAY)
        app.desk.change_status("webhook:4712", to=Status.WAITING_CUSTOMER, by=AGENT, at=TUESDAY)
        app.desk.save_view(name="One waits", by=AGENT, limits={"waiting_customer": 1}, limits_are=WipMode.HARD)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HELMDESK_EMBEDDER", "wordllama")
        run(home, "cycle")
    return home


class Day:
    """The pages of a home, a tab for each who works there, and the home's clock."""

    def __init__(self, home: Path, address: str, chromium: Any) -> None:
        self.home, self.address, self.hosts = home, address, set[str | None]()
        self.machine = chromium.new_context(viewport={"width": 1280, "height": 1000})
        self.pictures = os.environ.get("JOURNEY_PICTURES")

    def of(self, who: str) -> Any:
        """A tab that this person is signed in to."""
        page = self.machine.new_page()
        page.set_extra_http_headers({HEADER: who})
        page.set_default_timeout(60_000)
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).hostname))
        page.on("websocket", lambda opened: self.hosts.add(urlsplit(opened.url).hostname))
        return page

    def to(self, page: Any, url: str) -> None:
        page.goto(f"{self.address}/{url}")

    def stands(self, page: Any, *found: str) -> None:
        """It is on the page, and on the page that is loaded anew."""
        for text in found:
            sees(page, text)
        page.reload()
        for text in found:
            sees(page, text)

    def picture(self, page: Any, name: str) -> None:
        for theme in ("light", "dark") if self.pictures else ():
            page.emulate_media(color_scheme=theme)
            at_rest(page)
            page.screenshot(path=Path(self.pictures or "") / f"{name}-{theme}.png")
        page.emulate_media(color_scheme="light")

    def wait(self, **time: float) -> None:
        """So much later in this home."""
        with open_app(home=self.home) as app:
            set_demo_clock(app.settings, began_at=TUESDAY, at=app.now() + timedelta(**time))


def sees(page: Any, text: str) -> None:
    page.get_by_text(text).locator("visible=true").first.wait_for()


def click(page: Any, label: str, *, role: str = "button") -> None:
    """What is called so, with or without its key."""
    page.get_by_role(role, name=re.compile(rf"^{label}( Shortcut .+)?$")).locator("visible=true").first.click()


def is_there(field: Any) -> bool:
    """Now, or in a while."""
    try:
        field.wait_for(state="visible", timeout=5_000)
    except Exception:  # the browser's own kind of error, which this module imports only where there is a browser
        return False
    return True


def fill(page: Any, label: str, **fields: str) -> None:
    """The form behind a button: what is asked by a list is chosen there, all else is written; then it is sent."""
    click(page, label)
    form = page.get_by_test_id("stForm").locator("visible=true").last
    for name, value in fields.items():
        field = form.get_by_label(name.replace("_", " ").capitalize(), exact=True).first
        if not is_there(field):  # what is open beside a form closes when something else is clicked
            click(page, label)
        field.fill(value)
        if field.get_attribute("role") == "combobox":
            page.get_by_role("option", name=value).first.click()
    form.get_by_test_id("stFormSubmitButton").get_by_role("button").click()


@pytest.fixture
def day(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Day]:
    settings = {"HELMDESK_PROXY_USER_HEADER": HEADER, "HELMDESK_PROXY_PEERS": "127.0.0.1", **PEER_ITSELF}
    monkeypatch.setenv("HELMDESK_EMBEDDER", "wordllama")
    with served(home, **settings) as address, browser() as chromium:
        yield Day(home, address, chromium)


def test_a_day_in_the_browser(day: Day) -> None:
    lead, agent, other, expert = (day.of(who) for who in (SUPERVISOR, AGENT, OTHER, EXPERT))

    # The supervisor reads how it stands, and gives the ticket that nobody has to the agent.
    day.to(lead, "now")
    sees(lead, "1 ticket is late")
    day.picture(lead, "01-now")
    fill(lead, "Assign", to="Aurélie Besson")
    day.stands(lead, "Senior support · Aurélie Besson")
    day.picture(lead, "02-assigned")
    lead.close()

    # The agent finds it in her queue and takes it; who is slower is told so.
    day.to(other, "ticket?ticket=4711")
    sees(other, "Firewall drops all traffic")
    day.to(agent, "queue")
    sees(agent, "Firewall drops all traffic")
    day.picture(agent, "03-queue")
    click(agent, "Accept")
    day.stands(agent, "owned by Aurélie Besson")
    click(other, "Accept")
    sees(other, "That happened after this page was drawn; nothing was done yet.")
    sees(other, "Aurélie Besson")
    day.picture(other, "04-slower")
    other.close()

    # She asks an expert, who finds the notice in the inbox and answers from there.
    day.to(agent, "ticket?ticket=4711&section=Help")
    fill(agent, "Ask for help", assigned_to="Sheryl Nakamura", reason=QUESTION)
    day.stands(agent, QUESTION)
    day.picture(agent, "05-asked")
    day.wait(minutes=6)
    run(day.home, "deliver")
    day.to(expert, "inbox")
    sees(expert, QUESTION)
    day.picture(expert, "06-inbox")
    click(expert, "Open 4711")
    click(expert, "Help", role="radio")
    click(expert, "Accept")
    fill(expert, "Complete", summary="Rule 7 does.")
    day.stands(expert, "Answer: Rule 7 does.")
    day.picture(expert, "07-answered")
    expert.close()

    # She answers the customer; the board refuses a second card in a column for one.
    day.to(agent, "ticket?ticket=4711")
    agent.get_by_label("Text", exact=True).fill(ANSWER)
    click(agent, "Send to the customer")
    day.stands(agent, ANSWER)
    day.picture(agent, "08-conversation")
    day.to(agent, "board?view=One waits")
    card, full = agent.locator("[data-ticket='webhook:4711']"), agent.locator("[data-column=waiting_customer]")
    card.drag_to(full)
    sees(agent, "finish one there first")
    day.picture(agent, "09-full")
    agent.reload()
    agent.locator("[data-column=in_progress] [data-ticket='webhook:4711']").wait_for()

    # She resolves, and grants more than she may: the manager hears of it and approves.
    day.to(agent, "ticket?ticket=4711&section=Grants")
    fill(agent, "Resolve", summary="Rule 7 is off.", what_went_wrong="outage")
    day.stands(agent, "Close")
    day.picture(agent, "10-resolved")
    fill(agent, "Propose a grant", what_went_wrong="outage", why_eligible="goodwill", type="credit", amount="900")
    day.stands(agent, "waits for approval")
    day.picture(agent, "11-proposed")
    day.wait(minutes=31)
    run(day.home, "deliver")
    manager = day.of(MANAGER)
    day.to(manager, "inbox")
    sees(manager, "asks for your approval of the credit of 900 EUR")
    day.picture(manager, "12-asked")
    day.to(manager, "grants?section=To approve")
    click(manager, "Approve")
    day.stands(manager, "No grant waits for an approval.")
    day.picture(manager, "13-approved")
    manager.close()

    # She closes with the customer's survey; a week later a lead upholds the grant.
    day.to(agent, "ticket?ticket=4711&section=Grants")
    sees(agent, "approved by Dietrich Falk")
    fill(agent, "Close", csat="5", nps="9")
    day.stands(agent, "The customer's survey: 5 of 5")
    day.picture(agent, "14-closed")
    day.wait(days=7)
    reviewer = day.of(REVIEWER)
    day.to(reviewer, "grants")
    click(reviewer, "List last week's grants")
    sees(reviewer, "Credit of 900.00 EUR for outage")
    day.picture(reviewer, "15-to-review")
    reviewer.get_by_label("Notes").fill("fair")
    click(reviewer, "Uphold")
    sees(reviewer, "No grant waits for a review.")
    click(reviewer, "Upheld", role="radio")
    day.stands(reviewer, "of 1 reviewed grant")
    day.picture(reviewer, "16-upheld")
    agent.reload()
    sees(agent, "review upheld")

    # The auditor sees who did what, and that all is as it was recorded.
    auditor = day.of(AUDITOR)
    day.to(auditor, "audit?part=history&chain=4711")
    sees(auditor, "is whole")
    for who, what in DEEDS:
        row = auditor.locator("canvas tr").filter(has_text=who).filter(has_text=what)
        row.first.wait_for(state="attached")
    day.picture(auditor, "17-history")
    day.to(auditor, "audit?part=verify")
    click(auditor, "Verify now")
    sees(auditor, "All stands as it was recorded.")
    day.picture(auditor, "18-verified")
    assert day.hosts - {None} == {"127.0.0.1"}
