"""Hand-offs from the standings, held equal to a plain walk over them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from engine.standings import OPEN, STANDINGS
from pipelines.marts.hand_offs import hand_offs

START = datetime(2026, 9, 1, 8, tzinfo=UTC)
NOW = START + timedelta(days=30)
Step = tuple[str | None, str | None, str, int]
ROW = st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from(["ana", "ben", None]),
                st.sampled_from(["new", "new", "resolved"]), st.sampled_from([0, 0, 7, 5000]))  # fmt: skip


def frame(tickets: list[list[Step]]) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    for number, steps in enumerate(tickets):
        at, had = START, None
        for place, (group, holder, status, minutes) in enumerate(steps):
            at += timedelta(minutes=minutes)
            rows.append({"ticket": f"t{number}", "place": place, "since": at, "status": status, "holder": holder,
                         "group_id": group, "kind": "status" if holder == had else "assignee"})  # fmt: skip
            had = holder
    return pl.DataFrame([{name: row.get(name) for name in STANDINGS} for row in rows], schema=STANDINGS)


def plainly(standings: pl.DataFrame) -> list[tuple[Any, ...]]:
    """Ticket after ticket, row after row."""
    found = []
    for (ticket,), part in standings.group_by("ticket", maintain_order=True):
        rows = part.sort("place").to_dicts()
        handed = [n for n in range(1, len(rows)) if rows[n]["group_id"] and rows[n - 1]["group_id"]
                  and rows[n]["group_id"] != rows[n - 1]["group_id"]]  # fmt: skip
        for order, n in enumerate(handed):
            end = handed[order + 1] if order + 1 < len(handed) else len(rows)
            until, how = (rows[end]["since"], "passed_on") if end < len(rows) else (NOW, None)
            earlier = [row["holder"] for row in rows if row["since"] < rows[n]["since"]]
            had = earlier[-1] if earlier else None
            for row in rows[n:end]:
                is_given = row["place"] > rows[n]["place"] and row["kind"] == "assignee"
                if row["holder"] and (row["holder"] != had or is_given):
                    until, how = row["since"], "picked_up"
                    break
                if row["status"] not in OPEN:
                    until, how = row["since"], "ended"
                    break
            at = rows[n]["since"]
            waited = max(0, int((until - at).total_seconds()))
            found.append((ticket, at, rows[n - 1]["group_id"], rows[n]["group_id"], waited, how))
    return sorted(found, key=lambda one: (one[1], one[0]))


@given(st.lists(st.lists(ROW, min_size=1, max_size=8), min_size=1, max_size=4))
def test_they_are_those_of_a_plain_walk(tickets: list[list[Step]]) -> None:
    standings = frame(tickets)
    found = hand_offs(standings, pl.lit(NOW, pl.Datetime("us", "UTC")))
    assert sorted(found.rows(), key=lambda one: (one[1], one[0], one[2])) == sorted(
        plainly(standings), key=lambda one: (one[1], one[0], one[2])
    )


def test_one_that_lies_there_waits_until_now() -> None:
    found = hand_offs(frame([[("a", "ana", "new", 0), ("b", None, "new", 60)]]), pl.lit(NOW, pl.Datetime("us", "UTC")))
    assert found.rows() == [("t0", START + timedelta(hours=1), "a", "b", 30 * 86400 - 3600, None)]


def waited(*steps: Step) -> tuple[int, str | None]:
    found = hand_offs(frame([list(steps)]), pl.lit(NOW, pl.Datetime("us", "UTC")))
    return found.select("seconds_waited", "ended_by").row(0)


def test_who_had_it_before_has_not_picked_it_up() -> None:
    """Ana of group a still holds it when it goes to b; Ben of b takes it two hours later."""
    assert waited(("a", "ana", "new", 0), ("b", "ana", "new", 60), ("b", "ben", "new", 120)) == (7200, "picked_up")


def test_one_given_to_somebody_in_the_same_second_did_not_wait() -> None:
    assert waited(("a", "ana", "new", 0), ("a", "ben", "new", 60), ("b", "ben", "new", 0)) == (0, "picked_up")


def test_one_that_ends_with_its_old_holder_was_not_picked_up() -> None:
    assert waited(("a", "ana", "new", 0), ("b", "ana", "new", 60), ("b", "ana", "resolved", 60)) == (3600, "ended")
