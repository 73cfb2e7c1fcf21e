"""What the desk knows of the people behind its tickets, so that hosted models are not told."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.storage.sql import SqlStore
    from triage.redaction.tickets import Known


class KnownPeople:
    """Names of contacts and companies, sorted for looking up once and again when they change."""

    def __init__(self, store: "SqlStore") -> None:
        self._store = store
        self._known: tuple[tuple[list[str], list[str]], Known] | None = None

    def of(self, tickets: Sequence[str]) -> "Known":
        """With the requesters of these tickets and the values of what their mapping marks as personal."""
        known = self.names()
        if not tickets:
            return known
        held = self._store.tickets(ids=tickets)
        marked = {ticket.id: ticket.external_metadata.get(PERSONAL, []) for ticket in held}
        return known._replace(personal={t.id: [*filter(None, [t.requester_id]), *marked[t.id]] for t in held})

    def names(self) -> "Known":
        from triage.redaction.names import Names
        from triage.redaction.tickets import Known

        given = self._held()
        if self._known is None or self._known[0] != given:
            self._known = (given, Known(Names(*given)))
        return self._known[1]

    def names_with(self, others: Sequence[str]) -> "Known":
        """Those of the desk and others, which may be of people or of companies."""
        from triage.redaction.names import Names
        from triage.redaction.tickets import Known

        people, companies = self._held()
        return Known(Names([*people, *others], [*companies, *others]))

    def _held(self) -> tuple[list[str], list[str]]:
        people, companies = (self._store.frame(kind, ["name"])["name"].drop_nulls().to_list() for kind in KINDS)
        return people, companies


KINDS = ("contacts", "companies")
PERSONAL = "personal"
"""Of a ticket's `external_metadata`: the values of the columns that its mapping marks so."""
