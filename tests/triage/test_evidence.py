"""A code counts in every way people type it; a number that is none does not."""

import pytest

from tests.triage.memory_index import MemoryIndex
from triage.classify import LocalClassifier
from triage.contracts import Article, TicketText
from triage.evidence import codes_like, codes_typed, error_codes, product_names, unknown_codes
from triage.knowledge.retrieve import question_of
from triage.sanitize import clean
from triage.taxonomy import Taxonomy

TYPED = [
    "ZTNA-301", "ztna-301", "ZTNA 301", "ztna301", "ZTNA_301", "ZTNA.301", "ZTNA#301", "ZTNA - 301", "ZTNA\n301",
    "ZTNA-\n301", "ZTNA\u00a0301", "ZTNA\u2010301", "ZTNA\u2011301", "ZTNA\u2012301", "ZTNA\u2013301", "ZTNA\u2014301",
    "ZTNA\u2015301", "ZTNA\u2212301", "ZTNA\u00ad301", "ZTNA\ufe63301",
    "ＺＴＮＡ－３０１", "ZTNA３０１", "(ztna 301)", "error_ZTNA_301",
    "<p>ZTNA<br>301</p>", "<p>ZTNA&nbsp;301</p>", "<td>ZTNA</td><td>301</td>",
    "<b>ZTNA</b>-<i>301</i>", "ZTNA\u200b-301",
]  # fmt: skip
NO_CODE = [
    "ztna-0301", "ZTNA-999", "ZTNA 3011", "ZTNA-301a", "xZTNA-301", "Zone 301", "PAC 210", "casb 3 users",
    "DLP 401 users",
    "ZTNA 301.5", "room 301", "ZTNA 2026", "SWG-301", "GENERAL 3", "ztna version 301",
]  # fmt: skip


@pytest.mark.parametrize("typed", TYPED)
def test_a_code_counts_as_people_type_it(taxonomy: Taxonomy, typed: str) -> None:
    assert error_codes(clean(f"We see {typed} since this morning."), taxonomy) == {"ZTNA-301": "ZTNA"}


@pytest.mark.parametrize("text", NO_CODE)
def test_another_number_is_no_code(taxonomy: Taxonomy, text: str) -> None:
    assert error_codes(f"We see {text} since this morning.", taxonomy) == {}


@pytest.mark.parametrize("text", ["ztna-0301", "ZTNA-999", "ZTNA 3011"])
def test_a_code_nobody_knows_is_for_a_person(taxonomy: Taxonomy, classifier: LocalClassifier, text: str) -> None:
    assert unknown_codes(text, taxonomy) == [next(iter(codes_typed(text)))]
    assert product_names(text, taxonomy) == {}
    (claim,) = classifier.classify([TicketText(ticket_id="desk:1", content=f"Connector offline, {text}.")])
    assert claim.needs_review
    assert "a code nobody knows" in claim.reasoning


def test_without_a_list_any_number_is_a_code(taxonomy: Taxonomy) -> None:
    labels = {name: label.model_copy(update={"codes": ()}) for name, label in taxonomy.product.labels.items()}
    free = taxonomy.model_copy(update={"product": taxonomy.product.model_copy(update={"labels": labels})})
    assert error_codes("ZTNA 999, ZTNA-0301", free) == {"ZTNA-999": "ZTNA"}


def test_the_shipped_taxonomy_knows_the_codes_of_its_articles(taxonomy: Taxonomy, articles: list[Article]) -> None:
    known = {f"{label.code_prefixes[0]}-{code}" for label in taxonomy.product.labels.values() for code in label.codes}
    prefixes = tuple(f"{prefix}-" for label in taxonomy.product.labels.values() for prefix in label.code_prefixes)
    assert known == {code for article in articles for code in article.error_codes if code.startswith(prefixes)}


def test_any_dash_makes_a_code_whatever_the_taxonomy() -> None:
    assert codes_like("E–42 ABC–404, abc-500 PAC 210 abc_501") == {"ABC-404", "ABC-500", "ABC-501"}
    assert codes_typed("pac 210, ABC404") == {"PAC-210", "ABC-404"}


@pytest.mark.parametrize(
    "typed", ["ZTNA-312", "ztna312", "ZTNA 312", "ZTNA\u2013312", "ＺＴＮＡ３１２", "ZTNA_312", "ZTNA\n312"]
)
def test_a_code_finds_its_article_as_people_type_it(knowledge: MemoryIndex, typed: str) -> None:
    ticket = TicketText(ticket_id="desk:1", subject="Error on the screen", content=f"It says {typed}.")
    assert knowledge.search([question_of(ticket)])[0][0].article_id == "ztna-312"
