"""What the clocks are given from the store: team and channel of then, what is not told, messages where they matter."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pytest

from pipelines import actions
from pipelines.app.container import open_app
from pipelines.clock_replay import clock_inputs, read_events, read_tickets
from pipelines.jobs.ingest import ingest
from pipelines.snapshot import Snapshot
from sla.clocks.batch.evaluate import evaluate
from sla.policy.model import Policies
from sla.policy.parser import load, parse

CASE = Path(__file__).resolve().parents[3] / "shared" / "cases" / "facts" / "team"
NINE, TWELVE = datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 3, 2, 12, tzinfo=UTC)
TELLING = '{"resolution": {"since": "2026-03-02T09:00:00.500000Z", "why": "no_end"}}'


class Rules(NamedTuple):
    policies: Policies


def rules(*policies: dict[str, Any]) -> Rules:
    return Rules(parse([*policies, {"name": "rest", "resolution": "24 hours"}]))


BY_TEAM = rules({"name": "a", "team": "a-desk", "resolution": "2 hours"})
BY_CHANNEL = rules({"name": "phone", "channel": "phone", "resolution": "2 hours"})
PLAIN = rules()


def ticket(**values: Any) -> pl.DataFrame:
    texts = {"assignee_id": None, "accepted_at": None, "group_id": "b-desk", "channel": "phone", "unknown": None}
    created = {f"created_{name}": None for name in ("status", "priority", "tier", "type")}
    row = {"ticket": "desk:1", **texts, **created, **values}
    return pl.DataFrame({name: pl.Series([value], dtype=pl.String) for name, value in row.items()}).with_columns(
        created_at=pl.lit(NINE)
    )


def events(*told: tuple[datetime, str, str | None, str]) -> pl.DataFrame:
    rows = [("desk:1", at, kind, value, "system", data, n) for n, (at, kind, value, data) in enumerate(told, start=1)]
    schema = {"ticket": pl.String, "at": pl.Datetime("us", "UTC"), "kind": pl.String, "value": pl.String,
              "actor": pl.String, "data": pl.String, "version": pl.Int64}  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")


def moves(frame: pl.DataFrame) -> list[tuple[str, str | None]]:
    return frame.sort("seq").select("kind", "value").rows()


def test_the_team_at_creation_is_the_one_the_creation_names_where_it_ever_moved() -> None:
    told = events((NINE, "created", None, '{"group": "a-desk"}'), (TWELVE, "group", "b-desk", "{}"))
    born, moved = clock_inputs(ticket(), told, BY_TEAM)
    assert (born["team"].to_list(), moves(moved)) == (["a-desk"], [("team", "b-desk")])
    never_moved = clock_inputs(ticket(), told.head(1), BY_TEAM)[0]
    assert never_moved["team"].to_list() == ["b-desk"]


def test_a_decision_hands_over_and_one_to_wait_does_not() -> None:
    told = events((NINE, "created", None, "{}"), (NINE, "allocated", None, "{}"), (TWELVE, "allocated", "a-desk", "{}"))
    assert moves(clock_inputs(ticket(), told, BY_TEAM)[1]) == [("team", "a-desk")]


def test_the_channel_at_creation_is_what_its_first_change_came_from() -> None:
    told = events((TWELVE, "channel", "phone", '{"from": "mail"}'), (TWELVE, "channel", "web", '{"from": "phone"}'))
    born, moved = clock_inputs(ticket(), told, BY_CHANNEL)
    assert (born["channel"].to_list(), moves(moved)) == (["mail"], [("channel", "phone"), ("channel", "web")])
    assert clock_inputs(ticket(), told.clear(), BY_CHANNEL)[0]["channel"].to_list() == ["phone"]


def test_what_no_promise_rests_on_is_left_out() -> None:
    told = events(
        (NINE, "group", "a-desk", "{}"), (NINE, "channel", "web", "{}"), (NINE, "customer_message", None, "{}"),
        (NINE, "due", "2026-03-04T09:00:00Z", "{}"), (NINE, "note", None, "{}"),
    )  # fmt: skip
    born, moved = clock_inputs(ticket(), told, PLAIN)
    assert not {"team", "channel", "resolution_unknown"} & set(born.columns)
    assert moves(moved) == [("due", "2026-03-04T09:00:00Z")]
    asking = rules({"name": "all", "priority": "high", "next_reply": "2 hours", "resolution": None})
    assert ("customer_message", None) in moves(clock_inputs(ticket(), told, asking)[1])


def test_what_a_source_does_not_tell_reaches_the_clock() -> None:
    born, moved = clock_inputs(ticket(unknown=TELLING), events(), PLAIN)
    assert born["first_response_unknown"].to_list() == [None]
    found = evaluate(born, moved, PLAIN.policies, {}, TWELVE).filter(pl.col("clock") == "resolution")
    assert found.select("state", "target", "elapsed").rows() == [("not_measured", 86_400, None)]


@pytest.mark.skipif(not CASE.exists(), reason="the cases are not beside the project")
@pytest.mark.parametrize(
    ("minute", "policy", "state"),
    [("11:30", "a", "breached"), ("12:30", "b", "on_track")],
)
def test_a_ticket_is_judged_by_the_team_of_that_instant(minute: str, policy: str, state: str, tmp_path: Path) -> None:
    as_of = datetime.fromisoformat(f"2026-03-02T{minute}Z")
    promised = Rules(load(CASE / "policy.yaml"))
    with open_app(home=tmp_path) as app:
        ingest(app, CASE, source="helmdesk", at=as_of)
        snapshot = Snapshot(app, as_of)
        stored = read_tickets(app.store), read_events(app.store, promised)
    for tickets, history in ((snapshot.tickets_now, snapshot.events), stored):
        found = evaluate(*clock_inputs(tickets, history, promised), promised.policies, {}, as_of)
        rows = found.filter(pl.col("clock") == "resolution").select("policy", "state", "window_start").rows()
        assert rows == [(policy, state, NINE)]


def test_the_ledger_says_why_a_clock_is_not_measured(tmp_path: Path) -> None:
    line = '{"source": "glpi", "ticket_id": "1", "created_at": "2026-03-02T09:00:00Z", "responses": "none"}\n'
    (tmp_path / "tickets.jsonl").write_text(line, encoding="utf-8")
    with open_app(home=tmp_path / "home") as app:
        ingest(app, tmp_path / "tickets.jsonl", source="helmdesk", at=TWELVE)
        ledgers = {ledger.clock: ledger for ledger in actions.explain(app, "glpi:1", as_of=TWELVE)}
        published = Snapshot(app, TWELVE).clocks
    first = ledgers["first_response"]
    assert first.row["state"] == "not_measured" == published.filter(pl.col("clock") == "first_response")["state"][0]
    said = "not measured from Mon 2026-03-02 09:00:00 UTC on: its source tells no answers: map first_response_at"
    assert said in "\n".join(first.lines())
    assert first.in_words()["counted"] == "–"
    assert ledgers["resolution"].row["state"] == "on_track"


def test_an_acceptance_whose_instant_is_not_known_starts_no_clock() -> None:
    told = events((NINE, "created", None, "{}"), (TWELVE, "accepted", "ana", "{}"))
    assert moves(clock_inputs(ticket(), told, PLAIN)[1]) == []
    assert moves(clock_inputs(ticket(accepted_at="2026-03-02T12:00:00Z"), told, PLAIN)[1]) == [("accepted", "ana")]
