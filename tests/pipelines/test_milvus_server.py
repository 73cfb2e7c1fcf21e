"""A desk whose knowledge is on a Milvus server, as its commands show it."""

import json
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from pipelines.app.settings import read_settings
from pipelines.cli import command_line
from pipelines.jobs.doctor import Finding, examine
from tests.triage.milvus_server import TOKEN


@pytest.fixture
def environment(milvus_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    given = {"URI": milvus_server, "TOKEN": TOKEN, "DATABASE": f"of_{uuid4().hex}"}
    for name, value in given.items():
        monkeypatch.setenv(f"HELMDESK_MILVUS_{name}", value)
    monkeypatch.setenv("HELMDESK_HOME", str(tmp_path))
    monkeypatch.setenv("HELMDESK_EMBEDDER", "wordllama")
    return monkeypatch


def of_index() -> Finding:
    return next(finding for finding in examine(read_settings()) if finding.part == "index")


def test_the_doctor_says_what_the_server_is_and_can(environment: pytest.MonkeyPatch) -> None:
    settings = read_settings()
    found = of_index()
    assert found.works
    assert found.in_use.startswith("Milvus server v2.3.5")
    assert f"database {settings.milvus_database}, 0 passages" in found.in_use
    assert found.in_use.endswith("by words (BM25) here: Milvus finds words itself from 2.5 on")
    assert found.note == "HELMDESK_MILVUS_TOKEN works"


def test_the_doctor_says_that_a_token_is_wrong(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("HELMDESK_MILVUS_TOKEN", "root:guess")
    found = of_index()
    assert (found.works, "refused the token" in found.note, "guess" in found.note) == (False, True, False)


def test_a_file_has_no_databases(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("HELMDESK_MILVUS_URI")
    assert "unset HELMDESK_MILVUS_DATABASE or name a server" in of_index().note


def test_knowledge_is_synced_to_a_server_and_found_there(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    article = "---\nid: badge\ntitle: Badges\nurl: u\n---\nShow the badge QX-77 at the door."
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "badge.md").write_text(article, encoding="utf-8")
    asked = [["knowledge", "sync", str(tmp_path / "own")], ["knowledge", "list", "--json"]]
    done = [CliRunner().invoke(command_line, arguments) for arguments in asked]
    assert [one.exit_code for one in done] == [0, 0], [one.output for one in done]
    assert "badge" in json.dumps(json.loads(done[1].stdout))
    assert not list(tmp_path.glob("*.db/collections"))
