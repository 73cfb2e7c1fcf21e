"""One of ten hours left of INC-5's promise, 20 of 40 of INC-6's: × 2.5 and × 1; while it is paused × 1."""

from typing import Any

import pytest

from engine import priority
from engine.contracts import Delivery
from pipelines.app.container import App
from pipelines.snapshot import Snapshot
from tests.engine.people import MONDAY, POLICIES, a_ticket, delivered, later

POLICY = priority.load(POLICIES / "priority.yaml")
HOUR = 3_600.0


def factor(left: float, of: float, *, preset: str = "canonical", is_paused: bool = False) -> float:
    share = None if is_paused else left / of
    clock: dict[str, Any] = {"sla_seconds_left": left * HOUR, "sla_share_left": share}
    return priority.score(a_ticket(), at=MONDAY, preset=POLICY.preset(preset), **clock).multipliers["sla"]


@pytest.mark.parametrize(
    ("left", "of", "expected"),
    [(1, 10, 2.5), (20, 40, 1), (19.9, 40, 1.3), (0, 10, 2.5), (-0.1, 10, 3), (1.5, 10, 2), (2.5, 10, 1.3)],
)
def test_the_share_decides_whatever_the_hours(left: float, of: float, expected: float) -> None:
    assert factor(left, of) == expected
    assert factor(left, of, is_paused=True) == 1


def test_the_seeds_presets_count_hours() -> None:
    assert [factor(20, 40, preset=name) for name in ("seed", "itil-next-code", "feature-map")] == [1.3, 1.3, 1.5]


@pytest.mark.parametrize(("status", "presses"), [("in_progress", True), ("waiting_customer", False)])
def test_a_paused_clock_presses_nobody_in_the_queue(app: App, status: str, *, presses: bool) -> None:
    app.store.ingest(Delivery(tickets=(delivered(1, priority="low"),)), at=MONDAY)
    moved = delivered(1, priority="low", status=status, first_response_at=later(1), updated_at=later(1))
    app.store.ingest(Delivery(tickets=(moved,)), at=later(1))
    start = Snapshot(app, later(2)).clocks.filter(clock="resolution")
    target = start["target"].item() / HOUR
    at = later(days=target / 8) if start["calendar"].item() != "24x7" else later(target)
    row = Snapshot(app, at).queue.row(0, named=True)
    assert ("SLA" in row["score_parts"]) is presses, row
