"""A small desk whose channels are servers on 127.0.0.1, and news of its tickets."""

from datetime import datetime, timedelta
from pathlib import Path

from engine.contracts import Agent, Delivery, Role, StandardTicket, Team
from engine.notifications import News, QueuedNotification
from engine.plugins.notifiers import notifier
from pipelines.app.container import App, open_app

ROOT = Path(__file__).resolve().parents[3]
MONDAY = datetime.fromisoformat("2026-07-13T09:00:00+00:00")
MINUTE = timedelta(minutes=1)
TEAM = Team(id="cloud", name="Cloud", supervisor_id="cleo", manager_id="dirk")
AGENTS = [
    Agent(id="ana", email="ana@desk.example", name="Ana", teams=("cloud",)),
    Agent(id="ben", email="ben@desk.example", name="Ben", teams=("cloud",)),
    Agent(id="cleo", email="cleo@desk.example", name="Cleo", role=Role.TEAM_LEAD, teams=("cloud",)),
    Agent(id="dirk", email="dirk@desk.example", name="Dirk", role=Role.MANAGER, teams=("cloud",)),
]


def desk(home: Path, *, database_url: str = "", **urls: str) -> App:
    app = open_app(home=home, database_url=database_url, notify_urls=urls)
    fast: dict[str, float] = {"timeout_seconds": 0.5, "wait_seconds": 0.01}
    app.__dict__["notifiers"] = {channel: notifier(channel, url, **fast) for channel, url in urls.items()}
    if not app.store.all(Agent):
        made = (
            StandardTicket(ticket_id=str(n), source="web", ticket_number=f"INC-{n}", created_at=MONDAY)
            for n in range(9)
        )
        app.store.put([TEAM, *AGENTS])
        app.store.ingest(Delivery(tickets=tuple(made)), at=MONDAY)
    return app


def tell(
    app: App, name: str, *to: str, at: datetime = MONDAY, event: str = "flagged", ticket: str | None = None
) -> None:
    news = News(id=name, event_type=event, ticket_id=ticket, payload={"message": f"{name} happened"})
    app.store.put(app.desk.queued(news, to or ("ana",), at=at))


def unsent(app: App) -> set[str]:
    return {row.id for row in app.store.all(QueuedNotification, sent_at=None)}
