"""What if we had promised something else, or worked other hours? The tickets of a selection, replayed under both."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from engine.shared.wilson import wilson
from pipelines.app.container import App
from pipelines.figures.selection import Selection, tickets_where
from pipelines.jobs.backtest import Read, Rules, read, replayed
from pipelines.jobs.what_if_edits import Cell, Hours, Target, cells, hours, parsed, with_hours, with_targets
from pipelines.marts import MartReader
from sla.policy import calendar_files, parser

SIDES = ("before", "after")
LISTED = 200
"""Clocks that stand otherwise which an answer names; `helmdesk sla backtest --changed` writes all of them."""


class Otherwise(NamedTuple):
    """Other promises and other hours, by value: YAML texts with the names by which errors call them, and cells changed
    in them. An empty text is what is in force."""

    policy: str = ""
    policy_name: str = ""
    targets: tuple[Target, ...] = ()
    calendars: str = ""
    calendars_name: str = ""
    hours: tuple[Hours, ...] = ()


class Total(NamedTuple):
    """The decided promises of one side, of clocks that some are decided of on both."""

    met: int
    decided: int

    @property
    def share(self) -> float | None:
        return self.met / self.decided if self.decided else None


class Replay(NamedTuple):
    """`attainment`: schema `sla.reporting.backtest.COMPARED`, with `low` and `high` (95 %) of either side. `changes`:
    a row a clock that stands otherwise, broken ones first, at most LISTED of the `clocks` there are: ticket, reference,
    subject, clock, window, state and remaining `_before` and `_after`. `tickets` were replayed, `changed` of them have
    such a clock; windows `only` before or after are counted by clock and side."""

    attainment: pl.DataFrame
    changes: pl.DataFrame
    only: pl.DataFrame
    before: Total
    after: Total
    tickets: int
    changed: int
    clocks: int


def lists(app: App) -> list[str]:
    """The lists of promises in the data folder, the one in force first."""
    in_force = app.policies.files("sla")[-1]
    others = (file.stem for file in in_force.parent.glob("*.yaml") if file.stem not in ("alerts", in_force.stem))
    return [in_force.stem, *sorted(others)]


def text_of_list(app: App, name: str) -> str:
    """The file of one of `lists`."""
    return (app.policies.files("sla")[-1].parent / f"{name}.yaml").read_text(encoding="utf-8")


def editable(text: str, name: str) -> list[Cell]:
    """The targets of a list that can be changed. Raises BadInput for a text that holds none."""
    return cells(parsed(text, name))


def calendars_in_use(app: App) -> list[str]:
    """Those that promises in force count on and that close at all."""
    rules = app.policies.sla
    used = {
        target.calendar_of(amount)
        for version in rules.policies.versions
        for policy in version.policies
        for target in policy.targets.values()
        for amount in (target.base, *target.cells.values())
        if amount
    }
    return sorted(name for name in used if name in rules.calendars and not rules.calendars[name].always)


def hours_of(app: App, name: str) -> dict[str, str]:
    """A calendar in force as a form has it (`what_if_edits.HOURS`)."""
    file = app.policies.files("sla")[0]
    return hours(parsed(file.read_text(encoding="utf-8"), file.name), name)


def rules(app: App, other: Otherwise) -> Rules:
    """The other side. Raises BadInput, in one line that names the text, the key and the reason."""
    calendars_file, policy_file = app.policies.files("sla")
    calendars = app.policies.sla.calendars
    if other.calendars or other.hours:
        content = _content(other.calendars, other.calendars_name, calendars_file)
        calendars = calendar_files.checked(
            with_hours(content, other.hours), other.calendars_name or calendars_file.name
        )
    content = _content(other.policy, other.policy_name, policy_file)
    name = other.policy_name or policy_file.name
    return Rules(parser.checked(with_targets(content, other.targets), name, calendars), calendars)


def _content(text: str, name: str, in_force: Path) -> Any:
    return parsed(text or in_force.read_text(encoding="utf-8"), name or in_force.name)


def replay(app: App, reader: MartReader, other: Otherwise, chosen: Selection) -> Replay:
    """Replay the tickets of a selection that count in attainment (the period is that of their creation) as of the
    publication, under the promises in force and under others. Writes nothing. Raises BadInput as `rules`."""
    before, after = app.policies.sla, rules(app, other)
    old = Rules(before.policies, before.calendars)
    where, values = tickets_where(chosen, reader)
    about = reader.query(f"SELECT t.ticket, t.reference, t.subject {where} AND t.ticket NOT IN "
                         "(SELECT ticket FROM sla_clocks WHERE NOT counts)", values)  # fmt: skip
    history = _of(read(app, old, after), about["ticket"])
    return compared(history, about, old, after, clocks=chosen.clocks, as_of=reader.publication.as_of)


def _of(history: Read, tickets: pl.Series) -> Read:
    """The history of these tickets alone."""
    numbers = pl.DataFrame({"id": history.ids}).with_row_index("n").filter(pl.col("id").is_in(tickets.implode()))["n"]
    return history._replace(
        tickets=history.tickets.filter(pl.col("id").is_in(numbers.implode())),
        events=history.events.filter(pl.col("ticket").is_in(numbers.implode())),
    )


def compared(
    history: Read, about: pl.DataFrame, before: Rules, after: Rules, *, clocks: tuple[str, ...] = (), as_of: datetime
) -> Replay:
    """Both sides of these clocks (none: all); `about` has ticket, reference and subject."""
    found = replayed(history, before, after, as_of=as_of)
    wanted = pl.col("clock").cast(pl.String).is_in(list(clocks)) if clocks else pl.lit(value=True)
    attainment = found.attainment.filter(wanted).with_columns(
        one for side in SIDES for one in _interval(side)
    )  # fmt: skip
    is_worse = pl.col("state_after").cast(pl.String) == "breached"
    every = found.changes.filter(wanted)
    changes = (
        every.join(about, on="ticket", how="left", maintain_order="left")
        .sort(is_worse, "remaining_after", "ticket", descending=[True, False, False], nulls_last=True)
        .head(LISTED)
    )
    one, other = (_total(attainment, side) for side in SIDES)
    return Replay(
        attainment, changes, found.one_sided.filter(wanted), one, other, history.tickets.height,
        every["ticket"].n_unique(), every.height,
    )  # fmt: skip


def _interval(side: str) -> list[pl.Expr]:
    met = pl.col(f"met_{side}").cast(pl.Float64)
    decided = met + pl.col(f"breached_{side}")
    low, high = wilson(met, decided)
    return [pl.when(decided > 0).then(one).alias(f"{name}_{side}") for name, one in (("low", low), ("high", high))]


def _total(attainment: pl.DataFrame, side: str) -> Total:
    overall = attainment.filter(pl.col("dimension") == "all").drop_nulls("points")
    met = int(overall[f"met_{side}"].sum())
    return Total(met, met + int(overall[f"breached_{side}"].sum()))


def moves(attainment: pl.DataFrame) -> Mapping[str, int]:
    """Clocks that are met before and breached after, and the other way round."""
    overall = attainment.filter(pl.col("dimension") == "all")
    return {name: int(overall[name].sum()) for name in ("met_to_breached", "breached_to_met")}
