"""Why: the commonest reason in a sentence, and who waited on whom."""

from datetime import timedelta

from dashboards import ticket_lists
from pipelines.figures import why
from pipelines.figures.selection import Selection
from tests.dashboards.marts_by_hand import NOON, looking_back_desk, published, ticket
from tests.dashboards.test_pages import opened

PASSED = [
    {"ticket": f"demo:INC-{n}", "reference": f"INC-{n}", "at": NOON - timedelta(days=n), "from_group": "g-1",
     "to_group": "g-2" if n < 3 else "g-3", "seconds_waited": 3600 * n, "ended_by": "picked_up" if n != 2 else None}
    for n in (1, 2, 3)
]  # fmt: skip


def test_the_answer_is_the_commonest_reason(home):
    with looking_back_desk(home) as reader:
        found = why.answer(reader)
        assert found is not None
        assert (found.breaches, found.all_breaches, found.there) == (1, 2, 2)
    page = opened("why")
    assert not page.exception
    assert page.markdown[0].value.startswith("**Of 2 broken promises most never picked up in time: 1 (50 %).")


def test_pairs_that_waited_longest_come_first_and_lead_to_their_tickets(home):
    reader = published(home, tickets=[ticket(f"INC-{n}") for n in (1, 2, 3)], hand_offs=PASSED)
    found = why.hand_offs(reader)
    assert found.select("to_group", "hand_offs", "picked_up", "total_seconds").sort("to_group").rows() == [
        ("g-2", 2, 1, 10_800), ("g-3", 1, 1, 10_800),
    ]  # fmt: skip
    for row in found.iter_rows(named=True):
        assert ticket_lists.size(reader, "handed_over", Selection(which=row["which"])).rows == row["hand_offs"]
    page = opened("why", tab="Who waited on whom?")
    assert not page.exception
    assert page.markdown[1].value.startswith("**3 hand-offs; the most time passed between ")


def test_each_tab_opens_on_nothing(home):
    published(home).close()
    for tab in ("Which reasons?", "Who waited on whom?", "In which status?", "What cost most?"):
        assert not opened("why", tab=tab).exception
