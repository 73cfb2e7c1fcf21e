"""How a long job tells what it is doing, without knowing who listens."""

from typing import Protocol


class Progress(Protocol):
    """Called with a stage's name and how many of how many units are done; `total` 0 means unknown."""

    def __call__(self, stage: str, done: int, total: int) -> None: ...


def silent(stage: str, done: int, total: int) -> None:
    """The listener that hears nothing."""
