"""A day at the desk, from a webhook to the weekly review, by API and by command in turn: every step has a door."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aiosmtpd.controller import Controller
from typer.testing import CliRunner

from pipelines.app.container import App, open_app
from pipelines.cli import command_line
from tests.engine.plugins.test_notifiers import Postbox, free_port
from tests.pipelines.handler_system import HandlerSystem, handler_system
from tests.pipelines.service.conftest import CLIENT, listening

TUESDAY = datetime.fromisoformat("2026-07-14T08:00:00+00:00")
MINUTE = timedelta(minutes=1)
AGENT, EXPERT, MANAGER, REVIEWER = "AGT-03", "AGT-17", "AGT-32", "AGT-01"
"""Of the shipped people: one of senior support who may grant 100 EUR, an expert of the firewall, a manager, a lead."""
CALL = {
    "ticket_id": "4711",
    "source": "webhook",
    "title": "Firewall drops all traffic",
    "description": "Since 7:50 nothing passes the Lyon firewall; checkout is down.",
    "type": "incident",
    "priority": "critical",
    "requester": "CT-007",
    "company": "CO-003",
}


class Day(NamedTuple):
    """A desk served on loopback, and one clock for all who work there."""

    url: str
    app: App
    clock: list[datetime]
    keys: dict[str, str]

    def wait(self, minutes: float) -> None:
        self.clock[0] += minutes * MINUTE

    def api(self, who: str, method: str, path: str, given: Any = None, **headers: str) -> Any:
        """What the service answers, which has to be a success."""
        self.wait(1)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers["Authorization"] = f"Bearer {self.keys[who]}"
        answer = CLIENT.request(method, f"{self.url}/api/v1{path}", json=given, headers=headers)
        assert answer.is_success, answer.text
        return answer.json()

    def command(self, *words: str) -> str:
        self.wait(1)
        return run(self.app.settings.home, *words)

    def asked(self, *words: str) -> Any:
        return json.loads(self.command(*words, "--json"))


def run(home: Path, *words: str) -> str:
    """What a command prints, which has to end well."""
    done = CliRunner().invoke(command_line, ["--home", str(home), *words])
    assert done.exit_code == 0, (words, done.output, done.exception)
    return done.output


@pytest.fixture
def room() -> Iterator[HandlerSystem]:
    """The web server behind the channel `teams`."""
    with handler_system() as server:
        yield server


@pytest.fixture
def postbox() -> Iterator[tuple[Postbox, str]]:
    box, port = Postbox(), free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, f"mailto://127.0.0.1:{port}?from=desk@desk.example&to={{email}}"
    controller.stop()


@pytest.fixture
def day(
    tmp_path: Path, room: HandlerSystem, postbox: tuple[Postbox, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Day]:
    clock = [TUESDAY]
    monkeypatch.setattr(App, "now", lambda _: clock[0])
    monkeypatch.setenv("HELMDESK_EMBEDDER", "wordllama")
    monkeypatch.setenv("HELMDESK_NOTIFY_URLS", json.dumps({"teams": room.url, "email": postbox[1]}))
    run(tmp_path, "people", "import", "data/people")
    users = {name: run(tmp_path, "keys", "create", "--user", name) for name in (AGENT, EXPERT, MANAGER, REVIEWER)}
    made = users | {"webhook": run(tmp_path, "keys", "create", "--source", "webhook")}
    keys = {name: output.splitlines()[-1] for name, output in made.items()}
    with open_app(home=tmp_path) as app, listening(app) as url:
        yield Day(url, app, clock, keys)


def heard(room: HandlerSystem, agent: str) -> list[str]:
    """Titles of what the room's server took for an agent."""
    return [body["title"] for _, body in room.got if body["to"]["id"] == agent]


