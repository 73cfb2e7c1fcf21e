"""What closings teach: to the backlogs as files each week, into the knowledge by a person's yes alone."""

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from engine import cases
from engine.access import User, UserRole, user_of
from engine.contracts import Company, Delivery, Kind
from engine.shared.errors import BadInput, NotAllowed, NotFound
from pipelines.app.container import App, open_app
from pipelines.cli import command_line
from pipelines.jobs import backlogs, lessons
from pipelines.jobs.publish import publish
from pipelines.marts import MartReader, entitlements
from pipelines.operations import OPERATIONS, perform
from pipelines.snapshot import Snapshot
from tests.engine.people import AGENTS, ANA, CLEO, LIMITS, MONDAY, TEAMS, delivered, later

FORMULA = '=HYPERLINK("http://evil.example")'
SIGNAL = "web:1/docs"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """Two closed tickets of a Monday and of the Sunday before it, and an open one."""
    with open_app(home=tmp_path / "home", embedder="wordllama") as opened:
        acme = Company(id="acme", name="Acme", entitlements=("CASB",), data_residency="EU")
        opened.store.put([*TEAMS, *AGENTS, LIMITS, acme])
        tickets = [delivered(n, title="Tunnel", company="acme", created_at=later(-48)) for n in (1, 2, 3)]
        opened.store.ingest(Delivery(tickets=tuple(tickets)), at=later(-30))
        for number, closed in ((1, 1), (2, -24)):
            desk, key = opened.desk, f"web:{number}"
            desk.accept(key, by="ana", at=later(-28))
            desk.resolve(key, by="ana", summary="s", at=later(-27))
            told = {cases.Backlog.DOCS: "Renew the tunnel key first.", cases.Backlog.PRODUCT: FORMULA}
            desk.close(key, by="ana", lessons=told, survey=cases.Answers(csat=4), at=later(closed))
        yield opened


def run(app: App, *words: str) -> Any:
    return CliRunner().invoke(command_line, ["--home", str(app.settings.home), *words], catch_exceptions=True)


def do(app: App, name: str, key: str | None = SIGNAL, by: User | None = None, **given: Any) -> Any:
    return perform(app, OPERATIONS[name], user=by or user_of(CLEO), key=key, arguments=given, at=later(2))


def published(app: App) -> App:
    publish(app, Snapshot(app, later(24)))
    return app


class TestBacklogs:
    def test_a_week_is_a_file_for_each_backlog_without_formulas(self, app: App, tmp_path: Path) -> None:
        files = backlogs.export(published(app), date(2026, 3, 2), tmp_path / "out")
        assert {file.name: rows for file, rows in files.items()} == {
            "reliability-2026-W10.csv": 0, "product-2026-W10.csv": 1, "docs-2026-W10.csv": 1,
        }  # fmt: skip
        [row] = csv.DictReader((tmp_path / "out" / "product-2026-W10.csv").open(encoding="utf-8"))
        assert (row["ticket"], row["summary"], row["csat"]) == ("web:1", f"'{FORMULA}", "4")
        earlier = backlogs.export(app, date(2026, 2, 23), tmp_path / "out")
        assert sum(earlier.values()) == 2

    def test_the_command_takes_the_right_to_export(self, app: App, tmp_path: Path) -> None:
        published(app)
        words = ("backlogs", "export", "--week", "2026-W10", "--out", str(tmp_path / "out"))
        assert isinstance(run(app, *words, "--by", "ana").exception, NotAllowed)
        assert not (tmp_path / "out").exists()
        assert "docs-2026-W10.csv: 1 signal" in run(app, *words, "--by", "cleo").output.replace("\n", "")

    @pytest.mark.parametrize("week", ["2026-48", "2026-W60", "W48", "2026-W00", "next"])
    def test_a_word_that_is_no_week_is_refused(self, week: str) -> None:
        with pytest.raises(BadInput, match="write 2026-W48"):
            backlogs.monday_of(week)

    def test_last_week_is_the_desks(self, app: App) -> None:
        assert backlogs.monday_of("2026-W48") == date(2026, 11, 23)
        assert backlogs.week_before(app, datetime(2026, 11, 30, tzinfo=UTC)) == date(2026, 11, 23)
        assert backlogs.week_before(app, datetime(2026, 11, 29, 23, tzinfo=UTC)) == date(2026, 11, 16)


