"""`helmdesk triage redact` shows what would leave, needs no home, and names the line that it can't read."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.contracts import Contact
from engine.shared.errors import BadInput, NotFound
from pipelines.app.container import open_app
from pipelines.cli import command_line

LINES = [
    {
        "ticket_id": "A",
        "title": "Ana García",
        "description": "My password is hunter2, badge E-4471",
        "personal": ["E-4471"],
    },
    {"subject": "x", "text": "Rückruf 0170 1234567, [EMAIL_1]", "language": "de"},
]


def redacted(tmp_path: Path, *words: str, lines: Any = LINES, home: str = "none") -> list[dict[str, Any]]:
    file = tmp_path / "texts.jsonl"
    file.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), encoding="utf-8")
    given = ["--home", str(tmp_path / home), "triage", "redact", "--file", str(file), "--json", *words]
    ran = CliRunner().invoke(command_line, given, catch_exceptions=False)
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_it_needs_no_home_and_makes_none(tmp_path: Path) -> None:
    first, second = redacted(tmp_path, "--name", "Ana García")
    assert (first["title"], first["description"]) == ("[NAME_1]", "My password is [SECRET_1], badge [PERSONAL_1]")
    assert first["placeholders"]["[SECRET_1]"] == {"kind": "SECRET", "value": "hunter2"}
    assert first["counts"] == {"NAME": 1, "SECRET": 1, "PERSONAL": 1}
    assert (second["text"], second["counts"]) == ("Rückruf [PHONE_1], [MARK_1]", {"PHONE": 1})
    assert not (tmp_path / "none").exists()


def test_values_can_be_left_out(tmp_path: Path) -> None:
    first, _ = redacted(tmp_path, "--no-values")
    assert first["placeholders"]["[SECRET_1]"] == {"kind": "SECRET"}
    assert "hunter2" not in json.dumps(first)


def test_names_of_the_home_are_hidden(tmp_path: Path) -> None:
    with open_app(home=tmp_path / "desk") as app, app.store.transaction() as connection:
        app.store.put([Contact(id="c1", email="a@x.example", name="Ana García")], within=connection)
    first, _ = redacted(tmp_path, home="desk")
    assert first["title"] == "[NAME_1]"


@pytest.mark.parametrize("line", ["[1]", "{", '{"title": 4}', '{"id": 1}', '{"text": "a", "personal": "b"}'])
def test_a_bad_line_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(BadInput, match="line 3: "):
        redacted(tmp_path, lines=[*LINES, line])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    given = ["--home", str(tmp_path), "triage", "redact", "--file", str(tmp_path / "no.jsonl")]
    with pytest.raises(NotFound, match=r"no\.jsonl"):
        CliRunner().invoke(command_line, given, catch_exceptions=False)
