"""Every index keeps the same promises; the one in memory is the plain reference for Milvus."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar
from uuid import uuid4

import numpy as np
import pytest

from engine.shared.errors import BadInput, NotFound, Unavailable
from tests.processes import meet
from tests.triage.memory_index import MemoryIndex
from tests.triage.milvus_server import TOKEN, Held
from tests.triage.questions import QUESTIONS
from tests.triage.test_classify import Counting
from triage.contracts import Article
from triage.embed import WordLlama
from triage.knowledge.milvus import MilvusIndex
from triage.knowledge.milvus_connection import finds_by_words
from triage.knowledge.retrieve import Weights
from triage.ports import Embedder, Index

Opener = Callable[[Embedder], Index]
T = TypeVar("T")


class Place(NamedTuple):
    """Where an index may be, as MilvusIndex asks for it."""

    uri: str
    token: str | None = None
    database: str = ""


def open_milvus(place: Place, embedder: Embedder) -> MilvusIndex:
    return MilvusIndex(place.uri, embedder, token=place.token, database=place.database)


@pytest.fixture
def server(milvus_server: str) -> Place:
    """A database of its own, which is made when the index is opened, on a server that asks for a token."""
    return Place(milvus_server, TOKEN, f"of_{uuid4().hex}")


@pytest.fixture
def emptied(server: Place, words: Embedder) -> Iterator[Place]:
    """A database of all tests with these words, empty at the beginning: making one takes seconds."""
    place = server._replace(database="emptied")
    yield place
    index = open_milvus(place, words)
    for source in {held.source for held in index.held()}:
        index.remove(source)
    index.close()


@pytest.fixture(params=["file", "server"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return request.getfixturevalue("server") if request.param == "server" else Place(str(tmp_path / "k.db"))


@pytest.fixture(params=["memory", "file", "server"])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    opened: list[Index] = []
    place = request.getfixturevalue("emptied") if request.param == "server" else Place(str(tmp_path / "i.db"))

    def open_index(embedder: Embedder) -> Index:
        opened.append(MemoryIndex(embedder) if request.param == "memory" else open_milvus(place, embedder))
        return opened[-1]

    yield open_index
    for index in opened:
        index.close()


def short(article_id: str, text: str) -> Article:
    return Article(id=article_id, title=f"About {article_id}", url=f"https://x.example/{article_id}", text=text)


def ids(index: Index) -> list[tuple[str, str]]:
    return [(held.source, held.article_id) for held in index.held()]


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


HOLD = """
import sys
from triage.embed import WordLlama
from triage.knowledge.articles import read_folder
from triage.knowledge.milvus import MilvusIndex
from pathlib import Path
index = MilvusIndex(sys.argv[1], WordLlama())
index.sync(read_folder(Path(sys.argv[2])).articles)
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


@pytest.mark.parametrize(
    ("version", "finds"),
    [("v2.3.5-lite", False), ("2.4.23", False), ("v2.5.0", True), ("2.6.3-dev", True), ("v3.0", True),
     ("Zilliz Cloud Vector Database(Compatible with Milvus 2.6)", True), ("Zilliz Cloud", True)],
)  # fmt: skip
def test_words_are_found_there_since_2_5(version: str, finds: bool) -> None:
    assert finds_by_words(version) == finds


def test_what_another_process_changes_is_found_by_its_words(emptied: Place, words: Embedder) -> None:
    ours, theirs = open_milvus(emptied, words), open_milvus(emptied, words)
    ours.sync([short("a", "The tunnel drops."), short("b", "Error QX-4711 is shown.")])
    assert theirs.search(["QX-4711"])[0][0].article_id == "b"
    ours.sync([short("a", "Error ZK-9001 is shown."), short("c", "The bill is wrong.")])
    assert theirs.search(["ZK-9001"])[0][0].text == "Error ZK-9001 is shown."
    assert {passage.article_id for passage in theirs.search(["QX-4711"])[0]} <= {"a", "c"}
    ours.close()
    theirs.close()


def test_a_token_is_asked_for_and_never_told(server: Place, words: Embedder) -> None:
    with pytest.raises(Unavailable, match="refused to answer without a token: set HELMDESK_MILVUS_TOKEN"):
        open_milvus(server._replace(token=None), words)
    with pytest.raises(Unavailable, match="refused the token") as refused:
        open_milvus(server._replace(token="root:guess"), words)
    in_address = server._replace(uri=server.uri.replace("//", "//root:secret@"), token=None)
    with pytest.raises(Unavailable, match=r"at http://127\.0\.0\.1") as hidden:
        open_milvus(in_address, words)
    assert "guess" not in str(refused.value)
    assert "secret" not in str(hidden.value)


def test_databases_of_a_server_know_nothing_of_each_other(emptied: Place, server: Place, words: Embedder) -> None:
    mine, other = open_milvus(emptied, words), open_milvus(server, words)
    mine.sync([short("a", "The tunnel drops.")])
    assert (mine.count(), other.count(), other.held()) == (1, 0, [])
    described = other.server()
    assert described is not None
    assert described[1:] == (server.database, True)
    mine.close()
    other.close()


def sync_at_once(place: Place, source: str) -> None:
    meet()
    index = open_milvus(place, WordLlama())
    index.sync([short(f"{source}-{number:03d}", f"What {source} knows.") for number in range(300)], source=source)
    index.close()


def test_two_processes_begin_and_sync_at_once(
    server: Place, words: Embedder, process_pool: ProcessPoolExecutor
) -> None:
    list(process_pool.map(sync_at_once, [server, server], ["left", "right"]))
    index = open_milvus(server, words)
    assert ids(index) == [(source, f"{source}-{number:03d}") for source in ("left", "right") for number in range(300)]
    index.close()


@pytest.mark.slow
def test_a_server_that_was_killed_comes_back_with_all_it_had(
    mortal_server: Held, words: Embedder, articles: list[Article], monkeypatch: pytest.MonkeyPatch
) -> None:
    index = open_milvus(Place(mortal_server.uri), words)
    index.sync(articles)
    before = index.held(), index.search(["ZTNA-301 connector offline"])
    monkeypatch.setattr("triage.knowledge.milvus_connection.ANSWER_SECONDS", 2.0)
    mortal_server.order("kill")
    with pytest.raises(Unavailable, match=f"Milvus at {mortal_server.uri} refused to"):
        index.search(["ZTNA-301 connector offline"])
    with pytest.raises(Unavailable, match=f"Milvus at {mortal_server.uri} refused to"):
        open_milvus(Place(mortal_server.uri), words)
    mortal_server.order("start")
    again = when_back(lambda: open_milvus(Place(mortal_server.uri), words))
    for held in (again, index):
        assert (when_back(held.held), held.search(["ZTNA-301 connector offline"])) == before
        assert held.sync(articles).unchanged == len(articles)
        held.close()


def when_back(ask: Callable[[], T]) -> T:
    """What it answers once the server has found its collections again."""
    for _ in range(60):
        try:
            return ask()
        except Unavailable:
            time.sleep(0.5)
    return ask()


def test_a_silent_server_is_unavailable(words: Embedder) -> None:
    with pytest.raises(Unavailable, match="unset HELMDESK_MILVUS_URI"):
        MilvusIndex("http://127.0.0.1:9", words)


def test_weights_that_rank_nothing_are_refused(words: Embedder) -> None:
    with pytest.raises(BadInput, match="not both 0"):
        MemoryIndex(words, weights=Weights(0, 0))
