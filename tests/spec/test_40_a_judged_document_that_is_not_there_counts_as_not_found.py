"""Three relevant documents of which one is missing: a perfect ranking of the other two is below 1."""

from pathlib import Path

import pytest

from engine.shared.errors import BadInput
from triage.knowledge.judged_files import read_judgements
from triage.knowledge.retrieval_measures import ndcg

QRELS = "query-id\tcorpus-id\tscore\nq\ta\t1\nq\tb\t1\nq\tgone\t1\nunasked\ta\t1\n"


def test_two_of_three_in_perfect_order_are_below_one(tmp_path: Path) -> None:
    (tmp_path / "qrels.tsv").write_text(QRELS, encoding="utf-8")
    grades, unasked, absent = read_judgements(tmp_path / "qrels.tsv", {"q"}, {"a", "b"})
    assert (list(grades), unasked, absent) == (["q"], 1, 1)
    assert 0 < ndcg(["a", "b"], grades["q"]) < 1
    assert ndcg(["a", "b", "gone"], grades["q"]) == pytest.approx(1)


def test_a_file_of_another_collection_is_refused(tmp_path: Path) -> None:
    (tmp_path / "qrels.tsv").write_text(QRELS, encoding="utf-8")
    with pytest.raises(BadInput, match="no document"):
        read_judgements(tmp_path / "qrels.tsv", {"q"}, {"x", "y"})
