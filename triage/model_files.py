"""A learned classifier as one file: numbers and JSON, so that opening it can never run anything."""

import hashlib
import json
import os
import struct
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np

from engine.shared.errors import BadInput, NotFound
from engine.shared.whole_file import whole_file
from triage.calibrate import Platt
from triage.classify import ProductClassifier
from triage.learning.methods import Linear, Method
from triage.learning.out_of_scope import SCORES, Scope
from triage.learning.train import First, Model
from triage.learning.words import Words
from triage.local_cascade import open_trained
from triage.ports import Embedder
from triage.taxonomy import Taxonomy

FORMAT: Final = "helmdesk-model"
VERSION: Final = 4
READABLE: Final = (3, VERSION)
"""A model of version 3 has no quick one."""
NUMBERS: Final = ("weights", "bias", "owners", "vectors", "word_weights", "part_weights")
FIRST: Final = ("first_weights", "first_bias", "first_vectors")
"""The quick model's own numbers, where there is one; owners, words and texts are the model's."""


_UNREADABLE: Final = (
    OSError, ValueError, LookupError, TypeError, AttributeError, OverflowError, RuntimeError, EOFError, BadZipFile,
    zlib.error, struct.error,
)  # fmt: skip
"""What opening a file that is no model, or a damaged one, raises in numpy, zipfile and json."""


def check_place(file: Path, inputs: Sequence[Path] = ()) -> None:
    """Before anything is learned: raises BadInput for a place that no model can be written to, that is one of the
    inputs, or that holds something which is no model. Nothing is left there."""
    try:
        if file.is_dir():
            raise BadInput(f"{file} is a folder; name a file in it for --out")
        if file.exists() and any(given.exists() and file.samefile(given) for given in inputs):
            raise BadInput(f"{file} is read to learn from; name another file for --out")
        if file.exists() and not _is_model(file):
            raise BadInput(f"{file} exists and is no model; name another file for --out")
        _try_writing(file)
    except OSError as error:
        raise _not_writable(file, error) from error


def save_model(file: Path, model: Model) -> None:
    """Whole or not at all: an earlier model of this name stays until the new one is complete. Raises BadInput where
    nothing can be written."""
    words = model.linear.words or Words(([], []), (np.zeros(0), np.zeros(0)))
    numbers: dict[str, Any] = {
        "weights": model.linear.weights,
        "bias": model.linear.bias,
        "owners": model.owners,
        "vectors": model.vectors,
        "word_weights": words.weights[0],
        "part_weights": words.weights[1],
    }
    if model.first is not None:
        numbers |= {name: getattr(model.first.model.linear, name.removeprefix("first_")) for name in FIRST}
    head = {
        "format": FORMAT,
        "version": VERSION,
        "labels": model.labels,
        "method": model.linear.method._asdict(),
        **_fitted(model),
        "texts": model.texts,
        "words": words.vocabularies[0],
        "parts": words.vocabularies[1],
        "first": model.first and {**_fitted(model.first.model), "limit": model.first.limit},
    }
    _write(file, head | {"sha256": _digest(head, numbers)}, numbers)


def _fitted(model: Model) -> dict[str, Any]:
    return {
        "temperature": model.temperature,
        "platt": model.platt._asdict(),
        "scope": model.scope._asdict(),
        "about": model.about,
    }


def read_model(file: Path) -> Model:
    """Raises NotFound without the file; BadInput for a damaged, changed or foreign one or one of another version."""
    if not file.is_file():
        raise NotFound(f"There is no model {file}; make one with `helmdesk triage train`")
    try:
        with np.load(file, allow_pickle=False) as archive:
            head = json.loads(archive["head"].tobytes())
            names = NUMBERS + (FIRST if head.get("first") else ())
            numbers = {name: archive[name] for name in names} if head.get("version") in READABLE else {}
        if head["format"] != FORMAT:
            raise ValueError(f"its format is {head['format']!r}")
        if head["version"] not in READABLE:
            raise BadInput(
                f"{file.name} is a model of version {head['version']}, this helmdesk reads {VERSION}; train again"
            )
        if head.pop("sha256") != _digest(head, numbers):
            raise ValueError("it is not as it was saved")
        return _model(head, numbers)
    except _UNREADABLE as error:
        reason = " ".join(str(error).split())[:200]
        raise BadInput(f"{file.name} is not a helmdesk model or is damaged ({reason}); train it again") from error


