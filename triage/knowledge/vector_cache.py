"""Vectors kept on disk by what was embedded, so that a large collection is embedded once, also if interrupted."""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from engine.shared.errors import BadInput
from engine.shared.whole_file import whole_file
from triage.embed import Vectors
from triage.ports import Embedder


class VectorCache:
    """Another embedder whose answers are kept, one file for each call with the same texts. The folder may be deleted
    at any time; a damaged file is made again. Raises BadInput where nothing can be written."""

    def __init__(self, embedder: Embedder, folder: Path) -> None:
        self.name, self.dimension = embedder.name, embedder.dimension
        self._embedder, self._folder = embedder, folder

    def embed(self, texts: Sequence[str]) -> Vectors:
        file = self._file(texts)
        held = self._read(file, len(texts))
        if held is not None:
            return held
        vectors = self._embedder.embed(texts)
        try:
            with whole_file(file) as unfinished, unfinished.open("wb") as stream:
                np.save(stream, vectors, allow_pickle=False)
        except OSError as error:
            reason = error.strerror or str(error)
            raise BadInput(f"{self._folder} can't hold vectors ({reason}); say --home with a folder that is yours and "
                           "has room") from error  # fmt: skip
        return vectors

    def _file(self, texts: Sequence[str]) -> Path:
        digest = hashlib.sha256(self.name.encode())
        for text in texts:
            content = text.encode("utf-8", "replace")
            digest.update(len(content).to_bytes(8, "big") + content)
        return self._folder / f"{digest.hexdigest()}.npy"

    def _read(self, file: Path, rows: int) -> Vectors | None:
        try:
            held = np.load(file, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        return held if held.shape == (rows, self.dimension) and held.dtype == np.float32 else None


def embed_known(embedder: Embedder, texts: Sequence[str], file: Path) -> Vectors:
    """A vector a text; only texts that the file does not have are embedded, and it then holds these and no others.

    A damaged file is made again; where nothing can be written, the next call embeds all of them again.
    """
    keys = [hashlib.sha256(f"{embedder.name}\0{text}".encode("utf-8", "replace")).hexdigest() for text in texts]
    known = _read_known(file, embedder.dimension)
    if new := {key: text for key, text in zip(keys, texts, strict=True) if key not in known}:
        known |= dict(zip(new, embedder.embed(list(new.values())), strict=True))
        with suppress(OSError), whole_file(file) as unfinished, unfinished.open("wb") as stream:
            np.savez(stream, keys=np.array(keys), vectors=np.array([known[key] for key in keys]))
    return np.array([known[key] for key in keys], dtype=np.float32).reshape(len(keys), embedder.dimension)


def _read_known(file: Path, dimension: int) -> dict[str, Vectors]:
    try:
        with np.load(file, allow_pickle=False) as held:
            keys, vectors = held["keys"].tolist(), held["vectors"]
    except (OSError, ValueError, EOFError, KeyError, BadZipFile):
        return {}
    return dict(zip(keys, vectors, strict=True)) if vectors.shape == (len(keys), dimension) else {}
