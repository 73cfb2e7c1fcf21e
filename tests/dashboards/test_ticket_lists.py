"""The list behind a number has as many rows as the number says."""

import pytest

from dashboards import queries, reports, ticket_lists
from dashboards.queries import Selection
from tests.dashboards.marts_by_hand import looking_back_desk

CUTS = (Selection(), Selection(tiers=("enterprise",)), Selection(groups=("g-1",), weeks=12))


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


def test_address_of_a_list_empties_the_filters_that_it_does_not_name():
    address = ticket_lists.address("breached", "last 12 weeks", agent="Ana Lima")
    assert (address["agents"], address["groups"], address["list"]) == ("Ana Lima", "", "Clocks past their target")
