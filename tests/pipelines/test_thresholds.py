"""Where a number of the jobs divides: just below it, at it, just above it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from engine.contracts import Delivery, StandardTicket
from pipelines.app.container import App, open_app
from pipelines.app.settings import shipped_data
from pipelines.jobs.alerts import raise_alerts
from pipelines.marts.customers import customers
from pipelines.marts.registry import MARTS
from pipelines.snapshot import Snapshot
from tests.pipelines.test_alerts import LATER, MONDAY, breached, fill, tickets_of
from triage.enrichment.policy import load_enrichment_policy

INSTANT, DAY = timedelta(microseconds=1), timedelta(days=1)
HEALTH = load_enrichment_policy(shipped_data() / "policies" / "enrichment.yaml").customer_health


@pytest.fixture
def app(sqlite_file: Path) -> Iterator[App]:
    with open_app(home=sqlite_file.parent, database_url=f"sqlite:///{sqlite_file}") as opened:
        yield opened


@pytest.mark.parametrize(
    ("ended", "gone"),
    [
        ({"resolved_at": MONDAY + DAY, "closed_at": MONDAY + 2 * DAY, "updated_at": MONDAY + 3 * DAY}, 1),
        ({"closed_at": MONDAY + 2 * DAY, "updated_at": MONDAY + 3 * DAY}, 2),
    ],
)
def test_a_ticket_goes_out_when_resolved_else_closed(app: App, ended: dict[str, datetime], gone: int) -> None:
    made = {"ticket_id": "1", "source": "web", "created_at": MONDAY, "status": "closed"}
    app.store.ingest(Delivery(tickets=(StandardTicket.model_validate(made | ended),)), at=LATER)
    volume = MARTS["volume"].frame(Snapshot(app, LATER))
    assert volume.filter(pl.col("resolved") > 0)["day"].to_list() == [(MONDAY + gone * DAY).date()]


@pytest.mark.parametrize(("ago", "alerts"), [(DAY - INSTANT, 1), (DAY, 0), (DAY + INSTANT, 0)])
def test_a_breach_is_news_for_less_than_a_day(app: App, ago: timedelta, alerts: int) -> None:
    fill(app, 1)
    stopped = breached(1).with_columns(stopped_at=pl.lit(LATER - ago).cast(pl.Datetime("us", "UTC")))
    assert raise_alerts(app, stopped, tickets_of(app), as_of=LATER) == alerts


def health(*, promises: int = 0, broken: int = 0, complaints: int = 0, ago: timedelta = timedelta(1)) -> str:
    """How a company does by its promises and complaints of so long ago."""
    at, utc = LATER - ago, pl.Datetime("us", "UTC")
    states = ["breached"] * broken + ["met"] * (promises - broken)
    marts = customers(
        pl.DataFrame(
            {
                "id": ["acme"],
                "name": ["Acme"],
                "tier": ["free"],
                "segment": ["s"],
                "region": ["r"],
                "billing_status": ["ok"],
            }
        ),
        pl.DataFrame({"ticket": ["web:1"], "company_id": ["acme"], "is_open": [True]}),
        pl.DataFrame(
            {"company_id": ["acme"] * promises, "window_start": [at] * promises, "state": states},
            schema={"company_id": pl.String, "window_start": utc, "state": pl.String},
        ),
        pl.DataFrame(
            {"ticket": ["web:1"] * complaints, "created_at": [at] * complaints, "is_complaint": [True] * complaints},
            schema={"ticket": pl.String, "created_at": utc, "is_complaint": pl.Boolean},
        ),
        HEALTH,
        as_of=LATER,
    )
    return str(marts["health"].item())


@pytest.mark.parametrize(
    ("broken", "found"), [(9, "good"), (10, "watch"), (11, "watch"), (29, "watch"), (30, "poor"), (31, "poor")]
)
def test_a_tenth_of_promises_broken_is_to_watch_and_three_tenths_are_poor(broken: int, found: str) -> None:
    assert health(promises=100, broken=broken) == found


@pytest.mark.parametrize(("promises", "found"), [(4, "good"), (5, "poor"), (6, "poor")])
def test_fewer_than_five_promises_say_nothing(promises: int, found: str) -> None:
    assert health(promises=promises, broken=promises) == found


@pytest.mark.parametrize(("complaints", "found"), [(0, "good"), (1, "watch"), (2, "watch"), (3, "poor"), (4, "poor")])
def test_one_complaint_is_to_watch_and_three_are_poor(complaints: int, found: str) -> None:
    assert health(complaints=complaints) == found


@pytest.mark.parametrize(
    ("ago", "found"), [(90 * DAY - INSTANT, "poor"), (90 * DAY, "poor"), (90 * DAY + INSTANT, "good")]
)
def test_ninety_days_count(ago: timedelta, found: str) -> None:
    assert health(promises=9, broken=9, ago=ago) == health(complaints=3, ago=ago) == found
