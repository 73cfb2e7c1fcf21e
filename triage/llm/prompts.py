"""The prompts: what a hosted model is told, and the tickets fenced off as data."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import Final

from triage.contracts import Passage, TicketText
from triage.taxonomy import Taxonomy

FOLDER: Final = Path(__file__).parent.parent / "prompts"
TURN: Final = "<!-- user -->\n"

Messages = list[tuple[str, str]]


class Prompt:
    """A template in `triage/prompts`: the rules for the model, then what the user says. `hash` names its wording."""

    def __init__(self, name: str) -> None:
        text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
        self.hash = hashlib.sha256(text.encode()).hexdigest()
        self._system, self._user = map(Template, text.split(TURN))

    def messages(self, **values: str) -> Messages:
        return [("system", self._system.substitute(values)), ("user", self._user.substitute(values))]


def classify_messages(prompt: Prompt, tickets: Sequence[TicketText], taxonomy: Taxonomy) -> Messages:
    """The rules once, and the tickets numbered from 1. Only subject and content are shown."""
    products = (
        f"- {label}: {content.name}. {content.description}" for label, content in taxonomy.product.labels.items()
    )
    numbered = (
        f'<ticket number="{number}">\n{fenced({"subject": ticket.subject, "content": ticket.content})}\n</ticket>'
        for number, ticket in enumerate(tickets, start=1)
    )
    return prompt.messages(
        products="\n".join(products),
        fallback=taxonomy.product.fallback,
        tickets="\n".join(numbered),
        count=str(len(tickets)),
    )


def draft_messages(
    prompt: Prompt, ticket: TicketText, passages: Sequence[Passage], *, language: str = "English"
) -> Messages:
    """The passages numbered from 1, and the ticket; a link in a passage is shown as it stands, but can't close it."""
    sources = (
        f'<source number="{n}">\n{fenced({"title": p.title, "text": p.text})}\n</source>'
        for n, p in enumerate(passages, start=1)
    )
    shown = {"subject": ticket.subject, "content": ticket.content, "priority": ticket.priority, "tier": ticket.tier}
    return prompt.messages(sources="\n".join(sources), ticket=fenced(shown), language=language)


def fenced(shown: dict[str, str | None]) -> str:
    """Text of strangers as one line of JSON in which no tag can be closed or opened."""
    return json.dumps(shown, ensure_ascii=False).replace("<", "\\u003c").replace(">", "\\u003e")
