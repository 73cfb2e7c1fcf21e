"""What hosted models have answered before: the same words, labels, model and prompt are not asked about twice."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from more_itertools import chunked
from sqlalchemy import Engine, select

from engine.shared.columns import ROWS_PER_TRANSACTION, insert_into
from triage.llm.tables import llm_answers


class KeptAnswer(NamedTuple):
    """A model's label with its own confidence. Its reasons are not kept: they may quote the ticket."""

    model: str
    label: str
    confidence: float


class AnswerCache:
    """Holds hashes and labels, no text."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, keys: Sequence[str]) -> dict[str, KeptAnswer]:
        """The answers kept under these keys."""
        found: dict[str, KeptAnswer] = {}
        with self._engine.connect() as connection:
            for some in chunked(keys, ROWS_PER_TRANSACTION):
                for row in connection.execute(select(llm_answers).where(llm_answers.c.key.in_(some))):
                    found[row.key] = KeptAnswer(row.model, row.label, row.confidence)
        return found

    def keep(self, answers: Mapping[str, KeptAnswer], *, at: datetime) -> None:
        """Keep them; of two processes with one key, the first is kept."""
        rows = [{"key": key, **answer._asdict(), "created_at": at} for key, answer in answers.items()]
        if rows:
            with self._engine.begin() as connection:
                new = insert_into(llm_answers, connection).on_conflict_do_nothing(index_elements=["key"])
                connection.execute(new, rows)

    def forget(self, *, before: datetime) -> int:
        """Drop what was answered before an instant; returns how many answers."""
        with self._engine.begin() as connection:
            return int(connection.execute(llm_answers.delete().where(llm_answers.c.created_at < before)).rowcount)


def answer_key(subject: str, content: str, *, taxonomy: str, model: str, prompt: str) -> str:
    """SHA-256 of the words a model is shown, the taxonomy's digest, the model's name and the prompt's hash."""
    parts = [subject, content, taxonomy, model, prompt]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
