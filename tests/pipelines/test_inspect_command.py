"""`helmdesk inspect`, then `ingest`: a first number from anyone's export without a line of YAML by hand."""

import json
import os
import pty
import shutil
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.testing import CliRunner

from engine.plugins.mapping import load_mapping
from engine.shared.errors import BadInput
from pipelines.app.container import open_app
from pipelines.commands.ingest import ingest
from pipelines.commands.inspect import inspect
from tests.processes import command_line, ended

EXPORTS = Path(__file__).parent / "exports"
TICKETS: dict[str, dict[str, dict[str, Any]]] = yaml.safe_load((EXPORTS / "tickets.yaml").read_text(encoding="utf-8"))
SHARED = next(
    (up / "shared" for up in Path(__file__).resolve().parents if (up / "shared" / "cases").is_dir()), Path("-")
)

READ = (
    *("semicolon_cp1252", "utf16", "sep_line", "title_lines"),
    *("trailing_blank_rows", "id_excel_text", "date_es_month", "date_serial"),
)

app = typer.Typer()
app.command("ingest")(ingest)
app.command("inspect")(inspect)


@app.callback()
def _home(context: typer.Context, home: Path) -> None:
    context.obj = {"home": home}


def run(home: Path, *words: object) -> Any:
    return CliRunner().invoke(app, [str(home), *map(str, words)])


def stored(home: Path) -> dict[str, dict[str, Any]]:
    with open_app(home=home) as opened:
        frame = opened.store.frame("tickets")
    return {
        row["external_id"]: {name: _plain(each) for name, each in row.items()} for row in frame.iter_rows(named=True)
    }


def _plain(value: Any) -> Any:
    """Instants to the minute, JSON as what it says without what it does not."""
    if hasattr(value, "strftime"):
        return value.strftime("%Y-%m-%dT%H:%M")
    if not isinstance(value, str) or not value.startswith(("{", "[")):
        return value
    said = json.loads(value)
    return {key: each for key, each in said.items() if each is not None} if isinstance(said, dict) else said


def first_tickets(file: Path, folder: Path) -> dict[str, dict[str, Any]]:
    """The three commands, and what they brought."""
    draft, home = folder / "OUT.yaml", folder / "home"
    for words in (
        ["inspect", file, "--mapping", draft, "--yes"],
        ["ingest", file, "--mapping", draft, "--dry-run"],
        ["ingest", file, "--mapping", draft],
    ):
        done = run(home, *words)
        assert done.exit_code == 0, f"{done.output}{done.exception}"
    return stored(home)


@pytest.mark.parametrize("name", TICKETS)
def test_three_commands_read_an_export_cell_by_cell(name: str, tmp_path: Path) -> None:
    found = first_tickets(EXPORTS / name, tmp_path)
    assert set(found) == set(TICKETS[name])
    for key, expected in TICKETS[name].items():
        assert {field: found[key][field] for field in expected} == expected, key


SHEET = """\
<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData></worksheet>"""
WORKBOOK = {
    "[Content_Types].xml": """\
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="xml" ContentType="application/xml"/>
<Override PartName="/xl/workbook.xml"
 ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>
<Override PartName="/xl/worksheets/sheet1.xml"
 ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>""",
    "_rels/.rels": """\
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1"
 Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
 Target="xl/workbook.xml"/></Relationships>""",
    "xl/workbook.xml": """\
<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"
 xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">
<sheets><sheet name="Tickets" sheetId="1" r:id="r1"/></sheets></workbook>""",
    "xl/_rels/workbook.xml.rels": """\
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1"
 Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"
 Target="worksheets/sheet1.xml"/></Relationships>""",
}


def write_workbook(file: Path, rows: list[list[str | float]]) -> Path:
    """One sheet; a number is written as one, a day as its number."""
    lines = ""
    for number, row in enumerate(rows, 1):
        cells = ""
        for letter, cell in zip("ABCDEF", row, strict=False):
            place = f'r="{letter}{number}"'
            text = f'<c {place} t="inlineStr"><is><t>{cell}</t></is></c>'
            cells += text if isinstance(cell, str) else f"<c {place}><v>{cell}</v></c>"
        lines += f'<row r="{number}">{cells}</row>'
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in {**WORKBOOK, "xl/worksheets/sheet1.xml": SHEET % lines}.items():
            archive.writestr(name, content)
    return file


