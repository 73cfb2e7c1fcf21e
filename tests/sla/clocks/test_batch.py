"""What sources really hand over: missing columns, odd types, junk rows. Nothing in one ticket stops the rest."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from engine.shared.errors import BadInput
from sla.check.check import frames
from sla.clocks.batch import evaluate as batch
from sla.clocks.batch import id_join as ids
from sla.clocks.batch.id_join import are_distinct, rows_of
from sla.clocks.delivery import in_order
from sla.clocks.evaluate import evaluate_all
from sla.contracts import CLOCKS
from sla.policy.parser import parse
from tests.sla.timelines import CALENDARS, at

POLICIES = [{"calendar": "office", "first_response": 3_600, "resolution": 14_400}]
NOW = at("Tue 12:00")
TICKETS = pl.DataFrame({"id": ["a:1", "a:2"], "created_at": [at("Tue 09:00"), at("Tue 10:00")]})
EVENTS = pl.DataFrame(
    {
        "ticket": ["a:2", "a:1"],
        "ts": [at("Tue 11:00"), at("Tue 10:00")],
        "kind": ["status"] * 2,
        "value": ["resolved"] * 2,
    }
)


def states(tickets: Any = TICKETS, events: Any = EVENTS, policies: Any = POLICIES) -> dict[tuple[Any, str], str]:
    found = batch.evaluate(tickets, events, policies, CALENDARS, NOW)
    return {(row["ticket"], row["clock"]): row["state"] for row in found.to_dicts()}


def test_only_the_necessary_columns_are_necessary() -> None:
    assert states()["a:1", "resolution"] == "met"
    for column in ("id", "created_at"):
        with pytest.raises(BadInput, match=f"tickets: the column '{column}' is missing"):
            states(tickets=TICKETS.drop(column))
    with pytest.raises(BadInput, match="events: the column 'kind' is missing"):
        states(events=EVENTS.drop("kind"))


def test_text_times_are_refused() -> None:
    with pytest.raises(BadInput, match=r"events\.ts: expected Datetime, got String"):
        states(events=EVENTS.with_columns(pl.col("ts").cast(pl.String)))


@pytest.mark.parametrize(
    "change",
    [
        lambda t, e: (t.lazy(), e.lazy()),
        lambda t, e: (t.sort("id", descending=True), e.sort("ts")),
        lambda t, e: (t, e.with_columns(pl.col("kind", "value").cast(pl.Categorical))),
        lambda t, e: (t, e.with_columns(pl.col("value").cast(pl.Enum(["open", "resolved"])))),
        lambda t, e: (t.with_columns(pl.col("created_at").dt.replace_time_zone(None)), e),
        lambda t, e: (t, e.with_columns(pl.col("ts").dt.convert_time_zone("Asia/Tokyo").dt.cast_time_unit("ns"))),
        lambda t, e: (t.with_columns(pl.col("id").cast(pl.Categorical)), e),
        lambda t, e: (t, e.with_columns(id=pl.lit(None), seq=pl.lit(None))),
        lambda t, e: (t, pl.concat([e, e.with_columns(kind=pl.lit("note"))])),
        lambda t, e: (t, pl.concat([e, e.with_columns(ticket=pl.lit("zz"))])),
        lambda t, e: (pl.concat([t, t.with_columns(created_at=pl.lit(NOW))]), e),
    ],
)
def test_same_answer_from_any_shape(change: Any) -> None:
    tickets, events = change(TICKETS, EVENTS)
    assert states(tickets, events) == states()


def test_no_tickets_and_no_events_give_an_empty_and_a_full_frame() -> None:
    empty = batch.evaluate(TICKETS.clear(), EVENTS, POLICIES, CALENDARS, NOW)
    assert (len(empty), empty.schema) == (0, CLOCKS)
    assert len(batch.evaluate(TICKETS, EVENTS.clear(), POLICIES, CALENDARS, NOW)) == 4


def test_junk_rows_cost_only_themselves() -> None:
    junk = [datetime(1, 1, 1, tzinfo=UTC), datetime(1900, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC), None]
    tickets = pl.DataFrame(
        {"id": [1, 2, 3, 4, 5, None], "created_at": [*junk, at("Tue 09:00"), at("Tue 09:00")]},
        schema_overrides={"created_at": pl.Datetime("us", "UTC")},
    )
    events = pl.DataFrame(
        {"ticket": [5] * 4, "ts": [*junk[:3], at("Tue 10:00")], "kind": "status", "value": ["open"] * 3 + ["resolved"]}
    )
    found = {t: s for (t, c), s in states(tickets, events).items() if c == "resolution"}
    assert found == {1: "no_clock", 2: "breached", 3: "no_clock", 4: "no_clock", 5: "met"}


@pytest.mark.parametrize(
    ("seqs", "state"), [((2, 1), "met"), ((1, 2), "on_track"), ((None, 1), "on_track"), ((None, None), "on_track")]
)
def test_within_a_second_seq_decides_then_order(seqs: tuple[int | None, int | None], state: str) -> None:
    events = [
        {"ticket": "a:1", "ts": at("Tue 10:00"), "kind": "status", "value": value, "seq": seq}
        for value, seq in zip(("resolved", "open"), seqs, strict=True)
    ]
    tickets = [{"id": "a:1", "created_at": at("Tue 09:00")}]
    assert states(*frames(tickets, events))["a:1", "resolution"] == state


def test_a_ticket_with_hundreds_of_doubled_events() -> None:
    start = at("Tue 09:00")
    events = [
        {
            "ticket": 1,
            "ts": start + timedelta(minutes=n),
            "kind": "status",
            "value": "on_hold" if n % 2 else "open",
            "id": f"e{n}",
        }
        for n in range(170)
    ]
    doubled = events + [event | {"ts": event["ts"] + timedelta(minutes=200)} for event in events]
    tickets = [{"id": 1, "created_at": start}]
    expected = evaluate_all(tickets, doubled, parse(POLICIES), CALENDARS, at("Wed 12:00"))
    found = batch.evaluate(*frames(tickets, doubled), POLICIES, CALENDARS, at("Wed 12:00"))
    assert found.to_dicts() == expected
    assert expected == evaluate_all(tickets, events, parse(POLICIES), CALENDARS, at("Wed 12:00"))


def test_policy_with_an_unknown_calendar_is_refused_before_anything_runs() -> None:
    with pytest.raises(BadInput, match="names the calendar 'moon'"):
        states(policies=[{"calendar": "moon", "resolution": 5}])


def test_twenty_four_seven_must_be_always() -> None:
    with pytest.raises(BadInput, match=r"calendars\.24x7: must be always"):
        batch.evaluate(TICKETS, EVENTS, POLICIES, {"24x7": {"weekly": {}}}, NOW)


def test_events_come_into_order_however_they_were_delivered() -> None:
    rng = np.random.default_rng(3)
    owner, at = rng.integers(0, 50, 2_000), rng.integers(0, 99, 2_000)
    seq = pl.Series(rng.integers(0, 3, 2_000))
    assert in_order(owner, at, None).tolist() == np.lexsort((at, owner)).tolist()
    assert in_order(owner, at, seq).tolist() == np.lexsort((seq, at, owner)).tolist()
    assert in_order(owner, np.sort(at), None).tolist() == np.argsort(owner, kind="stable").tolist()
    assert in_order(owner, at * 2**53, None).tolist() == np.lexsort((at, owner)).tolist()
    assert in_order(np.sort(owner), np.arange(2_000), None) is None


@pytest.mark.parametrize("spell", ["desk:{}", "servicenow:INC{:07}", "{}", "{}000000007"])
def test_every_id_is_found_in_its_row(spell: str) -> None:
    known = [spell.format(n) for n in range(5_000)]
    asked = [*reversed(known), "-3", None, *known[:9], known[7], known[7]]
    expected = [*reversed(range(5_000)), -1, -1, *range(9), 7, 7]
    dtype = pl.String if ":" in spell else pl.Int64
    column = pl.Series(asked).cast(dtype)
    assert rows_of(column, pl.Series(known).cast(dtype)).tolist() == expected


@pytest.mark.parametrize("spell", ["desk:{}", "servicenow:INC{:07}"])
@pytest.mark.parametrize("chunks", [1, 7])
def test_long_logs_by_ticket_are_read_in_runs(spell: str, chunks: int) -> None:
    number = np.repeat(np.arange(20_000), 5)
    column = pl.Series([spell.format(n) for n in number])
    parts = np.array_split(np.arange(3, len(column)), chunks)
    even = pl.Series([spell.format(n) for n in range(0, 20_000, 2)])
    found = rows_of(pl.concat([column[part[0] : part[-1] + 1] for part in parts], rechunk=False), even)
    assert found.tolist() == np.where(number % 2, -1, number // 2)[3:].tolist()


@pytest.mark.parametrize("bits", [0, 3, 8])
def test_ids_whose_hashes_agree_are_told_apart(bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    alike = np.uint64((1 << bits) - 1)
    monkeypatch.setattr(ids, "_marks", lambda column: column.hash().to_numpy() & alike)
    known = pl.Series([f"desk:{n}" for n in (9, 3, 7)])
    asked = pl.Series([f"desk:{n}" for n in range(200)])
    expected = [{9: 0, 3: 1, 7: 2}.get(n, -1) for n in range(200)]
    assert rows_of(asked, known).tolist() == expected
    assert are_distinct(known)
    assert not are_distinct(pl.concat([known, known[:1]]))


@pytest.mark.parametrize("spell", ["desk:{}", "desk:{:05}"])
def test_repeated_ids_are_noticed(spell: str) -> None:
    rising = pl.Series([spell.format(n) for n in range(5_000)])
    assert are_distinct(rising)
    assert are_distinct(rising.reverse())
    for again in (rising[:1], rising[4_000:4_001], rising[-1:]):
        assert not are_distinct(pl.concat([rising, again]))


def test_a_log_with_an_empty_piece_is_read() -> None:
    log = pl.Series([f"desk:{number // 7}" for number in range(210_000)])
    pieces = pl.concat([log[:70_000], log[70_000:140_000], log[140_000:]], rechunk=False)
    left = pieces.filter(pl.Series([True] * 70_000 + [False] * 70_000 + [True] * 70_000))
    found = rows_of(left, pl.Series([f"desk:{number}" for number in range(30_000)]))
    assert found.tolist() == left.str.slice(5).cast(pl.Int64).to_list()


@pytest.mark.parametrize("far", [[-(2**63), 2**63 - 1], [0, 2**62]])
def test_number_ids_may_lie_far_apart(far: list[int]) -> None:
    assert rows_of(pl.Series([far[1], far[0], 5]), pl.Series(far)).tolist()[:2] == [1, 0]
