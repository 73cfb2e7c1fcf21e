"""Every ticket as it stood at an instant, with the product triage was sure of by then."""

from datetime import datetime

import polars as pl

from engine.contracts import OPEN_STATUSES
from engine.standings import standings, tickets_as_of
from pipelines import marts
from pipelines.app.container import App

OPEN = [status.value for status in OPEN_STATUSES]


def conform(mart: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The mart's declared columns and types, from a frame that has at least its columns."""
    return frame.select(pl.col(name).cast(dtype) for name, dtype in marts.MARTS[mart].schema.items())


def tickets_at(app: App, as_of: datetime) -> pl.DataFrame:
    """The store's table of tickets as it stood: tickets created by then, each in its state of then."""
    tickets, events = _tables(app)
    return tickets_as_of(tickets, events, standings(tickets, events, as_of), as_of).rename({"ticket": "id"})


def standings_at(app: App, as_of: datetime) -> pl.DataFrame:
    """How every ticket stood from one event to the next until then (schema `engine.standings.STANDINGS`)."""
    return standings(*_tables(app), as_of)


def _tables(app: App) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The store's tickets and events, with the ticket's key as `ticket`."""
    events = app.store.frame("events").drop("id").rename({"ticket_id": "ticket"})
    return app.store.frame("tickets").rename({"id": "ticket"}), events


def latest_claims(app: App, as_of: datetime) -> pl.DataFrame:
    """The last classification of each ticket by an instant."""
    claims = app.triage.store.latest_frame(as_of=as_of).rename({"ticket_id": "ticket"})
    return conform("classifications", claims.sort("created_at", "ticket"))


def ticket_mart(tickets: pl.DataFrame, claims: pl.DataFrame) -> pl.DataFrame:
    """A confirmed product wins over a classified one; a claim that needs review names no product."""
    sure = claims.filter(~pl.col("needs_review")).select("ticket", claimed="product")
    joined = tickets.rename({"id": "ticket"}).join(sure, on="ticket", how="left")
    return conform(
        "tickets",
        joined.with_columns(product=pl.coalesce("product", "claimed"), is_open=pl.col("status").is_in(OPEN)).sort(
            "created_at", "ticket"
        ),
    )
