"""Every notebook runs from the first cell to the last on one desk, and ends in a sentence and a picture."""

import gzip
from pathlib import Path
from typing import Any

import jupytext
import pytest
from nbclient import NotebookClient

from pipelines.app.container import open_app
from pipelines.jobs.cycle import CycleRun
from pipelines.jobs.ingest import ingest
from tests.pipelines.small_desk import triaged_desk

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
NAMES = sorted(path.stem for path in NOTEBOOKS.glob("*.py"))
LOG = Path(__file__).resolve().parents[3] / "shared" / "data" / "servicenow_incident_log.csv.gz"
INCIDENTS = 300

pytestmark = pytest.mark.slow


def run(name: str, home: Path | None) -> tuple[str, set[str]]:
    """What a notebook prints, and the kinds of what its last cell shows, after all of it has run on a home."""
    notebook = jupytext.read(NOTEBOOKS / f"{name}.py")
    for cell in notebook.cells:
        if "parameters" in cell.metadata.get("tags", ()):
            cell.source += f"\nhome = {str(home)!r}"
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": NOTEBOOKS}}).execute()
    outputs: list[Any] = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    printed = "".join(output.get("text", "") for output in outputs)
    return printed, {kind for output in notebook.cells[-1].outputs for kind in output.get("data", ())}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELMDESK_EMBEDDER", "wordllama")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty tickets (synthetic), triaged, some of it answered, clocks evaluated, nothing allocated yet."""
    place = tmp_path_factory.mktemp("home")
    with triaged_desk(place) as app:
        CycleRun(app, app.now()).walk(["evaluate", "publish"])
    return place


@pytest.fixture(scope="module")
def incidents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first incidents of a real ServiceNow log (UCI, CC BY 4.0)."""
    if not LOG.exists():
        pytest.skip("the ServiceNow log is not beside the project")
    place = tmp_path_factory.mktemp("servicenow")
    with gzip.open(LOG, "rt", encoding="utf-8") as rows, gzip.open(place / LOG.name, "wt", encoding="utf-8") as some:
        some.write(next(rows))
        known: set[str] = set()
        for row in rows:
            if len(known | {row.partition(",")[0]}) > INCIDENTS:
                break
            known.add(row.partition(",")[0])
            some.write(row)
    with open_app(home=place / "home") as app:
        ingest(app, place / LOG.name, source="servicenow-csv", at=app.now())
        CycleRun(app, app.now()).walk(["evaluate", "publish"])
    return place / "home"


ENDS = {
    "1_a_ticket_through_the_desk": "first response met, resolution met, paused for 2:04:00",
    "2_are_we_keeping_our_promises": "were kept",
    "3_what_if_the_policy_changed": "tickets have a clock that would stand otherwise",
    "4_who_should_get_it": "would go elsewhere under hld-v1",
    "5_is_the_model_honest": "its confidence is off by",
    "6_how_much_comes_and_how_long_it_waits": "a day; most come on",
    "7_your_own_question": "Most tickets come by",
}
"""What each ends in."""


@pytest.mark.parametrize("name", NAMES)
def test_it_ends_in_a_sentence_and_a_picture(name: str, home: Path) -> None:
    printed, shown = run(name, home)
    assert ENDS[name] in printed
    assert "image/svg+xml" in shown


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("1_")])
def test_it_runs_on_a_real_log_without_people_or_triage(name: str, incidents: Path) -> None:
    printed, _ = run(name, incidents)
    assert printed.strip().endswith(".")


@pytest.mark.parametrize("name", NAMES)
def test_both_forms_are_in_step_and_hold_no_output(name: str) -> None:
    text, cells = jupytext.read(NOTEBOOKS / f"{name}.py"), jupytext.read(NOTEBOOKS / f"{name}.ipynb")
    assert [(one.cell_type, one.source) for one in text.cells] == [(one.cell_type, one.source) for one in cells.cells]
    assert not [cell for cell in cells.cells if cell.get("outputs") or cell.get("execution_count")]
