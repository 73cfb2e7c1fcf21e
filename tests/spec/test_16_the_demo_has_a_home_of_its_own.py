"""`helmdesk demo` writes to `var/demo`, so synthetic tickets never mix with yours."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.app.settings import shipped_data
from pipelines.cli import command_line
from tests.pipelines.small_desk import AS_OF, write_export


def test_demo_leaves_nothing_beside_its_own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for part in shipped_data().iterdir():
        if part.name != "tickets":
            (data / part.name).symlink_to(part)
    write_export(data / "tickets", 3)
    (data / "tickets" / "sample.yaml").write_text(f"as_of: {AS_OF.isoformat()}\n", encoding="utf-8")
    monkeypatch.setenv("HELMDESK_DATA", str(data))
    monkeypatch.setenv("HELMDESK_EMBEDDER", "wordllama")
    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke(command_line, ["demo"])
    assert run.exit_code == 0, run.output
    assert [path.name for path in Path("var").iterdir()] == ["demo"]
    assert Path("var/demo/helmdesk.db").is_file()
