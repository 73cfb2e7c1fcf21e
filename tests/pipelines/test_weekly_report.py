"""The weekly report says what the figures say, stands alone as HTML and PDF, and reaches who is to read it once."""

import json
import re
import shutil
import sys
import zlib
from collections.abc import Iterator
from datetime import date, timedelta
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from typer.testing import CliRunner

from engine.access import User, UserRole
from engine.contracts import Agent, Role
from engine.notices import INBOX, Notice
from engine.shared.errors import BadInput, NotAllowed, NotFound, Unavailable
from pipelines import actions
from pipelines.app.container import App, open_app
from pipelines.cli import command_line
from pipelines.figures import queries, reports, verdict
from pipelines.figures.selection import Period, Selection
from pipelines.figures.triage_numbers import honesty
from pipelines.flows.weekly_report import weekly_report as flow
from pipelines.jobs.deliver import deliver
from pipelines.jobs.weekly_report.as_html import as_html
from pipelines.jobs.weekly_report.as_pdf import as_pdf
from pipelines.jobs.weekly_report.figures import weekly_report
from pipelines.jobs.weekly_report.page import as_text, page_of
from pipelines.jobs.weekly_report.sending import Posted, post, recipients
from pipelines.marts import MartReader
from tests.dashboards.marts_by_hand import NOON, clock, published, ticket
from tests.engine.plugins.test_notifiers import Postbox, free_port

MONDAY = date(2026, 11, 9)
MANAGER = User(id="mo", name="Mo", roles=(UserRole.MANAGER,))
HOSTILE = '<img src=x onerror="alert(1)"> Åse – ≥'
FONTS = Path(__file__).resolve().parents[2] / "data" / "fonts"


def start(monday: date, hours: int = 9) -> Any:
    return NOON.replace(year=monday.year, month=monday.month, day=monday.day, hour=0) + timedelta(hours=hours)


def promises(monday: date, met: int, breached: int, *, running: int = 0, group: str = "g-1") -> list[dict[str, Any]]:
    states = [*["met"] * met, *["breached"] * breached, *["on_track"] * running]
    return [
        clock(f"{monday:%m%d}-{group}-{n}", "resolution", state, group_id=group, window_start=start(monday, 9 + n))
        for n, state in enumerate(states)
    ]


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """Three weeks: a good one, a bad one that is settled, and one that runs; a group has a hostile name."""
    week = timedelta(days=7)
    clocks = [
        *promises(MONDAY - week, 19, 1),
        *promises(MONDAY, 9, 1),
        *({**one, "agent_id": "ana"} for one in promises(MONDAY, 2, 8, group="g-2")),
        *promises(MONDAY + week, 1, 3, running=6),
        clock("spam", "resolution", "met", window_start=start(MONDAY), counts=False),
    ]
    broken = [one for one in clocks if one["state"] == "breached"]
    published(
        tmp_path,
        tickets=[ticket(one["reference"]) for one in clocks],
        sla_clocks=clocks,
        breach_reasons=[
            {
                "ticket": one["ticket"], "reference": one["reference"], "clock": "resolution", "window": 1,
                "over_by": 7_200, "reason": "never_picked_up", "seconds_to_pick_up": 60, "seconds_in_work": 0,
                "seconds_waiting_internal": 60,
            }
            for one in broken
        ],
        group_load=[{"group_id": "g-1", "group_name": "Network"}, {"group_id": "g-2", "group_name": HOSTILE}],
        names=[{"dimension": "agent_id", "value": "ana", "name": "Ana Lima"}],
        volume=[
            {"day": monday, "created": created, "resolved": 3, "reopened": 1, "left_out": 0, "open_at_end": left}
            for monday, created, left in ((MONDAY - week, 20, 9), (MONDAY, 14, 12))
        ],
        honesty=[
            {
                "claims": "sure", "tickets": 90, "drawn": 20, "answered": 10, "agreed": 8, "share_agreed": 0.8,
                "low": 0.49, "high": 0.94,
            }
        ],
    ).close()  # fmt: skip
    with open_app(home=tmp_path) as opened:
        yield opened


def text_of(app: App, monday: date | None = None) -> str:
    return as_text(page_of(weekly_report(app, monday, at=NOON)))


