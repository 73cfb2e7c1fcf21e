""" "Hello???" is GENERAL, for a person, with the two best guesses."""

from triage.classify import LocalClassifier
from triage.contracts import TicketText


def test_hello_is_for_a_person_with_two_guesses(classifier: LocalClassifier) -> None:
    (claim,) = classifier.classify([TicketText(ticket_id="desk:1", content="Hello???")])
    assert (claim.product, claim.needs_review) == ("GENERAL", True)
    assert claim.runner_up is not None
    assert {claim.product, claim.runner_up.label} <= set(classifier.taxonomy.product.labels)
    assert claim.runner_up.label != claim.product
