"""What is said where a name leads to nothing or to several: in people's words, and what there is instead."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from engine.contracts import StandardTicket
from engine.shared.errors import BadInput, NotFound

WORDS = {
    "Resolution": "grant",
    "GrantReviewItem": "grant on the review list called",
    "EmpowermentConfig": "limit for grants of team",
    "AssignmentGroup": "group",
    "CaseFlag": "flag",
}
WHERE = {
    "Resolution": "`helmdesk grants list --approvals` shows those that wait for an approval",
    "GrantReviewItem": "`helmdesk grants list` shows what is on it",
    "EmpowermentConfig": "it is set in empowerment.yaml of the people files",
    "Agent": "agents come from agents.yaml of the people files: `helmdesk ingest FOLDER --source people`",
    "Team": "teams come from teams.yaml of the people files: `helmdesk ingest FOLDER --source people`",
}
NAMED = 5
"""Tickets of one name that are told of."""


def series(ticket: StandardTicket) -> str:
    """How the numbers of the year (UTC) begin that the ticket was created in."""
    return f"INC-{ticket.created_at:%Y}-"


def numbered(ticket: StandardTicket, taken: Iterable[str]) -> StandardTicket:
    """The ticket under the next number of its series, after those that are taken."""
    start = series(ticket)
    last = max((int(name.removeprefix(start)) for name in taken if re.fullmatch(rf"{start}\d+", name)), default=0)
    name = f"{start}{last + 1:04}"
    return ticket.model_copy(update={"ticket_id": name, "ticket_number": name})


def no_record(kind: type[BaseModel], key: str) -> NotFound:
    name = kind.__name__
    word = WORDS.get(name) or re.sub(r"(?<!^)(?=[A-Z])", " ", name).lower()
    where = f"; {WHERE[name]}" if name in WHERE else ""
    return NotFound(f"There is no {word} {key}{where}.")


def only_one(found: Sequence[Mapping[str, Any]], name: str) -> Mapping[str, Any]:
    """The one row of `tickets`. Raises NotFound for none, BadInput with their keys if several go by this name."""
    if not found:
        raise NotFound(f"There is no ticket {name}; give its key (source:id), its reference or its external id.")
    if len(found) > 1:
        keys = sorted(str(row["id"]) for row in found)
        more = " and more" if len(keys) > NAMED else ""
        raise BadInput(f"Several tickets are called {name}; give the key, one of {', '.join(keys[:NAMED])}{more}.")
    return found[0]
