from pathlib import Path

import pytest

from engine.shared.errors import BadInput, NotFound
from tests.triage.conftest import DATA
from triage.taxonomy import Taxonomy, load_taxonomy

PRODUCTS = DATA / "taxonomies" / "products.yaml"


def test_products_have_words_to_learn_from(taxonomy: Taxonomy) -> None:
    assert set(taxonomy.product.labels) == {"CASB", "SWG", "ZTNA", "DLP", "SSPM", "CFW", "GENERAL"}
    assert all(len(label.phrases) >= 8 and len(label.examples) >= 8 for label in taxonomy.product.labels.values())
    assert list(taxonomy.urgency.labels) == ["critical", "high", "medium", "low"]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("fallback: GENERAL", "fallback: OTHER", "product: fallback 'OTHER' is not one of the labels"),
        ("review_below: 0.60", "review_below: 60", "product.review_below: Input should be less than or equal to 1"),
        ("code_prefixes: [SWG]", "code_prefixes: [CASB]", "code prefix CASB belongs to both CASB and SWG"),
        ("at_most: low", "at_most: lowest", "names 'lowest', which is not one of"),
        ("points: -0.5", "at_least: low\n      points: 1", "give exactly one of at_least, at_most and points"),
        (r"patterns: ['\b(?:prod", r"patterns: ['\b((?:prod", "is not a regular expression"),
        ("    CFW:\n", "    DLP:\n", "'DLP' is given twice"),
        ("version: 1", "version: 1\nowner: me", "owner: Extra inputs are not permitted"),
        ("version: 1", "version: [1", "products.yaml: while parsing"),
        ("    - id: nobody can work\n", "    - id: nobody can work\n      pace: 3\n", "pace: Extra inputs"),
        (
            "        - invoice, payment",
            "        - site-to-site VPN of a branch office\n        - invoice, payment",
            "twice",
        ),
    ],
)
def test_bad_taxonomy_is_refused_with_its_reason(tmp_path: Path, old: str, new: str, reason: str) -> None:
    text = PRODUCTS.read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "products.yaml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BadInput) as refused:
        load_taxonomy(file)
    assert reason in str(refused.value)
    assert "products.yaml" in str(refused.value)


def test_missing_taxonomy_says_what_to_copy(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"copy products\.yaml"):
        load_taxonomy(tmp_path / "ours.yaml")


def test_digest_changes_with_content(taxonomy: Taxonomy) -> None:
    assert taxonomy.model_copy(update={"version": 2}).digest != taxonomy.digest
    assert load_taxonomy(PRODUCTS).digest == taxonomy.digest


@pytest.mark.parametrize(
    ("language", "reads"), [("en", True), ("en-GB", True), ("EN_us", True), (None, True), ("de", False)]
)
def test_language_of_a_ticket(taxonomy: Taxonomy, language: str | None, reads: bool) -> None:
    assert taxonomy.speaks(language) is reads
