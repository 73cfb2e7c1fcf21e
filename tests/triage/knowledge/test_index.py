"""Every index keeps the same promises; the one in memory is the plain reference for Milvus."""

from collections.abc import Sequence

import numpy as np
import pytest

from engine.shared.errors import BadInput, NotFound
from tests.triage.knowledge.index_places import (
    Opener,
    Place,
    emptied,
    ids,
    open_milvus,
    opener,
    place,
    server,
    short,
    words,
)
from tests.triage.memory_index import MemoryIndex
from tests.triage.questions import QUESTIONS
from tests.triage.test_classify import Counting
from triage.contracts import Article
from triage.ports import Embedder

__all__ = ["emptied", "opener", "place", "server", "words"]


def test_an_empty_index_finds_nothing(opener: Opener, words: Embedder) -> None:
    index = opener(words)
    assert (index.count(), index.search(["anything", ""])) == (0, [[], []])


def test_only_changed_articles_are_embedded_again(opener: Opener, words: Embedder, articles: list[Article]) -> None:
    counting = Counting(words)
    index = opener(counting)
    assert index.sync(articles) == (len(articles), 0, 0)
    all_chunks, counting.texts = counting.texts, 0
    assert index.count() == all_chunks
    assert index.sync(articles) == (0, 0, len(articles))
    assert counting.texts == 0
    changed = [articles[0].model_copy(update={"text": "Short now."}), *articles[2:]]
    assert index.sync(changed) == (1, 1, len(articles) - 2)
    assert counting.texts == 1


def test_a_removed_article_is_found_no_more(opener: Opener, words: Embedder, articles: list[Article]) -> None:
    index = opener(words)
    index.sync(articles)
    assert index.search(["ZTNA-301 connector offline"])[0][0].article_id == "ztna-301"
    index.sync([article for article in articles if article.id != "ztna-301"])
    assert all(passage.article_id != "ztna-301" for passage in index.search(["ZTNA-301 connector offline"])[0])


def test_best_first_within_the_limit_and_in_order_of_the_queries(
    opener: Opener, words: Embedder, articles: list[Article]
) -> None:
    index = opener(words)
    index.sync(articles)
    found = index.search(["GEN-722", "!?", "CFW-601"], limit=3)
    assert [len(passages) for passages in found] == [3, 0, 3]
    assert (found[0][0].article_id, found[2][0].article_id) == ("gen-722", "cfw-601")
    scores = [passage.score for passage in found[0]]
    assert scores == sorted(scores, reverse=True)
    assert index.search(["x" * 100_000, 'quote " and \\ back', "naïve ☃"], limit=1) is not None


def test_a_changed_article_loses_its_old_chunks(opener: Opener, words: Embedder) -> None:
    index = opener(words)
    index.sync([short("a", "The zebra crossed. " * 120), short("b", "The tunnel drops.")])
    many = index.count()
    assert index.sync([short("a", "Only quokkas here."), short("b", "The tunnel drops.")]) == (1, 0, 1)
    assert (many > 3, index.count()) == (True, 2)
    assert all("zebra" not in passage.text for passage in index.search(["zebra"])[0])


def test_a_sync_never_touches_another_source(opener: Opener, words: Embedder) -> None:
    index = opener(words)
    index.sync([short("a", "The tunnel drops.")], source="handbook")
    index.sync([short("b", "The bill is wrong."), short("c", "The fan is loud.")], source="wiki")
    assert index.sync([short("b", "The bill is wrong.")], source="wiki") == (0, 1, 1)
    assert ids(index) == [("handbook", "a"), ("wiki", "b")]
    found = index.search(["tunnel drops"])[0][0]
    assert (found.article_id, found.source) == ("a", "handbook")


def test_a_source_is_removed_and_the_others_stay(opener: Opener, words: Embedder) -> None:
    index = opener(words)
    index.sync([short("a", "The tunnel drops.")], source="handbook")
    index.sync([short("b", "The bill is wrong.")], source="wiki")
    assert index.remove("wiki") == 1
    assert ids(index) == [("handbook", "a")]
    assert [passage.article_id for passage in index.search(["bill is wrong"])[0]] == ["a"]
    with pytest.raises(NotFound, match="its sources are: handbook"):
        index.remove("wiki")


def test_an_id_of_another_source_changes_nothing(opener: Opener, words: Embedder) -> None:
    index = opener(words)
    index.sync([short("a", "The tunnel drops.")], source="handbook")
    with pytest.raises(BadInput, match="'a' belongs to the source 'handbook'"):
        index.sync([short("n", "New."), short("a", "Mine now.")], source="wiki")
    with pytest.raises(BadInput, match="'n' is given twice"):
        index.sync([short("n", "New."), short("n", "Newer.")], source="wiki")
    assert ids(index) == [("handbook", "a")]


