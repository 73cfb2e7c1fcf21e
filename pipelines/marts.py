"""The published tables: what each answers, its columns, and how to read and replace them safely.

A publication is a folder of Parquet files; `current.json` names the one in force and is replaced atomically, so
a reader sees all of one publication or all of the next. DuckDB reads the files from memory and locks nothing.
"""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import duckdb
import polars as pl

from engine.errors import NotFound

INSTANT = pl.Datetime("us", "UTC")
TEXT, WHOLE, NUMBER, YES_NO = pl.String(), pl.Int64(), pl.Float64(), pl.Boolean()


class Mart(NamedTuple):
    """A published table: the reader's question it answers, and its columns."""

    question: str
    schema: pl.Schema


def _schema(**columns: pl.DataType) -> pl.Schema:
    return pl.Schema(columns)


FACTORS = ("availability", "bandwidth", "velocity", "performance", "proximity", "cultural_fit", "timezone")

MARTS: Mapping[str, Mart] = {
    "tickets": Mart(
        "What is the state of each ticket?",
        _schema(
            ticket=TEXT, reference=TEXT, source=TEXT, subject=TEXT, type=TEXT, status=TEXT, priority=TEXT, tier=TEXT,
            vip=YES_NO, escalated=YES_NO, category=TEXT, product=TEXT, channel=TEXT, language=TEXT, group_id=TEXT,
            assignee_id=TEXT, owner_id=TEXT, requester_id=TEXT, company_id=TEXT, created_at=INSTANT,
            updated_at=INSTANT, first_response_at=INSTANT, resolved_at=INSTANT, closed_at=INSTANT, is_open=YES_NO,
        ),
    ),
    "sla_clocks": Mart(
        "What was promised on each clock, what was used, what is left?",
        _schema(
            ticket=TEXT, reference=TEXT, clock=TEXT, window=WHOLE, is_current=YES_NO, state=TEXT, target=WHOLE,
            elapsed=WHOLE, paused=WHOLE, remaining=WHOLE, due_at=INSTANT, window_start=INSTANT, stopped_at=INSTANT,
            is_paused=YES_NO, policy=TEXT, calendar=TEXT, priority=TEXT, tier=TEXT, type=TEXT, group_id=TEXT,
            company_id=TEXT, agent_id=TEXT, agent_because=TEXT, week=pl.Date(),
        ),
    ),
    "attainment": Mart(
        "Did we keep our promises, by clock and dimension?",
        _schema(
            clock=TEXT, dimension=TEXT, value=TEXT, clocks=WHOLE, met=WHOLE, breached=WHOLE, at_risk=WHOLE,
            running=WHOLE, share_met=NUMBER, low=NUMBER, high=NUMBER,
        ),
    ),
    "response_times": Mart(
        "How long do first answers and solutions take, by clock and dimension?",
        _schema(
            clock=TEXT, dimension=TEXT, value=TEXT, stopped=WHOLE, mean_seconds=NUMBER, median_seconds=NUMBER,
            promised=WHOLE, mean_business_seconds=NUMBER, median_business_seconds=NUMBER,
        ),
    ),
    "reopens": Mart(
        "How often is what we resolved reopened, by dimension?",
        _schema(
            dimension=TEXT, value=TEXT, resolved=WHOLE, reopened=WHOLE, share_reopened=NUMBER, low=NUMBER, high=NUMBER,
        ),
    ),
    "time_in_state": Mart(
        "Where do tickets spend their time, by status and dimension?",
        _schema(
            status=TEXT, dimension=TEXT, value=TEXT, tickets=WHOLE, visits=WHOLE, total_seconds=WHOLE,
            mean_seconds=NUMBER, median_seconds=NUMBER, on_calendar=WHOLE, total_business_seconds=WHOLE,
            mean_business_seconds=NUMBER, median_business_seconds=NUMBER,
        ),
    ),
    "breach_reasons": Mart(
        "Why was each promise broken?",
        _schema(
            ticket=TEXT, reference=TEXT, clock=TEXT, window=WHOLE, reason=TEXT, picked_up_at=INSTANT,
            seconds_to_pick_up=WHOLE, seconds_waiting_internal=WHOLE, seconds_in_work=WHOLE, over_by=WHOLE,
        ),
    ),
    "credited_breaches": Mart(
        "Which breach gives which credit?",
        _schema(
            ticket=TEXT, reference=TEXT, clock=TEXT, window=WHOLE, company_id=TEXT, month=pl.Date(), priority=TEXT,
            times_target=NUMBER, credit_percent=NUMBER, is_final=YES_NO, preset=TEXT,
        ),
    ),
    "sla_credits": Mart(
        "What do we owe each customer for the breaches of a month?",
        _schema(
            company_id=TEXT, month=pl.Date(), breaches=WHOLE, still_running=WHOLE, summed_percent=NUMBER,
            credit_percent=NUMBER, is_capped=YES_NO, preset=TEXT,
        ),
    ),
    "names": Mart(
        "What are the groups, agents and customers called?",
        _schema(dimension=TEXT, value=TEXT, name=TEXT),
    ),
    "work_queue": Mart(
        "What should be worked on next?",
        _schema(
            ticket=TEXT, reference=TEXT, subject=TEXT, status=TEXT, priority=TEXT, tier=TEXT, vip=YES_NO, score=NUMBER,
            section=TEXT, sla_state=TEXT, next_clock=TEXT, next_due_at=INSTANT, seconds_left=WHOLE, product=TEXT,
            confidence=NUMBER, needs_review=YES_NO, group_id=TEXT, group_name=TEXT, owner_id=TEXT,
            has_suggestion=YES_NO,
            created_at=INSTANT,
        ),
    ),
    "allocations": Mart(
        "Which group should get each ticket, and why?",
        _schema(
            ticket=TEXT, reference=TEXT, decided_at=INSTANT, outcome=TEXT, group_id=TEXT, group_name=TEXT,
            composite=NUMBER, **dict.fromkeys(FACTORS, NUMBER), rationale=TEXT, policy=TEXT,
        ),
    ),
    "group_load": Mart(
        "How full is each group once the backlog is allocated?",
        _schema(
            group_id=TEXT, group_name=TEXT, status=TEXT, capacity=WHOLE, load_before=WHOLE, allocated=WHOLE,
            load_after=WHOLE, utilisation=NUMBER,
        ),
    ),
    "classifications": Mart(
        "What did triage say about each ticket, and how sure was it?",
        _schema(
            ticket=TEXT, product=TEXT, urgency=TEXT, confidence=NUMBER, needs_review=YES_NO, runner_up=TEXT,
            runner_up_confidence=NUMBER, reasoning=TEXT, model_used=TEXT, prompt_hash=TEXT, latency_ms=WHOLE,
            prompt_tokens=WHOLE, completion_tokens=WHOLE, cost=NUMBER, created_at=INSTANT,
        ),
    ),
    "confidence": Mart(
        "How is confidence spread, and what goes to a person?",
        _schema(lower=NUMBER, upper=NUMBER, tickets=WHOLE, needs_review=WHOLE),
    ),
    "suggestions": Mart(
        "What would we answer, from which sources?",
        _schema(
            ticket=TEXT, text=TEXT, grounded=YES_NO, citations=TEXT, macros=TEXT, model_used=TEXT, created_at=INSTANT
        ),
    ),
    "alerts": Mart(
        "Which warnings and breaches were raised, once each?",
        _schema(
            ticket=TEXT, reference=TEXT, clock=TEXT, alert_type=TEXT, level=WHOLE, state=TEXT, triggered_at=INSTANT,
            deadline=INSTANT, remaining_seconds=NUMBER,
        ),
    ),
    "volume": Mart(
        "How many tickets came in and were solved each day?",
        _schema(day=pl.Date(), created=WHOLE, resolved=WHOLE, open_at_end=WHOLE),
    ),
    "rejected": Mart(
        "Which rows could not be taken in, and why?",
        _schema(source=TEXT, origin=TEXT, row=WHOLE, reason=TEXT),
    ),
}  # fmt: skip


