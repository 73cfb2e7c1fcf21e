"""What triage needs from models and from an index; local and hosted parts keep the same promises."""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from triage.contracts import Article, Classification, Passage, Suggestion, TicketText

KNOWLEDGE: Final = "knowledge"
"""The source of the articles below `data/knowledge`."""


class IndexReport(NamedTuple):
    """Articles by what a sync did with them."""

    added: int
    removed: int
    unchanged: int


class HeldArticle(NamedTuple):
    """An article as an index holds it, in how many chunks."""

    source: str
    article_id: str
    title: str
    url: str
    chunks: int


class Embedder(Protocol):
    """Texts to unit vectors. Name and dimension are stored with every collection made from it."""

    name: str
    dimension: int

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Shape (len(texts), dimension), L2-normalised rows."""
        ...


class Classifier(Protocol):
    """Labels tickets from a closed set."""

    name: str

    def classify(self, tickets: Sequence[TicketText]) -> list[Classification]:
        """One claim a ticket, in order. Never raises for odd text: what can't be read needs review."""
        ...


class Index(Protocol):
    """The knowledge base as a hybrid index. Raises Unavailable if another process owns the file."""

    def sync(self, articles: Sequence[Article], *, source: str = KNOWLEDGE, remove_missing: bool = True) -> IndexReport:
        """Make the index hold exactly these articles of a source; only changed ones are embedded again.

        Other sources stay as they are. Without `remove_missing` nothing is removed, for when some could not be read.
        Raises BadInput, before anything is written, for an id that another source holds or that is given twice.
        """
        ...

    def remove(self, source: str) -> int:
        """Take all articles of a source out; how many. Raises NotFound, naming the sources there are."""
        ...

    def held(self) -> list[HeldArticle]:
        """Every article, ordered by source and id."""
        ...

    def search(self, queries: Sequence[str], *, limit: int = 5) -> list[list[Passage]]:
        """The best passages for each query, best first. Always batched."""
        ...

    def count(self) -> int:
        """Chunks held."""
        ...

    def close(self) -> None: ...


class Drafter(Protocol):
    """Writes a cited reply from passages and nothing else."""

    name: str

    def draft(self, tickets: Sequence[TicketText], passages: Sequence[Sequence[Passage]]) -> list[Suggestion]:
        """One suggestion a ticket, in order; `grounded=False` where the passages give no answer."""
        ...
