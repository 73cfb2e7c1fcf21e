"""The weekly report says what the figures say, stands alone as HTML and PDF, and reaches who is to read it once."""

import re
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
from engine.shared.errors import BadInput, NotFound, Unavailable
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
from pipelines.jobs.weekly_report.sending import Posted, post
from pipelines.marts import MartReader
from tests.dashboards.marts_by_hand import NOON, clock, published, ticket
from tests.engine.plugins.test_notifiers import Postbox, free_port

MONDAY = date(2026, 11, 9)
HOSTILE = '<img src=x onerror="alert(1)"> Åse – ≥'
IN_WEEK = {"weekday": 2}
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
        *promises(MONDAY, 2, 8, group="g-2"),
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
        assert "Below target and worse than usual: 55 % of the promises of the week from 9 Nov were kept, target 90 %, " \
               "usually 95 %" in text  # fmt: skip
        assert "Tickets created · 14 · −6" in text
        assert "Open at the end of the week · 12 · +3" in text
        assert "Resolution: 1 promise of 1 ticket left out by outcome" in text
        assert "people agree 80 % (95 % interval 49 % to 94 %; 10 of 20 drawn claims answered, of 90" in text
        assert "When it is not sure: not known yet" in text

    def test_week_that_is_not_settled_is_compared_with_nothing(self, app: App) -> None:
        text = text_of(app, MONDAY + timedelta(days=7))
        assert "Not settled yet, so far: 25 % of the promises of the week from 16 Nov were kept;" in text
        assert "6 promises of it still run in time" in text

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
        assert "&lt;img src=x onerror=&quot;alert(1)&quot;&gt; Åse – ≥" in actions.weekly_report_html(app)

    def test_without_the_extra_says_what_is_left_out(self, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "vl_convert", None)
        page = actions.weekly_report_html(app)
        assert "The picture is left out: uv sync --extra report" in page
        assert "<svg" not in page
        with pytest.raises(Unavailable, match="uv sync --extra report"):
            as_pdf(page_of(weekly_report(app, at=NOON)), FONTS)


def pdf_text(content: bytes) -> str:
    """What a reader may select: glyphs of the pages, by the maps of the fonts to Unicode."""
    streams = [zlib.decompress(found) for found in re.findall(rb"FlateDecode.*?stream\r?\n(.*?)\r?\nendstream", content, re.S)]
    letters = {
        int(code, 16): bytes.fromhex(letter.decode()).decode("utf-16-be")
        for stream in streams
        if b"beginbfchar" in stream
        for code, letter in re.findall(rb"<([0-9A-Fa-f]{4})> <([0-9A-Fa-f]+)>", stream)
    }
    assert letters
    pages = [stream for stream in streams if b" Tj" in stream or b" TJ" in stream]
    return repr(pages), letters  # type: ignore[return-value]


class TestPdf:
    def test_holds_the_verdict(self, app: App) -> None:
        report = weekly_report(app, at=NOON)
        content = as_pdf(page_of(report), FONTS)
        Path("/tmp/r_t.pdf").write_bytes(content)
        print(pdf_text(content))
        raise AssertionError


@pytest.fixture
def postbox() -> Iterator[tuple[Postbox, str]]:
    box, port = Postbox(), free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, f"mailto://127.0.0.1:{port}?from=desk@desk.example&to={{email}}"
    controller.stop()
