"""Every ticket as it stood at an instant, with the product triage was sure of by then."""

from datetime import datetime
from typing import NamedTuple

import polars as pl

from engine.contracts import OPEN_STATUSES
from engine.standings import standings, tickets_as_of
from pipelines import marts
from pipelines.app.container import App

OPEN = [status.value for status in OPEN_STATUSES]


def conform(mart: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The mart's declared columns and types, from a frame that has at least its columns."""
    return frame.select(pl.col(name).cast(dtype) for name, dtype in marts.MARTS[mart].schema.items())


class TicketSnapshot(NamedTuple):
    """The store's table of tickets as it stood at an instant, its key as `ticket`, and how each came to stand so
    (schema `engine.standings.STANDINGS`)."""

    tickets: pl.DataFrame
    standings: pl.DataFrame


def ticket_snapshot(app: App, as_of: datetime) -> TicketSnapshot:
    """Tickets created by then, each in its state of then; both tables are read once."""
    tickets = app.store.frame("tickets").rename({"id": "ticket"})
    events = app.store.frame("events").drop("id").rename({"ticket_id": "ticket"})
    stood = standings(tickets, events, as_of)
    return TicketSnapshot(tickets_as_of(tickets, events, stood, as_of), stood)


def latest_claims(app: App, as_of: datetime) -> pl.DataFrame:
    """The last classification of each ticket by an instant."""
    claims = app.triage.store.latest_frame(as_of=as_of).rename({"ticket_id": "ticket"})
    return conform("classifications", claims.sort("created_at", "ticket"))


def ticket_mart(tickets: pl.DataFrame, claims: pl.DataFrame) -> pl.DataFrame:
    """A confirmed product wins over a classified one; a claim that needs review names no product."""
    sure = claims.filter(~pl.col("needs_review")).select("ticket", claimed="product")
    joined = tickets.join(sure, on="ticket", how="left")
    return conform(
        "tickets",
        joined.with_columns(product=pl.coalesce("product", "claimed"), is_open=pl.col("status").is_in(OPEN)).sort(
            "created_at", "ticket"
        ),
    )
