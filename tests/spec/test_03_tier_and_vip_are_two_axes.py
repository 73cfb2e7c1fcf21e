"""A VIP at a free-tier company: the target of the free tier, one and a half times the score."""

from engine import priority
from engine.contracts import Delivery
from pipelines.app.container import App
from pipelines.snapshot import Snapshot
from tests.engine.people import MONDAY, POLICIES, a_ticket, delivered, later

CANONICAL = priority.load(POLICIES / "priority.yaml").preset()


def test_vip_raises_the_score_and_no_target(app: App) -> None:
    tickets = (delivered(1, tier="free", vip=True), delivered(2, tier="free"), delivered(3, tier="enterprise"))
    app.store.ingest(Delivery(tickets=tickets), at=MONDAY)
    targets = dict(Snapshot(app, later(1)).clocks.filter(clock="resolution").select("ticket", "target").iter_rows())
    assert targets["web:1"] == targets["web:2"] > targets["web:3"]
    vip, plain = (priority.score(a_ticket(tier="free", vip=v), at=later(1), preset=CANONICAL) for v in (True, False))
    assert vip.score == 1.5 * plain.score
