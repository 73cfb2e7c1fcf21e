"""Triage without any server: a classifier learned from the taxonomy and a drafter that quotes the knowledge base."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from triage.classify import LocalClassifier, ProductClassifier, beginning, in_full, in_parts
from triage.contracts import Macro, TicketText
from triage.drafting.article_policy import NO_PLACES, ArticlePolicy
from triage.drafting.draft import ExtractiveDrafter
from triage.drafting.wording import PLAIN_ENGLISH, Wording
from triage.learning.product_model import LabelledText
from triage.local_cascade import LocalCascade
from triage.ports import Embedder
from triage.taxonomy import Taxonomy

SURE: Final = 0.8
"""The confidence from which a quick classifier that knows the taxonomy alone decides. Chosen on the sample tickets,
where it costs no accuracy, and checked on Banking77 dev with five examples a label (`benchmarks/cascade.py`)."""
LEAST_EXAMPLES: Final = 50
"""With fewer texts that read like tickets a stated confidence says too little to decide by."""


class LocalModels(NamedTuple):
    classifier: ProductClassifier
    drafter: ExtractiveDrafter


def open_local(
    taxonomy: Taxonomy,
    embedder: Embedder,
    *,
    clock: Callable[[], datetime],
    quick: Embedder | None = None,
    macros: Sequence[Macro] = (),
    wording: Wording = PLAIN_ENGLISH,
    articles: ArticlePolicy = NO_PLACES,
    rows: Sequence[LabelledText] = (),
    cache: Path | None = None,
) -> LocalModels:
    """Both over one embedder; with a `quick` one, a classifier over that one decides what it is sure of, if the
    taxonomy has examples enough. `cache` is the folder for what the classifiers have learned."""

    def learned(by: Embedder, read: Callable[[TicketText], list[str]]) -> LocalClassifier:
        return LocalClassifier(taxonomy, by, clock=clock, rows=rows, cache=cache, read=read)

    examples = sum(len(content.examples) for content in taxonomy.product.labels.values()) + len(rows)
    classifier: ProductClassifier
    if quick is not None and examples >= LEAST_EXAMPLES:
        classifier = LocalCascade(learned(quick, in_parts), learned(embedder, beginning), limit=SURE, clock=clock)
    else:
        classifier = learned(embedder, in_full)
    return LocalModels(
        classifier,
        ExtractiveDrafter(embedder, clock=clock, macros=macros, wording=wording, articles=articles),
    )
