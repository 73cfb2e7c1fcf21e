"""What people at the sample's desk wrote and decided in its last weeks: words and odds, drawn from a seed.

All of it is invented, as the tickets are; only what the labels say of a ticket's product is known to be true.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple, TypeVar

from engine.contracts import Delivery, Event, Priority, StandardTicket, Status
from pipelines.app.people_files import People
from pipelines.samples.generate import SampleTicket, stream

Choice = TypeVar("Choice")

SEED, WEEKS, NIGHT, NEW = 7, 4, 240, 12
"""`NIGHT`: tickets of a day, of which at most `NEW` of its first hours came before the sample's instant."""
WRONG, SECOND = 0.06, 0.1
"""Share of answers on a claim that are wrong on purpose, and of claims that two people answered."""
PRODUCTS = ("CASB", "CFW", "DLP", "GENERAL", "SSPM", "SWG", "ZTNA")


class Grant(NamedTuple):
    """A claim as `engine.resolutions.Claim` has it, the amount as a multiple of what an agent may grant alone."""

    what_went_wrong: str
    why_eligible: str
    type: str
    share: float
    why_eligible_text: str


GRANTS = (
    Grant("delay", "sla_breach", "credit", 0.5, "The first answer came a day late; the contract gives a credit."),
    Grant("outage", "contract", "credit", 0.8, "Tunnels were down for three hours in business time."),
    Grant("billing_error", "contract", "refund", 0.4, "Two seats were billed that had been cancelled in August."),
    Grant("wrong_information", "goodwill", "credit", 0.3, "Our first answer sent them the wrong way for half a day."),
    Grant("defect", "warranty", "workaround", 0.0, "The connector build has the defect; they run the older one."),
    Grant("service_failure", "sla_breach", "credit", 1.6, "Second breach within a month for this customer."),
    Grant("outage", "goodwill", "credit", 2.4, "The whole site was without access on quarter's end."),
    Grant("data_loss", "policy_exception", "credit", 3.0, "A week of incident exports can't be brought back."),
)
ODDS_OF_GRANTS = (6, 5, 4, 4, 3, 3, 2, 2)

APPROVED = ("The history bears it out.", "In line with the last such case.", "Agreed with the account team.")
REFUSED = ("The window was announced; no credit for planned work.", "Already credited on the earlier ticket.")
REVIEWED = {
    "upheld": ("Amount and reason fit the policy.", "Well documented.", "As the case before it."),
    "revised": ("Half of it was due: the clock was paused for two hours.", "The credit belongs to the other contract."),
    "coaching_needed": ("No reason was written down; show how to document eligibility.",),
}
ODDS_OF_REVIEWS = {"upheld": 8, "revised": 2, "coaching_needed": 1}

REJECTED = (
    "The article is about the older client.",
    "It answers another question than the customer's.",
    "The customer had tried all of this already.",
    "Too long for a simple yes.",
)
EDITS = (
    ("Hello,", "Good morning,"),
    ("\n\n", "\n\nI looked at your tenant before writing this.\n\n"),
)
SENT, EDITED = 0.5, 0.34
"""Shares of judged drafts that were sent as they were and with changes; the rest was rejected."""

QUESTIONS = (
    (
        "Is the connector's token scope enough for what the customer wants?",
        "The scope lacks read access to the tenant's directory; send the customer the consent link.",
    ),
    (
        "Packet capture attached: who drops the answer, we or the carrier?",
        "The answer is dropped by the carrier's filter; the capture shows it leaving us.",
    ),
    (
        "May we share the export with the customer's auditor?",
        "Yes, without the user column; the template for it is in the runbook.",
    ),
    (
        "The same error after the upgrade: known, or shall we file a defect?",
        "Known defect, mended in the next build; the workaround holds until then.",
    ),
)
"""What an expert is asked, and the summary of what was found."""
TAKES, APPROVES, AGREES, READ, SAYS_NPS = 0.75, 0.85, 0.7, 0.5, 0.6
"""Odds that an expert takes an envelope and ends one, that a grant is approved, that a second reviewer sees a grant as
the first did (who does not decides by the odds of reviews), that a new notice is read, an NPS given."""
SOLVED = (
    "The policy was corrected and the customer confirmed that it works.",
    "The connector runs again since its token was renewed; nothing was lost.",
    "Rolled back to the build before; the customer sees no more errors.",
)

TASKS = (
    "Collect logs of the last failed sync",
    "Call the customer's network team",
    "Reproduce on the test tenant",
    "Check the change window with the account manager",
)
FLAGS = (
    ("legal", "The customer's counsel asks what was logged, and for how long."),
    ("physical_damage", "The appliance came with a bent rack ear."),
)
REMINDERS = ("Ask whether the workaround holds", "Vendor promised an answer for today", "Send the summary of the call")
COMMENTS = {
    5: ("Quick and clear.", "Solved before our stand-up, thank you.", ""),
    4: ("Good help, the wait was a little long.", ""),
    3: ("It works now.", "Had to explain it twice.", ""),
    2: ("Two days for a licence question.",),
    1: ("Nobody told us that it was a known defect.",),
}
ODDS_OF_SCORES = {5: 46, 4: 30, 3: 14, 2: 6, 1: 4}
RECOMMENDS = {5: (9, 10), 4: (7, 9), 3: (5, 8), 2: (2, 6), 1: (0, 4)}
"""Least and greatest NPS that goes with a CSAT."""


class View(NamedTuple):
    """A saved view of the board, as `desk.save_view` takes it, but for who keeps it."""

    name: str
    columns: str
    lanes: str | None
    limits: dict[str, int]
    limits_are: str = "soft"


VIEWS = (
    View("Team by status", "status", "priority", {"in_progress": 30, "waiting_vendor": 8}),
    View("Morning round", "priority", None, {}),
    View("No more than we can hold", "status", None, {"in_progress": 20}, "hard"),
)


def last_night(people: People, *, as_of: datetime, known: int) -> Delivery:
    """What came in since the sample's last day ended, numbered after the `known` tickets: nobody has looked at it yet,
    and none of it is pressing."""
    made = stream(NIGHT, seed=SEED, start=as_of.date(), days=1, people=people)
    late = [one for one in made if one.ticket.created_at < as_of - timedelta(minutes=20)]
    calm = [one for one in late if one.events[0].data["priority"] == Priority.LOW]
    found = [
        _as_it_came(one, f"INC-{as_of.year}-{number:05}") for number, one in enumerate(calm[-NEW:], start=known + 1)
    ]
    return Delivery(tickets=tuple(ticket for ticket, _ in found), events=tuple(event for _, event in found))


def _as_it_came(made: SampleTicket, name: str) -> tuple[StandardTicket, Event]:
    ticket, key = made.ticket, f"{made.ticket.source}:{name}"
    later = dict.fromkeys(("group", "assignee", "first_response_at", "resolved_at", "closed_at"))
    now = {"ticket_id": name, "ticket_number": name, "status": Status.NEW, "priority": Priority.LOW}
    came = ticket.model_copy(update={**later, **now, "updated_at": ticket.created_at})
    return came, made.events[0].model_copy(update={"id": f"{key}/1", "ticket_id": key})


def answer(rng: Random, truth: str) -> str:
    """What somebody says a ticket is about: mostly what it is about."""
    return rng.choice([name for name in PRODUCTS if name != truth]) if rng.random() < WRONG else truth


def drawn(rng: Random, odds: Mapping[Choice, int]) -> Choice:
    return rng.choices(list(odds), weights=list(odds.values()))[0]
