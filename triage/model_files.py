"""A learned classifier as one file: numbers and JSON, so that opening it can never run anything."""

import hashlib
import json
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np

from engine.errors import BadInput, NotFound
from triage.calibrate import Platt
from triage.classify import TrainedClassifier
from triage.methods import Linear, Method
from triage.out_of_scope import SCORES, Scope
from triage.ports import Embedder
from triage.taxonomy import Taxonomy
from triage.train import Model
from triage.words import Words

FORMAT: Final = "helmdesk-model"
VERSION: Final = 2
NUMBERS: Final = ("weights", "bias", "owners", "vectors", "word_weights", "part_weights")


def save_model(file: Path, model: Model) -> None:
    """Whole or not at all: an earlier model of this name stays until the new one is complete."""
    words = model.linear.words or Words(([], []), (np.zeros(0), np.zeros(0)))
    numbers: dict[str, Any] = {
        "weights": model.linear.weights,
        "bias": model.linear.bias,
        "owners": model.owners,
        "vectors": model.vectors,
        "word_weights": words.weights[0],
        "part_weights": words.weights[1],
    }
    head = {
        "format": FORMAT,
        "version": VERSION,
        "labels": model.labels,
        "method": model.linear.method._asdict(),
        "temperature": model.temperature,
        "platt": model.platt._asdict(),
        "scope": model.scope._asdict(),
        "texts": model.texts,
        "words": words.vocabularies[0],
        "parts": words.vocabularies[1],
        "about": model.about,
        "numbers_sha256": _digest(numbers),
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f"{file.name}.{os.getpid()}.part")
    with unfinished.open("wb") as stream:
        np.savez(stream, allow_pickle=False, head=np.frombuffer(json.dumps(head).encode(), dtype=np.uint8), **numbers)
    unfinished.replace(file)


def read_model(file: Path) -> Model:
    """Raises NotFound without the file; BadInput for a damaged or foreign one or one of a later version."""
    if not file.is_file():
        raise NotFound(f"There is no model {file}; make one with `helmdesk triage train`")
    try:
        with np.load(file, allow_pickle=False) as kept:
            head = json.loads(kept["head"].tobytes())
            numbers = {name: kept[name] for name in NUMBERS} if head.get("version") == VERSION else {}
        if head["format"] != FORMAT:
            raise ValueError(f"its format is {head['format']!r}")
        if head["version"] != VERSION:
            raise BadInput(
                f"{file.name} is a model of version {head['version']}, this helmdesk reads {VERSION}; retrain"
            )
        if head["numbers_sha256"] != _digest(numbers):
            raise ValueError("its numbers are not the ones that were saved")
        return _model(head, numbers)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, BadZipFile) as error:
        raise BadInput(f"{file.name} is not a helmdesk model or is damaged ({error}); train it again") from error


def load_model(
    file: Path, embedder: Embedder, *, taxonomy: Taxonomy, clock: Callable[[], datetime]
) -> TrainedClassifier:
    """A classifier whose labels are those it was trained on; the taxonomy tells urgency and when a person decides.

    Raises what `read_model` does, and BadInput for another embedder or labels that the taxonomy does not have.
    """
    model = read_model(file)
    if model.about["embedder"] != embedder.name:
        raise BadInput(f"{file.name} was trained with {model.about['embedder']}, in use is {embedder.name}; "
                       "set HELMDESK_EMBEDDER accordingly or train it again")  # fmt: skip
    unknown = [label for label in model.labels if label not in taxonomy.product.labels]
    if unknown:
        raise BadInput(f"{file.name} gives the label {unknown[0]!r}, which taxonomy {taxonomy.id} does not have; "
                       "choose the taxonomy it was trained for")  # fmt: skip
    return TrainedClassifier(model, embedder, taxonomy, clock=clock)


def _model(head: dict[str, Any], numbers: dict[str, Any]) -> Model:
    method = Method(**head["method"])
    words = None
    if method.reads_words:
        words = Words((head["words"], head["parts"]), (numbers["word_weights"], numbers["part_weights"]))
    scope = Scope(**head["scope"])
    labels, texts = head["labels"], head["texts"]
    shapes = numbers["weights"].shape[1], len(numbers["bias"]), len(numbers["owners"]), len(numbers["vectors"])
    if shapes != (len(labels), len(labels), len(texts), len(texts)) or scope.score not in SCORES:
        raise ValueError("its parts do not fit together")
    return Model(
        labels,
        Linear(method, words, *(numbers[name] for name in ("weights", "bias", "vectors", "owners"))),
        float(head["temperature"]),
        Platt(**head["platt"]),
        scope,
        texts,
        head["about"],
    )


def _digest(numbers: dict[str, Any]) -> str:
    digest = hashlib.sha256()
    for name in NUMBERS:
        digest.update(np.ascontiguousarray(numbers[name]).tobytes())
    return digest.hexdigest()
