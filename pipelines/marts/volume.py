"""How many tickets come and go each day."""

import dataframely as dy
import polars as pl

from engine.standings import volume
from pipelines.marts import columns as col
from pipelines.marts.mart import Mart
from pipelines.snapshot import Snapshot


class Volume(dy.Schema):
    day = col.day("The day; none is left out from the first ticket to the last that came or went.", primary_key=True)
    created = col.count("Tickets created on it.", unit="tickets")
    resolved = col.count("Times a ticket was resolved on it, or closed without; whatever came later.", unit="tickets")
    reopened = col.count("Times a ticket was reopened on it.", unit="tickets")
    left_out = col.count(
        "Tickets that ended on it with an outcome that does not count, and those created on it of which only is known "
        "that they are closed.",
        unit="tickets",
    )
    open_at_end = col.count("Tickets created up to its end that were open then.", unit="tickets")


def build(snapshot: Snapshot) -> pl.DataFrame:
    return volume(snapshot.moves)


MARTS = {
    "volume": Mart(
        "How many tickets come in each day, how many are solved, how many are open at its end?",
        Volume,
        build,
    )
}
