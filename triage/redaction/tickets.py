"""Tickets and passages as a server of others is shown them: with placeholders, in one numbering a prompt."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from triage.contracts import Passage, TicketText
from triage.redaction.kinds import Span
from triage.redaction.names import NOBODY, Names
from triage.redaction.redact import Numbering, found_in, found_in_article, hidden


class Known(NamedTuple):
    """What a desk knows of the people behind its tickets: their names, and by ticket the values of its personal
    fields."""

    names: Names = NOBODY
    personal: Mapping[str, Collection[str]] = {}


KnownOf = Callable[[Sequence[str]], Known]
"""What is known, given the ids of the tickets at hand."""


def nothing_known(_: Sequence[str]) -> Known:
    return Known()


class Marked(NamedTuple):
    """A ticket and what in it is to be hidden."""

    ticket: TicketText
    in_subject: list[Span]
    in_content: list[Span]


class ShownPassage(NamedTuple):
    """A passage as it is shown, and as `Shown`."""

    passage: Passage
    placeholders: dict[str, str]
    counts: Counter[str]


class Shown(NamedTuple):
    """A ticket as it is shown, what its placeholders stand for, and how often each kind was hidden."""

    ticket: TicketText
    placeholders: dict[str, str]
    counts: Counter[str]


def marked(ticket: TicketText, known: Known) -> Marked:
    """Of a cleaned ticket in its full length: what is cut first may be cut in the middle of a value."""
    personal = known.personal.get(ticket.ticket_id, ())
    texts = ticket.subject, ticket.content
    return Marked(ticket, *(found_in(text, known.names, personal, language=ticket.language) for text in texts))


def shown(ticket: Marked, numbering: Numbering) -> Shown:
    subject = hidden(ticket.ticket.subject, ticket.in_subject, numbering)
    content = hidden(ticket.ticket.content, ticket.in_content, numbering)
    return Shown(
        ticket.ticket.model_copy(update={"subject": subject.text, "content": content.text}),
        {**subject.placeholders, **content.placeholders},
        subject.counts + content.counts,
    )


def shown_passage(passage: Passage, names: Names, numbering: Numbering, listed: Collection[str]) -> ShownPassage:
    """Without the names that the desk knows and the addresses and numbers that its articles may not give out."""
    title, text = (
        hidden(each, found_in_article(each, names, listed), numbering) for each in (passage.title, passage.text)
    )
    return ShownPassage(
        passage.model_copy(update={"title": title.text, "text": text.text}),
        {**title.placeholders, **text.placeholders},
        title.counts + text.counts,
    )
