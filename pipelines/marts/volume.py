"""How many tickets come and go each day."""

import dataframely as dy

from engine.standings import volume
from pipelines.marts import columns as col
from pipelines.marts.mart import Mart


class Volume(dy.Schema):
    day = col.day("The day; none is left out from the first ticket to the last that came or went.", primary_key=True)
    created = col.count("Tickets created on it.", unit="tickets")
    resolved = col.count("Tickets resolved on it, or closed without, and not open since.", unit="tickets")
    open_at_end = col.count("Tickets created up to its end that were not resolved by then.", unit="tickets")


MARTS = {
    "volume": Mart(
        "How many tickets come in each day, how many are solved, how many are open at its end?",
        Volume,
        lambda snapshot: volume(snapshot.standings),
    )
}