def test_a_workbook_with_a_title_and_day_numbers_is_read(tmp_path: Path) -> None:
    rows: list[list[str | float]] = [
        ["Helpdesk, March"],
        ["Nummer", "Betreff", "Eröffnet am", "Gelöst am", "Status", "Priorität"],
        ["INC-1", "Drucker", 45719.375, 45719.5, "gelöst", "hoch"],
        ["INC-2", "Zugang", 45720.25, "", "in Bearbeitung", "niedrig"],
    ]
    found = first_tickets(write_workbook(tmp_path / "march.xlsx", rows), tmp_path)
    fields = ("subject", "created_at", "resolved_at", "status", "priority")
    assert {key: tuple(row[field] for field in fields) for key, row in found.items()} == {
        "INC-1": ("Drucker", "2025-03-03T09:00", "2025-03-03T12:00", "resolved", "high"),
        "INC-2": ("Zugang", "2025-03-04T06:00", None, "in_progress", "low"),
    }


def test_a_history_of_fields_is_read(tmp_path: Path) -> None:
    file = tmp_path / "changes.csv"
    file.write_text(
        "ticket,field,changed_at,changed_by,from,to\n77,status,2026-03-02 09:00,,,new\n"
        "77,status,2026-03-02 10:00,ana,new,pending\n77,priority,2026-03-03 08:00,mia,normal,high\n"
        "77,status,2026-03-04 09:30,ana,pending,solved\n",
        encoding="utf-8",
    )
    row = first_tickets(file, tmp_path)["77"]
    assert (row["created_at"], row["resolved_at"]) == ("2026-03-02T09:00", "2026-03-04T09:30")
    assert (row["status"], row["priority"]) == ("resolved", "high")


def test_what_only_a_source_reads_is_named(tmp_path: Path) -> None:
    issue = {
        "key": "HD-1",
        "fields": {"issuetype": {"name": "Incident"}, "status": {"name": "Done"}, "created": "2026-03-02T09:00:00Z"},
        "changelog": {"histories": [{"id": "1"}]},
    }
    file = tmp_path / "found.json"
    file.write_text(json.dumps({"total": 1, "issues": [issue]}), encoding="utf-8")
    assert "--source jira` alone" in run(tmp_path, "inspect", file).output


def test_a_column_of_two_readings_stays_open_and_nothing_is_written(tmp_path: Path) -> None:
    file, draft = tmp_path / "ambiguous.csv", tmp_path / "OUT.yaml"
    file.write_text("Ticket,Opened,State\nT-1,03/04/2025,Open\nT-2,05/04/2025,Closed\n", encoding="utf-8")
    done = run(tmp_path, "inspect", file, "--mapping", draft, "--yes")
    assert isinstance(done.exception, BadInput)
    assert "day/month and month/day, such as '03/04/2025'" in str(done.exception)
    assert "--answer dates=…, one of day, month" in str(done.exception)
    assert not draft.exists()
    assert run(tmp_path, "inspect", file, "--mapping", draft, "--yes", "--answer", "dates=month").exit_code == 0
    assert load_mapping(draft).dates == ("%m/%d/%Y",)


def test_a_status_that_resembles_nothing_stays_open(tmp_path: Path) -> None:
    file, draft = tmp_path / "words.csv", tmp_path / "OUT.yaml"
    file.write_text("Ticket,Opened,State\nT-1,2025-04-03,Open\nT-2,2025-04-05,Zorp\n", encoding="utf-8")
    refused = run(tmp_path, "inspect", file, "--mapping", draft, "--yes").exception
    assert isinstance(refused, BadInput)
    assert "what does the status 'Zorp' mean" in str(refused)
    answers = ["--answer", "status.Zorp=waiting_vendor", "--answer", "source=acme"]
    assert run(tmp_path, "inspect", file, "--mapping", draft, "--yes", *answers).exit_code == 0
    mapping = load_mapping(draft)
    assert (mapping.source, mapping.values["status"]) == ("acme", {"open": "in_progress", "zorp": "waiting_vendor"})


