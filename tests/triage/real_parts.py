"""Real parts for whoever tests with triage: the embedder, the taxonomy and the knowledge base the project ships."""

from collections.abc import Iterator

import pytest

from tests.triage.conftest import DATA, monday
from tests.triage.memory_index import MemoryIndex
from triage.classify import LocalClassifier
from triage.contracts import Article, Macro
from triage.drafting.article_policy import load_article_policy
from triage.drafting.draft import ExtractiveDrafter
from triage.drafting.macros import read_macros
from triage.embed import MiniLM, Remembering
from triage.knowledge.articles import read_folder
from triage.ports import Embedder
from triage.taxonomy import Taxonomy, load_taxonomy


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    return Remembering(MiniLM())


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
