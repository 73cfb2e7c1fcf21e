"""More processes that start from nothing but the module of the function they run, and can wait for each other."""

import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from types import ModuleType
from typing import Any

_gates: list[Any] = []


def meet(seconds: float = 90) -> None:
    """All of `processes` go on from here together."""
    _gates[0].wait(seconds)


def _know(gate: Any) -> None:
    _gates.append(gate)


@contextmanager
def processes(number: int = 2) -> Iterator[ProcessPoolExecutor]:
    """A page that ran in this process left itself as `__main__`, which a spawned process would run first."""
    context = get_context("spawn")
    with ProcessPoolExecutor(number, context, initializer=_know, initargs=(context.Barrier(number),)) as pool:
        main, sys.modules["__main__"] = sys.modules["__main__"], ModuleType("__main__")
        try:
            list(pool.map(meet, [90] * number))  # all have started
        finally:
            sys.modules["__main__"] = main
        yield pool
