"""One row per update becomes a ticket with its history; the ServiceNow log is such a file."""

import time
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from engine.contracts import Delivery, Kind, Status
from engine.lifecycle import replay
from engine.plugins.registry import source_plugin
from tests.engine.plugins.samples import MAPPINGS, refusals, whole, written

SHARED = Path(__file__).resolve().parents[4] / "shared"
LOG = SHARED / "data/servicenow_incident_log.csv.gz"
COLUMNS = """
    number incident_state active reassignment_count reopen_count sys_mod_count made_sla caller_id opened_at
    sys_created_by sys_created_at sys_updated_by sys_updated_at contact_type category impact urgency priority
    assignment_group assigned_to knowledge notify problem_id rfc vendor caused_by closed_code resolved_by
    resolved_at closed_at
""".split()  # noqa: SIM905
OPENED = "29/2/2016 01:00"


def log(folder: Path, rows: list[str], **always: str) -> Delivery:
    """Rows like `1 | New | 29/2/2016 01:10 | group 7 | …`: number, state, updated at, then `column value`."""
    lines = [",".join(COLUMNS)]
    for position, row in enumerate(rows):
        number, state, at, *more = (part.strip() for part in row.split("|"))
        cells = dict.fromkeys(COLUMNS, "?") | {"priority": "3", "opened_at": OPENED, "sys_updated_by": "bot", **always}
        cells |= {"number": number, "incident_state": state, "sys_updated_at": at, "sys_mod_count": str(position)}
        cells |= dict(part.split(" ", 1) for part in more)
        lines.append(",".join(cells[name] for name in COLUMNS))
    return whole(source_plugin("servicenow-csv", mappings=MAPPINGS), written(folder, "\n".join(lines) + "\n"))


def timeline(told: Delivery) -> list[str]:
    return [f"{e.at:%d %H:%M} {e.kind} {e.value or ''}".strip() for e in told.events]


LIFE = [
    "1 | New                | 29/2/2016 01:10 | assignment_group 70",
    "1 | New                | 29/2/2016 01:20 | assignment_group 24",
    "1 | Active             | 29/2/2016 05:30 | assignment_group 24 | assigned_to 31",
    "1 | Awaiting User Info | 29/2/2016 06:00 | assignment_group 24 | assigned_to 31",
    "1 | Active             | 29/2/2016 08:00 | assignment_group 24 | assigned_to 31 | priority 2",
    "1 | Resolved           | 29/2/2016 09:00 | assignment_group 24 | assigned_to 31 | priority 2",
    "1 | Active             | 29/2/2016 10:00 | assignment_group 24 | assigned_to 31 | priority 2",
    "1 | Resolved           | 29/2/2016 11:00 | assignment_group 24 | assigned_to 31 | priority 2",
    "1 | Resolved           | 29/2/2016 12:00 | assignment_group 24 | assigned_to 31 | priority 2",
    "1 | Closed             | 5/3/2016 12:00  | assignment_group 24 | assigned_to 31 | priority 2",
]
TOLD = [
    "29 01:00 created", "29 01:10 group 70", "29 01:20 group 24", "29 05:30 assignee 31", "29 05:30 response",
    "29 05:30 status in_progress", "29 06:00 status waiting_customer", "29 08:00 priority high",
    "29 08:00 status in_progress", "29 09:00 status resolved", "29 10:00 status in_progress",
    "29 11:00 status resolved", "05 12:00 status closed",
]  # fmt: skip


def test_rows_become_a_history(tmp_path: Path) -> None:
    told = log(tmp_path, LIFE, resolved_at="29/2/2016 12:00", closed_at="5/3/2016 12:00", made_sla="false")
    assert timeline(told) == TOLD
    effects = [e.sla_effect for e in told.events if e.kind == Kind.STATUS]
    assert effects == ["none", "pause", "resume", "stop", "reopen", "stop", "none"]
    ticket = told.tickets[0]
    assert (ticket.status, ticket.priority, ticket.group, ticket.assignee) == ("closed", "high", "24", "31")
    assert told.events[0].data == {"status": "new", "priority": "medium", "tier": "standard", "type": "incident"}


