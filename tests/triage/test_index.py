"""Every index keeps the same promises; the one in memory is the plain reference for Milvus."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.errors import BadInput, Unavailable
from tests.triage.questions import QUESTIONS
from tests.triage.test_classify import Counting
from triage.contracts import Article
from triage.embed import WordLlama
from triage.memory_index import MemoryIndex
from triage.milvus import MilvusIndex
from triage.ports import Embedder, Index
from triage.retrieve import Weights, fuse

Opener = Callable[[Embedder], Index]


@pytest.fixture(params=["memory", "milvus"])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    opened: list[Index] = []

    def open_index(embedder: Embedder) -> Index:
        milvus = request.param == "milvus"
        opened.append(MilvusIndex(str(tmp_path / "index.db"), embedder) if milvus else MemoryIndex(embedder))
        return opened[-1]

    yield open_index
    for index in opened:
        index.close()


@pytest.fixture(scope="module")
def words() -> Embedder:
    return WordLlama()


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


def test_milvus_agrees_with_the_reference(tmp_path: Path, embedder: Embedder, articles: list[Article]) -> None:
    reference, index = MemoryIndex(embedder), MilvusIndex(str(tmp_path / "k.db"), embedder)
    texts = [text for text, _ in QUESTIONS]
    for each in (reference, index):
        each.sync(articles)
    for plain, real in zip(reference.search(texts), index.search(texts), strict=True):
        assert [p.article_id for p in plain][:1] == [p.article_id for p in real][:1]
        assert real[0].score == pytest.approx(plain[0].score, abs=0.05)
        assert (real[0].title, real[0].url) == (plain[0].title, plain[0].url)
    index.close()


@pytest.mark.parametrize(("text", "article_id"), QUESTIONS)
def test_a_question_finds_its_article(knowledge: MemoryIndex, text: str, article_id: str) -> None:
    assert knowledge.search([text], limit=1)[0][0].article_id == article_id


def test_another_embedder_is_refused(
    tmp_path: Path, words: Embedder, embedder: Embedder, articles: list[Article]
) -> None:
    index = MilvusIndex(str(tmp_path / "k.db"), words)
    index.sync(articles[:2])
    index.close()
    with pytest.raises(BadInput, match=r"was made with wordllama.*the embedder now is all-minilm"):
        MilvusIndex(str(tmp_path / "k.db"), embedder)
    impostor = Counting(words)
    impostor.name = "same dimension, other vectors"
    with pytest.raises(BadInput, match="delete the index and sync it anew"):
        MilvusIndex(str(tmp_path / "k.db"), impostor)
    again = MilvusIndex(str(tmp_path / "k.db"), words)
    assert again.count() > 0
    again.close()


HOLD = """
import sys
from triage.embed import WordLlama
from triage.knowledge import read_articles
from triage.milvus import MilvusIndex
from pathlib import Path
index = MilvusIndex(sys.argv[1], WordLlama())
index.sync(read_articles(Path(sys.argv[2])))
print("held", index.count(), flush=True)
sys.stdin.read()
"""


def test_a_second_process_is_told_and_a_killed_one_loses_nothing(tmp_path: Path, words: Embedder) -> None:
    folder = tmp_path / "knowledge"
    folder.mkdir()
    (folder / "a.md").write_text("---\nid: a1\ntitle: T\nurl: u\n---\nThe connector is offline.", encoding="utf-8")
    uri = str(tmp_path / "k.db")
    command = [sys.executable, "-c", HOLD, uri, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held 1\n"
        with pytest.raises(Unavailable, match="in use by another process"):
            MilvusIndex(uri, words)
        holder.send_signal(signal.SIGKILL)
    survivor = MilvusIndex(uri, words)
    assert survivor.search(["connector offline"])[0][0].article_id == "a1"
    survivor.close()
    with pytest.raises(Unavailable, match="was closed"):
        survivor.count()


def test_two_handles_of_one_process_share_the_file(tmp_path: Path, words: Embedder, articles: list[Article]) -> None:
    uri = str(tmp_path / "k.db")
    first, second = MilvusIndex(uri, words), MilvusIndex(uri, words)
    first.sync(articles[:1])
    first.close()
    assert second.count() > 0
    second.close()


@pytest.mark.parametrize("uri", ["index.sqlite", "index"])
def test_a_file_must_end_in_db(uri: str, words: Embedder) -> None:
    with pytest.raises(BadInput, match=r"ends in \.db"):
        MilvusIndex(uri, words)


def test_a_silent_server_is_unavailable(words: Embedder) -> None:
    with pytest.raises(Unavailable, match="unset HELMDESK_MILVUS_URI"):
        MilvusIndex("http://127.0.0.1:9", words)


@pytest.mark.parametrize(
    ("weights", "first"), [(Weights(1, 0), "near"), (Weights(0, 1), "alike"), (Weights(1, 1), "both")]
)
def test_weights_choose_between_meaning_and_words(weights: Weights, first: str) -> None:
    dense = {("near", 0): 0.9, ("both", 0): 0.8}
    words = {("alike", 0): 20.0, ("both", 0): 15.0}
    assert fuse(dense, words, weights, limit=3)[0][0][0] == first


def test_weights_that_rank_nothing_are_refused(words: Embedder) -> None:
    with pytest.raises(BadInput, match="not both 0"):
        MemoryIndex(words, weights=Weights(0, 0))
