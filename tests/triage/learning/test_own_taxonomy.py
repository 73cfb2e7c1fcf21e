"""Labels of a team's own become a taxonomy that loads, teaches and is never written over."""

from pathlib import Path

import pytest

from engine.shared.errors import BadInput
from triage.learning.own_taxonomy import as_yaml, check_beside, own_taxonomy, write_beside
from triage.learning.product_model import LabelledText
from triage.taxonomy import Taxonomy, load_taxonomy

TEXTS = ("no", "my {} is gone", "where can I find my {} now", "is the {} still valid", "the {} does not work at all")


def rows(*labels: str) -> list[LabelledText]:
    return [LabelledText(text.format(label), label) for label in labels for text in TEXTS]


def test_examples_are_the_shortest_rows_that_say_something(taxonomy: Taxonomy) -> None:
    found = own_taxonomy([*rows("badge", "parking_lot"), *rows("badge")], taxonomy.urgency, name="mine")
    assert found.product.labels["badge"].examples[:2] == ("my badge is gone", "is the badge still valid")
    assert found.product.labels["parking_lot"].phrases[0] == "parking lot"


@pytest.mark.parametrize(("labels", "fallback"), [(("zeta", "Other"), "Other"), (("zeta", "beta"), "beta")])
def test_ticket_without_text_falls_to_the_catch_all_label(
    taxonomy: Taxonomy, labels: tuple[str, ...], fallback: str
) -> None:
    given = [*rows(*labels), LabelledText("one more beta row", "beta")] if "beta" in labels else rows(*labels)
    assert own_taxonomy(given, taxonomy.urgency, name="mine").product.fallback == fallback


@pytest.mark.parametrize(
    "labels", [("yes", "no"), ("42", "4.2"), ("a", "b"), ("R&D/IT (EU)?", "Über uns"), ("déjà vu", "x: y, z")]
)
def test_what_is_written_loads_as_the_same(tmp_path: Path, taxonomy: Taxonomy, labels: tuple[str, ...]) -> None:
    given = [
        *rows(*labels),
        *(LabelledText(f"{label}: 'x' # \u2028 \x00 {label} " + "word " * 200, label) for label in labels),
    ]
    file = tmp_path / "mine.yaml"
    file.write_text(as_yaml(own_taxonomy(given, taxonomy.urgency, name="m")), encoding="utf-8")
    assert load_taxonomy(file) == own_taxonomy(given, taxonomy.urgency, name="m")
    assert load_taxonomy(file).urgency == taxonomy.urgency


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (rows("badge", "x" * 51), "is longer than 50 characters"),
        (rows("badge", "a\nb"), r"label 'a\nb' is longer than 50 characters or has others than letters"),
        ([*rows("badge"), *rows("rare")[1:3]], "label 'rare' needs 3 texts that no other label has, there are 2"),
        (rows("lost card", "lost_card"), "lost card"),
    ],
    ids=["long", "two lines", "rare", "alike"],
)
def test_labels_that_no_taxonomy_holds_are_said(
    tmp_path: Path, taxonomy: Taxonomy, given: list[LabelledText], reason: str
) -> None:
    told = write_beside(tmp_path / "mine.npz", given, in_use=taxonomy, data="t.csv")
    assert told.startswith("no taxonomy was written: ")
    assert reason in told
    assert list(tmp_path.iterdir()) == []


def test_a_taxonomy_that_is_there_is_never_written_over(tmp_path: Path, taxonomy: Taxonomy) -> None:
    write_beside(tmp_path / "mine.npz", rows("badge", "parking"), in_use=taxonomy, data="t.csv")
    before = (tmp_path / "mine.yaml").read_bytes()
    told = write_beside(tmp_path / "mine.npz", rows("badge", "other"), in_use=taxonomy, data="t.csv")
    assert "mine.yaml stays as it is" in told
    assert (tmp_path / "mine.yaml").read_bytes() == before
    check_beside(tmp_path / "mine.npz", {"badge"})
    with pytest.raises(BadInput, match=r"mine\.yaml has no label 'other', and it is never written over"):
        check_beside(tmp_path / "mine.npz", {"badge", "other"})


def test_the_model_does_not_take_the_place_of_its_taxonomy(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"does not end in \.yaml"):
        check_beside(tmp_path / "mine.yaml", {"badge"})


def test_a_folder_that_is_not_ours_is_said(tmp_path: Path, taxonomy: Taxonomy) -> None:
    with pytest.raises(BadInput, match="can't be written"):
        write_beside(tmp_path / "nowhere" / "mine.npz", rows("badge", "other"), in_use=taxonomy, data="t.csv")
