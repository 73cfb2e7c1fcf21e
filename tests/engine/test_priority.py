"""What to work on next: the seed's numbers, and one expression that says the same for a whole queue."""

from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import priority
from engine.contracts import Priority, Status, Tier
from engine.flags import FlagType
from engine.priority import Section
from tests.engine.people import MONDAY, POLICIES, a_ticket, later

POLICY = priority.load(POLICIES / "priority.yaml")
CODE = POLICY.preset("itil-next-code")
HOUR = 3600.0


def points(preset: str = "itil-next-code", **facts: Any) -> float:
    return scored(preset, **facts).score


def scored(
    preset: str = "itil-next-code", *, hours: float = 0, left: float | None = None, **facts: Any
) -> priority.PriorityScore:
    known = ("sla_share_left", "flags", "has_active_envelope", "longest_pending_envelope", "is_reopened")
    more = {name: facts.pop(name) for name in known if name in facts}
    seconds = None if left is None else left * HOUR
    ticket = a_ticket(**facts)
    return priority.score(ticket, at=later(hours), preset=POLICY.preset(preset), sla_seconds_left=seconds, **more)


@pytest.mark.parametrize(
    ("left", "factor"),
    [
        (-0.001, 3.0), (0, 2.5), (0.999, 2.5), (1, 2.0), (3.999, 2.0), (4, 1.7), (11.999, 1.7), (12, 1.3),
        (23.999, 1.3), (24, 1.0), (100, 1.0), (None, 1.0),
    ],
)  # fmt: skip
def test_promise_at_risk_counts_by_steps(left: float | None, factor: float) -> None:
    assert scored(left=left).multipliers["sla"] == factor


@pytest.mark.parametrize(
    ("share", "factor"),
    [
        (-0.001, 3.0), (0, 2.5), (0.149, 2.5), (0.15, 2.0), (0.249, 2.0), (0.25, 1.3), (0.499, 1.3), (0.5, 1.0),
        (None, 1.0),
    ],
)  # fmt: skip
def test_promise_counts_by_the_share_of_its_target(share: float | None, factor: float) -> None:
    assert scored("canonical", sla_share_left=share, left=-1).multipliers["sla"] == factor


@pytest.mark.parametrize(
    ("left", "factor"), [(-1, 3.0), (0.999, 3.0), (1, 2.0), (3.999, 2.0), (4, 1.5), (23.999, 1.5), (24, 1.0)]
)
def test_feature_map_has_its_own_steps(left: float, factor: float) -> None:
    assert scored("feature-map", left=left).multipliers["sla"] == factor


@pytest.mark.parametrize(
    ("days", "factor"), [(3.999, 1.0), (4, 1.2), (7.999, 1.2), (8, 1.3), (14.999, 1.3), (15, 1.4), (99, 1.4)]
)
def test_staleness_counts_whole_days(days: float, factor: float) -> None:
    assert scored(hours=days * 24).multipliers["staleness"] == factor


@pytest.mark.parametrize(("hours", "factor"), [(2, 1.0), (2.001, 1.2), (4, 1.2), (4.001, 1.4)])
def test_customer_without_answer_counts_by_hours(hours: float, factor: float) -> None:
    assert scored(hours=hours, status="in_progress").multipliers["customer_waiting"] == factor
    answered = {"status": "in_progress", "first_response_at": MONDAY}
    assert scored(hours=hours, **answered).multipliers["customer_waiting"] == 1.0
    assert scored(hours=hours, status="new").multipliers["customer_waiting"] == 1.0


def test_medium_vip_at_risk_beats_plain_high() -> None:
    assert points(left=3, vip=True) == points("canonical", sla_share_left=0.2, vip=True) == 120.0
    assert points(priority="high") == 70.0


def test_a_score_says_what_it_is_made_of() -> None:
    assert scored("canonical", sla_share_left=0.2, vip=True).in_words == "40 × 2 SLA × 1.5 VIP = 120"
    assert scored("canonical", priority="low").in_words == "10 = 10"


@pytest.mark.parametrize(
    ("tier", "vip", "factor"), [("enterprise", False, 1.2), ("enterprise", True, 1.5), ("free", False, 1.0)]
)
def test_vip_outweighs_the_contract(tier: str, vip: bool, factor: float) -> None:
    assert scored(tier=tier, vip=vip).multipliers["vip"] == factor
    assert scored("canonical", tier=tier, vip=vip).multipliers["vip"] == (1.5 if vip else 1.0)


def test_a_vip_flag_is_as_good_as_a_vip() -> None:
    assert scored(flags={FlagType.VIP}).multipliers["vip"] == 1.5


WORST: dict[str, Any] = {
    "priority": "critical",
    "left": -1,
    "vip": True,
    "has_active_envelope": True,
    "hours": 24 * 20,
    "status": "in_progress",
    "flags": {FlagType.LEGAL, FlagType.REPEAT_CONTACT},
}


def test_highest_scores_of_both_readings() -> None:
    assert points("seed", **WORST) == 819.0
    assert points("itil-next-code", **WORST) == 1719.9


@pytest.mark.parametrize(
    ("flags", "factor"),
    [((), 1.0), (("repeat_contact",), 1.3), (("repeat_contact", "legal"), 1.5), (("physical_damage",), 1.0)],
)
def test_highest_flag_counts_alone(flags: tuple[str, ...], factor: float) -> None:
    assert scored(flags={FlagType(flag) for flag in flags}).multipliers["flags"] == factor


def test_feature_map_counts_long_pending_envelopes_and_reopening() -> None:
    two, more = timedelta(hours=2), timedelta(hours=2, seconds=1)
    assert scored("feature-map", longest_pending_envelope=two).multipliers["escalation"] == 1.0
    assert scored("feature-map", longest_pending_envelope=more).multipliers["escalation"] == 1.3
    assert scored("feature-map", has_active_envelope=True).multipliers["escalation"] == 1.0
    assert scored("feature-map", is_reopened=True).multipliers["reopened"] == 1.4


