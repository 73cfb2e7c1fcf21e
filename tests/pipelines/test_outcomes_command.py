"""`helmdesk outcomes`: machine mail is proposed, and counts until a person says so."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.contracts import Delivery, Kind
from engine.shared.errors import BadInput, NotAllowed
from pipelines.app.container import open_app
from pipelines.cli import command_line
from tests.engine.people import delivered, later

ENDED = {"status": "resolved", "resolved_at": later(1)}
WRITTEN = {"title": "Automatic reply: your ticket", "updated_at": later(2)}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    tickets = (
        delivered(1, **ENDED, **WRITTEN),
        delivered(2, **WRITTEN),
        delivered(3, **ENDED),
        delivered(4, **ENDED, **WRITTEN, outcome="spam"),
    )
    with open_app(home=tmp_path) as app:
        app.store.ingest(Delivery(tickets=tickets), at=later(3))
    return tmp_path


def run(home: Path, *words: str) -> str:
    found = CliRunner().invoke(command_line, ["--home", str(home), *words])
    if found.exception:
        raise found.exception
    return found.output


def source(home: Path) -> dict[str, Any]:
    return dict(json.loads(run(home, "coverage", "--json"))["sources"]["web"])


def test_proposed_are_those_nobody_spoke_of(home: Path) -> None:
    assert [line.split()[0] for line in run(home, "outcomes").splitlines()] == ["web:1", "web:2", "2"]
    assert (source(home)["proposed"], source(home)["left_out"]) == (2, {"spam": 1})


def test_accepted_is_left_out_and_in_the_history(home: Path) -> None:
    assert "1 of them still open" in run(home, "outcomes", "accept", "--all-proposed", "--by", "mia")
    assert (source(home)["proposed"], source(home)["left_out"]) == (0, {"spam": 1, "machine_mail": 1})
    with open_app(home=home) as app:
        last = app.store.history("web:1")[-1]
    assert (last.kind, last.value, last.actor) == (Kind.OUTCOME, "machine_mail", "mia")


def test_what_is_not_proposed_is_not_accepted(home: Path) -> None:
    with pytest.raises(NotAllowed, match="web:3"):
        run(home, "outcomes", "accept", "web:1", "web:3")
    with pytest.raises(BadInput, match="--all-proposed"):
        run(home, "outcomes", "accept")
    assert source(home)["proposed"] == 2


def test_a_source_that_solves_it_takes_nothing_back(home: Path) -> None:
    run(home, "outcomes", "accept", "web:2")
    with open_app(home=home) as app:
        for hour, said, stays in ((5, "solved", "machine_mail"), (7, "merged", "merged")):
            told = delivered(2, **ENDED, **WRITTEN | {"updated_at": later(hour)}, outcome=said)
            app.store.ingest(Delivery(tickets=(told,)), at=later(hour))
            assert app.store.ticket("web:2").outcome == stays
