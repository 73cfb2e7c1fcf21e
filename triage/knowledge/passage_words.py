"""BM25 over the passages of a server that has none itself: Milvus before 2.5."""

from collections.abc import Mapping, Sequence

from triage.knowledge.retrieval_runs import best_hits, first_hits
from triage.knowledge.retrieve import Hits
from triage.knowledge.search_words import Bm25

Key = tuple[str, int]


class PassageWords:
    """The words of all passages, by article id and chunk number, each with the hash of its article."""

    def __init__(self) -> None:
        self._texts: dict[Key, tuple[str, str]] = {}
        self._bm25 = Bm25([])

    def unknown(self, hashes: Mapping[Key, str]) -> list[Key]:
        """Which passages are to be read, where these are all there are: new ones and changed ones."""
        return [key for key, digest in hashes.items() if self._texts.get(key, ("",))[0] != digest]

    def renew(self, hashes: Mapping[Key, str], texts: Mapping[Key, str]) -> None:
        """These are all the passages now; `texts` has those that were unknown and are still there."""
        new = {key: (digest, texts[key]) for key, digest in hashes.items() if key in texts}
        unchanged = {key: held for key, held in self._texts.items() if hashes.get(key) == held[0]}
        if new or len(unchanged) < len(self._texts):
            self._texts = unchanged | new
            self._bm25 = Bm25([text for _, text in self._texts.values()])

    def find(self, queries: Sequence[str]) -> list[Hits]:
        """The best passages of each query that share a word with it, as many as a server would bring forward."""
        if not self._texts:
            return [{} for _ in queries]
        keys = list(self._texts)
        return [first_hits(best_hits(scores, keys, "", above=0.0)) for scores in self._bm25.scores(queries)]
