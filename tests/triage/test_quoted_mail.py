"""What the writer of a mail says is set apart from what the mail quotes."""

from pathlib import Path

import pytest
import yaml

from tests.cpu import cpu_seconds
from triage.contracts import TicketText
from triage.sanitize import clean_ticket

CASES: dict[str, dict[str, str]] = yaml.safe_load(
    (Path(__file__).parent / "data" / "mails.yaml").read_text(encoding="utf-8")
)


def cleaned(content: str, subject: str = "") -> TicketText:
    return clean_ticket(TicketText(ticket_id="desk:1", subject=subject, content=content))


def test_there_are_mails_of_forty_programs() -> None:
    assert len(CASES["quoted"]) >= 40


@pytest.mark.parametrize("name", CASES["quoted"])
def test_quoted_mail_and_signatures_are_set_apart(name: str) -> None:
    ticket = cleaned(CASES["quoted"][name])
    assert ticket.content.startswith("The printer is broken.")
    assert "ZTNA" not in ticket.content
    assert "ZTNA" in ticket.quoted or "ZTNA" not in CASES["quoted"][name]


@pytest.mark.parametrize("name", CASES["passed on"])
def test_a_mail_passed_on_is_what_its_sender_means(name: str) -> None:
    ticket = cleaned(CASES["passed on"][name], subject="WG: Connector" if name == "subject says so" else "")
    assert "ZTNA-301 is offline" in ticket.content
    assert "Subject" not in ticket.content


@pytest.mark.parametrize("name", CASES["whole"])
def test_a_text_without_a_quote_stays_whole(name: str) -> None:
    ticket = cleaned(CASES["whole"][name])
    assert (ticket.content, ticket.quoted) == (CASES["whole"][name], "")


def test_cleaning_twice_loses_nothing() -> None:
    ticket = cleaned(CASES["quoted"]["gmail en"])
    assert clean_ticket(ticket) == ticket


@pytest.mark.parametrize(
    "piece", ["> a\n", "On 1 x:\n", "-- \n", "From: a\n", "\n", "Thanks\n", "On 1 ", "a wrote:\n", "x:"]
)
def test_odd_mails_cost_what_their_length_is(piece: str) -> None:
    def seconds(pieces: int) -> float:
        return cpu_seconds(lambda: cleaned(f"a\n{piece * pieces}"), under=0.2)

    seconds(10)
    assert seconds(5000) < 3 * max(seconds(2500), 0.2)
