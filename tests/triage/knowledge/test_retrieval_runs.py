import pytest

from tests.triage.memory_index import MemoryIndex
from triage.contracts import Article
from triage.embed import WordLlama
from triage.knowledge.retrieval_runs import Collection, hybrid_ranking, ranking
from triage.knowledge.retrieve import default_weights
from triage.ports import Embedder

TEXTS = {"tunnel": "The tunnel drops every hour.", "bill": "The invoice is wrong.", "dots": "...", "void": ""}
ARTICLES = [Article(id=name, title="", url=name, text=text) for name, text in TEXTS.items()]


@pytest.fixture(scope="module")
def words() -> Embedder:
    return WordLlama()


def quiet(stage: str, done: int, total: int) -> None:
    assert done <= total, stage


def test_what_holds_nothing_to_search_for_is_never_found(words: Embedder) -> None:
    queries = {"empty": "", "marks": "?!", "asked": "why is my invoice wrong?"}
    found = Collection(ARTICLES, words, progress=quiet).find(queries)
    assert ranking(found["empty"].dense) == ranking(found["marks"].dense) == []
    assert hybrid_ranking(found["marks"], default_weights(words.name)) == []
    assert ranking(found["asked"].dense) == ["bill", "tunnel"]


def test_a_collection_without_words_answers_nothing(words: Embedder) -> None:
    assert Collection(ARTICLES[2:], words, progress=quiet).find({"asked": "invoice"}) == {"asked": ({}, {})}


def test_judged_search_and_the_index_show_the_same(words: Embedder) -> None:
    index, queries = MemoryIndex(words), ["why is my invoice wrong?", "", "tunnel"]
    index.sync(ARTICLES[:2])
    found = Collection(ARTICLES[:2], words, progress=quiet).find(dict(enumerate(queries)))  # type: ignore[arg-type]
    shown = [[passage.article_id for passage in passages] for passages in index.search(queries)]
    assert [hybrid_ranking(one, default_weights(words.name)) for one in found.values()] == shown


def test_documents_of_the_same_score_stand_as_trec_eval_has_them() -> None:
    assert ranking({("a", 0): 1.0, ("b", 0): 1.0, ("c", 1): 2.0, ("c", 0): 0.5, ("a", 1): 0.1}) == ["c", "b", "a"]
