"""The whole backlog at once equals one ticket after another."""

import time
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.allocation.batch import allocate
from engine.allocation.decide import decide
from engine.contracts import AllocationDecision, AssignmentGroup, GroupMetrics, GroupStatus, Location, Outcome, Ticket
from tests.engine.allocation.desk import CHICAGO, NEW_YORK, NOON, group, policy, ticket

PLACES = [
    None,
    Location(),
    NEW_YORK,
    CHICAGO,
    Location(lat=-36.85, lng=174.76, timezone="Pacific/Auckland"),
    Location(lat=21.3, lng=-157.85, timezone="Pacific/Honolulu"),
    Location(timezone="Nowhere/Else"),
]
LANGUAGES = [None, "en", "de-AT", "fr"]

groups_ = st.lists(
    st.builds(
        AssignmentGroup,
        group_id=st.sampled_from("abcdefgh"),
        name=st.just("Group"),
        location=st.sampled_from([place for place in PLACES if place is not None]),
        capabilities=st.sampled_from([(), ("network",), ("dlp", "data"), ("Network", "software")]),
        status=st.sampled_from([GroupStatus.ACTIVE, GroupStatus.ACTIVE, GroupStatus.INACTIVE]),
        max_bandwidth=st.integers(0, 8),
        current_load=st.integers(0, 9),
        metrics=st.builds(
            GroupMetrics,
            avg_resolution_time_hours=st.floats(0, 500),
            sla_compliance_rate=st.floats(0, 1),
            quality_score=st.floats(0, 1),
        ),
        languages=st.sampled_from([("en",), ("de", "en"), ("fr",)]),
        certifications=st.sampled_from([(), ("ISO-27001",)]),
    ),
    max_size=5,
    unique_by=lambda g: g.group_id,
)
tickets_ = st.lists(
    st.builds(
        ticket,
        key=st.integers(1, 10**6).map(str),
        category=st.sampled_from(["other", "network", "database", "99"]),
        product=st.sampled_from([None, None, "DLP", "GENERAL"]),
        language=st.sampled_from(LANGUAGES),
        location=st.sampled_from(PLACES),
        created_at=st.integers(0, 400).map(lambda days: NOON + timedelta(days=days)),
        external_metadata=st.sampled_from(
            [
                {},
                {"estimated_complexity": 1.0},
                {"estimated_complexity": "x"},
                {"required_certifications": ["iso-27001"]},
            ]
        ),
    ),
    max_size=12,
)
policies_ = st.builds(
    lambda mode, availability, least, off, must: policy(
        mode=mode, availability=availability, min_score=least, switched_off=off, language_required=must
    ),
    st.sampled_from(["stepped", "graded"]),
    st.sampled_from(["stepped", "graded", "wait"]),
    st.sampled_from([0.0, 0.4, 0.7]),
    st.sampled_from([(), ("proximity",), ("timezone", "availability")]),
    st.booleans(),
)


def loaded(groups: list[AssignmentGroup], decisions: list[AllocationDecision]) -> list[AssignmentGroup]:
    """The groups with the load they have once the decisions are carried out."""
    taken = Counter(decision.group_id for decision in decisions)
    return [g.model_copy(update={"current_load": g.current_load + taken[g.group_id]}) for g in groups]


def one_after_another(
    tickets: list[Ticket], groups: list[AssignmentGroup], using: object, shifts: dict[str, float]
) -> list[AllocationDecision]:
    made: list[AllocationDecision] = []
    for each in tickets:
        made.append(decide(each, loaded(groups, made), using, NOON, hours_to_shift=shifts))  # type: ignore[arg-type]
    return made


@given(tickets_, groups_, policies_, st.dictionaries(st.sampled_from("abc"), st.floats(0, 60), max_size=2))
def test_batch_equals_one_after_another(tickets, groups, using, shifts) -> None:  # type: ignore[no-untyped-def]
    batch = allocate(tickets, groups, using, NOON, hours_to_shift=shifts)
    assert batch == one_after_another(tickets, groups, using, shifts)


@given(tickets_, groups_)
def test_no_group_is_ever_overfilled(tickets, groups) -> None:  # type: ignore[no-untyped-def]
    after = loaded(groups, allocate(tickets, groups, policy(), NOON))
    for before, now in zip(groups, after, strict=True):
        assert now.current_load <= max(before.max_bandwidth, before.current_load)


def test_the_first_in_line_gets_the_last_slot() -> None:
    made = allocate([ticket("urgent"), ticket("later")], [group("a", free=1)], policy(), NOON)
    assert [d.outcome for d in made] == [Outcome.ALLOCATED, Outcome.WAITING]


def test_load_spreads_over_equal_groups() -> None:
    made = allocate([ticket(str(n)) for n in range(6)], [group("a"), group("b"), group("c")], policy(), NOON)
    assert [d.group_id for d in made] == ["a", "b", "c", "a", "b", "c"]


def test_nothing_to_do_is_fine() -> None:
    assert allocate([], [group("a")], policy(), NOON) == []


@pytest.mark.slow
@pytest.mark.parametrize("slots", [100, 5000])
def test_time_grows_no_faster_than_the_backlog(slots: int) -> None:
    groups = [
        group(
            f"g{n:02}",
            slots=slots,
            free=slots,
            hours=4 + n,
            capabilities=("network",)[: n % 2],
            location=PLACES[2 + n % 4],
        )
        for n in range(12)
    ]
    tickets = [
        ticket(
            str(n), category=("network", "other")[n % 2], location=PLACES[n % 7], created_at=NOON + timedelta(minutes=n)
        )
        for n in range(4_000)
    ]
    seconds: dict[int, list[float]] = {1_000: [], 4_000: []}
    for size in (1_000, 4_000) * 3:  # the best of three: other work on the machine only adds
        started = time.process_time()
        made = allocate(tickets[:size], groups, policy(), NOON)
        seconds[size].append(time.process_time() - started)
        assert sum(d.outcome == Outcome.ALLOCATED for d in made) == min(12 * slots, size)
    assert min(seconds[4_000]) < 8 * min(seconds[1_000]), seconds
