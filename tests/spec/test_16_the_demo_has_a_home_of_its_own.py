"""`helmdesk demo` writes to `var/demo`, so synthetic tickets never mix with yours, and that home stays in its time."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.app.settings import shipped_data
from pipelines.cli import command_line
from pipelines.marts import MartReader
from tests.pipelines.small_desk import AS_OF, write_export

PROMISES = "SELECT clock, state, count(*) AS windows FROM sla_clocks GROUP BY ALL ORDER BY ALL"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder in which `helmdesk demo` was called, with a small sample."""
    here = tmp_path_factory.mktemp("demo")
    data = here / "data"
    data.mkdir()
    for part in shipped_data().iterdir():
        if part.name != "tickets":
            (data / part.name).symlink_to(part)
    write_export(data / "tickets", 3)
    (data / "tickets" / "sample.yaml").write_text(f"as_of: {AS_OF.isoformat()}\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HELMDESK_DATA", str(data))
        patch.setenv("HELMDESK_EMBEDDER", "wordllama")
        patch.chdir(here)
        run = CliRunner().invoke(command_line, ["demo"])
        assert run.exit_code == 0, run.output
        yield here


def test_demo_leaves_nothing_beside_its_own_home(place: Path) -> None:
    assert [path.name for path in (place / "var").iterdir()] == ["demo"]
    assert (place / "var/demo/helmdesk.db").is_file()


def test_publish_after_the_demo_speaks_of_the_demos_time(place: Path) -> None:
    before = MartReader(place / "var/demo/marts").query(PROMISES)
    assert CliRunner().invoke(command_line, ["--home", "var/demo", "publish"]).exit_code == 0
    after = MartReader(place / "var/demo/marts")
    assert after.query(PROMISES).equals(before)
    assert after.publication.as_of - AS_OF < timedelta(hours=1)
