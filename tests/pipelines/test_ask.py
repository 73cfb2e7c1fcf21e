"""`helmdesk triage ask` says what triage would say, by the same parts, and keeps nothing."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pipelines.cli import command_line

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "cases" / "texts" / "tickets.jsonl"
TEXTS = [
    {"ticket_id": "A", "title": "Error on the screen", "description": "We see ZTNA 301 since this morning."},
    {"ticket_id": "B", "title": "[EXTERNAL] Automatische Antwort: Störung", "description": "Ich bin nicht im Büro."},
    {"title": "Undelivered Mail Returned to Sender", "description": "This is the mail system at host mx.example."},
    {"ticket_id": "D", "title": "Question", "description": "Our firewall works fine. We need a copy of the invoice."},
    {"ticket_id": "E", "title": "Printer", "description": "The copier on our floor jams and needs toner."},
    {"ticket_id": "F", "title": "", "description": "", "expected": "nothing to read"},
]  # fmt: skip


def ask(home: Path, file: Path) -> list[dict[str, Any]]:
    done = CliRunner().invoke(command_line, ["--home", str(home), "triage", "ask", "--file", str(file), "--json"])
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """Without a home, of which there is none afterwards either."""
    folder = tmp_path_factory.mktemp("ask")
    file = folder / "texts.jsonl"
    file.write_text("\n".join(map(json.dumps, TEXTS)), encoding="utf-8")
    shared = [json.loads(line) for line in SHARED.read_text().splitlines()] if SHARED.is_file() else []
    file.write_text("\n".join(map(json.dumps, [*TEXTS, *shared])), encoding="utf-8")
    return folder / "home", ask(folder / "home", file)


def by_id(answered: tuple[Path, list[dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    return {answer["ticket_id"]: answer for answer in answered[1]}


def test_nothing_is_written(answered: tuple[Path, list[dict[str, Any]]]) -> None:
    assert not answered[0].exists()


def test_a_home_stays_as_it_is(tmp_path: Path) -> None:
    from pipelines.app.container import open_app

    home, file = tmp_path / "home", tmp_path / "texts.jsonl"
    with open_app(home=home) as app:
        assert app.store
        app.triage.sync_knowledge()
    file.write_text(json.dumps(TEXTS[0]), encoding="utf-8")
    before = {path: sha256(path.read_bytes()).hexdigest() for path in home.rglob("*") if path.is_file()}
    assert ask(home, file)[0]["draft"]["sources"][0]["id"] == "ztna-301"
    assert {path: sha256(path.read_bytes()).hexdigest() for path in home.rglob("*") if path.is_file()} == before


def test_a_code_is_noted_and_answered(answered: tuple[Path, list[dict[str, Any]]]) -> None:
    found = by_id(answered)["A"]
    assert (found["class"], found["codes"], found["needs_review"]) == ("ZTNA", ["ZTNA-301"], False)
    assert found["draft"]["grounded"]


def test_machine_mail_gets_no_draft(answered: tuple[Path, list[dict[str, Any]]]) -> None:
    found = by_id(answered)
    assert [(found[key]["outcome"], found[key]["draft"]) for key in ("B", "3")] == [("machine_mail", None)] * 2


def test_what_is_no_trouble_does_not_vote(answered: tuple[Path, list[dict[str, Any]]]) -> None:
    found = by_id(answered)["D"]
    assert found["class"] == "GENERAL"
    assert not any(source["id"].startswith("cfw") for source in found["draft"]["sources"])


def test_everyday_matters_and_empty_texts_go_to_a_person(answered: tuple[Path, list[dict[str, Any]]]) -> None:
    found = by_id(answered)
    assert found["E"]["needs_review"]
    assert found["F"]["reasons"] == ["there is nothing to read"]


@pytest.mark.skipif(not SHARED.is_file(), reason="../shared/cases is not there")
def test_the_shared_cases_hold(answered: tuple[Path, list[dict[str, Any]]]) -> None:
    found = by_id(answered)
    for_a_person = {key for key, answer in found.items() if answer["needs_review"]}
    assert {found[key]["outcome"] for key in ("OOS7", "DUP5", "T12")} == {"machine_mail"}
    assert {"OOS8", "CODE8", "T05"} <= for_a_person
    assert all(found[key]["class"] == "GENERAL" or key in for_a_person for key in ("NEG1", "T14"))
    assert not any(source["id"].startswith("ztna") for source in found["NEG1"]["draft"]["sources"])
    assert [(found[key]["class"], found[key]["codes"]) for key in ("CODE2", "CODE4")] == [("ZTNA", ["ZTNA-301"])] * 2
    assert found["CODE8"]["codes"] == []


def test_a_line_that_is_no_text_is_named(tmp_path: Path) -> None:
    file = tmp_path / "texts.jsonl"
    file.write_text('{"title": "a"}\nnot JSON\n', encoding="utf-8")
    done = CliRunner().invoke(command_line, ["triage", "ask", "--file", str(file)])
    assert "line 2" in str(done.exception)
