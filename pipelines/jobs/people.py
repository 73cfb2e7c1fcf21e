"""Agents, teams, customers and assignment groups from a folder of people files."""

from pathlib import Path

from pipelines.people import load_people
from pipelines.wiring import House


def bring_people(house: House, folder: Path) -> int:
    """Insert or replace everybody in the folder; returns how many. Raises BadInput before anything is stored."""
    records = [record for records in load_people(folder) for record in records]
    house.store.put(records)
    return len(records)
