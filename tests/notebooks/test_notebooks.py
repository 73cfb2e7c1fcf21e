"""Every notebook runs from the first cell to the last on one desk, and ends in a sentence and a picture."""

import gzip
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jupytext
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from pipelines.app.container import open_app
from pipelines.app.settings import shipped_data
from pipelines.jobs.cycle import CycleRun
from pipelines.jobs.ingest import ingest
from tests.pipelines.small_desk import triaged_desk

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
NAMES = sorted(path.stem for path in NOTEBOOKS.glob("*.py"))
LOG = Path(__file__).resolve().parents[3] / "shared" / "data" / "servicenow_incident_log.csv.gz"
INCIDENTS = 300
SHARE = r"(> |< )?[\d.]+ % \[[\d.]+–[\d.]+\]"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def kernel() -> Iterator[NotebookClient]:
    """One for all notebooks, in a folder of its own: what one of them imports the next need not read again."""
    shell = {name: value for name, value in os.environ.items() if not name.startswith("HELMDESK_")}
    client = NotebookClient(new_notebook(), timeout=300, kernel_name="python3")
    with (
        TemporaryDirectory() as folder,
        client.setup_kernel(cwd=folder, env={**shell, "HELMDESK_EMBEDDER": "wordllama"}),
    ):
        yield client


def run(name: str, kernel: NotebookClient, home: Path) -> tuple[str, set[str]]:
    """What the last cell that prints does print, and the kinds of what the last cell shows, after all of a notebook has
    run on a home; it begins without what others named."""
    notebook = jupytext.read(NOTEBOOKS / f"{name}.py")
    for cell in notebook.cells:
        if "parameters" in cell.metadata.get("tags", ()):
            cell.source += f"\nhome = {str(home)!r}"
    notebook.cells.insert(0, new_code_cell("%reset -f"))
    kernel.nb = notebook
    kernel.reset_execution_trackers()
    for place, cell in enumerate(notebook.cells):
        kernel.execute_cell(cell, place)
    printed = [texts for cell in notebook.cells if (texts := _printed(cell))]
    return printed[-1], {kind for output in notebook.cells[-1].outputs for kind in output.get("data", ())}


def _printed(cell: Any) -> str:
    return "".join(one.text for one in cell.get("outputs", ()) if one.get("name") == "stdout")


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
    "1_a_ticket_through_the_desk": r"owned by Marieke de Groot throughout: first response met, resolution met, "
    r"paused for 2:04:00 while we waited for the customer; its history is whole\.",
    "2_are_we_keeping_our_promises": rf"^{SHARE} of \d+ promises of the settled weeks, .* were kept; \d+ of \d+ w",
    "3_what_if_the_policy_changed": rf"kept in force {SHARE} of \d+ decided; itil-next (.*\n)*\d+ tickets have a clock",
    "4_who_should_get_it": rf"\d+ would go elsewhere under hld-v2; \+10 slots in (.*\n)*hld-v2 picks .* in {SHARE}\.",
    "5_is_the_model_honest": r"off by 0\.\d{3} on average \(ECE\)\.",
    "6_how_much_comes_and_how_long_it_waits": rf"a day .* on \w+day at \d+:00, {SHARE}, then(.*\n)*Resolution: ",
    "7_your_own_question": rf"Most tickets by channel: \w+, \d+ of 60, that is {SHARE}, as of",
}
"""What each ends in: a number, and how sure it is."""
LACKS = {
    "2_are_we_keeping_our_promises": "were kept",
    "3_what_if_the_policy_changed": "tickets have a clock that would stand otherwise",
    "4_who_should_get_it": "Nobody has to be given a ticket",
    "5_is_the_model_honest": "Triage has classified nothing here: `helmdesk triage` does",
    "6_how_much_comes_and_how_long_it_waits": "most come on",
    "7_your_own_question": "Most tickets by channel",
}
"""What each says of a log of ended tickets, without people, triage or answers."""


@pytest.mark.parametrize("name", NAMES)
def test_it_ends_in_a_sentence_and_a_picture(name: str, kernel: NotebookClient, home: Path) -> None:
    printed, shown = run(name, kernel, home)
    assert re.search(ENDS[name], printed), printed
    assert "image/svg+xml" in shown


@pytest.mark.parametrize("name", LACKS)
def test_it_says_what_a_real_log_without_people_or_triage_lacks(
    name: str, kernel: NotebookClient, incidents: Path
) -> None:
    printed, _ = run(name, kernel, incidents)
    assert LACKS[name] in printed
    assert printed.rstrip().endswith(".")


def test_it_says_that_nothing_came_to_an_empty_desk(kernel: NotebookClient, tmp_path: Path) -> None:
    with open_app(home=tmp_path) as app:
        CycleRun(app, app.now()).walk(["publish"])
    ends = {name: run(name, kernel, tmp_path)[0] for name in LACKS}
    nothing = (
        "No week is settled",
        "no clock to replay",
        "Nobody has",
        "classified nothing",
        "No ticket",
        "no tickets",
    )
    assert [word in printed for word, printed in zip(nothing, ends.values(), strict=True)] == [True] * len(LACKS), ends


def test_an_allocation_file_of_ones_own_is_tried(kernel: NotebookClient, home: Path, tmp_path: Path) -> None:
    place = shutil.copytree(shipped_data(), tmp_path / "data")
    file = place / "policies" / "allocation.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("hld-v1:", "nearest-first:").replace("hld-v2:", "by-wait:"), encoding="utf-8")
    kernel.nb = new_notebook(cells=[new_code_cell(f"import os; os.environ['HELMDESK_DATA'] = {str(place)!r}")])
    kernel.execute_cell(kernel.nb.cells[0], 0)
    try:
        assert "elsewhere under nearest-first" in run("4_who_should_get_it", kernel, home)[0]
    finally:
        kernel.execute_cell(new_code_cell("import os; del os.environ['HELMDESK_DATA']"), 0)


@pytest.mark.parametrize("name", NAMES)
def test_both_forms_are_in_step_and_hold_no_output(name: str) -> None:
    text, cells = jupytext.read(NOTEBOOKS / f"{name}.py"), jupytext.read(NOTEBOOKS / f"{name}.ipynb")
    assert [(one.cell_type, one.source) for one in text.cells] == [(one.cell_type, one.source) for one in cells.cells]
    assert not [cell for cell in cells.cells if cell.get("outputs") or cell.get("execution_count")]
