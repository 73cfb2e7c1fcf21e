from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import Engine, create_engine, event, inspect, select, text

from engine.shared.errors import BadInput
from tests.triage.conftest import MONDAY
from triage.contracts import Citation, Classification, Guess, Suggestion, TicketText
from triage.store import ROWS_PER_TRANSACTION, TABLES, TriageStore


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = create_engine(f"sqlite:///{tmp_path / 'desk.db'}")

    @event.listens_for(made, "connect")
    def _(connection, _record) -> None:
        connection.execute("PRAGMA foreign_keys=ON")

    yield made
    made.dispose()


@pytest.fixture
def store(engine: Engine) -> TriageStore:
    made = TriageStore(engine)
    made.create_tables()
    return made


def ticket(number: int = 1, content: str = "Connector offline") -> TicketText:
    return TicketText(ticket_id=f"desk:{number}", subject="S", content=content, priority="high")


def rows(engine: Engine, table: str) -> list[dict[str, object]]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(select(TABLES[table])).mappings()]


def as_frame(texts: list[TicketText]) -> pl.DataFrame:
    return pl.DataFrame([text.model_dump() for text in texts]).rename({"ticket_id": "ticket"})


def claim(number: int = 1, at: datetime = MONDAY, product: str = "ZTNA", **given: object) -> Classification:
    values = {
        "id": f"cls-{number}-{at.timestamp()}",
        "ticket_id": f"desk:{number}",
        "product": product,
        "urgency": "high",
        "confidence": 0.8,
        "reasoning": "because",
        "needs_review": False,
        "model_used": "local",
        "created_at": at,
        **given,
    }
    return Classification.model_validate(values)


def draft(number: int = 1, at: datetime = MONDAY) -> Suggestion:
    cited = (Citation(index=1, article_id="ztna-301", title="T › Fix", url="https://help.example", snippet="Do “it”"),)
    return Suggestion(
        id=f"sug-{number}", ticket_id=f"desk:{number}", text="Hello [1] ☃", citations=cited, macros=("m1", "m2"),
        grounded=True, model_used="extractive", created_at=at,
    )  # fmt: skip


def test_claims_come_back_as_they_went_in(store: TriageStore) -> None:
    first = claim(runner_up=Guess(label="CFW", confidence=0.1), prompt_hash="h", cost=0.01, latency_ms=3)
    assert store.save_classifications([ticket()], [first], at=MONDAY) == 1
    assert store.history("desk:1") == [first]
    assert store.latest(["desk:1", "desk:2"]) == {"desk:1": first}
    assert store.save_suggestions([ticket()], [draft()], at=MONDAY) == 1
    assert store.latest_suggestions(["desk:1"]) == {"desk:1": draft()}


def test_saving_twice_changes_nothing(store: TriageStore) -> None:
    store.save_classifications([ticket()], [claim()], at=MONDAY)
    assert store.save_classifications([ticket()], [claim(), claim()], at=MONDAY) == 0
    assert len(store.history("desk:1")) == 1


def test_the_newest_claim_counts_and_the_rest_is_history(store: TriageStore) -> None:
    later = claim(at=MONDAY + timedelta(hours=1), product="CFW")
    store.save_classifications([ticket()], [later, claim()], at=MONDAY)
    assert store.latest(["desk:1"])["desk:1"].product == "CFW"
    assert [c.product for c in store.history("desk:1")] == ["ZTNA", "CFW"]


def test_a_changed_ticket_is_pending_again(store: TriageStore) -> None:
    assert store.pending(as_frame([ticket(1), ticket(2)])) == [ticket(1), ticket(2)]
    store.save_classifications([ticket(1), ticket(2)], [claim(1)], at=MONDAY)
    assert store.pending(as_frame([ticket(1), ticket(2)])) == [ticket(2)]
    assert store.pending(as_frame([ticket(1, "Something else")])) == [ticket(1, "Something else")]


def test_many_rows_go_in_small_transactions(store: TriageStore, engine: Engine) -> None:
    commits: list[int] = []
    event.listen(engine, "commit", lambda _: commits.append(1))
    count = 2 * ROWS_PER_TRANSACTION + 1
    tickets, claims = [ticket(n) for n in range(count)], [claim(n) for n in range(count)]
    assert store.save_classifications(tickets, claims, at=MONDAY) == count
    assert len(commits) == 3
    assert len(store.latest([t.ticket_id for t in tickets])) == count
    assert store.pending(as_frame(tickets)) == []


def test_deleting_a_ticket_takes_its_claims_along(store: TriageStore, engine: Engine) -> None:
    store.save_classifications([ticket(1), ticket(2)], [claim(1), claim(2)], at=MONDAY)
    store.save_suggestions([ticket(1)], [draft(1)], at=MONDAY)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM triage_tickets WHERE ticket_id = 'desk:1'"))
    assert [len(rows(engine, name)) for name in ("classifications", "suggestions")] == [1, 0]
    store.delete("desk:2")
    assert rows(engine, "triage_tickets") == []


def test_instants_need_a_zone_and_are_kept_in_utc(store: TriageStore, engine: Engine) -> None:
    paris = MONDAY.astimezone(timezone(timedelta(hours=1)))
    store.save_classifications([ticket()], [claim(at=paris)], at=paris)
    assert [row["created_at"] for row in rows(engine, "triage_tickets")] == [MONDAY.astimezone(UTC)]
    with pytest.raises(Exception, match="has no time zone"):
        store.save_classifications([ticket(2)], [claim(2)], at=datetime(2026, 3, 2))  # noqa: DTZ001


def test_a_claim_without_its_ticket_is_refused(store: TriageStore) -> None:
    with pytest.raises(BadInput, match="claim on desk:2 came without its ticket"):
        store.save_classifications([ticket(1)], [claim(1), claim(2)], at=MONDAY)
    assert store.history("desk:1") == []


def test_odd_text_can_be_kept(store: TriageStore) -> None:
    odd = TicketText(ticket_id="desk:1", subject="\ud800\0" + "x" * 600, content="nul \0 and lone \udfff")
    assert store.save_classifications([odd], [claim()], at=MONDAY) == 1
    assert store.history("desk:1") == [claim()]


def test_usage_adds_up_per_model(store: TriageStore) -> None:
    hosted = {"model_used": "groq:x", "latency_ms": 100, "prompt_tokens": 10, "completion_tokens": 2, "cost": 0.5}
    store.save_classifications([ticket(1), ticket(2)], [claim(1, **hosted), claim(2, **hosted)], at=MONDAY)
    store.save_suggestions([ticket(1)], [draft()], at=MONDAY)
    asked, drafted = store.usage()
    assert asked == ("classify", "groq:x", 2, 100.0, 20, 4, 1.0)
    assert drafted.operation == "draft"


def test_migrations_make_the_same_tables(tmp_path: Path) -> None:
    from engine.storage import open_store

    store = open_store(f"sqlite:///{tmp_path / 'all.db'}")
    found = inspect(store.engine)
    for name, table in TABLES.items():
        assert {column["name"] for column in found.get_columns(name)} == {column.name for column in table.c}
    triage = TriageStore(store.engine)
    assert triage.save_suggestions([ticket()], [draft()], at=MONDAY) == 1
    assert triage.latest_suggestions(["desk:1"]) == {"desk:1": draft()}
    store.close()