class TestLessons:
    def test_nothing_is_an_article_without_a_yes(self, app: App) -> None:
        lessons.sync(app)
        assert [one.key for one in do(app, "lesson list", None)] == ["web:2/docs", SIGNAL]
        assert app.triage.index.held() == []
        assert not (app.settings.home / "lessons").exists()

    def test_an_accepted_lesson_is_found_by_drafts(self, app: App) -> None:
        review = do(app, "lesson accept", title='Tunnel: "renew"\nfirst', text="Renew the key of the tunnel.")
        [held] = app.triage.index.held()
        assert (held.source, held.article_id, held.title) == ("lessons", review.article_id, 'Tunnel: "renew" first')
        [[found]] = app.triage.index.search(["key of the tunnel"])
        assert (found.text, found.url) == ("Renew the key of the tunnel.", f"lessons/{review.article_id}.md")
        assert [one.key for one in do(app, "lesson list", None)] == ["web:2/docs"]
        told = app.store.history("web:1")[-1].data
        assert ({**told} | {"records": {}}) == {"what": "lesson", "key": SIGNAL, "records": {}}
        assert app.store.history("web:1")[-1].kind == Kind.LINKED

    def test_a_rejected_lesson_is_no_article_and_comes_no_more(self, app: App) -> None:
        do(app, "lesson reject")
        with pytest.raises(NotFound, match="waits for a review"):
            do(app, "lesson accept", title="T")
        lessons.sync(app)
        assert app.triage.index.held() == []

    def test_an_agent_without_a_team_to_lead_decides_on_none(self, app: App) -> None:
        with pytest.raises(NotAllowed, match="has no right to supervise"):
            do(app, "lesson accept", title="T", by=user_of(ANA))
        with pytest.raises(NotAllowed, match="for a lead or manager"):
            do(app, "lesson accept", title="T", by=User(id="ana", name="Ana", roles=(UserRole.SUPERVISOR,)))

    def test_the_folder_is_what_the_store_says(self, app: App) -> None:
        review = do(app, "lesson accept", title="Renew")
        folder = app.settings.home / "lessons"
        (folder / f"{review.article_id}.md").write_text("changed", encoding="utf-8")
        (folder / "lesson-0.md").write_text("---\nid: x\ntitle: x\nurl: x\n---\nsmuggled", encoding="utf-8")
        lessons.sync(app)
        assert [file.name for file in folder.iterdir()] == [f"{review.article_id}.md"]
        assert [held.article_id for held in app.triage.index.held()] == [review.article_id]

    def test_the_commands_lead_there(self, app: App) -> None:
        assert "Renew the tunnel key first." in run(app, "knowledge", "lessons", "list", "--by", "cleo").output
        assert run(app, "knowledge", "lessons", "reject", SIGNAL, "--by", "cleo").exit_code == 0


class TestOutside:
    def test_the_mart_says_what_ticket_show_says(self, app: App) -> None:
        app.desk.add_resource("web:3", resource="gw", region="us-east-1", by="ana", at=later(0))
        published(app)
        with MartReader(app.settings.marts_folder) as reader:
            rows = {row["ticket"]: row for row in reader.frame("entitlements").iter_rows(named=True)}
        assert {rows[key]["residency"] for key in ("web:1", "web:2")} == {"not_known"}
        assert rows["web:3"]["because"].endswith("data in us-east-1 is not in EU")
        assert rows["web:3"]["because"] in run(app, "ticket", "show", "INC-3").output
        listed = run(app, "desk", "outside", "--by", "ana").output
        assert "INC-3  Acme: " in listed
        assert listed.endswith("1 ticket\n")

    def test_a_resource_of_later_is_none_of_then(self, app: App) -> None:
        app.desk.add_resource("web:3", resource="gw", region="us-east-1", by="ana", at=MONDAY)
        then = entitlements.build(Snapshot(app, later(-1)))
        assert set(then["residency"]) == {"not_known"}