def test_ticket_and_history_agree_and_the_source_is_quoted(tmp_path: Path) -> None:
    ticket = log(tmp_path, LIFE, resolved_at="29/2/2016 12:00").tickets[0]
    assert f"{ticket.resolved_at:%d %H:%M}" == "29 11:00"
    assert ticket.external_metadata["reported"] == {"resolved_at": "2016-02-29T12:00:00+00:00"}


def test_what_was_known_at_the_end_is_kept_apart(tmp_path: Path) -> None:
    ticket = log(tmp_path, LIFE, made_sla="false", closed_code="6").tickets[0]
    assert ticket.external_metadata == {"known_at_the_end": {"made_sla": "false", "closed_code": "6"}}


def test_a_truncated_log_does_not_know_the_end(tmp_path: Path) -> None:
    ticket = log(tmp_path, LIFE[:3], resolved_at="29/2/2016 12:00", closed_at="5/3/2016 12:00").tickets[0]
    assert (ticket.status, ticket.resolved_at, ticket.closed_at) == (Status.IN_PROGRESS, None, None)


def test_the_order_of_rows_in_the_file_does_not_count(tmp_path: Path) -> None:
    rows = [f"{row} | sys_mod_count {n}" for n, row in enumerate(LIFE)]
    assert timeline(log(tmp_path, rows[::-1])) == TOLD


def test_a_longer_log_keeps_the_ids_of_the_shorter(tmp_path: Path) -> None:
    short, long = (log(tmp_path, LIFE[:n]) for n in (5, 10))
    assert {e.id for e in short.events} < {e.id for e in long.events}
    assert len({e.id for e in long.events}) == len(long.events)


def test_the_same_change_twice_in_a_minute_is_two_events(tmp_path: Path) -> None:
    rows = [f"1 | {state} | 29/2/2016 02:00" for state in ("New", "Active", "Resolved", "Active", "Resolved")]
    told = log(tmp_path, rows)
    assert len({e.id for e in told.events}) == len(told.events) == 6  # created, response, four moves


def test_an_update_before_the_creation_counts_from_it(tmp_path: Path) -> None:
    told = log(tmp_path, ["1 | New | 28/2/2016 23:00 | assignment_group 7", "1 | Active | 29/2/2016 02:00"])
    group = next(e for e in told.events if e.kind == Kind.GROUP)
    assert (f"{group.at:%d %H:%M}", group.data) == ("29 01:00", {"reported_at": "2016-02-28T23:00:00+00:00"})


def test_the_response_is_the_first_sign_of_work(tmp_path: Path) -> None:
    assigned_at_once = ["1 | New | 29/2/2016 01:00 | assigned_to 5", "1 | New | 29/2/2016 03:00 | assigned_to 5"]
    assert log(tmp_path, assigned_at_once).tickets[0].first_response_at is None
    taken_later = log(tmp_path, ["1 | New | 29/2/2016 01:00", "1 | New | 29/2/2016 03:00 | assigned_to 5"])
    assert f"{taken_later.tickets[0].first_response_at:%d %H:%M}" == "29 03:00"
    logged_as_active = log(tmp_path, ["1 | Active | 29/2/2016 01:30"])
    assert f"{logged_as_active.tickets[0].first_response_at:%d %H:%M}" == "29 01:30"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1 | -100 | 29/2/2016 02:00", "column incident_state: '-100' is not one of new, active,"),
        ("1 | Active | soon", "column sys_updated_at: 'soon' is not an instant written as %d/%m/%Y %H:%M in UTC"),
        ("1 | Active | ?", "column sys_updated_at is empty and must not be"),
        ("1 | Active | 29/2/2016 02:00 | opened_at ?", "column opened_at is empty and must not be"),
        ("1 | Active | 29/2/2016 02:00 | opened_at 1/3/2016 00:00", "column opened_at differs from the first row of 1"),
        ("1 | Active | 29/2/2016 02:00 | priority 9", "column priority: '9' is not one of 1, 2, 3"),
        ("1 | Active | 29/2/2016 02:00 | sys_mod_count x", "column sys_mod_count: 'x' is not a whole number"),
    ],
)
def test_a_ticket_with_a_bad_row_is_held_back_and_told_once(tmp_path: Path, row: str, reason: str) -> None:
    told = log(tmp_path, ["1 | New | 29/2/2016 01:00", row, "2 | New | 29/2/2016 01:00", row, LIFE[5]])
    (refused,) = told.rejected
    assert (refused.row, refused.reason[: len(reason)]) == (2, reason)
    assert refused.reason.endswith("; ticket 1 is held back: 2 of its 4 rows can't be read")
    assert [ticket.key for ticket in told.tickets] == ["servicenow:2"]
    assert {event.ticket_id for event in told.events} == {"servicenow:2"}


