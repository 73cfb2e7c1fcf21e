"""Ten tickets in one prompt: the shape of the answer, and what of it counts for which ticket."""

import json
import re
from collections.abc import Collection
from typing import Any, Final, NamedTuple

from triage.llm.failures import Reason, Unusable
from triage.sanitize import clean

REASON_CHARACTERS: Final = 200
KEYS: Final = frozenset({"number", "label", "confidence", "reason"})

OUTWARD: Final = re.compile(r"(?:https?://|www\.)[^\s)\]>\"'”]+|[\w.+-]+@[\w-]+\.[\w.-]+|\+?\d[\d ().-]{7,}\d")
"""Links, addresses and phone numbers."""


class Opinion(NamedTuple):
    """What a hosted model says of one ticket; its confidence is its own and not calibrated."""

    label: str
    confidence: float
    reason: str


class Reading(NamedTuple):
    """By ticket number: a usable opinion, or why there is none. Every number asked about is in one of them."""

    opinions: dict[int, Opinion]
    failures: dict[int, Reason]


def answer_schema(labels: Collection[str]) -> dict[str, Any]:
    """JSON schema in the strict dialect: every key required, none besides, labels as an enumeration."""
    item = {
        "type": "object",
        "additionalProperties": False,
        "required": ["number", "label", "confidence", "reason"],
        "properties": {
            "number": {"type": "integer"},
            "label": {"type": "string", "enum": list(labels)},
            "confidence": {"type": "number"},
            "reason": {"type": "string"},
        },
    }
    return {
        "title": "ticket_labels",
        "description": "One label for each numbered ticket.",
        "type": "object",
        "additionalProperties": False,
        "required": ["answers"],
        "properties": {"answers": {"type": "array", "items": item}},
    }


def read_answers(text: str, *, size: int, labels: Collection[str]) -> Reading:
    """The opinions on tickets 1 to `size`. A number counts only if it is written as that integer, and once.

    Each ticket stands by itself: what is wrong with one answer changes nothing for the others. Answers for numbers
    that were not asked about are dropped. Raises Unusable if it is not one JSON object with a list of answers.
    """
    answers = _listed(text)
    opinions: dict[int, Opinion] = {}
    failures = dict.fromkeys(range(1, size + 1), Reason.MISSING)
    met: set[int] = set()
    for answer in answers:
        number = answer.get("number") if isinstance(answer, dict) else None
        if type(number) is not int or number not in range(1, size + 1):
            continue
        if number in met:
            opinions.pop(number, None)
            failures[number] = Reason.TWICE
            continue
        met.add(number)
        found = _opinion(answer, labels)
        if isinstance(found, Reason):
            failures[number] = found
        else:
            del failures[number]
            opinions[number] = found
    return Reading(opinions, failures)


def _listed(text: str) -> list[Any]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise Unusable(Reason.INVALID, "no JSON") from None
    answers = content.get("answers") if isinstance(content, dict) else None
    if not isinstance(answers, list):
        raise Unusable(Reason.INVALID, "no list of answers")
    return answers


def _opinion(answer: dict[str, Any], labels: Collection[str]) -> Opinion | Reason:
    label, confidence, reason = (answer.get(key) for key in ("label", "confidence", "reason"))
    if isinstance(label, str) and label not in labels:
        return Reason.OFF_TAXONOMY
    if answer.keys() != KEYS or not isinstance(label, str) or not isinstance(reason, str):
        return Reason.INVALID
    if isinstance(confidence, bool) or not isinstance(confidence, int | float) or not 0 <= confidence <= 1:
        return Reason.INVALID
    return Opinion(label, float(confidence), short_reason(reason))


def short_reason(reason: str) -> str:
    """A model's reason as it may be shown: one short line without markup, links, addresses and phone numbers."""
    return OUTWARD.sub("…", " ".join(clean(reason, limit=REASON_CHARACTERS).split()))
