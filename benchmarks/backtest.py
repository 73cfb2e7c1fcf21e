"""What if the promises had been others: seconds from a SQLite store to a whole backtest, reading and replaying apart.

    python -m benchmarks.backtest --tickets 1000000

The backlog is synthetic: made by SQL from each ticket's number, written straight into the tables that the migrations
make, five events a ticket of which four move clocks. It says how fast it is, nothing about any desk.
"""

import argparse
import resource
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from engine.shared.policy_file import read_yaml
from engine.storage import migrate
from pipelines.app.container import App, open_app
from pipelines.app.settings import shipped_data
from pipelines.jobs.backtest import Rules, read, replayed
from sla.policy.parser import parse

START, AS_OF = 1_672_531_200, datetime(2025, 1, 1, tzinfo=UTC)  # 2023-01-01; two years
SEED_LINE = "Hi, since this morning the connector shows as offline and nobody in our office can sign in any more. "

NUMBERS = """
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :tickets),
t AS (SELECT i, 'bench:' || printf('%08d', i) AS id, (i * 2654435761) % 4294967296 AS h,
      :start + (i * 40503) % 63072000 AS born FROM n)
"""
TICKETS = f"""
{NUMBERS}
INSERT INTO tickets (id, source, external_id, reference, subject, content, type, status, priority, tier, vip, escalated,
  category, channel, tags, group_id, created_at, updated_at, external_metadata, version, created_status,
  created_priority, created_tier, created_type, delivered)
SELECT id, 'bench', printf('%08d', i), printf('%08d', i), 'Connector offline', :text, 'incident',
  iif(h % 10 < 9, 'resolved', 'in_progress'), p, tier, 0, 0, 'network', 'email', '[]', 'g-' || (h / 64 % 20),
  datetime(born, 'unixepoch') || '.000000', datetime(born, 'unixepoch') || '.000000', '{{}}', 5, 'new', p, tier,
  'incident', :delivered
FROM (SELECT *, CASE WHEN h % 20 < 1 THEN 'critical' WHEN h % 20 < 5 THEN 'high' WHEN h % 20 < 15 THEN 'medium'
  ELSE 'low' END AS p, CASE h / 32 % 4 WHEN 0 THEN 'enterprise' WHEN 1 THEN 'business' WHEN 2 THEN 'standard'
  ELSE 'free' END AS tier FROM t)
"""
EVENTS = f"""
{NUMBERS},
e(version, kind, value, after) AS (VALUES (1, 'created', NULL, 0), (2, 'response', NULL, 1),
  (3, 'status', 'waiting_customer', 2), (4, 'status', 'in_progress', 3), (5, 'status', 'resolved', 4))
INSERT INTO events (id, ticket_id, version, kind, at, value, actor, sla_effect, data, recorded_at, hash)
SELECT id || '/' || version, id, version, kind, at, iif(value = 'resolved' AND h % 10 = 9, 'in_progress', value),
  'bench', 'none', '{{}}', at, printf('%064x', h)
FROM (SELECT t.*, e.*, datetime(born + after * (600 + h / 1024 % 60000), 'unixepoch') || '.000000' AS at FROM t, e)
"""


def fill(app: App, tickets: int) -> None:
    """A store of so many synthetic tickets; its indexes are made when the rows are there."""
    migrate.upgrade(app.settings.store_url)
    with closing(sqlite3.connect(app.settings.home / "helmdesk.db")) as connection:
        connection.executescript("PRAGMA synchronous = OFF; PRAGMA cache_size = -400000;")
        indexes = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL "
            "AND tbl_name IN ('tickets', 'events')"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f'DROP INDEX "{name}"')
        given = {"tickets": tickets, "start": START, "text": SEED_LINE * 3, "delivered": '{"t": "' + "x" * 250 + '"}'}
        connection.execute(TICKETS, given)
        connection.execute(EVENTS, {"tickets": tickets, "start": START})
        for _, sql in indexes:
            connection.execute(sql)
        connection.commit()
        connection.execute("ANALYZE")


def tightened() -> Any:
    """The shipped promises with every two business days made one."""
    file = shipped_data() / "policies" / "sla" / "default.yaml"
    content = read_yaml(file)
    for policy in content["policies"]:
        if policy["resolution"] == "2 business days":
            policy["resolution"] = "1 business day"
    return parse(content, name="tightened")


def measured(name: str, work: Callable[[], Any]) -> Any:
    wall, cpu = time.perf_counter(), time.process_time()
    answer = work()
    print(f"{name:<28}{time.perf_counter() - wall:>8.2f} s wall{time.process_time() - cpu:>8.2f} s CPU", flush=True)
    return answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tickets", type=int, default=1_000_000)
    parser.add_argument("--home", type=Path, help="keep the store here and use it again")
    parser.add_argument("--repeat", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, open_app(home=given.home or scratch) as app:
        app.settings.home.mkdir(parents=True, exist_ok=True)
        if not (app.settings.home / "helmdesk.db").exists():
            measured("fill (synthetic)", lambda: fill(app, given.tickets))
        before, after = (
            Rules(app.policies.sla.policies, app.policies.sla.calendars),
            Rules(tightened(), app.policies.sla.calendars),
        )
        for _ in range(given.repeat):
            history = measured("read", lambda: read(app))
            found = measured("replay twice and compare", partial(replayed, history, before, after, as_of=AS_OF))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
        print(f"{history.tickets.height:,} synthetic tickets, {history.events.height:,} events that move clocks")
        print(f"{found.changes.height:,} clocks change state; peak memory {peak:.1f} GiB")


if __name__ == "__main__":
    main()
