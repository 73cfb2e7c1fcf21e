"""The ledger adds up to the row, and says why."""

from hypothesis import HealthCheck, given, settings

from sla.calendar_files import parse_all
from sla.evaluate import evaluate
from sla.explain import explain
from sla.policies import parse
from tests.generative.backlogs import CALENDARS as ODD
from tests.generative.backlogs import Backlog, backlogs
from tests.sla.timelines import CALENDARS, at, story

READY = parse_all(ODD)


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(backlogs())
def test_ledger_adds_up_exactly(backlog: Backlog) -> None:
    policies = parse(backlog.policies)
    for ticket in backlog.tickets:
        events = [event for event in backlog.events if event["ticket"] == ticket["id"]]
        rows = evaluate(ticket, events, policies, READY, backlog.as_of)
        ledgers = explain(ticket, events, policies, READY, backlog.as_of)
        promised = [(r["clock"], r["window"], r["elapsed"], r["paused"]) for r in rows if r["target"] is not None]
        assert [(x.clock.value, x.window, x.elapsed, x.paused) for x in ledgers] == promised
        for ledger in ledgers:
            assert all(e.seconds == (e.end - e.start).total_seconds() > 0 for e in ledger.entries)
            assert all(a.end == b.start for a, b in zip(ledger.entries, ledger.entries[1:], strict=False))


def test_it_reads_like_a_story() -> None:
    policies = parse([{"name": "std", "calendar": "office", "first_response": None, "resolution": 14_400}])
    events = story("Fri 16:00 status waiting_customer\nMon+7 10:00 status open")
    ticket = {"id": 1, "created_at": at("Fri 15:00")}
    [ledger] = explain(ticket, events, policies, CALENDARS, at("Mon+7 11:00"))
    told = [(f"{e.local_start:%a}", e.kind, e.seconds, e.reason) for e in ledger.entries]
    assert told == [
        ("Fri", "counted", 3_600, "open, at work"),
        ("Fri", "paused", 3_600, "waiting_customer"),
        ("Fri", "out_of_hours", 7 * 3_600, "outside 09:00–17:00"),
        ("Sat", "out_of_hours", 86_400, "closed on Saturday"),
        ("Sun", "out_of_hours", 86_400, "closed on Sunday"),
        ("Mon", "out_of_hours", 9 * 3_600, "outside 09:00–17:00"),
        ("Mon", "paused", 3_600, "waiting_customer"),
        ("Mon", "counted", 3_600, "open, at work"),
    ]
    assert ledger.lines()[0] == "resolution, window 1: 14400 s on office, policy std"
    assert ledger.lines()[-1] == "counted 7200 s, paused 7200 s"
