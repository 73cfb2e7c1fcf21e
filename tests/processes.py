"""Processes beside that of a test: they begin with what was imported for all of them, and with nothing a test did."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import Any, NamedTuple

_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(["pytest", "pipelines.jobs.cycle", "pipelines.jobs.pull", "engine.storage.sql", "yaml"])
_gates: list[Any] = []


class Ended(NamedTuple):
    """A process's exit code (the signal that killed it, negative) and what it wrote."""

    code: int
    text: str


def meet(seconds: float = 90) -> None:
    """All of `processes` go on from here together."""
    _gates[0].wait(seconds)


@contextmanager
def processes(number: int = 2) -> Iterator[ProcessPoolExecutor]:
    """As many that can wait for each other."""
    with ProcessPoolExecutor(number, _CONTEXT, initializer=_know, initargs=(_CONTEXT.Barrier(number),)) as pool:
        with _no_main():
            list(pool.map(meet, [90] * number))  # all have started
        yield pool


def ended(work: Callable[..., object], *words: object, seconds: float = 120) -> Ended:
    """What became of a process that does this work in today's environment."""
    with tempfile.NamedTemporaryFile("r") as text:
        process = _started(_write_to, text.name, work, *words)
        process.join(seconds)
        assert process.exitcode is not None, f"{work} takes longer than {seconds} s"
        return Ended(process.exitcode, text.read())


@contextmanager
def holding(work: Callable[..., object], *words: object) -> Iterator[BaseProcess]:
    """A process within this work, a context manager, until the block ends or kills it."""
    ours, theirs = _CONTEXT.Pipe()
    process = _started(_hold, theirs, work, *words)
    theirs.close()
    assert ours.recv() == "held"
    try:
        yield process
    finally:
        process.kill()
        process.join()


def command_line(*words: object) -> None:
    """`helmdesk` with these words."""
    from pipelines.cli import main

    sys.argv = ["helmdesk", *map(str, words)]
    main()


def _know(gate: Any) -> None:
    _gates.append(gate)


def _started(work: Callable[..., object], *words: object) -> BaseProcess:
    process = _CONTEXT.Process(target=_begin, args=(dict(os.environ), work, *words))
    with _no_main():
        process.start()
    return process


@contextmanager
def _no_main() -> Iterator[None]:
    """A page that ran in this process left itself as `__main__`, which a new process would run first."""
    main, sys.modules["__main__"] = sys.modules["__main__"], ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _begin(environment: dict[str, str], work: Callable[..., object], *words: object) -> None:
    os.environ.clear()
    os.environ.update(environment)
    work(*words)


def _write_to(path: str, work: Callable[..., object], *words: object) -> None:
    with open(path, "w") as text:  # noqa: PTH123
        os.dup2(text.fileno(), 1)
        os.dup2(text.fileno(), 2)
    work(*words)


def _hold(parent: Connection, work: Callable[..., Any], *words: object) -> None:
    with work(*words):
        parent.send("held")
        parent.recv()
