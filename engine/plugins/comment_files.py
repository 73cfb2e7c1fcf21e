"""A file with one row per comment, and one per person, become the messages of tickets."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from engine.contracts import Rejected
from engine.plugins import cells, ticket_rows
from engine.plugins.cells import FIELD, UPDATED
from engine.plugins.mapping import ANY_OTHER, ROLES, TicketMapping, Users
from engine.plugins.tables import ROW, Batch, Faulty
from engine.plugins.ticket_history import Message, Role

KEY = f"{FIELD}ticket_id"


class Person(NamedTuple):
    name: str
    role: Role | None


class Comment(NamedTuple):
    message: Message
    is_role_known: bool
    """Else it is the customer's if the author is the ticket's requester."""


class Comments(NamedTuple):
    """By ticket, in the order of the file."""

    of: dict[str, list[Comment]]
    rows: dict[str, int]
    refused: list[Rejected]


def comments(batches: Iterable[Batch], people: Mapping[str, Person], mapping: TicketMapping, origin: str) -> Comments:
    found = Comments({}, {}, [])
    if mapping.comments is None:
        return found
    ticket, at = mapping.comments.ticket, mapping.comments.at
    for batch in batches:
        good, refused = ticket_rows.dated(batch.frame, mapping, ticket=ticket, at=at, origin=origin)
        found.refused.extend([*refused, *(ticket_rows.refused(mapping, origin, fault) for fault in batch.faulty)])
        for row in good.iter_rows(named=True):
            made = _comment(row, people, mapping)
            if isinstance(made, str):
                found.refused.append(
                    ticket_rows.refused(mapping, origin, Faulty(row[ROW], made, ticket_rows.content_of(row)))
                )
            else:
                found.of.setdefault(row[KEY], []).append(made)
                found.rows[row[KEY]] = found.rows.get(row[KEY], 0) + 1
    return found


def people(batches: Iterable[Batch], users: Users, mapping: TicketMapping) -> dict[str, Person]:
    """By id. A role in other words than the mapping's is none."""
    found = {}
    for batch in batches:
        for row in batch.frame.iter_rows(named=True):
            who = (row[users.id] or "").strip()
            name = row[users.name] if users.name else None
            role = _meaning(row[users.author_role], "author_role", mapping) if users.author_role else None
            found[who] = Person((name or who).strip(), _ROLES.get(role or ""))
    return found


_ROLES: dict[str, Role] = {
    "customer": "customer",
    "agent": "agent",
    "colleague": "colleague",
    "automation": "automation",
}
_OWN_WORDS: dict[str, dict[str, str]] = {"author_role": dict(zip(ROLES, ROLES, strict=True)), "public": cells.BOOLEANS}


def _comment(row: Mapping[str, Any], people: Mapping[str, Person], mapping: TicketMapping) -> Comment | str:
    """Or why the row can't be read."""
    given = mapping.comments
    if given is None:
        return "no comments are mapped"
    words = {"author_role": given.author_role, "public": given.public}
    meanings = {}
    for name, column in words.items():
        word = row[column] if column else None
        meanings[name] = _meaning(word, name, mapping)
        if meanings[name] is None and (word or (column and name == "public")):
            return f"column {column}: {word!r} is not one of {', '.join(_words(name, mapping))}"
    author, at = (row[given.author] or "").strip(), row[UPDATED]
    person = people.get(author, Person(author, None))
    role = _ROLES.get(meanings["author_role"] or "", person.role)
    name = (row[given.id] if given.id else None) or f"{at.isoformat()}/{author}"
    is_public = given.public is None or meanings["public"] == "true"
    return Comment(Message(name, at, person.name or None, role or "customer", is_public), role is not None)


def _meaning(word: str | None, name: str, mapping: TicketMapping) -> str | None:
    table = _words(name, mapping)
    return None if word is None else table.get(word.strip().lower(), table.get(ANY_OTHER))


def _words(name: str, mapping: TicketMapping) -> dict[str, str]:
    listed = mapping.values.get(name)
    return {word: str(meaning).lower() for word, meaning in listed.items()} if listed else _OWN_WORDS[name]