def test_a_row_of_no_ticket_holds_none_back(tmp_path: Path) -> None:
    told = log(
        tmp_path, ["1 | New | 29/2/2016 01:00", "? | Active | 29/2/2016 02:00", "1 | Resolved | 29/2/2016 04:00"]
    )
    assert refusals(told) == [(2, "column number is empty and must not be")]
    assert timeline(told) == ["29 01:00 created", "29 04:00 response", "29 04:00 status resolved"]


def test_a_wrong_end_in_a_row_is_dropped(tmp_path: Path) -> None:
    told = log(tmp_path, ["1 | New | 29/2/2016 01:00", "1 | Active | 29/2/2016 02:00 | resolved_at 28/2/2016 00:00"])
    assert list(told.tickets[0].external_metadata["dropped"]) == ["resolved_at"]


def test_an_incident_without_a_good_row_is_only_refused(tmp_path: Path) -> None:
    told = log(tmp_path, ["1 | New | ?", "2 | New | 29/2/2016 02:00"])
    assert [t.key for t in told.tickets] == ["servicenow:2"]


@pytest.fixture(scope="module")
def real() -> tuple[list[Delivery], float]:
    started = time.process_time()
    parts = list(source_plugin("servicenow-csv", mappings=MAPPINGS).read(LOG))
    return parts, time.process_time() - started


@pytest.mark.slow
@pytest.mark.skipif(not LOG.exists(), reason="the ServiceNow incident log is not beside the project")
class TestTheRealLog:
    def test_every_incident_arrives_closed(self, real: tuple[list[Delivery], float]) -> None:
        parts, took = real
        tickets = [ticket for part in parts for ticket in part.tickets]
        assert len(tickets) == len({t.key for t in tickets}) == 14_175
        assert {t.status for t in tickets} == {Status.CLOSED}
        assert [r for part in parts for r in part.rejected] == []
        assert took < 60, f"{took:.1f} s"

    def test_state_follows_from_history(self, real: tuple[list[Delivery], float]) -> None:
        for part in real[0]:
            histories: dict[str, list] = {}  # type: ignore[type-arg]
            for event in part.events:
                histories.setdefault(event.ticket_id, []).append(event)
            for ticket in part.tickets:
                history = histories[ticket.key]
                state = replay(history[0].data, history)
                assert history[0].kind == Kind.CREATED
                assert (state.status, state.priority) == (ticket.status, ticket.priority)
                assert (state.resolved_at, state.closed_at) == (ticket.resolved_at, ticket.closed_at)
                assert all(event.at >= ticket.created_at for event in history)

    def test_changes_are_as_many_as_the_rows_show(self, real: tuple[list[Delivery], float]) -> None:
        raw = pl.read_csv(LOG, infer_schema=False, null_values=["?"]).with_row_index("n")
        at = pl.col("sys_updated_at").str.strptime(pl.Datetime("us"), "%d/%m/%Y %H:%M")
        rows = raw.with_columns(at=at, mod=pl.col("sys_mod_count").cast(pl.Int64)).sort("number", "at", "mod", "n")
        state, is_first = pl.col("incident_state"), pl.int_range(pl.len()).over("number") == 0
        moved = rows.filter(pl.when(is_first).then(state != "New").otherwise(state != state.shift().over("number")))
        prio = rows.filter(~is_first & (pl.col("priority") != pl.col("priority").shift().over("number")))
        kinds = Counter(event.kind for part in real[0] for event in part.events)
        assert (kinds[Kind.STATUS], kinds[Kind.PRIORITY]) == (moved.height, prio.height)

    def test_ids_are_unique(self, real: tuple[list[Delivery], float]) -> None:
        ids = [event.id for part in real[0] for event in part.events]
        assert len(ids) == len(set(ids))
