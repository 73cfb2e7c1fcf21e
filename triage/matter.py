"""What a ticket is about, without what it says is not the matter and without words that are hammered in.

A claim that hangs on either is none to be sure of: `triage.classify` reads such a ticket a second time without them.
"""

import re
from collections import Counter
from functools import lru_cache
from typing import Final

from triage.contracts import TicketText
from triage.knowledge.search_words import STOP_WORDS
from triage.sanitize import is_empty

OFTEN: Final = 5
"""So many times a word is hammered in."""
FILLED: Final = 0.6
"""The share of hammered words that makes a sentence one that only repeats."""

_SENTENCE = re.compile(r"[^.!?;\n]+(?:[.!?;](?=\S)[^.!?;\n]+)*[.!?;\n]*")
_CLAUSE = re.compile(
    r",\s+|\s+[-–—]+\s+|\s+(?=(?:but|however|yet|only|instead|aber|sondern|mais|pero|ma)\b)|:\s+", re.IGNORECASE
)
_WORD = re.compile(r"[^\W_]+(?:-\d+)?")
_STATE = (
    r"(?:all |perfectly |absolutely |quite )?(?:fine|ok|okay|healthy|online|green|up|running|working|good)(?! (?:and down|for|to|out))"
)
_DENIED = re.compile(
    rf"""\b(?:
      (?:is|are|was|were|looks?|seems?|runs?)\ (?:both\ |still\ |back\ )?{_STATE}\b(?!\ (?:only|if|when|until|again\ only))
    |(?:is|are|was|were|it['’]s|that['’]s)\ not\ (?:the\ |our\ |a\ |my\ )?(?:problem|issue|cause|reason|matter|question|point|concern|topic|fault|affected)
    |(?:isn|aren|wasn|weren)['’]t\ (?:the\ |our\ |a\ |my\ )?(?:problem|issue|cause|reason|matter|question|point|concern|topic|fault|affected)
    |(?:work|run)s?\ (?:just\ )?(?:fine|well|perfectly|as\ expected|normally)
    |(?:do\ not|don['’]t|never|no\ need\ to|need\ not|please\ leave)\ (?:touch|change|restart|look\ (?:at|into)|check|reset|investigate|worry|alone|bother)
    |(?:not|nothing|isn['’]t|n['’]t)\ (?:about|to\ do\ with|related\ to|because\ of|concerning)
    |(?:no|without\ any|not\ a|never\ a)\ (?:\w+\ )?(?:problems?|issues?|troubles?|complaints?|faults?|errors?)\ (?:with|in|at|on)
    |(?:ignore|forget|never\ mind|leave\ aside|apart\ from|rather\ than|instead\ of)\ (?:the|our|my|that|all)\b
    |(?:has|have|was|were|is|are)\ (?:been\ )?(?:already\ )?(?:solved|fixed|resolved|sorted)
    |(?:ist|sind|läuft|laufen|funktioniert|funktionieren)\ (?:nicht\ das\ (?:problem|thema)|in\ ordnung|ok|okay|einwandfrei|fehlerfrei|online)
    |(?:fonctionne|marche)\ (?:bien|parfaitement|très\ bien)|n['’]est\ pas\ (?:le|en)\ (?:problème|cause)
    |funciona\ (?:bien|perfectamente)|no\ es\ el\ problema|funziona\ (?:bene|perfettamente)|non\ è\ il\ problema|funciona\ (?:bem)
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_DENIED_TITLE = re.compile(r"^(?:not?|kein[e]?|pas de|sin|nessun)\b(?!\s+(?:access|longer|one|connection|signal))(?=.*)", re.IGNORECASE)
_TITLE_OF_TROUBLE = re.compile(r"\b(?:issue|problem|fault|error|question|the|about|thema|our)\b", re.IGNORECASE)


@lru_cache(maxsize=4096)
def matter_of(ticket: TicketText) -> TicketText:
    """Of a cleaned ticket what is left of it; the ticket itself where that is all, or nothing to read."""
    sentences = _SENTENCE.findall(ticket.content)
    often = _hammered(f"{ticket.subject}\n{ticket.content}")
    left = "".join(_without(sentence, often) for sentence in sentences) if sentences else ticket.content
    subject = "" if _denies(ticket.subject) else _without(ticket.subject, often)
    if (subject, left) == (ticket.subject, ticket.content):
        return ticket
    found = ticket.model_copy(update={"subject": " ".join(subject.split()), "content": left.strip()})
    return ticket if is_empty(found) else found


def _denies(title: str) -> bool:
    """A title such as `No firewall issue` or `Not the connector`."""
    return bool(_DENIED_TITLE.search(title) and _TITLE_OF_TROUBLE.search(title))


def _hammered(text: str) -> frozenset[str]:
    counts = Counter(_WORD.findall(text.lower()))
    return frozenset(word for word, times in counts.items() if times >= OFTEN and word not in STOP_WORDS)


def _without(sentence: str, often: frozenset[str]) -> str:
    if often:
        words = [word for word in _WORD.findall(sentence.lower()) if word not in STOP_WORDS]
        hammered = sum(word in often for word in words)
        if words and hammered >= FILLED * len(words):
            return "\n"
        if hammered:
            sentence = _WORD.sub(lambda found: "" if found[0].lower() in often else found[0], sentence)
    if not _DENIED.search(sentence):
        return sentence
    return " ".join([*(clause for clause in _CLAUSE.split(sentence) if clause and not _DENIED.search(clause)), "\n"])
