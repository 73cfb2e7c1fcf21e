"""The desk as of one instant, as a value: each part is read or made once and handed on from stage to stage."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl
from more_itertools import chunked

from engine.contracts import Agent, AssignmentGroup
from engine.not_measured import Why, why_unknown
from engine.outcomes import Figure
from engine.standings import HISTORY_KINDS, OPEN, moves, standings, tickets_as_of
from engine.timeline import Visibility
from pipelines.app.container import App
from pipelines.clock_replay import clock_inputs, replay
from pipelines.work_queue import scored

if TYPE_CHECKING:
    from pipelines.app.policies import Policies
    from triage.contracts import Article, Macro
    from triage.embed import Vectors
    from triage.feedback.acceptance import Feedback
    from triage.feedback.reviews import Review

STORE_ALONE = {"version", "source_updated_at", "delivered", "tags", "location"}
"""Columns of a ticket by which the store and the rules of single tickets work; no table of all tickets needs them."""
EVENT_COLUMNS = ("ticket_id", "version", "kind", "at", "value", "actor", "sla_effect", "data")
DIMENSIONS = ("priority", "tier", "type", "group_id", "company_id")
"""Columns of a ticket by which its clocks are counted."""
KEYS_AT_ONCE = 10_000
MADE_OF: Mapping[str, set[str]] = {
    "standings": {"tickets_now", "events"},
    "tickets": {"tickets_now", "events", "claims"},
    "moves": {"tickets_now", "events", "claims"},
    "stays": {"tickets_now", "events", "claims", "clocks"},
    "clocks": {"tickets_now", "events"},
    "ticket_clocks": {"tickets_now", "events", "claims", "clocks"},
    "queue": {"tickets_now", "events", "claims", "clocks"},
    "latest_claims": {"claims"},
    "latest_drafts": {"drafts"},
    "latest_decisions": {"decisions"},
}
"""The parts that follow from others, and from which of those that may change."""


def _table(name: str) -> "cached_property[pl.DataFrame]":
    """A part that is a table of the store, all of it."""
    return cached_property(lambda snapshot: snapshot._read(name))


def _latest(part: str, *, at: str) -> "cached_property[pl.DataFrame]":
    """A part that has the last row of each ticket in another, by the snapshot's instant."""

    def rows(snapshot: "Snapshot") -> pl.DataFrame:
        every: pl.DataFrame = getattr(snapshot, part)
        made = every.filter(pl.col(at) <= snapshot.as_of).sort(at, "id")
        return made.unique("ticket", keep="last", maintain_order=True)

    return cached_property(rows)