def test_without_yes_a_guess_is_a_question_too(tmp_path: Path) -> None:
    file, draft = tmp_path / "zone.csv", tmp_path / "OUT.yaml"
    file.write_text("Ticket,Opened,State\nT-1,2025-04-03 09:00,Open\n", encoding="utf-8")
    refused = run(tmp_path, "inspect", file, "--mapping", draft).exception
    assert isinstance(refused, BadInput)
    assert "in which time zone" in str(refused)
    assert run(tmp_path, "inspect", file).exit_code == 0
    done = run(tmp_path, "inspect", file, "--mapping", draft, "--answer", "time_zone=Europe/Berlin")
    assert (done.exit_code, load_mapping(draft).time_zone) == (0, "Europe/Berlin")


def test_a_url_is_refused(tmp_path: Path) -> None:
    refused = run(tmp_path, "inspect", "https://127.0.0.1/tickets.csv").exception
    assert isinstance(refused, BadInput)
    assert "is a URL" in str(refused)


@pytest.mark.parametrize("answer", ["Zorp", "dates=day", "created_at=Nowhere", "status.Open=asleep"])
def test_an_answer_to_nothing_is_refused(answer: str, tmp_path: Path) -> None:
    file = tmp_path / "plain.csv"
    file.write_text("Ticket,Opened,State\nT-1,2025-04-03,Open\n", encoding="utf-8")
    assert isinstance(run(tmp_path, "inspect", file, "--yes", "--answer", answer).exception, BadInput)