def test_a_day_by_api_and_command(day: Day, room: HandlerSystem, postbox: tuple[Postbox, str]) -> None:
    day.command("desk", "prefer", "--channel", "email", "--by", EXPERT)

    # A ticket comes in, and a rule gives it to senior support.
    receipt = day.api("webhook", "POST", "/webhooks/ticket", CALL, X_Source_ID="webhook")
    state = f"/webhooks/receipts/{receipt['receipt']}"
    for _ in range(200):
        if (seen := day.api("webhook", "GET", state))["state"] != "waiting":
            break
    assert (seen["state"], seen["error"]) == ("ingested", None)
    assert "rules acted 1" in day.command("sweep")
    assert "rules acted 0" in day.command("sweep")

    # An agent takes it, asks an expert who hears of it by mail, and gets an answer.
    ticket = day.api(AGENT, "POST", "/desk/tickets/webhook:4711/accept")
    assert (ticket["owner_id"], ticket["group_id"]) == (AGENT, "grp-senior-support")
    question = "Which rule drops the traffic?"
    asked = day.asked("ticket", "envelope", "4711", "--assigned-to", EXPERT, "--reason", question, "--by", AGENT)
    day.wait(5)
    assert "sent 1" in day.command("deliver").partition("notices: ")[2]
    [(to, mail)] = postbox[0].mails
    assert (to, question in mail["Subject"]) == (["sheryl.nakamura@northlight.example"], True)
    envelope = f"/desk/envelopes/{asked['id']}"
    assert day.api(EXPERT, "POST", f"{envelope}/accept")["status"] == "active"
    answered = day.asked("desk", "envelope", "complete", asked["id"], "--summary", "Rule 7 does.", "--by", EXPERT)
    assert answered["status"] == "completed"

    # The agent replies, resolves, and grants more than the limit: a manager hears of it and approves.
    day.api(AGENT, "POST", "/desk/tickets/4711/reply", {"text": "Rule 7 dropped it; it is off."})
    day.command(
        "ticket", "resolve", "4711", "--summary", "Rule 7 is off.", "--what-went-wrong", "outage", "--by", AGENT
    )
    claim = {"what_went_wrong": "outage", "why_eligible": "goodwill", "type": "credit", "amount": "900"}
    grant = day.api(AGENT, "POST", "/desk/grants/4711/propose", {"claim": claim})
    assert (grant["tier"], grant["approval_status"]) == ("manager", "pending")
    day.wait(30)
    day.command("deliver")
    assert "asks for your approval of the credit of 900 EUR" in " ".join(heard(room, MANAGER))
    assert day.asked("grants", "approve", grant["id"], "--by", MANAGER)["approval_status"] == "approved"
    day.wait(30)
    day.command("deliver")
    assert any("approved the credit of 900 EUR" in title for title in heard(room, AGENT))

    # The case closes with a survey; the weekly review upholds the grant.
    closed = day.api(AGENT, "POST", "/desk/tickets/4711/close", {"survey": {"csat": 5, "nps": 9}})
    assert (closed["status"], closed["owner_id"]) == ("closed", AGENT)
    day.wait(7 * 24 * 60)
    day.command("grants", "draw")
    assert "new on the list: 0" in day.command("grants", "draw")
    [listed] = [line.split()[0] for line in day.command("grants", "list").splitlines() if "tier3" in line]
    decided = day.api(REVIEWER, "POST", f"/desk/reviews/{listed}/decide", {"outcome": "upheld", "notes": "fair"})
    assert (decided["outcome"], decided["reviewed_by"]) == ("upheld", REVIEWER)
    assert day.command("grants", "list", "--reviewed").count("upheld by AGT-01") == 1

    # Everything was told once, and nothing that was recorded has changed.
    day.wait(24 * 60)
    day.command("deliver")
    assert "notices" not in day.command("deliver")
    told = [*room.keys, *(mail["Message-ID"] for _, mail in postbox[0].mails)]
    assert (len(told), len(set(told))) == (len(day.app.store.frame("notices")), len(told))
    assert day.app.store.frame("notices")["sent_at"].null_count() == 0
    day.command("audit", "verify")
