"""`helmdesk notebook`: what it lists, and that a reader's own changes stay."""

from importlib.util import find_spec
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.shared.errors import Unavailable
from pipelines.app.settings import shipped_notebooks
from pipelines.cli import command_line
from pipelines.commands.notebook import copied, notebooks, serve


def test_it_lists_seven_by_their_titles() -> None:
    ran = CliRunner().invoke(command_line, ["notebook", "--list"])
    assert len(list(notebooks())) == 7
    assert all(title in ran.stdout for _, title in notebooks())


def test_what_a_reader_changed_stays(tmp_path: Path) -> None:
    assert len(copied(tmp_path)) == 14
    mine = tmp_path / "7_your_own_question.py"
    mine.write_text("mine", encoding="utf-8")
    (tmp_path / "5_is_the_model_honest.py").unlink()
    assert copied(tmp_path) == [tmp_path / "5_is_the_model_honest.py"]
    assert mine.read_text(encoding="utf-8") == "mine"


def test_shipped_ones_are_found_beside_the_packages() -> None:
    assert shipped_notebooks().is_dir()


@pytest.mark.skipif(find_spec("jupyterlab") is not None, reason="JupyterLab is installed here")
def test_without_jupyterlab_it_says_what_installs_it(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="uv sync --extra notebook"):
        serve(tmp_path, tmp_path, port=8888, opens_browser=False)
