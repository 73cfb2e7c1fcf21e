"""The ticket's page as somebody has it open, and how its forms are filled."""

import os
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from engine.contracts import Agent, Event, Kind, Role
from pipelines.app.container import App, open_app
from tests.dashboards.marts_by_hand import NOON
from tests.dashboards.test_pages import opened

FIELDS = ("text_input", "text_area", "selectbox", "number_input", "checkbox", "datetime_input")
KEY = "demo:INC-1"


def seen_by(agent: str, section: str = "Conversation", ticket: str = "INC-1") -> AppTest:
    """The page of a ticket in a session of the agent's own; the fixture of each test takes the setting back."""
    os.environ["HELMDESK_USER"] = agent
    return opened("ticket", ticket=ticket, section=section)


def button(app: AppTest, label: str) -> Any:
    return next(one for one in app.button if one.label == label)


def click(app: AppTest, label: str, *, by: str) -> AppTest:
    """A click in the session of this agent."""
    os.environ["HELMDESK_USER"] = by
    return button(app, label).click().run()


def labels(app: AppTest) -> list[str]:
    """What can be clicked, popovers too."""
    popovers = [block.proto.popover.label for block in app.get("popover")]
    return [one.label for one in app.button] + popovers


def fill(app: AppTest, operation: str, submit: str, key: str = KEY, **values: Any) -> AppTest:
    """Fill the form of an operation and send it; `claim_amount` is the field `claim.amount`."""
    start = f"{operation} {key}/"
    fields = {one.key.removeprefix(start).partition("/")[2]: one for kind in FIELDS for one in getattr(app, kind)
              if one.key and one.key.startswith(start)}  # fmt: skip
    for name, value in values.items():
        fields[name.replace("_of_", ".")].set_value(value)
    return next(b for b in app.button if b.label == submit and (b.form_id or "").startswith(start)).click().run()


def lead(home: Path) -> None:
    """Lea leads the team."""
    with open_app(home=home) as parts:
        parts.store.put([Agent(id="lea", email="l@example.com", name="Lea", teams=("network",), role=Role.TEAM_LEAD)])


def owned(home: Path, by: str = "ana") -> None:
    with open_app(home=home) as parts:
        parts.desk.accept(KEY, by=by, at=NOON)


def texts(app: AppTest) -> str:
    return "\n".join(text.value for text in app.text)


def last_event(parts: App, kind: Kind) -> Event:
    return next(event for event in reversed(parts.store.history(KEY)) if event.kind == kind)