class Snapshot:
    """What the store holds and what follows from it as of `as_of`; frames have a ticket's key as `ticket`.

    A part is read when it is first asked for and stays as it was then. After a stage that wrote rows of a part, a
    snapshot without that part is handed on (`read_again`); all other parts are shared.
    """

    def __init__(self, app: App, as_of: datetime) -> None:
        self._app, self.as_of = app, as_of

    def read_again(self, *parts: str) -> "Snapshot":
        """The same without these parts and what was made of them: they are read and made anew when asked for."""
        gone = {*parts, *(name for name, sources in MADE_OF.items() if sources & {*parts})}
        new = Snapshot(self._app, self.as_of)
        new.__dict__.update({name: part for name, part in self.__dict__.items() if name not in gone})
        return new

    def with_parts(self, **parts: Any) -> "Snapshot":
        """The same with these parts in place of its own; what was made of them is made anew when asked for."""
        new = self.read_again(*parts)
        new.__dict__.update(parts)
        return new

    def caught_up(self) -> "Snapshot":
        """The same with what was written to tickets since they were read, by whomever.

        A look at the versions says which tickets changed; those alone are read again, and their clocks and
        standings made again.
        """
        if "tickets_now" not in self.__dict__:
            return self
        now = self._versions()
        changed = now.join(self._read_at, on=["ticket", "version"], how="anti")["ticket"]
        if changed.is_empty():
            return self
        is_changed = pl.col("ticket").is_in(changed.implode())
        fresh = {"tickets_now": self.tickets_of(changed)}
        if "events" in self.__dict__:
            fresh["events"] = self.events_of(changed)
        before = {name: self.__dict__[name].filter(is_changed) for name in fresh}
        parts = {
            name: pl.concat([self.__dict__[name].filter(~is_changed), rows])
            for name, rows in fresh.items()
            if not _is_same(before[name], rows)
        }
        if parts and "clocks" in self.__dict__:
            parts["clocks"] = self._clocks_after(before, fresh, is_changed)
        if parts and "standings" in self.__dict__:
            again = standings(fresh["tickets_now"], fresh["events"], self.as_of)
            parts["standings"] = pl.concat([self.standings.filter(~is_changed), again])
        return self.with_parts(_read_at=now, **parts)

    def _clocks_after(
        self, before: dict[str, pl.DataFrame], fresh: dict[str, pl.DataFrame], is_changed: pl.Expr
    ) -> pl.DataFrame:
        """The clocks, those of the changed tickets evaluated again where something they rest on changed."""
        rules = self.policies.sla
        inputs = [clock_inputs(part["tickets_now"], part["events"], rules) for part in (before, fresh)]
        if all(_is_same(*pair) for pair in zip(*inputs, strict=True)):
            return self.clocks
        again = replay(fresh["tickets_now"], fresh["events"], rules, as_of=self.as_of)
        return pl.concat([self.clocks.filter(~is_changed), again])

    @cached_property
    def _read_at(self) -> pl.DataFrame:
        """The versions that tickets had when they were about to be read."""
        return self._versions()

    def _versions(self) -> pl.DataFrame:
        return self._app.store.frame("tickets", ["id", "version"]).rename({"id": "ticket"})

    def tickets_of(self, keys: pl.Series | None = None) -> pl.DataFrame:
        """The store's tickets with these keys, or all, read now."""
        from engine.storage.tables import tickets

        names = [name for name in tickets.c.keys() if name not in STORE_ALONE]  # noqa: SIM118
        parts = [None] if keys is None else [{"id": some} for some in chunked(keys, KEYS_AT_ONCE)]
        found = pl.concat([self._app.store.frame("tickets", names, where=where) for where in parts])
        machines = self.policies.outcomes.machine_mail(found)
        return found.drop("external_metadata").with_columns(is_machine_mail=machines).rename({"id": "ticket"})

    def events_of(self, keys: pl.Series | None = None) -> pl.DataFrame:
        """What happened to them, the same way."""
        kinds = {"kind": HISTORY_KINDS}
        parts = [kinds] if keys is None else [kinds | {"ticket_id": some} for some in chunked(keys, KEYS_AT_ONCE)]
        return pl.concat([self._read("events", columns=EVENT_COLUMNS, where=where) for where in parts])

    @property
    def policies(self) -> "Policies":
        """The policies in force."""
        return self._app.policies

    def _read(self, name: str, **options: Any) -> pl.DataFrame:
        return self._app.store.frame(name, **options).rename({"ticket_id": "ticket"}, strict=False)

    @cached_property
    def tickets_now(self) -> pl.DataFrame:
        """The store's table of tickets as it is now, those of later instants too."""
        _ = self._read_at  # before them: what changes in between is read again
        return self.tickets_of()

    @cached_property
    def events(self) -> pl.DataFrame:
        """What happened to tickets, without what the desk notes by itself, in no order: `version` is a ticket's."""
        return self.events_of()

    @cached_property
    def standings(self) -> pl.DataFrame:
        """How each ticket came to stand as it does (schema `engine.standings.STANDINGS`)."""
        return standings(self.tickets_now, self.events, self.as_of)

    @cached_property
    def moves(self) -> pl.DataFrame:
        """Each time a ticket came or went, by days of the desk's time zone (`engine.standings.moves`)."""
        ended = self.tickets.filter(~pl.col("is_open"))
        is_end_known = (pl.col("unknown").str.json_path_match("$.resolution.why") != Why.NO_END).fill_null(value=True)
        left_out = ended.filter(self.left_out(Figure.RESOLVED) | ~is_end_known)
        return moves(self.standings, left_out.select("ticket", is_end_known=is_end_known), time_zone=self.time_zone)

    @cached_property
    def stays(self) -> pl.DataFrame:
        """Every stay of a ticket in a status (schema `sla.reporting.time_in_state.SPELLS`), with its dimensions."""
        from sla.reporting.time_in_state import spells

        is_resolution = pl.col("is_current") & (pl.col("clock") == "resolution")
        about = self.ticket_clocks.filter(is_resolution).select("ticket", "calendar", *DIMENSIONS)
        found = spells(self.standings, about, self.policies.sla.calendars, self.as_of)
        return found.join(about.drop("calendar"), on="ticket", how="left")

    @cached_property
    def tickets(self) -> pl.DataFrame:
        """Tickets created by then, each in its state of then, with `is_open`. A confirmed product wins over a
        classified one; a claim that needs review names no product."""
        stood = tickets_as_of(self.tickets_now, self.events, self.standings, self.as_of)
        sure = self.latest_claims.filter(~pl.col("needs_review")).select("ticket", claimed="product")
        is_open = pl.col("status").is_in(OPEN)
        return (
            stood.join(sure, on="ticket", how="left")
            .with_columns(product=pl.coalesce("product", "claimed"), is_open=is_open)
            .with_columns(outcome=pl.when(~is_open).then("outcome"))
            .drop("claimed")
            .sort("created_at", "ticket")
        )

    @cached_property
    def proposed_machine_mail(self) -> pl.DataFrame:
        """Rows of `tickets` that a machine seems to have written and of which nobody has said how they ended more than
        that they did."""
        return self.tickets_now.filter(
            pl.col("is_machine_mail"),
            pl.col("created_at") <= self.as_of,
            pl.col("outcome").fill_null("solved") == "solved",
        ).sort("created_at", "ticket")

    def left_out(self, figure: Figure) -> pl.Expr:
        """Whether a row of `tickets` or `ticket_clocks` is of a ticket whose outcome does not count in the figure."""
        return pl.col("outcome").is_in(self.policies.outcomes.left_out(figure)).fill_null(value=False)

    @cached_property
    def clocks(self) -> pl.DataFrame:
        """Every clock of every ticket (schema `sla.contracts.CLOCKS`)."""
        address = self._app.settings.dask_address
        return replay(self.tickets_now, self.events, self.policies.sla, as_of=self.as_of, dask_address=address)

    @cached_property
    def ticket_clocks(self) -> pl.DataFrame:
        """The clocks of the tickets created by then, with their ticket's reference and dimensions, the week their
        window began, and whose clock it was."""
        from sla.reporting.attribution import with_agents

        about = self.tickets.select("ticket", "reference", *DIMENSIONS, "source", "outcome", "unknown")
        named = with_agents(self.clocks, self.standings, self.agents["id"].to_list(), self.as_of)
        week = pl.col("window_start").dt.convert_time_zone(self.time_zone).dt.truncate("1w").dt.date()
        rows = named.join(about, on="ticket", how="inner")
        return rows.with_columns(week=week, counts=~self.left_out(Figure.ATTAINMENT), why=why_unknown()).drop("unknown")

    def counted(self, figure: Figure) -> pl.DataFrame:
        """The clocks whose tickets count in the figure."""
        return self.ticket_clocks.filter(~self.left_out(figure))

    @property
    def time_zone(self) -> str:
        """The desk's: whose days, weeks and months are counted."""
        return self._app.settings.desk_zone

    @cached_property
    def queue(self) -> pl.DataFrame:
        """Open tickets in the order of work (`pipelines.work_queue.scored`)."""
        preset = self.policies.desk.priority
        return scored(self.tickets, self.clocks, self.flags, self.envelopes, preset=preset, at=self.as_of)

    claims = _table("classifications")
    drafts = _table("suggestions")
    """Drafted replies; citations and macros as JSON text."""
    decisions = _table("allocation_decisions")
    related = _table("related_tickets")
    """The earlier tickets (`other_id`) that each may belong to."""
    alerts = _table("sla_alerts")
    nudges = _table("alerts")
    flags = _table("case_flags")
    envelopes = _table("envelopes")
    surveys = _table("surveys")
    resources = _table("affected_resources")
    signals = _table("feedback_signals")
    model_runs = _table("model_runs")
    rejected = _table("rejected_rows")
    """Rows that could not be taken in; they have no instant of their own."""
    agents = _table("agents")
    companies = _table("companies")

    @cached_property
    def internal_entries(self) -> pl.DataFrame:
        """What stands in tickets' time lines for colleagues alone."""
        hidden = [visibility for visibility in Visibility if visibility != Visibility.PUBLIC]
        return self._read("timeline_entries", where={"visibility": hidden})

    @cached_property
    def enrichments(self) -> pl.DataFrame:
        """What enriching found on each ticket; lists as JSON text."""
        from triage.enrichment.contracts import Enrichment

        return self._read("enrichments", columns=list(Enrichment.model_fields))

    latest_claims = _latest("claims", at="created_at")
    latest_drafts = _latest("drafts", at="created_at")
    latest_decisions = _latest("decisions", at="decided_at")

    @cached_property
    def groups(self) -> list[AssignmentGroup]:
        """Groups with the load they carry elsewhere (`pipelines.work_queue.with_load` adds what they hold here) and the
        slots of the people who are there."""
        from engine.allocation.presence import with_who_is_there

        store, calendars = self._app.store, self.policies.sla.calendars
        open_shifts = {name for name, calendar in calendars.items() if calendar.is_open(self.as_of)}
        return with_who_is_there(store.all(AssignmentGroup), store.all(Agent), self.as_of, open_shifts=open_shifts)

    @cached_property
    def answers(self) -> "list[Review]":
        """What people answered of triage's claims: the answer that counts on each ticket."""
        return list(self._app.triage.feedback.answers(as_of=self.as_of).values())

    @cached_property
    def feedback(self) -> "list[Feedback]":
        """What became of each judged draft."""
        return self._app.triage.feedback.feedback(as_of=self.as_of)

    @cached_property
    def held_articles(self) -> list[str]:
        """The ids of the articles in the knowledge index."""
        return self._app.triage.held_articles()

    @cached_property
    def articles(self) -> "list[Article]":
        """The articles of the data folder."""
        from triage.knowledge.articles import read_folder

        return read_folder(self._app.settings.data / "knowledge").articles

    @property
    def macros(self) -> "list[Macro]":
        return self._app.triage.macros

    def vectors(self, texts: Sequence[str]) -> "Vectors":
        """A vector a text, by the embedder in use; those asked for last time are kept below home."""
        from triage.knowledge.vector_cache import embed_known

        return embed_known(self._app.triage.embedder, texts, self._app.settings.models_folder / "subjects.npz")


def _is_same(one: pl.DataFrame, other: pl.DataFrame) -> bool:
    """Whether both have the same rows, in whatever order."""
    return one.sort(pl.all()).equals(other.sort(pl.all()))
