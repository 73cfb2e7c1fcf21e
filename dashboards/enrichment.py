"""What a ticket's text and facts tell beside its product, who asks, and which earlier tickets it may belong to.

Everything from a ticket is shown as plain text; only addresses from our own runbooks and articles become links.
"""

import json
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import polars as pl
import streamlit as st

from dashboards import cards, opening
from pipelines.figures import words
from pipelines.marts import MartReader

PARTS = {
    "characters": ("character", "characters"), "error_codes": ("error code", "error codes"),
    "products": ("product named", "products named"), "questions": ("question", "questions"),
    "log_lines": ("line of logs and stack traces", "lines of logs and stack traces"),
    "messages": ("message", "messages"), "reopened": ("time reopened", "times reopened"),
}  # fmt: skip
KINDS = {"duplicate": "Duplicate?", "repeat_contact": "Repeat contact?", "follow_up": "Follow-up?"}


class Known(NamedTuple):
    """What was told of one ticket; None where nothing was yet."""

    enrichment: dict[str, Any] | None
    related: pl.DataFrame
    customer: dict[str, Any] | None


def known(reader: MartReader, ticket: str) -> Known:
    found = reader.query("SELECT * FROM enrichments WHERE ticket = ?", [ticket])
    customer = reader.query(
        "SELECT c.* FROM customers c JOIN tickets t ON t.company_id = c.company_id WHERE t.ticket = ?", [ticket]
    )
    related = reader.query(
        "SELECT * FROM related_tickets WHERE ticket = ? ORDER BY similarity DESC, other_created_at DESC, other",
        [ticket],
    )
    return Known(_one(found), related, _one(customer))


def section(reader: MartReader, ticket: str) -> None:
    """The part of a ticket's page: what else is known of it."""
    facts = opening.ask(known, reader, ticket)
    st.subheader("What else do we know?")
    if facts.enrichment is None:
        st.text("Not enriched yet: the next cycle does it.")
    else:
        text_facts(facts.enrichment)
        urgency(facts.enrichment)
        codes(json.loads(facts.enrichment["error_codes"]))
    customer(facts.customer, facts.enrichment)


def text_facts(facts: dict[str, Any]) -> None:
    """Language, complexity with its parts, and the tone with how weak it is."""
    sure = facts["language_confidence"]
    cards.fact(st, "Language", f"{facts['language']}, {words.percent(sure)} sure" if facts["language"] else "not told")
    cards.fact(st, "Complexity, 0 to 1", f"{facts['complexity']:.2f}{parts(facts['complexity_parts'])}")
    cards.fact(st, "Tone (weak signal)", tone(facts))


def parts(complexity_parts: str) -> str:
    """What complexity adds up from, the most first; parts that add nothing are left out."""
    adding = [part for part in json.loads(complexity_parts) if part["adds"] > 0]
    adding.sort(key=lambda part: -part["adds"])
    phrases = [f"{words.count(round(part['amount']), *_named(part['name']))} +{part['adds']:.2f}" for part in adding]
    return f": {', '.join(phrases)}" if phrases else ""


def _named(part: str) -> tuple[str, str]:
    return PARTS.get(part, (words.plain(part), words.plain(part)))


def tone(facts: dict[str, Any]) -> str:
    if facts["sentiment"] is None:
        return "not told: no listed phrase in the text"
    phrases = ", ".join(f"“{phrase}”" for phrase in json.loads(facts["sentiment_phrases"]))
    return f"{facts['sentiment']:+.2f} of -1 to +1, only from {phrases}; nothing is ordered by it"


def urgency(facts: dict[str, Any]) -> None:
    because = ", ".join(json.loads(facts["urgency_reasons"]))
    st.text(f"Suggested urgency now: {words.plain(facts['urgency'])}" + (f" ({because})" if because else ""))
    if facts["suggested_priority"]:
        st.info(
            f"Suggested priority: {words.plain(facts['suggested_priority'])}. A person changes it, nothing else does."
        )


def codes(named: list[dict[str, str | None]]) -> None:
    """Each error code with the runbook and the article about it."""
    for code in named:
        st.text(f"Error code {code['code']}")
        for label in ("runbook", "article"):
            if (address := code[label]) and urlsplit(address).scheme == "https":
                st.link_button(f"{label.capitalize()} for {code['code']}", address)


def customer(company: dict[str, Any] | None, facts: dict[str, Any] | None) -> None:
    """Tenant, health and past cases."""
    if company is None:
        return
    about = [company["name"], words.plain(company["tier"]), company["segment"], company["region"]]
    cards.fact(st, "Customer", ", ".join(filter(None, about)))
    because = f": {company['because']}" if company["because"] else ""
    cards.fact(
        st, "Health", f"{words.plain(company['health'])}{because}; {words.count(company['open_cases'], 'open case')}"
    )
    if facts is not None and facts["past_cases"] is not None:
        same, last = facts["past_cases_same_product"], facts["last_case"]
        about_same = f", {same} about the same product" if same is not None else ""
        cards.fact(st, "Past cases", f"{facts['past_cases']}{about_same}" + (f"; the last is {last}" if last else ""))


def relatives(reader: MartReader, ticket: str) -> None:
    """Earlier tickets that this one may belong to, for a person to judge."""
    related = opening.ask(known, reader, ticket).related
    if related.is_empty():
        st.text("No earlier ticket looks related.")
        return
    st.caption("Candidates: a person decides whether they belong together.")
    for place, row in enumerate(related.iter_rows(named=True)):
        with st.container(border=True, gap=None):
            st.text(
                f"{KINDS.get(row['kind'], row['kind'])} {row['other_reference']}, {words.plain(row['other_status'])}"
            )
            st.text(row["other_subject"] or "–")
            st.caption(cards.verbatim(row["reason"]))
            st.button("Open", key=f"open related {place}", on_click=_open, args=(row["other"],))


def _open(ticket: str) -> None:
    st.session_state["ticket"] = ticket


def _one(found: pl.DataFrame) -> dict[str, Any] | None:
    return None if found.is_empty() else found.row(0, named=True)
