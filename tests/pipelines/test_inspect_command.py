"""`helmdesk inspect`, then `ingest`: a first number from anyone's export without a line of YAML by hand."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import typer
import yaml
from typer.testing import CliRunner

from engine.plugins.mapping import load_mapping
from engine.shared.errors import BadInput
from pipelines.app.container import open_app
from pipelines.commands.ingest import ingest
from pipelines.commands.inspect import inspect
from tests.pipelines.made_up_exports import GLPI, MADE_UP, MadeUp

app = typer.Typer()
app.command("ingest")(ingest)
app.command("inspect")(inspect)


@app.callback()
def _home(context: typer.Context, home: Path) -> None:
    context.obj = {"home": home}


def run(home: Path, *words: object) -> Any:
    return CliRunner().invoke(app, [str(home), *map(str, words)])


def stored(home: Path) -> dict[str, dict[str, Any]]:
    with open_app(home=home) as opened:
        frame = opened.store.frame("tickets")
    return {row["external_id"]: row for row in frame.iter_rows(named=True)}


def first_number(folder: Path, made: MadeUp) -> dict[str, dict[str, Any]]:
    """The three commands, and what they brought."""
    file, draft, home = folder / made.file, folder / "OUT.yaml", folder / "home"
    file.write_bytes(made.content.encode(made.encoding))
    for words in (
        ["inspect", file, "--mapping", draft, "--yes"],
        ["ingest", file, "--mapping", draft, "--dry-run"],
        ["ingest", file, "--mapping", draft],
    ):
        done = run(home, *words)
        assert done.exit_code == 0, done.output + str(done.exception)
    return stored(home)


@pytest.mark.parametrize("made", MADE_UP, ids=lambda made: made.file)
def test_three_commands_read_an_export_cell_by_cell(made: MadeUp, tmp_path: Path) -> None:
    tickets = first_number(tmp_path, made)
    assert set(tickets) == set(made.tickets)
    for key, expected in made.tickets.items():
        found = {name: _plain(tickets[key][name]) for name in expected}
        assert found == expected, key


def _plain(value: Any) -> Any:
    """Instants to the minute, JSON as what it says without what it does not."""
    if hasattr(value, "strftime"):
        return value.strftime("%Y-%m-%dT%H:%M")
    if not isinstance(value, str) or not value.startswith(("{", "[")):
        return value
    said = json.loads(value)
    return {key: each for key, each in said.items() if each is not None} if isinstance(said, dict) else said
