"""The list behind a number has as many rows as the number says."""

import json

import pytest

from dashboards import ticket_lists
from pipelines.figures import queries, reports, triage_numbers
from pipelines.figures.selection import ALL_HISTORY, Period, Selection
from pipelines.marts import MartReader
from tests.dashboards.marts_by_hand import NOON, looking_back_desk, published, ticket
from tests.dashboards.test_pages import opened
from tests.pipelines.small_desk import triaged_desk

CUTS = (
    Selection(),
    Selection(tiers=("enterprise",)),
    Selection(groups=("g-1",), period=Period.of_days(84, until=NOON.date())),
)


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    with looking_back_desk(tmp_path_factory.mktemp("home")) as found:
        yield found


@pytest.mark.parametrize("chosen", CUTS)
def test_lists_of_clocks_are_as_long_as_the_headline_says(reader, chosen):
    headline = queries.headline(reader, chosen)
    for what, column in {"met": "met", "breached": "breached", "at_risk": "at_risk", "running": "running"}.items():
        assert ticket_lists.size(reader, what, chosen).rows == headline[column].sum(), what
    assert ticket_lists.size(reader, "open", chosen).rows == queries.open_tickets(reader, chosen)


def test_lists_of_reasons_are_as_long_as_the_bars(reader):
    for row in reports.reasons(reader).group_by("reason").agg(n=queries.pl.col("breaches").sum()).iter_rows(named=True):
        assert ticket_lists.size(reader, row["reason"], Selection()).rows == row["n"]


def test_row_of_an_agent_leads_to_the_agents_clocks(reader):
    found = queries.attainment_by(reader, "agent")
    broken = found.filter(queries.pl.col("value") == "Ana Lima")["breached"].sum()
    assert ticket_lists.size(reader, "breached", Selection(agents=("ana",))).rows == broken > 0
    nobody = found.filter(queries.pl.col("value") == "no agent")["clocks"].sum()
    clocks = sum(
        ticket_lists.size(reader, what, Selection(agents=("",))).rows
        for what in ("met", "breached", "running", "at_risk")
    )
    assert clocks == nobody


def test_list_names_people_groups_and_customers(reader):
    rows = ticket_lists.listed(reader, "breached", Selection())
    assert "Ana Lima" in set(rows["agent"])
    assert "Network" in set(rows["group_name"])


def test_address_of_a_list_sets_the_whole_bar():
    address = ticket_lists.address("breached", Selection(agents=("ana",)))
    assert (address["list"], json.loads(address["where"])) == (
        "Clocks past their target", {"agents": ["ana"], "during": [None, None]},
    )  # fmt: skip


@pytest.fixture(scope="module")
def triaged(tmp_path_factory):
    with triaged_desk(tmp_path_factory.mktemp("triaged")) as app, MartReader(app.settings.marts_folder) as found:
        yield found


def rows(reader, what, which=None, period=ALL_HISTORY):
    return ticket_lists.size(reader, what, Selection(which=which, period=period)).rows


@pytest.mark.parametrize("weeks", [None, 12, 1])
def test_lists_of_comings_and_goings_are_as_long_as_volume_says(triaged, weeks):
    until = triaged.publication.as_of.date()
    period = Period.of_days(7 * weeks, until=until) if weeks else ALL_HISTORY
    volume = reports.volume(triaged, period)
    for column, what in {"created": "created", "resolved": "resolved_times", "reopened": "reopened_times",
                         "left_out": "left_out"}.items():  # fmt: skip
        assert rows(triaged, what, period=period) == volume[column].sum(), what
    for row in volume.tail(3).iter_rows(named=True):
        assert rows(triaged, "created", f"{row['day']:%Y-%m-%d}", period) == row["created"]
    assert reports.volume(triaged)["resolved"].sum() > 0


def test_lists_of_statuses_are_as_long_as_time_in_state_says(triaged):
    found = reports.time_in_state(triaged)
    assert found.height > 2
    for row in found.iter_rows(named=True):
        assert ticket_lists.size(triaged, "in_status", Selection(which=row["status"])) == (row["tickets"],) * 2


def test_lists_of_triage_are_as_long_as_its_numbers(triaged):
    agreed, (written, grounded) = triage_numbers.agreement(triaged), triage_numbers.drafts(triaged)
    assert (rows(triaged, "checked"), rows(triaged, "agreed")) == (agreed.answered, agreed.agreed)
    assert (agreed.answered, 0 < agreed.agreed < 20) == (20, True)
    assert (rows(triaged, "drafted"), rows(triaged, "answered")) == (written, grounded)
    for row in triage_numbers.mistakes(triaged).iter_rows(named=True):
        assert rows(triaged, "corrected", f"{row['said']} → {row['answered']}") == row["tickets"]
    for row in triage_numbers.to_write(triaged).iter_rows(named=True):
        assert rows(triaged, "uncovered", f"{row['place']}. {row['about']}") == row["tickets"]
    for row in triage_numbers.unhelpful(triaged).iter_rows(named=True):
        assert rows(triaged, "citing", row["article_id"]) == row["cited"]
    for row in triage_numbers.bill(triaged).iter_rows(named=True):
        assert rows(triaged, row["operation"], row["model_used"]) == row["tickets"]
    assert rows(triaged, "judged_model") == triage_numbers.acceptance(triaged, "all")["drafts"].sum() == 6
    for cut in ("model", "label", "article"):
        for row in triage_numbers.acceptance(triaged, cut).iter_rows(named=True):
            assert rows(triaged, f"judged_{cut}", row["value"]) == row["drafts"]


def test_address_leads_to_the_list_it_names(home, monkeypatch):
    published(home, tickets=[ticket("INC-1"), ticket("INC-2")], counted_tickets=[
        {"figure": "status", "value": status, "ticket": f"demo:INC-{n}"}
        for n, status in ((1, "waiting_customer"), (2, "new"), (1, "new"))
    ])  # fmt: skip
    address = ticket_lists.address("in_status", None, "waiting customer")
    page = opened("tickets", **{key: str(value) for key, value in address.items() if value and key != "page"})
    assert [table.value["reference"].to_list() for table in page.dataframe] == [["INC-1"]]
    assert "1 ticket" in [text.value for text in page.text]