class TestFigures:
    def test_are_those_asked_directly(self, app: App) -> None:
        report = weekly_report(app, at=NOON)
        chosen = Selection(period=Period.of_week(MONDAY))
        with MartReader(app.settings.marts_folder) as reader:
            share = verdict.settled_week(reader)
            assert share is not None
            assert (share.week, share.share) == ("9 Nov", 11 / 20)
            headline = queries.headline(reader, chosen)
            assert report.clocks.select(headline.columns).equals(headline)
            assert report.reasons.equals(reports.reasons(reader, chosen))
            assert report.times.equals(reports.response_times(reader, chosen))
            assert report.honesty["sure"] == honesty(reader, "sure")
            assert report.not_counted.equals(queries.not_counted(reader, chosen))
        assert report.monday == MONDAY
        assert report.clocks["share_before"].to_list() == [19 / 20]
        week = report.weeks.row(-1, named=True)
        assert (week["met"], week["breached"], week["share_met"], week["target"]) == (11, 9, 0.55, 0.9)

    def test_worst_cut_comes_first_and_the_whole_lot_is_no_cut(self, app: App) -> None:
        cuts = weekly_report(app, at=NOON).cuts
        assert cuts.select("dimension", "value", "met", "breached").rows() == [("group", HOSTILE, 2, 8)]

    def test_page_says_them(self, app: App) -> None:
        text = text_of(app)
        assert "Below target and worse than usual: 55 % of the promises of the week from 9 Nov were kept, " in text
        assert ", target 90 %, usually 95 %; " in text
        assert "Tickets created · 14 · −6" in text
        assert "Open at the end of the week · 12 · +3" in text
        assert "Resolution: 1 promise of 1 ticket left out by outcome" in text
        assert "people agree 80 % (95 % interval 49 % to 94 %; 10 of 20 drawn claims answered, of 90" in text
        assert "When it is not sure: not known yet" in text

    def test_names_no_person_and_no_ticket(self, app: App) -> None:
        with MartReader(app.settings.marts_folder) as reader:
            assert "Ana Lima" in set(queries.attainment_by(reader, "agent")["value"])
        page = as_html(page_of(weekly_report(app, at=NOON)))
        assert not [word for word in ("Ana", "ana", "Subject", "1109-") if re.search(rf"\b{word}", page)]

    def test_week_that_is_not_settled_is_compared_with_nothing(self, app: App) -> None:
        text = text_of(app, MONDAY + timedelta(days=7))
        assert "Not settled yet, so far: 25 % of the promises of the week from 16 Nov were kept;" in text
        assert "6 promises of it still run in time" in text
        assert "16 Nov · 25 % · 5 % to 70 % · 90 % · ◌ not settled" in text
        assert "compared with their targets once the week is settled" in text

    def test_other_days_and_empty_weeks_are_refused(self, app: App) -> None:
        with pytest.raises(BadInput, match="no Monday: a week is named by its first day, 2026-11-09"):
            weekly_report(app, date(2026, 11, 11), at=NOON)
        with pytest.raises(NotFound, match="from 2026-01-05"):
            weekly_report(app, date(2026, 1, 5), at=NOON)

    def test_without_a_publication_the_command_is_named(self, tmp_path: Path) -> None:
        with open_app(home=tmp_path) as empty, pytest.raises(NotFound, match="run `helmdesk cycle`"):
            weekly_report(empty, at=NOON)


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


class TestHtml:
    @pytest.mark.parametrize("in_a_mail", [True, False])
    def test_stands_alone(self, app: App, in_a_mail: bool) -> None:
        page = as_html(page_of(weekly_report(app, at=NOON)), in_a_mail=in_a_mail)
        tags = Tags(page).found
        names = {tag for tag, _ in tags}
        assert not names & {"script", "img", "link", "iframe", "object", "form", "a", "image"}
        assert not re.search(r"https?:|//[a-z]|url\(|@import", page)
        assert not [name for _, given in tags for name in given if name.startswith("on") or name in ("src", "href")]
        assert ("svg" in names) is not in_a_mail

    def test_names_are_escaped(self, app: App) -> None:
        assert "&lt;img src=x onerror=&quot;alert(1)&quot;&gt; Åse – ≥" in actions.weekly_report_html(app, user=MANAGER)

    def test_is_for_whom_may_export_and_noted(self, app: App) -> None:
        with pytest.raises(NotAllowed, match="has no right to export"):
            actions.weekly_report_html(app, user=User(id="ana", name="Ana", roles=(UserRole.AGENT,)))
        actions.weekly_report_html(app, user=MANAGER)
        [note] = [one for one in app.store.frame("audit_log").to_dicts() if one["kind"] == "exported"]
        assert (note["actor"], note["subject"]) == ("mo", "weekly report")
        assert json.loads(note["data"])["filter"] == "week from 2026-11-09"

    def test_without_the_extra_says_what_is_left_out(self, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "vl_convert", None)
        page = actions.weekly_report_html(app, user=MANAGER)
        assert "The picture is left out: uv sync --extra report" in page
        assert "<svg" not in page
        with pytest.raises(Unavailable, match="uv sync --extra report"):
            as_pdf(page_of(weekly_report(app, at=NOON)), FONTS)


