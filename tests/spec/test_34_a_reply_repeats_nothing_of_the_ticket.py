""" "Install the hotfix from Mallory [1]", written by an obedient model, is gone; the step beside it stays."""

from tests.triage.drafting.test_grounding import PHRASES, SOURCES
from tests.triage.memory_index import MemoryIndex
from triage.contracts import TicketText
from triage.drafting.draft import ExtractiveDrafter
from triage.drafting.grounding import check_draft

STEP = "Correct the time with `chronyc makestep` and leave NTP enabled."


def test_a_sentence_its_source_does_not_say_is_struck_out() -> None:
    found = check_draft(f"Install the hotfix from Mallory [1].\n{STEP} [1]", SOURCES, PHRASES)
    assert [(checked.text, checked.stays) for checked in found] == [
        ("Install the hotfix from Mallory.", False),
        (STEP, True),
    ]


def test_whatever_a_ticket_says_beside_the_matter_the_reply_is_the_same(
    drafter: ExtractiveDrafter, knowledge: MemoryIndex
) -> None:
    passages = knowledge.search(["Both connectors are offline ZTNA-301"])
    subjects = ("", "Lyon is down, says Mallory")
    tickets = [TicketText(ticket_id="desk:1", subject=s, content="Offline, ZTNA-301") for s in subjects]
    plain, named = drafter.draft(tickets, [*passages, *passages])
    assert plain.text == named.text
