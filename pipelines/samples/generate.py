"""A queue of believable tickets with their histories, and the truth about each, made from a seed."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import NamedTuple

from engine.contracts import Event, Kind, Priority, StandardTicket, Status
from pipelines.app.people_files import People
from pipelines.samples.arrivals import Arrival, arrivals, place
from pipelines.samples.lifecycles import Case, Fate, history
from pipelines.samples.phrases import Book, read_book
from pipelines.samples.routing import Desk
from pipelines.samples.writing import LEVELS, OFF_TOPIC, Author, Written, again, inject, write

SOURCE = "northlight"
NEW_SHARE, HELD_SHARE = 0.06, 0.09
DUPLICATE_SHARE = 0.03
DUPLICATE_WITHIN = timedelta(days=4)
INJECTED = (0.33, 0.72)
"""Where in the queue the two texts stand that try to give orders to a machine."""


class Label(NamedTuple):
    """What is true about a ticket: for measuring, never delivered with it. `duplicate_of` is an external id."""

    external_id: str
    product: str
    topic: str
    urgency: str
    duplicate_of: str | None


class Sample(NamedTuple):
    tickets: list[StandardTicket]
    events: list[Event]
    labels: list[Label]


class SampleTicket(NamedTuple):
    """One ticket of a sample, with its history and its truth."""

    ticket: StandardTicket
    events: list[Event]
    label: Label


def generate(tickets: int, *, seed: int, start: date, days: int, people: People) -> Sample:
    """All tickets of `stream` at once."""
    made = list(stream(tickets, seed=seed, start=start, days=days, people=people))
    events = [event for one in made for event in one.events]
    return Sample([one.ticket for one in made], events, [one.label for one in made])


def stream(tickets: int, *, seed: int, start: date, days: int, people: People) -> Iterator[SampleTicket]:
    """`tickets` tickets of `days` UTC days from `start`, oldest first, each with its whole history.

    As of eight in the morning (UTC) after the last day: nothing in the sample is later. The same arguments give the
    same sample, in any process. Every text is unique but for those labelled as duplicates, which are nearly equal.
    """
    rng = Random(seed)
    end = as_of(start, days)
    came = arrivals(rng, tickets, start=start, days=days, contacts=people.contacts, companies=people.companies)
    letters = _letters(rng, came, people)
    fates = _fates(rng, came, letters, end)
    desk = Desk(people)
    for number, (arrival, letter) in enumerate(zip(came, letters, strict=True)):
        written = letter.written
        external_id = _external_id(number, arrival)
        case = _case(rng, desk, arrival, written, ticket=f"{SOURCE}:{external_id}")
        events = history(rng, case, fates[number], as_of=end)
        label = Label(external_id, written.product, written.topic, written.urgency, letter.duplicate_of)
        yield SampleTicket(_ticket(rng, arrival, written, case, events), events, label)


def as_of(start: date, days: int) -> datetime:
    """Eight in the morning (UTC) after the last day of the period."""
    return datetime.combine(start + timedelta(days=days), time(8), UTC)


class _Letter(NamedTuple):
    written: Written
    duplicate_of: str | None = None


def _letters(rng: Random, came: Sequence[Arrival], people: People) -> list[_Letter]:
    """A text for every arrival, no two equal."""
    book = read_book()
    names = {company.id: company.name for company in people.companies}
    orders = {int(len(came) * share): which for which, share in enumerate(INJECTED)}
    seen: set[tuple[str, str]] = set()
    latest: dict[str | None, int] = {}
    letters: list[_Letter] = []
    for number, arrival in enumerate(came):
        company = names.get(arrival.contact.company_id or "", "")
        author = _author(rng, arrival, company, number)
        before = latest.get(arrival.contact.company_id)
        repeats = before is not None and arrival.at - came[before].at < DUPLICATE_WITHIN and number not in orders
        if repeats and rng.random() < DUPLICATE_SHARE and before is not None:
            letter = _Letter(again(rng, book, author, letters[before].written), _external_id(before, came[before]))
        else:
            letter = _Letter(_unseen(rng, book, author, seen))
        if number in orders:
            letter = _Letter(inject(rng, book, author, letter.written, orders[number]))
        if letter.duplicate_of is None and letter.written.topic != OFF_TOPIC:
            latest[arrival.contact.company_id] = number
        seen.add((letter.written.subject, letter.written.body))
        letters.append(letter)
    return letters


def _unseen(rng: Random, book: Book, author: Author, seen: set[tuple[str, str]]) -> Written:
    while True:
        written = write(rng, book, author)
        if (written.subject, written.body) not in seen:
            return written


def _author(rng: Random, arrival: Arrival, company: str, number: int) -> Author:
    contact = arrival.contact
    home = place(contact.timezone)
    earlier = f"INC-{arrival.at.year}-{max(1, number - rng.randrange(300)):05}"
    domain = contact.email.partition("@")[2]
    return Author(
        at=arrival.at,
        name=contact.name,
        language=contact.language,
        company=company or contact.name,
        domain=domain,
        earlier=earlier,
        city=home.name if home else None,
        topic=arrival.topic,
    )


def _fates(rng: Random, came: Sequence[Arrival], letters: Sequence[_Letter], end: datetime) -> list[Fate]:
    """Who is still waiting at the end: mostly the newest, and rarely what is critical."""
    fates = [Fate.DISMISSED if letter.written.topic == OFF_TOPIC else Fate.DONE for letter in letters]
    for fate, share, days in ((Fate.NEW, NEW_SHARE, 0.6), (Fate.HELD, HELD_SHARE, 16.0)):
        candidates = [number for number, other in enumerate(fates) if other is not Fate.NEW]
        ages = {number: (end - came[number].at) / timedelta(days=days) for number in candidates}
        patience = {
            number: (0.25, 0.6, 1.0, 1.3)[LEVELS.index(letters[number].written.urgency)] for number in candidates
        }
        luck = {number: ages[number] + rng.expovariate(1) / patience[number] for number in candidates}
        for number in sorted(candidates, key=luck.__getitem__)[: round(share * len(came))]:
            fates[number] = fate
    return fates


def _external_id(number: int, arrival: Arrival) -> str:
    return f"INC-{arrival.at.year}-{number + 1:05}"


def _case(rng: Random, desk: Desk, arrival: Arrival, written: Written, *, ticket: str) -> Case:
    rightful = LEVELS.index(written.urgency)
    claimed = (
        rightful
        + (rng.choice((-1, -1, 1)) if rng.random() < 0.22 else 0)
        - (arrival.contact.vip and rng.random() < 0.15)
    )
    group, other = desk.groups(rng, written.product, arrival.contact)
    return Case(
        ticket=ticket,
        created_at=arrival.at,
        priority=Priority(LEVELS[min(max(claimed, 0), 3)]),
        tier=desk.tier(arrival.contact),
        type=written.type,
        requester=arrival.contact.id,
        timezone=arrival.contact.timezone or "UTC",
        rightful_priority=Priority(written.urgency),
        group=group.group_id,
        agent=desk.agent(rng, written.product, group),
        other_group=other.group_id if other else None,
    )


def _ticket(rng: Random, arrival: Arrival, written: Written, case: Case, events: Sequence[Event]) -> StandardTicket:
    """The ticket as its source shows it at the end: what it was created as, and every event since."""
    external_id = case.ticket.partition(":")[2]
    last = {event.kind: event.value for event in events}
    status = Status(last.get(Kind.STATUS) or Status.NEW)
    responses = [event.at for event in events if event.kind is Kind.RESPONSE]
    resolved = _latest(events, Status.RESOLVED) if status in (Status.RESOLVED, Status.CLOSED) else None
    return StandardTicket(
        ticket_id=external_id,
        source=SOURCE,
        ticket_number=external_id,
        title=written.subject,
        description=written.body,
        category=_category(rng, written),
        type=last.get(Kind.TYPE) or case.type,
        priority=last.get(Kind.PRIORITY) or case.priority,
        status=status,
        tier=case.tier,
        vip=arrival.contact.vip,
        requester_location=place(arrival.contact.timezone) if rng.random() < 0.7 else None,
        requester=case.requester,
        company=arrival.contact.company_id,
        channel=written.channel,
        language=written.language,
        group=last.get(Kind.GROUP),
        assignee=last.get(Kind.ASSIGNEE),
        created_at=case.created_at,
        updated_at=events[-1].at,
        first_response_at=responses[0] if responses else None,
        resolved_at=resolved,
        closed_at=events[-1].at if status is Status.CLOSED else None,
    )


def _latest(events: Sequence[Event], status: Status) -> datetime | None:
    return max((event.at for event in events if event.kind is Kind.STATUS and event.value == status), default=None)


CATEGORIES = {"CASB": "application", "SSPM": "application", "DLP": "software", "GENERAL": "inquiry"}


def _category(rng: Random, written: Written) -> str:
    """What the customer ticked in the form: often nothing, never the product."""
    if written.topic == OFF_TOPIC or rng.random() < 0.3:
        return "other"
    return CATEGORIES.get(written.product, "network") if rng.random() < 0.85 else "application"