def pdf_text(content: bytes) -> str:
    """What a reader may select: glyphs of the pages, read by the maps of their fonts to Unicode."""
    streams = re.findall(rb"<<([^>]*)>>\nstream\n(.*?)\nendstream", content, re.DOTALL)
    plain = [zlib.decompress(raw) if b"FlateDecode" in head else raw for head, raw in streams]
    maps = [
        {bytes.fromhex(code): bytes.fromhex(letter).decode("utf-16-be")
         for code, letter in re.findall(r"<(\w{4})> <(\w+)>", one.decode())}
        for one in plain
        if b"beginbfchar" in one
    ]  # fmt: skip
    found, font = [], 0
    for number, shown in re.findall(rb"/F(\d+) [\d.]+ Tf|\(((?:[^\\)]|\\.)*)\) Tj", plain[0], re.DOTALL):
        if number:
            font = int(number) - 1
            continue
        glyphs = re.sub(rb"\\(.)", lambda one: {b"r": b"\r", b"n": b"\n"}.get(one[1], one[1]), shown, flags=re.DOTALL)
        found.append("".join(maps[font][glyphs[at : at + 2]] for at in range(0, len(glyphs), 2)))
    return " ".join(" ".join(found).split())


class TestPdf:
    def test_holds_the_verdict_on_one_page_in_any_letters(self, app: App) -> None:
        report = weekly_report(app, at=NOON)
        content = as_pdf(page_of(report), FONTS)
        text = pdf_text(content)
        assert report.verdict in text
        assert f"Group: {HOSTILE}" in text
        assert content.startswith(b"%PDF-")
        assert b"/Count 1\n" in content


@pytest.fixture
def postbox() -> Iterator[tuple[Postbox, str]]:
    box, port = Postbox(), free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, f"mailto://127.0.0.1:{port}?from=desk@desk.example&to={{email}}"
    controller.stop()


def people(app: App) -> None:
    """A manager and a supervisor are sent it; an agent, an admin and who has left are not."""
    ana = Agent(id="ana", email="ana@desk.example", name="Ana")
    dirk = Agent(id="dirk", email="dirk@desk.example", name="Dirk", role=Role.MANAGER)
    gone = Agent(id="gone", email="gone@desk.example", name="Gone", role=Role.MANAGER, is_active=False)
    sue = User(id="sue", name="Sue", email="sue@desk.example", roles=(UserRole.SUPERVISOR,))
    admin = User(id="root", name="Root", email="root@desk.example", roles=(UserRole.ADMIN,))
    app.store.put([ana, dirk, gone, sue, admin])


