"""A publication in sentences: who takes the waiting tickets, what the drafts rest on, which instant it speaks of."""

from collections.abc import Sequence

import polars as pl

from pipelines.commands.terminal import counted, plain
from pipelines.marts import MartReader, Publication

NAMED = 5
"""So many tickets are named in a sentence; the others are counted."""

_WAITING = (
    "SELECT a.outcome, t.reference FROM allocations a JOIN tickets t USING (ticket) "
    "WHERE a.outcome <> 'allocated' AND t.is_open AND t.group_id IS NULL AND t.owner_id IS NULL ORDER BY t.reference"
)


def allocation(marts: MartReader) -> str:
    """How many tickets were given to groups, and which still wait, for want of what."""
    groups, waiting = marts.frame("group_load"), marts.query(_WAITING)
    if groups.is_empty():
        hint = "there are no groups yet: `helmdesk people propose` names those met in tickets"
        return f"{hint}; {_wait(waiting.height)} for one" if waiting.height else hint
    given = marts.query("SELECT count(*) FROM allocations WHERE outcome = 'allocated'").item()
    sentences = [f"{counted(given, 'ticket')} given to a group"] if given else _nobody(groups, waiting.height)
    if full := waiting.filter(pl.col("outcome") == "waiting").height:
        sentences.append(f"{_wait(full)}: no group with the skill has a free slot, or none scores enough")
    if skill := waiting.filter(pl.col("outcome") == "no_skill")["reference"].to_list():
        sentences.append(f"{counted(len(skill), 'ticket')} {_have(skill)} no group with the skill: {_listed(skill)}")
    return "; ".join(sentences) or "nothing to allocate"


def drafts(grounded: int, every: int) -> str:
    """How many of the drafted replies rest on the knowledge base."""
    match every - grounded:
        case _ if every == 0:
            return "no reply was drafted"
        case 0:
            return f"{'the one draft is' if every == 1 else f'all {every:,} drafts are'} grounded in the knowledge base"
        case rest if rest == every:
            nothing = "the one draft is not" if every == 1 else f"none of {every:,} drafts is"
            return f"{nothing} grounded in the knowledge base, and {'says' if every == 1 else 'each says'} so"
        case rest:
            others = "the other one says" if rest == 1 else f"the other {rest:,} say"
            share = f"{grounded:,} of {every:,} drafts {'is' if grounded == 1 else 'are'}"
            return f"{share} grounded in the knowledge base; {others} so"


def of_then(publication: Publication, options: str = "") -> str:
    """What a reader has to know after a cycle as of an instant; `options` stand before the command (`--home X `)."""
    instant = f"{publication.as_of:%Y-%m-%d %H:%M} UTC"
    return f"These marts speak of {instant}; `helmdesk {options}cycle` brings back the present."


def other_hours(policy: str, time_zone: str) -> str:
    """Whose hours promises were measured on, where the shipped policy counts other ones than the desk's; else empty."""
    if policy != "default" or time_zone == "UTC":
        return ""
    own = "helmdesk policy init FOLDER"
    return f"Measured by the shipped policy `default`, whose hours are in UTC; your days are {time_zone}'s: `{own}`."


def later_answers(options: str = "") -> str:
    """When what people answer after the marts were published is seen."""
    return f"Answers given later (review, feedback) show after `helmdesk {options}publish`."


def _nobody(groups: pl.DataFrame, waiting: int) -> list[str]:
    if not waiting:
        return []
    idle = (groups["status"] != "active").all()
    return ["no group takes a ticket" + (f": none of {counted(groups.height, 'group')} is active" if idle else "")]


def _wait(number: int) -> str:
    return f"{counted(number, 'ticket')} {'waits' if number == 1 else 'wait'}"


def _have(tickets: Sequence[str]) -> str:
    return "has" if len(tickets) == 1 else "have"


def _listed(references: Sequence[str]) -> str:
    more = f" and {len(references) - NAMED:,} more" if len(references) > NAMED else ""
    return plain(", ".join(references[:NAMED])) + more