def load_model(
    file: Path,
    embedder: Embedder,
    *,
    taxonomy: Taxonomy,
    clock: Callable[[], datetime],
    quick: Embedder | None = None,
    remedy: str = "choose the taxonomy it was trained for",
) -> ProductClassifier:
    """A classifier whose labels are those it was trained on; the taxonomy tells urgency and when a person decides. The
    `quick` embedder lets the quick model decide first, if the file has one of that embedder.

    Raises what `read_model` does, and BadInput for another embedder or for labels that the taxonomy does not have,
    which says the remedy.
    """
    model = read_model(file)
    if model.about["embedder"] != embedder.name:
        raise BadInput(f"{file.name} was trained with {model.about['embedder']}, in use is {embedder.name}; "
                       "set HELMDESK_EMBEDDER accordingly or train it again")  # fmt: skip
    unknown = [label for label in model.labels if label not in taxonomy.product.labels]
    if unknown:
        raise BadInput(f"{file.name} gives the label {unknown[0]!r}, which taxonomy {taxonomy.id} does not have; "
                       f"its labels are {', '.join(model.labels)[:200]}; {remedy}")  # fmt: skip
    return open_trained(model, embedder, taxonomy, clock=clock, quick=quick)


def _model(head: dict[str, Any], numbers: dict[str, Any]) -> Model:
    method = Method(**head["method"])
    words = None
    if method.reads_words:
        words = Words((head["words"], head["parts"]), (numbers["word_weights"], numbers["part_weights"]))
    labels, texts = head["labels"], head["texts"]
    shapes = numbers["weights"].shape[1], len(numbers["bias"]), len(numbers["owners"]), len(numbers["vectors"])
    if shapes != (len(labels), len(labels), len(texts), len(texts)):
        raise ValueError("its parts do not fit together")
    linear = Linear(method, words, *(numbers[name] for name in ("weights", "bias", "vectors", "owners")))
    model = _fitting(head, labels, linear, texts)
    if not (first := head.get("first")):
        return model
    own = dict(zip(("weights", "bias", "vectors"), (numbers[name] for name in FIRST), strict=True))
    return model._replace(first=First(_fitting(first, labels, linear._replace(**own), texts), float(first["limit"])))


def _fitting(head: dict[str, Any], labels: list[str], linear: Linear, texts: list[str]) -> Model:
    scope = Scope(**head["scope"])
    if scope.score not in SCORES:
        raise ValueError("its parts do not fit together")
    return Model(labels, linear, float(head["temperature"]), Platt(**head["platt"]), scope, texts, head["about"])


def _digest(head: dict[str, Any], numbers: dict[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(head, sort_keys=True).encode())
    for name, found in numbers.items():
        part = np.ascontiguousarray(found)
        digest.update(f"{name} {part.dtype.str} {part.shape}".encode())
        digest.update(part.tobytes())
    return digest.hexdigest()


def _is_model(file: Path) -> bool:
    try:
        with np.load(file, allow_pickle=False) as archive:
            return bool(json.loads(archive["head"].tobytes())["format"] == FORMAT)
    except _UNREADABLE:
        return False


def _write(file: Path, head: dict[str, Any], numbers: dict[str, Any]) -> None:
    header = np.frombuffer(json.dumps(head).encode(), dtype=np.uint8)
    try:
        with whole_file(file) as unfinished, unfinished.open("wb") as stream:
            np.savez(stream, allow_pickle=False, head=header, **numbers)
    except OSError as error:
        raise _not_writable(file, error) from error


def _try_writing(file: Path) -> None:
    missing = [folder for folder in file.parents if not folder.exists()]
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_name(f"{file.name}.{os.getpid()}.part")
        unfinished.touch()
        unfinished.unlink()
    finally:
        for folder in missing:
            with suppress(OSError):
                folder.rmdir()


def _not_writable(file: Path, error: OSError) -> BadInput:
    above = next((place for place in file.parents if place.is_file()), None)
    reason = f"{above} is a file" if above else error.strerror or str(error)
    return BadInput(f"{file} can't be written ({reason}); name a file in a folder that is yours")
