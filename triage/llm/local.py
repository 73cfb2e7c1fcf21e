"""Triage without any server: a classifier learned from the taxonomy and a drafter that quotes the knowledge base."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from triage.classify import LocalClassifier
from triage.contracts import Macro
from triage.drafting.draft import ExtractiveDrafter
from triage.drafting.wording import PLAIN_ENGLISH, Wording
from triage.learning.product_model import LabelledText
from triage.ports import Embedder
from triage.taxonomy import Taxonomy


class LocalModels(NamedTuple):
    classifier: LocalClassifier
    drafter: ExtractiveDrafter


def open_local(
    taxonomy: Taxonomy,
    embedder: Embedder,
    *,
    clock: Callable[[], datetime],
    macros: Sequence[Macro] = (),
    wording: Wording = PLAIN_ENGLISH,
    rows: Sequence[LabelledText] = (),
    cache: Path | None = None,
) -> LocalModels:
    """Both over one embedder. `cache` is the folder for what the classifier has learned."""
    return LocalModels(
        LocalClassifier(taxonomy, embedder, clock=clock, rows=rows, cache=cache),
        ExtractiveDrafter(embedder, clock=clock, macros=macros, wording=wording),
    )