def test_a_mapping_of_ones_own_is_not_written_over(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("source: mine\n", encoding="utf-8")
    refused = run(tmp_path, "inspect", EXPORTS / "zammad.csv", "--mapping", mine, "--yes").exception
    assert isinstance(refused, BadInput)
    assert mine.read_text(encoding="utf-8") == "source: mine\n"


def test_a_folder_of_one_form_is_inspected_whole(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name, day in (("april", "03/04/2025"), ("may", "13/05/2025")):
        (folder / f"{name}.csv").write_text(f"Ticket,Opened,State\n{name},{day},Open\n", encoding="utf-8")
    assert set(first_tickets(folder, tmp_path)) == {"april", "may"}


def test_a_folder_of_two_forms_is_told_apart(tmp_path: Path) -> None:
    for name in ("zammad.csv", "freshdesk.csv"):
        shutil.copy(EXPORTS / name, tmp_path)
    refused = run(tmp_path, "inspect", tmp_path).exception
    assert isinstance(refused, BadInput)
    assert "inspect each by itself" in str(refused)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared cases are not here")
@pytest.mark.parametrize("name", READ)
def test_the_shared_files_are_read_without_a_mapping_by_hand(name: str, tmp_path: Path) -> None:
    found = first_tickets(SHARED / "cases" / "files" / f"{name}.csv", tmp_path)
    rows = [found[key] for key in sorted(found)]
    assert [row["subject"] for row in rows] == ["Cannot print", "VPN drops", "New laptop"]
    assert [row["content"] for row in rows] == ["Paper jam,\nsecond floor", "Müller: drops after 5 min", "needs 16 GB"]
    third = {"date_es_month": ("2025-12-13T16:30", None)}.get(name, ("2025-04-13T16:30", "2025-04-14T10:00"))
    second = {"date_serial": "2025-04-05T14:01"}.get(name, "2025-04-05T14:02")
    first = {"date_es_month": "2025-01-03T09:15", "date_serial": "2025-04-03T09:14"}.get(name, "2025-04-03T09:15")
    instants = [(row["created_at"], row["resolved_at"]) for row in rows]
    assert instants == [(first, "2025-04-03T11:40"), (second, None), third]
    assert [row["status"] for row in rows] == ["closed", "in_progress", "closed"]
    assert [row["priority"] for row in rows] == ["high", "medium", "low"]


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared cases are not here")
@pytest.mark.parametrize("name", ["date_ambig", "id_sci"])
def test_the_shared_files_that_need_a_person_end_in_2(name: str, tmp_path: Path) -> None:
    draft = tmp_path / "OUT.yaml"
    done = run(tmp_path, "inspect", SHARED / "cases" / "files" / f"{name}.csv", "--mapping", draft, "--yes")
    assert (isinstance(done.exception, BadInput), draft.exists()) == (True, False)


def on_a_terminal(*words: object, typed: bytes) -> tuple[int, str]:
    """The exit code of `helmdesk` on a terminal of two ends, and what it showed: what is typed at one end is read at
    the other."""
    ours, theirs = pty.openpty()
    os.write(ours, typed)
    code = ended(command_line_at, os.ttyname(theirs), *words, seconds=60).code
    return code, os.read(ours, 10_000).decode()


def command_line_at(terminal: str, *words: object) -> None:
    place = os.open(terminal, os.O_RDWR)
    for end, mode in ((0, "r"), (1, "w"), (2, "w")):
        os.dup2(place, end)
        setattr(sys, ("stdin", "stdout", "stderr")[end], os.fdopen(end, mode, buffering=1))
    command_line(*words)


def test_on_a_terminal_it_asks(tmp_path: Path) -> None:
    file, draft = tmp_path / "ambiguous.csv", tmp_path / "OUT.yaml"
    file.write_text("Ticket,Opened,State\nT-1,03/04/2025 09:00,Open\nT-2,05/04/2025 09:00,Zorp\n", encoding="utf-8")
    code, _ = on_a_terminal(
        "--home", tmp_path / "home", "inspect", file, "--mapping", draft, typed=b"waiting_vendor\nmonth\n\n"
    )
    assert code == 0
    mapping = load_mapping(draft)
    assert (mapping.dates, mapping.time_zone) == (("%m/%d/%Y %H:%M",), "UTC")
    assert mapping.values["status"]["zorp"] == "waiting_vendor"


TICKET = "source: a\ncolumns: {ticket_id: Id, created_at: Opened}\ntime_zone: Europe/Berlin\n"


def asked_for_the_zone(home: Path, *words: str, typed: bytes) -> tuple[int, str]:
    return on_a_terminal("--home", home, "ingest", *words, typed=typed)


@pytest.mark.slow
@pytest.mark.parametrize(("typed", "zone"), [(b"America/Sao_Paulo\n", "America/Sao_Paulo"), (b"\n", "Europe/Berlin")])
def test_the_first_ingest_asks_for_the_zone_of_reports(tmp_path: Path, typed: bytes, zone: str) -> None:
    (tmp_path / "m.yaml").write_text(TICKET)
    (tmp_path / "a.csv").write_text("Id,Opened\n1,2026-03-02 09:00\n")
    words = (str(tmp_path / "a.csv"), "--mapping", str(tmp_path / "m.yaml"))
    code, shown = asked_for_the_zone(tmp_path / "home", *words, typed=typed)
    assert (code, f"are counted in {zone}" in shown) == (0, True)
    code, shown = asked_for_the_zone(tmp_path / "home", *words, typed=b"")
    assert (code, "Time zone" in shown) == (0, False)


@pytest.mark.slow
def test_a_zone_that_is_none_takes_nothing_in(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(TICKET)
    (tmp_path / "a.csv").write_text("Id,Opened\n1,2026-03-02 09:00\n")
    words = (str(tmp_path / "a.csv"), "--mapping", str(tmp_path / "m.yaml"))
    code, _ = asked_for_the_zone(tmp_path / "home", *words, typed=b"Sao Paulo\n")
    assert (code, stored(tmp_path / "home")) == (2, {})


def test_a_file_that_is_refused_settles_no_zone(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(TICKET)
    (tmp_path / "a.csv").write_text("Id,Opened\n1,yesterday\n")
    run(tmp_path, "ingest", tmp_path / "a.csv", "--mapping", tmp_path / "m.yaml")
    with open_app(home=tmp_path) as opened:
        assert not opened.settings.desk_zone_file.is_file()
