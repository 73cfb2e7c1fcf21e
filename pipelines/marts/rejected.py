"""Rows that could not be taken in; they have no instant of their own."""

import dataframely as dy

from pipelines.marts import columns as col
from pipelines.marts.mart import Mart


class Rejected(dy.Schema):
    source = col.text("Name of the source.")
    origin = col.text("The file it stood in, or where else it came from.")
    row = col.whole("Number of the data row, from 1; null if the whole file was refused.", nullable=True)
    reason = col.text("What is wrong with it.")


MARTS = {"rejected": Mart("Which rows could not be taken in, and why?", Rejected, lambda snapshot: snapshot.rejected)}
