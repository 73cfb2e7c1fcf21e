""" "Connecteur hors ligne": product guessed with its confidence, for a person; the frame of the reply is French."""

from tests.triage.conftest import monday
from tests.triage.drafting.test_draft import WORDING
from tests.triage.memory_index import MemoryIndex
from triage.classify import LocalClassifier
from triage.contracts import TicketText
from triage.drafting.draft import ExtractiveDrafter
from triage.ports import Embedder


def test_another_language_goes_to_a_person(classifier: LocalClassifier) -> None:
    ticket = TicketText(ticket_id="desk:1", content="Connecteur hors ligne ZTNA-301", language="fr")
    (claim,) = classifier.classify([ticket])
    assert (claim.product, claim.needs_review) == ("ZTNA", True)
    assert claim.confidence > 0
    (read,) = classifier.classify([ticket.model_copy(update={"language": "en"})])
    assert not read.needs_review


def test_the_frame_is_french_and_the_quotations_are_the_articles(embedder: Embedder, knowledge: MemoryIndex) -> None:
    ticket = TicketText(ticket_id="desk:1", content="Connecteur hors ligne ZTNA-301", language="fr")
    (draft,) = ExtractiveDrafter(embedder, clock=monday, wording=WORDING).draft(
        [ticket], knowledge.search([ticket.content])
    )
    french, english = WORDING.phrases("fr"), WORDING.phrases("en")
    assert draft.text.startswith(french.greeting)
    assert english.greeting not in draft.text
    assert draft.citations
