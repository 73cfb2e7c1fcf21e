"""Every page opens: empty, filled, filtered, and with text that wants to be more than text."""

import json
import tomllib
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from dashboards import cards, pages
from tests.dashboards.marts_by_hand import (
    HOSTILE,
    LOAD,
    NOON,
    clock,
    looking_back_desk,
    published,
    small_desk,
    stored_desk,
    ticket,
)

APP = Path(__file__).resolve().parents[2] / "dashboards" / "app.py"
PAGES = [page.url for page in pages.PAGES]


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HELMDESK_HOME", str(tmp_path))
    yield tmp_path
    st.cache_resource.clear()
    st.cache_data.clear()


def opened(page: str, **query: str) -> AppTest:
    """The page at this path as if it was the first to be opened."""
    app = AppTest.from_file(str(APP), default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    app._page_hash = calc_hash(page)
    app.run()
    assert not app.exception, app.exception
    return app


def read_as_markdown(app: AppTest) -> str:
    """All text that the browser would read as Markdown."""
    kinds = ("title", "header", "subheader", "markdown", "caption", "info", "success", "warning", "error", "toast")
    told = [element.value for kind in kinds for element in getattr(app, kind)]
    labels = [getattr(e, "label", "") for kind in ("metric", "button", "expander", "tabs") for e in getattr(app, kind)]
    return "\n".join(map(str, told + labels))


@pytest.mark.parametrize("page", [page.url for page in pages.PAGES if page.section != "Desk"])
def test_empty_page_shows_the_commands_that_fill_it(home, page):
    commands = [code.value for code in opened(page).code]
    on_it = f"uv run helmdesk --home {home}"
    assert commands == [f"{on_it} demo", f"{on_it} ingest FILE --source SOURCE\n{on_it} cycle"]


def test_page_of_a_home_with_tickets_alone_shows_what_publishes_them(home, sqlite_file):
    stored_desk(home)
    assert [code.value for code in opened("promises").code] == [f"uv run helmdesk --home {home} cycle"]


def test_attainment_shows_what_the_marts_say(home):
    small_desk(home)
    app = opened("promises")
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown == {
        "First response met": "66.7 %", "Resolution met": "100.0 %", "Breaches": "1", "Clocks at risk": "1",
        "Open tickets": "2",
    }  # fmt: skip


def test_attainment_says_as_of_window_and_unit(home):
    small_desk(home)
    told = read_as_markdown(opened("promises"))
    assert "As of Fri 20 Nov 2026, 12:00 UTC · clocks started: last 12 weeks · 3 tickets" in told
    assert "95 % interval 21 % to 94 %, 3 decided clocks" in told


def test_filter_narrows_the_numbers(home):
    small_desk(home)
    app = opened("promises")
    app.multiselect(key="tiers").select("enterprise").run()
    assert [metric.value for metric in app.metric][:2] == ["100.0 %", "–"]


def test_window_narrows_the_numbers(home):
    small_desk(home)
    app = opened("promises")
    app.selectbox(key="during").select("last 4 weeks").run()
    assert next(m.value for m in app.metric if m.label == "Resolution met") == "–"


def tables(app: AppTest) -> list[dict[str, list]]:
    return [table.value.to_dict("list") for table in app.dataframe]


def test_attainment_is_cut_by_agent_with_names(home):
    looking_back_desk(home)
    app = opened("promises")
    app.button_group(key="by").set_value("agent").run()
    kept = tables(app)[0]
    assert (kept["agent"], kept["breached"]) == (["Ana Lima", "no agent"], [2, 0])


def test_reasons_and_their_figures_are_named(home):
    looking_back_desk(home)
    worst = next(table for table in tables(opened("why")) if "reason" in table)
    assert worst["reason"] == ["waited on our side", "never picked up in time"]
    assert worst["over by"] == ["2 h", "1 h"]


def test_a_credit_shows_the_breaches_behind_it(home):
    looking_back_desk(home)
    app = opened("promises", tab="What do we owe for it?")
    owed = next(table for table in tables(app) if "capped" in table)
    assert (owed["customer"], owed["sum, %"], owed["credit, %"]) == (["Acme"], [30.0], [25.0])
    behind = next(table for table in tables(app) if "times the target" in table)
    assert behind["reference"] == ["INC-1", "INC-2"]
    assert "Behind the credit of Acme, November 2026:" in [text.value for text in app.text]


def test_the_worst_group_is_named_as_it_is_and_an_hour_opens_its_tickets(home):
    rows = [clock(f"A-{n}", "resolution", "breached", group_id="g-9") for n in range(8)]
    rows += [clock(f"B-{n}", "resolution", "met") for n in range(30)]
    published(home, sla_clocks=rows, group_load=[{"group_id": "g-9", "group_name": HOSTILE}, *LOAD])
    app = opened("promises", tab="When?")
    verdict = next(text.value for text in app.markdown if text.value.startswith("**Below target"))
    assert cards.verbatim(HOSTILE) in verdict
    link = next(one.proto for one in app.get("page_link") if one.proto.label.startswith("Tuesday 12:00"))
    assert link.label == "Tuesday 12:00, 79 % of 38 met"
    assert "Tue+12" in link.query_string
    assert "Clocks+past+their+target+by+hour" in link.query_string


def test_waits_stand_beside_those_of_the_period_before(home):
    lately, before = NOON - timedelta(days=2), NOON - timedelta(days=9)
    rows = [clock(f"N-{n}", "resolution", "met", window_start=lately, stopped_at=lately + timedelta(hours=3),
                  elapsed=7_200) for n in range(5)]  # fmt: skip
    rows += [clock(f"E-{n}", "resolution", "met", window_start=before, stopped_at=before + timedelta(hours=2),
                   elapsed=7_200) for n in range(5)]  # fmt: skip
    published(home, sla_clocks=rows, tickets=[ticket("FIRST", created_at=NOON - timedelta(days=30))])
    waits = {metric.label: metric for metric in opened("promises", tab="How long?", during="last 7 days").metric}
    assert (waits["To resolve: mean"].value, waits["To resolve: mean"].delta) == ("3 h", "+1 h")
    assert waits["To resolve: median, business"].value == "2 h"


def test_nothing_broken_owes_nothing(home):
    small_desk(home)
    assert "No promise was broken, so nothing is owed." in [
        info.value for info in opened("promises", tab="What do we owe for it?").info
    ]


def test_alerts_are_counted_by_level_in_the_window(home):
    looking_back_desk(home)
    app = opened("alerts", part="days")
    assert {metric.label: metric.value for metric in app.metric} == {"Warning, level 2": "1", "Breach, level 3": "1"}
    app.selectbox(key="window").select("all history").run()
    assert {metric.label: metric.value for metric in app.metric}["Breach, level 3"] == "2"


def test_without_alerts_the_page_says_what_raises_them(home, sqlite_file):
    small_desk(home)
    stored_desk(home)
    assert [code.value for code in opened("alerts").code] == [f"uv run helmdesk --home {home} cycle"]


def test_filters_that_fit_nothing_say_so(home):
    small_desk(home)
    app = opened("promises")
    app.multiselect(key="tiers").select("enterprise")
    app.multiselect(key="groups").select("g-2").run()
    assert "No clock fits these filters." in [info.value for info in app.info]
    assert not app.exception


def test_one_ticket_is_said_in_the_singular(home):
    published(home, tickets=[ticket("INC-1")])
    app = opened("tickets", list="Open tickets")
    assert "1 ticket" in [text.value for text in app.text]
    assert " · 1 ticket · " in read_as_markdown(app)


def test_latest_week_says_what_still_runs(home):
    small_desk(home)
    told = read_as_markdown(opened("promises"))
    assert "Week of 16 Nov: resolution undecided, 100 % if all 2 that still run are met." in told


def test_interval_is_headed_as_one(home):
    small_desk(home)
    kept = tables(opened("promises"))[0]
    assert list(kept)[-3:] == ["share met", "95 % from", "95 % to"]


def test_alerts_are_drawn_on_every_day_of_the_window(home):
    looking_back_desk(home)
    app = opened("alerts", part="days")
    days = json.loads(app.get("vega_lite_chart")[0].proto.spec)["encoding"]["x"]
    assert (days["type"], days["timeUnit"]) == ("temporal", "yearmonthdate")
    first, last = days["scale"]["domain"]
    assert (first["month"], first["date"], last["month"], last["date"]) == (10, 24, 11, 21)


@pytest.mark.parametrize(("rows", "height"), [(0, "content"), (15, "content"), (16, 541)])
def test_table_is_as_high_as_its_rows_until_it_scrolls(rows, height):
    assert cards.height(pl.DataFrame({"row": range(rows)})) == height


def test_no_cell_is_a_formula_in_a_download(home):
    published(home, tickets=[ticket("T-1", subject='=HYPERLINK("https://evil.example")')])
    (table,) = tables(opened("tickets", list="Open tickets"))
    assert table["subject"] == ['\'=HYPERLINK("https://evil.example")']


def test_a_new_publication_replaces_the_numbers(home):
    published(home, tickets=[ticket("OLD")])
    app = opened("tickets", list="Open tickets")
    published(home, at=NOON.replace(hour=13), tickets=[ticket("NEW")])
    app.run()
    assert tables(app)[0]["reference"] == ["NEW"]


@pytest.mark.parametrize("page", ["tickets"])
def test_hostile_text_stays_in_table_cells(home, page):
    small_desk(home)
    app = opened(page, list="Clocks past their target")
    assert any(HOSTILE in set(table.value.get("subject", ())) for table in app.dataframe)
    assert "evil.example" not in read_as_markdown(app)


def test_nothing_is_asked_of_another_host():
    config = (APP.parent / ".streamlit" / "config.toml").read_text(encoding="utf-8")
    assert tomllib.loads(config)["browser"]["gatherUsageStats"] is False
    assert "://" not in config
    texts = {path.name: path.read_text(encoding="utf-8") for path in APP.parent.rglob("*.py")}
    sources = "".join(text.replace("st.html", "") if name == "theme.py" else text for name, text in texts.items())
    assert not [word for word in (":material/", "unsafe_allow", "st.html", "://") if word in sources]