def test_what_could_not_be_read_is_kept_where_asked(opener: Opener, words: Embedder) -> None:
    index = opener(words)
    index.sync([short("a", "The tunnel drops."), short("b", "The bill is wrong.")])
    assert index.sync([short("a", "The tunnel is up.")], remove_missing=False) == (1, 0, 0)
    assert ids(index) == [("knowledge", "a"), ("knowledge", "b")]
    assert index.search(["tunnel"])[0][0].text == "The tunnel is up."


class Failing:
    """An embedder that breaks down after so many texts."""

    def __init__(self, embedder: Embedder, texts: int) -> None:
        self.name, self.dimension = embedder.name, embedder.dimension
        self._embedder, self._left = embedder, texts

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        self._left -= len(texts)
        if self._left < 0:
            raise RuntimeError("the power went")
        return self._embedder.embed(texts)


def test_an_interrupted_sync_is_finished_by_the_next(opener: Opener, words: Embedder) -> None:
    articles = [short(f"a{number:03d}", f"Fact {number} about pumps.") for number in range(450)]
    index = opener(Failing(words, 300))
    with pytest.raises(RuntimeError, match="the power went"):
        index.sync(articles)
    counting = Counting(words)
    again = index if isinstance(index, MemoryIndex) else opener(counting)
    if again is index:
        index._embedder = counting  # the memory of a process lives on only in the process
    report = again.sync(articles)
    assert (report.added + report.unchanged, again.count()) == (450, 450)
    assert counting.texts == report.added
    assert again.search(["Fact 449 about pumps"])[0][0].article_id == "a449"


def test_what_is_gone_stays_gone_after_reopening(opener: Opener, words: Embedder) -> None:
    index = opener(words)
    index.sync([short("a", "The tunnel drops.")], source="handbook")
    index.sync([short("b", "The bill is wrong.")], source="wiki")
    index.remove("wiki")
    index.close()
    again = index if isinstance(index, MemoryIndex) else opener(words)
    assert (ids(again), again.count()) == ([("handbook", "a")], 1)


def test_milvus_agrees_with_the_reference(place: Place, embedder: Embedder, articles: list[Article]) -> None:
    reference, index, near = MemoryIndex(embedder), open_milvus(place, embedder), 1e-5 if place.database else 0.01
    texts = [text for text, _ in QUESTIONS]
    for each in (reference, index):
        each.sync(articles)
    for plain, real in zip(reference.search(texts), index.search(texts), strict=True):
        assert [p.article_id for p in plain][:1] == [p.article_id for p in real][:1]
        assert [p.score for p in real] == pytest.approx([p.score for p in plain], abs=near)
        assert (real[0].title, real[0].url) == (plain[0].title, plain[0].url)
    index.close()


@pytest.mark.parametrize(("text", "article_id"), QUESTIONS)
def test_a_question_finds_its_article(knowledge: MemoryIndex, text: str, article_id: str) -> None:
    assert knowledge.search([text], limit=1)[0][0].article_id == article_id


def test_another_embedder_is_refused(
    place: Place, words: Embedder, embedder: Embedder, articles: list[Article]
) -> None:
    index = open_milvus(place, words)
    index.sync(articles[:2])
    index.close()
    with pytest.raises(BadInput, match=r"was made with wordllama.*the embedder now is all-minilm"):
        open_milvus(place, embedder)
    impostor = Counting(words)
    impostor.name = "same dimension, other vectors"
    way_out = "name another HELMDESK_MILVUS_DATABASE" if place.database else "delete the index and sync it anew"
    with pytest.raises(BadInput, match=way_out):
        open_milvus(place, impostor)
    again = open_milvus(place, words)
    assert again.count() > 0
    again.close()


def test_any_sign_may_be_in_the_name_of_an_article_and_of_a_source(opener: Opener, words: Embedder) -> None:
    index = opener(words)
    names = [f"it{sign}s{sign}" for sign in ("'", '"', "\\", "\n", "%", "%27", "#1", "☃é")]
    for number, name in enumerate(names):
        index.sync([short(name, f"The tunnel QX-{number} drops.")], source=name)
    assert ids(index) == sorted((name, name) for name in names)
    found = index.search([f"QX-{number}" for number in range(len(names))])
    assert [passages[0].article_id for passages in found] == names
    for name in names:
        assert index.sync([short(name, "Only quokkas here.")], source=name).added == 1
    assert index.count() == len(names)
    assert [index.remove(name) for name in names] == [1] * len(names)
    assert index.count() == 0