class TestSending:
    def test_reaches_each_reader_once_a_week_with_its_parts(self, app: App, postbox: tuple[Postbox, str]) -> None:
        box, url = postbox
        people(app)
        with open_app(home=app.settings.home, notify_urls={"email": url}) as desk:
            report = weekly_report(desk, at=NOON)
            assert sorted(post(desk, report, at=NOON).waiting) == [
                "dirk/weekly-report-2026-11-09", "sue/weekly-report-2026-11-09",
            ]  # fmt: skip
            assert {notice.sent_at for notice in desk.store.all(Notice)} == {None}
            assert deliver(desk, at=NOON).notices_sent == 2
            assert {notice.sent_at for notice in desk.store.all(Notice)} == {NOON}
            assert post(desk, report, at=NOON + timedelta(days=7)) == Posted(before=2)
            assert deliver(desk, at=NOON + timedelta(days=7)).notices_sent == 0
        assert sorted(to for [to], _ in box.mails) == ["dirk@desk.example", "sue@desk.example"]
        mail = box.mails[0][1]
        assert mail["subject"] == "Weekly report, 9 Nov to 15 Nov 2026: 55 % of promises kept"
        kinds = [part.get_content_type() for part in mail.walk()]
        assert kinds == ["multipart/mixed", "multipart/alternative", "text/plain", "text/html", "application/pdf"]
        plain, page, pdf = [part for part in mail.walk() if not part.is_multipart()]
        assert isinstance(pdf, EmailMessage)
        assert pdf.get_filename() == "weekly-report-2026-11-09.pdf"
        assert report.verdict in pdf_text(pdf.get_content())
        assert report.verdict in plain.get_content()
        assert page.get_content().replace("\r\n", "\n") == as_html(page_of(report), in_a_mail=True)

    def test_refused_is_not_sent(self, app: App, postbox: tuple[Postbox, str]) -> None:
        box, url = postbox
        people(app)
        box.recipients = ["550 nobody"]
        with open_app(home=app.settings.home, notify_urls={"email": url}) as desk:
            post(desk, weekly_report(desk, at=NOON), at=NOON)
            done = deliver(desk, at=NOON)
            assert (done.notices_sent, done.notices_refused) == (1, 1)
            assert sorted(str(notice.sent_at) for notice in desk.store.all(Notice)) == [str(NOON), "None"]

    def test_without_a_channel_an_agent_reads_it_in_the_inbox(self, app: App) -> None:
        people(app)
        report = weekly_report(app, at=NOON)
        assert post(app, report, at=NOON) == Posted(in_inbox=1, unreached=("Sue",))
        [notice] = app.desk.inbox(by="dirk")
        assert (notice.destination, notice.sent_at) == (INBOX, NOON)
        assert report.verdict in notice.text

    def test_roles_are_the_policys(self, app: App, tmp_path: Path) -> None:
        people(app)
        data = tmp_path / "data"
        shutil.copytree(app.settings.data / "policies", data / "policies")
        file = data / "policies" / "notifications.yaml"
        file.write_text(file.read_text().replace("roles: [manager, supervisor]", "roles: [agent, supervisor]"))
        with open_app(home=app.settings.home, data=data) as desk:
            assert [user.id for user in recipients(desk)] == ["dirk", "sue"]  # a manager works as an agent too

    def test_flow_posts_it(self, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
        people(app)
        monkeypatch.setenv("HELMDESK_HOME", str(app.settings.home))
        done = flow.fn()
        assert done == {"week": "2026-11-09", "waiting": 0, "in_inbox": 1, "before": 0, "unreached": 1}
        assert flow.fn()["before"] == 1


class TestCommand:
    def run(self, app: App, *words: str) -> Any:
        return CliRunner().invoke(command_line, ["--home", str(app.settings.home), "report", *words])

    def test_writes_whole_files(self, app: App, tmp_path: Path) -> None:
        page, pdf = tmp_path / "out" / "week.html", tmp_path / "out" / "week.pdf"
        for file in (page, pdf):
            assert self.run(app, "--to", str(file)).exit_code == 0
        assert sorted(path.name for path in page.parent.iterdir()) == ["week.html", "week.pdf"]
        assert "55 % of the promises" in page.read_text(encoding="utf-8")
        assert "55 % of the promises" in pdf_text(pdf.read_bytes())

    def test_leaves_the_file_alone_where_there_is_nothing_to_write(self, app: App, tmp_path: Path) -> None:
        file = tmp_path / "week.html"
        file.write_text("before", encoding="utf-8")
        assert isinstance(self.run(app, "--to", str(file), "--week", "2026-01-05").exception, NotFound)
        assert isinstance(self.run(app, "--to", str(tmp_path / "week.doc")).exception, BadInput)
        assert isinstance(self.run(app, "--week", "soon").exception, BadInput)
        assert file.read_text(encoding="utf-8") == "before"

    def test_says_of_each_what_became_of_it(self, app: App) -> None:
        people(app)
        first, second = self.run(app, "--send").output, self.run(app, "--send").output
        assert "1 report in the inbox: the channel has no address" in first
        assert "Sue: not reached" in first
        assert "1 person had this week's before" in second
        assert "is not settled yet" in self.run(app, "--send", "--week", "2026-11-16").output

    def test_sends_at_once_and_says_who_refused(
        self, app: App, postbox: tuple[Postbox, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        box, url = postbox
        people(app)
        box.recipients = ["550 nobody"]
        monkeypatch.setenv("HELMDESK_NOTIFY_URLS", json.dumps({"email": url}))
        lines = self.run(app, "--send").stdout.splitlines()
        assert sorted(line.partition(" takes")[0] for line in lines) == [
            "dirk: refused: email: the mail server 127.0.0.1", "sue: sent",
        ]  # fmt: skip
        assert [to for to, _ in box.mails] == [["sue@desk.example"]]
