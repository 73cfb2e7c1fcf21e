"""A mail about ZTNA-301, quoted below another matter and passed on without one."""

from triage.contracts import TicketText
from triage.sanitize import clean_ticket

MAIL = """From: Ana <ana@acme.example>
Sent: Monday, 2 November 2026 09:12
To: Support
Subject: Connector

ZTNA-301 is offline."""


def read(subject: str, content: str) -> str:
    return clean_ticket(TicketText(ticket_id="web:1", subject=subject, content=content)).content


def test_a_quoted_mail_is_set_apart() -> None:
    assert read("RE: Connector", f"The printer is broken.\n\n{MAIL}") == "The printer is broken."


def test_a_mail_passed_on_is_the_matter() -> None:
    assert "ZTNA-301" in read("FW: Connector", f"FYI\n\n{MAIL}")
