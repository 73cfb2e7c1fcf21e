"""What every system with an API of its own is handed: the group of a ticket, then the reason as an internal note.

The note names the key of the decision and is written last: where it is, all was done, so a decision that is sent again
changes nothing, not even what somebody changed there meanwhile.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from engine.contracts import AllocationDecision
from engine.plugins.ports import TryLater
from engine.plugins.pull.notes import Notes
from engine.plugins.sending import external_id, require_group

LISTS = ("capabilities", "languages", "certifications", "metrics.cultural_competencies")
LONGEST_REASON = 3_000
"""Characters of a rationale that are handed over; BMC's work log takes 3,900 in all."""


class Group(NamedTuple):
    """As a decision names it."""

    id: str
    name: str


class SystemHandler(ABC):
    """`columns` names further columns of a group there and what they are here: `u_languages: languages`."""

    def __init__(self, name: str, notes: Notes, columns: Mapping[str, str] | None = None) -> None:
        self.name, self._notes, self._site = name, notes, notes.site
        self._columns = dict(columns or {})

    def payload(self, decision: AllocationDecision) -> dict[str, Any]:
        """The five keys of seed S3-03."""
        require_group(decision)
        return {
            "ticket_id": external_id(decision),
            "group_id": decision.group_id,
            "group_name": decision.group_name,
            "rationale": decision.rationale,
            "confidence": decision.score,
        }

    def send(self, payload: Mapping[str, Any], *, key: str) -> str:
        group = Group(str(payload["group_id"]), str(payload["group_name"] or payload["group_id"]))
        reason = str(payload["rationale"])[:LONGEST_REASON]
        text = f"Given to {group.name} by helmdesk (confidence {payload['confidence']:.2f}): {reason}"
        with self._sense():
            place = self._notes.place(str(payload["ticket_id"]))
            if not self._notes.has(place, key):
                self._assign(place, group)
                self._notes.write(place, f"{text}\n\n[{key}]")
        return f"{self.name} {key}"

    def groups(self) -> list[dict[str, Any]]:
        with self._sense():
            return self._read_groups()

    @contextmanager
    def _sense(self) -> Iterator[None]:
        """An answer that lacks what it should have is one to ask for again."""
        try:
            yield
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            why = f"{type(error).__name__} {error}"
            raise TryLater(f"{self._site.url} answers otherwise than {self.name} does ({why})") from error

    @abstractmethod
    def _read_groups(self) -> list[dict[str, Any]]: ...

    @abstractmethod
    def _assign(self, place: str, group: Group) -> None:
        """Give the ticket to the group; again, it changes nothing. Raises TryLater, and Refused for a group that is not
        there."""

    def _further(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """What the further columns say of a group, empty ones left out."""
        fields: dict[str, Any] = {}
        for column, field in self._columns.items():
            if (value := row.get(column)) in (None, ""):
                continue
            place, _, part = field.partition(".")
            value = words(value) if field in LISTS else value
            fields[place] = {**fields.get(place, {}), part: value} if part else value
        return fields


def words(text: Any) -> list[str]:
    """`a, b` as a list."""
    listed: Iterable[Any] = text.split(",") if isinstance(text, str) else text
    return [word for word in (str(each).strip() for each in listed) if word]
