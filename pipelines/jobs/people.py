"""Agents, teams, customers and assignment groups from a folder of people files."""

from pathlib import Path

from pipelines.app.container import App
from pipelines.app.people_files import load_people


def bring_people(app: App, folder: Path) -> int:
    """Insert or replace everybody in the folder; returns how many. Raises BadInput before anything is stored."""
    records = [record for records in load_people(folder) for record in records]
    app.store.put(records)
    return len(records)
