"""The same mail sent twice within an hour: duplicate, similarity 1.00, for a person to merge."""

from datetime import timedelta

from tests.triage.enrichment.enriching import POLICY, case
from tests.triage.enrichment.test_duplicates import OTHER, TUNNEL
from triage.enrichment.duplicates import related

RULES, HOUR = POLICY.duplicates, 1 / 24


def relations(*cases: object) -> list[tuple[str, float]]:
    found = related(list(cases), RULES)  # type: ignore[arg-type]
    return [(one.kind.value, one.similarity) for candidates in found.values() for one in candidates]


def test_the_same_mail_twice_is_a_duplicate() -> None:
    assert relations(case("a", TUNNEL), case("b", TUNNEL, day=HOUR)) == [("duplicate", 1.0)]


def test_a_follow_up_comes_while_the_first_is_open_a_repeat_contact_after() -> None:
    rob = {"requester": "rob", "product": "CFW"}
    again = case("b", OTHER, day=3, **rob)
    assert [kind for kind, _ in relations(case("a", TUNNEL, **rob), again)] == ["follow_up"]
    assert [kind for kind, _ in relations(case("a", TUNNEL, resolved_day=2, **rob), again)] == ["repeat_contact"]


def test_seven_days_are_within_and_an_instant_more_is_not() -> None:
    rob, first = {"requester": "rob", "product": "CFW"}, case("a", TUNNEL, requester="rob", product="CFW")
    week, instant = timedelta(days=7), timedelta(microseconds=1)
    spans = (week - instant, week, week + instant)
    found = [
        relations(first, case("b", OTHER, **rob).model_copy(update={"created_at": first.created_at + span}))
        for span in spans
    ]
    assert [bool(one) for one in found] == [True, True, False]
