"""Every notebook runs from the first cell to the last, on a desk of its own."""

from pathlib import Path

import jupytext
import pytest
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"

pytestmark = pytest.mark.slow


def printed(path: Path) -> str:
    """What the last cell of a notebook prints, after all of it has run."""
    notebook = jupytext.read(path)
    NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": path.parent}}
    ).execute()
    return "".join(output.get("text", "") for output in notebook.cells[-1].outputs)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HELMDESK_HOME", str(tmp_path))
    monkeypatch.setenv("HELMDESK_EMBEDDER", "wordllama")
    return tmp_path


def test_ticket_is_walked_to_its_end(home):
    told = printed(NOTEBOOKS / "walk_a_ticket.py")
    assert "WALK-1: resolved, owned by Marieke de Groot throughout: True" in told
    assert "first response met, resolution met, paused for 2:04:00" in told
    assert "history whole: True" in told
    assert list(home.iterdir()) == []


def test_no_notebook_is_forgotten():
    assert [path.name for path in sorted(NOTEBOOKS.glob("*.py"))] == ["walk_a_ticket.py"]
    assert not list(NOTEBOOKS.glob("*.ipynb")), "notebooks are kept as text: jupytext --to ipynb makes them again"
