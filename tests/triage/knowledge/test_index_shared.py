"""An index that several processes use, and a server that dies, hides or is not there."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from engine.shared.errors import BadInput, Unavailable
from tests.processes import meet
from tests.triage.knowledge.index_places import (
    Place,
    T,
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
from tests.triage.milvus_server import Held
from triage.contracts import Article
from triage.embed import WordLlama
from triage.knowledge.milvus import MilvusIndex
from triage.knowledge.milvus_connection import finds_by_words
from triage.knowledge.retrieve import Weights
from triage.ports import Embedder

__all__ = ["emptied", "opener", "place", "server", "words"]


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
