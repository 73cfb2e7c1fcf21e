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
ROW = st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from(["ana", None]), st.sampled_from(["new", "resolved"]),
                st.integers(0, 5000))  # fmt: skip


def frame(tickets: list[list[tuple[str | None, str | None, str, int]]]) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    for number, steps in enumerate(tickets):
        at = START
        for place, (group, holder, status, minutes) in enumerate(steps):
            at += timedelta(minutes=minutes)
            rows.append({"ticket": f"t{number}", "place": place, "since": at, "status": status, "holder": holder,
                         "group_id": group})  # fmt: skip
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
            for row in rows[n:end]:
                if row["holder"] or row["status"] not in OPEN:
                    until, how = row["since"], "picked_up" if row["holder"] else "ended"
                    break
            at = rows[n]["since"]
            waited = max(0, int((until - at).total_seconds()))
            found.append((ticket, at, rows[n - 1]["group_id"], rows[n]["group_id"], waited, how))
    return sorted(found, key=lambda one: (one[1], one[0]))


@given(st.lists(st.lists(ROW, min_size=1, max_size=8), min_size=1, max_size=4))
def test_they_are_those_of_a_plain_walk(tickets: list[list[tuple[str | None, str | None, str, int]]]) -> None:
    standings = frame(tickets)
    found = hand_offs(standings, pl.lit(NOW, pl.Datetime("us", "UTC")))
    assert sorted(found.rows(), key=lambda one: (one[1], one[0], one[2])) == sorted(
        plainly(standings), key=lambda one: (one[1], one[0], one[2])
    )


def test_one_that_lies_there_waits_until_now() -> None:
    found = hand_offs(frame([[("a", "ana", "new", 0), ("b", None, "new", 60)]]), pl.lit(NOW, pl.Datetime("us", "UTC")))
    assert found.rows() == [("t0", START + timedelta(hours=1), "a", "b", 30 * 86400 - 3600, None)]
