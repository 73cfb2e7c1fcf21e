"""Every ticket as it stands now, with the product triage is sure of."""

import polars as pl

from engine.contracts import OPEN_STATUSES
from pipelines import marts
from pipelines.wiring import House

OPEN = [status.value for status in OPEN_STATUSES]


def conform(mart: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The mart's declared columns and types, from a frame that has at least its columns."""
    return frame.select(pl.col(name).cast(dtype) for name, dtype in marts.MARTS[mart].schema.items())


def latest_claims(house: House) -> pl.DataFrame:
    """The last classification of each ticket."""
    claims = house.triage_store.latest_frame().rename({"ticket_id": "ticket"})
    return conform(
        "classifications", claims.sort("created_at", "id").unique("ticket", keep="last", maintain_order=True)
    )


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