class Publication(NamedTuple):
    """Which marts are in force: the instant they speak of, when they were written, rows per table."""

    as_of: datetime
    published_at: datetime
    rows: dict[str, int]
    folder: Path


def publish(frames: Mapping[str, pl.DataFrame], folder: Path, *, as_of: datetime, at: datetime) -> Publication:
    """Write every mart and put the new publication in force; the one before stays for readers still in it.

    Raises ValueError if a frame is missing or does not have its declared columns (that is a bug, not bad input).
    """
    name = at.astimezone(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    target = folder / name
    target.mkdir(parents=True, exist_ok=True)
    for mart, (_, schema) in MARTS.items():
        frame = frames[mart].select(schema.names())
        if frame.schema != schema:
            wrong = {c: (frame.schema[c], schema[c]) for c in schema if frame.schema[c] != schema[c]}
            raise ValueError(f"mart {mart}: columns differ from the declared schema: {wrong}")
        frame.write_parquet(target / f"{mart}.parquet", compression="zstd", statistics=True)
    rows = {mart: frames[mart].height for mart in MARTS}
    _put_in_force(folder, {"folder": name, "as_of": as_of.isoformat(), "published_at": at.isoformat(), "rows": rows})
    _forget_older(folder, keep=2)
    return Publication(as_of, at, rows, target)


def _put_in_force(folder: Path, description: dict[str, Any]) -> None:
    draft = folder / f"current.{os.getpid()}.json"
    draft.write_text(json.dumps(description, indent=1), encoding="utf-8")
    draft.replace(folder / "current.json")


def _forget_older(folder: Path, *, keep: int) -> None:
    publications = sorted(path for path in folder.iterdir() if path.is_dir())
    for old in publications[:-keep]:
        shutil.rmtree(old, ignore_errors=True)


def current(folder: Path) -> Publication:
    """The publication in force. Raises NotFound if nothing was published yet."""
    try:
        found = json.loads((folder / "current.json").read_text(encoding="utf-8"))
        as_of, published_at = (datetime.fromisoformat(found[name]) for name in ("as_of", "published_at"))
        publication = Publication(as_of, published_at, dict(found["rows"]), folder / found["folder"])
    except FileNotFoundError:
        raise NotFound(f"no marts in {folder}: run `helmdesk cycle` (or `helmdesk demo`) to publish them") from None
    except (ValueError, KeyError, TypeError) as error:
        raise NotFound(
            f"{folder / 'current.json'} is damaged ({error}): run `helmdesk publish` to write it anew"
        ) from None
    if missing := [mart for mart in MARTS if not (publication.folder / f"{mart}.parquet").is_file()]:
        raise NotFound(f"{publication.folder} has no {missing[0]}.parquet: run `helmdesk publish` to write it anew")
    return publication


class MartReader:
    """One publication, readable as frames or with SQL; later publications need a new reader."""

    def __init__(self, folder: Path) -> None:
        self.publication = current(folder)
        self._connection = duckdb.connect(":memory:")
        self._connection.execute("SET GLOBAL TimeZone = 'UTC'")
        for mart in MARTS:
            file = str(self.publication.folder / f"{mart}.parquet").replace("'", "''")
            self._connection.execute(f"CREATE VIEW {mart} AS SELECT * FROM read_parquet('{file}')")

    def query(self, sql: str, parameters: Sequence[object] = ()) -> pl.DataFrame:
        """The answer to a DuckDB query over the marts (each is a view of its name); sums come back as Int64."""
        answer = pl.DataFrame(self._connection.cursor().sql(sql, params=list(parameters)).to_arrow_table())
        return answer.with_columns(
            pl.col(pl.Decimal).cast(WHOLE), pl.col(pl.Datetime("us", "Etc/UTC")).dt.convert_time_zone("UTC")
        )

    def frame(self, mart: str) -> pl.DataFrame:
        """A whole mart, with its declared schema."""
        return pl.read_parquet(self.publication.folder / f"{mart}.parquet")

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
