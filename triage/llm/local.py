"""Triage without any server: a classifier learned from the taxonomy and a drafter that quotes the knowledge base."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from triage.classify import LocalCascade, LocalClassifier, ProductClassifier
from triage.contracts import Macro
from triage.drafting.draft import ExtractiveDrafter
from triage.drafting.wording import PLAIN_ENGLISH, Wording
from triage.learning.product_model import LabelledText
from triage.ports import Embedder
from triage.taxonomy import Taxonomy

HANDED_OVER_UNTRAINED: Final = 0.6
"""A taxonomy alone teaches the quick classifier less than labelled rows do: on the sample tickets, on which it was
chosen, 0.3 costs four points of accuracy and 0.6 a fifth of one."""


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
    rows: Sequence[LabelledText] = (),
    cache: Path | None = None,
) -> LocalModels:
    """Both over one embedder; with a `quick` one, a classifier over that one decides what it is sure of. `cache` is the
    folder for what the classifiers have learned."""
    classifier: ProductClassifier = LocalClassifier(taxonomy, embedder, clock=clock, rows=rows, cache=cache)
    if quick is not None:
        first = LocalClassifier(taxonomy, quick, clock=clock, rows=rows, cache=cache)
        classifier = LocalCascade(first, classifier, clock=clock, share=HANDED_OVER_UNTRAINED)
    return LocalModels(
        classifier,
        ExtractiveDrafter(embedder, clock=clock, macros=macros, wording=wording),
    )
