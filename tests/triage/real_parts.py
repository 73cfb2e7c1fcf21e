"""Real parts for whoever tests with triage: the embedder, the taxonomy and the knowledge base the project ships."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from tests.triage.conftest import DATA, monday
from tests.triage.memory_index import MemoryIndex
from triage.classify import LocalClassifier
from triage.contracts import Article, Macro
from triage.drafting.article_policy import load_article_policy
from triage.drafting.draft import ExtractiveDrafter
from triage.drafting.macros import read_macros
from triage.embed import MiniLM, Remembering, Vectors
from triage.knowledge.articles import read_folder
from triage.ports import Embedder
from triage.taxonomy import Taxonomy, load_taxonomy

MANY = 100
"""Texts that are dear enough to embed once for all workers of a run."""


class OnceARun:
    """Another embedder whose vectors of many texts the workers of a run share by this folder."""

    def __init__(self, embedder: Embedder, folder: Path) -> None:
        self.name, self.dimension = embedder.name, embedder.dimension
        self._embedder, self._folder = embedder, folder

    def embed(self, texts: Sequence[str]) -> Vectors:
        if len(texts) < MANY:
            return self._embedder.embed(texts)
        file = self._folder / f"{hashlib.sha256(chr(0).join(texts).encode()).hexdigest()}.npy"
        with FileLock(f"{file}.lock"):
            if not file.exists():
                np.save(file, self._embedder.embed(texts))
        vectors: Vectors = np.load(file)
        return vectors


@pytest.fixture(scope="session")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    own = tmp_path_factory.getbasetemp()
    return Remembering(OnceARun(MiniLM(), own.parent if "PYTEST_XDIST_WORKER" in os.environ else own))


@pytest.fixture(scope="session")
def taxonomy() -> Taxonomy:
    return load_taxonomy(DATA / "taxonomies" / "products.yaml")


@pytest.fixture(scope="session")
def classifier(taxonomy: Taxonomy, embedder: Embedder) -> LocalClassifier:
    return LocalClassifier(taxonomy, embedder, clock=monday)


@pytest.fixture(scope="session")
def articles() -> list[Article]:
    return read_folder(DATA / "knowledge").articles


@pytest.fixture(scope="session")
def macros() -> list[Macro]:
    return read_macros(DATA / "macros")


@pytest.fixture(scope="session")
def knowledge(embedder: Embedder, articles: list[Article]) -> Iterator[MemoryIndex]:
    index = MemoryIndex(embedder)
    index.sync(articles)
    yield index
    index.close()


@pytest.fixture(scope="session")
def drafter(embedder: Embedder, macros: list[Macro]) -> ExtractiveDrafter:
    return ExtractiveDrafter(
        embedder, clock=monday, macros=macros, articles=load_article_policy(DATA / "policies" / "articles.yaml")
    )