def test_ranges_clamp() -> None:
    preset = POLICY.preset("seed").model_copy(update={"ranges": {"sla": (1.0, 1.1)}})
    assert priority.score(a_ticket(), at=MONDAY, preset=preset, sla_seconds_left=-1).multipliers["sla"] == 1.1


@pytest.mark.parametrize(
    ("preset", "facts", "section"),
    [
        ("canonical", {"priority": "critical"}, Section.NEEDS_ATTENTION),
        ("canonical", {"priority": "low", "sla_share_left": 0.149}, Section.NEEDS_ATTENTION),
        ("canonical", {"priority": "low", "sla_share_left": 0.15}, Section.ON_TRACK),
        ("canonical", {"priority": "medium", "sla_share_left": 0.249}, Section.NEEDS_ATTENTION),
        ("itil-next-code", {"priority": "low", "left": 20}, Section.NEEDS_ATTENTION),
        ("canonical", {"status": "waiting_internal"}, Section.WAITING_ON_OTHERS),
        ("canonical", {"status": "waiting_customer"}, Section.WAITING_ON_OTHERS),
        ("itil-next-code", {"status": "waiting_customer"}, Section.NEEDS_ATTENTION),
        ("canonical", {"priority": "high"}, Section.ON_TRACK),
    ],
)
def test_sections_say_what_burns(preset: str, facts: dict[str, Any], section: Section) -> None:
    left = facts.pop("left", None)
    share = facts.pop("sla_share_left", None)
    found = scored(preset, left=left, sla_share_left=share, **facts)
    assert priority.section(a_ticket(**facts), found, preset=POLICY.preset(preset)) == section


def test_queue_is_by_score_then_age_without_the_done() -> None:
    tickets = [
        a_ticket(id="a"),
        a_ticket(id="b", created_at=later(-1)),
        a_ticket(id="c", priority="high"),
        a_ticket(id="d", priority="critical", status="resolved"),
    ]
    pairs = [(t, priority.score(t, at=MONDAY, preset=CODE)) for t in tickets]
    assert [item.ticket.id for item in priority.work_queue(pairs, preset=CODE)] == ["c", "b", "a"]
    assert len(priority.work_queue(pairs, preset=CODE, limit=1)) == 1


STEPS = [0.0, 1.0, 2.0, 4.0, 12.0, 24.0]
LEFT = st.one_of(st.none(), st.sampled_from([h * HOUR for h in STEPS]), st.floats(-1e6, 1e6))
AGO = st.one_of(
    st.sampled_from([timedelta(days=d) for d in (3, 4, 8, 15)] + [timedelta(hours=h) for h in (2, 4, 24)]),
    st.timedeltas(timedelta(), timedelta(days=30)),
)
ROW = st.fixed_dictionaries(
    {
        "priority": st.sampled_from(Priority),
        "tier": st.sampled_from(Tier),
        "vip": st.booleans(),
        "status": st.sampled_from(Status),
        "created": AGO,
        "updated": AGO,
        "answered": st.booleans(),
        "left": LEFT,
        "share": st.one_of(st.none(), st.sampled_from([0.0, 0.15, 0.25, 0.5]), st.floats(-9, 1)),
        "flags": st.sets(st.sampled_from(FlagType)),
        "has_active_envelope": st.booleans(),
        "pending": st.one_of(st.none(), AGO),
        "is_reopened": st.booleans(),
    }
)


@given(st.sampled_from(sorted(POLICY.presets)), st.lists(ROW, min_size=1, max_size=8))
def test_expression_meets_the_plain_score(name: str, rows: list[dict[str, Any]]) -> None:
    preset, plain, frame = POLICY.preset(name), [], []
    for row in rows:
        facts = {key: row[key] for key in ("priority", "tier", "vip", "status")}
        dates = {"created_at": MONDAY - row["created"], "updated_at": MONDAY - row["updated"]}
        ticket = a_ticket(**facts, **dates, first_response_at=MONDAY if row["answered"] else None)
        one = priority.score(
            ticket,
            at=MONDAY,
            preset=preset,
            sla_seconds_left=row["left"],
            sla_share_left=row["share"],
            flags=row["flags"],
            has_active_envelope=row["has_active_envelope"],
            longest_pending_envelope=row["pending"],
            is_reopened=row["is_reopened"],
        )
        plain.append((one.score, priority.section(ticket, one, preset=preset).value, one.in_words))
        pending = None if row["pending"] is None else row["pending"].total_seconds()
        frame.append(
            {
                **{key: str(value) if key != "vip" else value for key, value in facts.items()},
                **dates,
                "first_response_at": ticket.first_response_at,
                "sla_seconds_left": row["left"],
                "sla_share_left": row["share"],
                "flags": sorted(flag.value for flag in row["flags"]) or None,
                "has_active_envelope": row["has_active_envelope"],
                "pending_envelope_seconds": pending,
                "is_reopened": row["is_reopened"],
            }
        )
    queue = pl.DataFrame(frame, schema=priority.SCORE_COLUMNS)
    exprs = (priority.score_expr, priority.section_expr, priority.in_words_expr)
    at_once = queue.select(expr(at=MONDAY, preset=preset) for expr in exprs)
    assert at_once.rows() == plain


def test_empty_queue_keeps_its_columns() -> None:
    empty = pl.DataFrame(schema=priority.SCORE_COLUMNS)
    assert empty.select(priority.score_expr(at=MONDAY, preset=CODE)).schema == {"score": pl.Float64()}
