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
RUN: Final = 4
"""So many words in a row are hammered in when they stand three times, in a title twice."""
LONGEST_TITLE: Final = 300
"""Characters; a longer one is no title but words put there to be read first."""

_SENTENCE = re.compile(r"[^.!?;\n]+(?:[.!?;](?=\S)[^.!?;\n]+)*[.!?;\n]*")
_CLAUSE = re.compile(
    r",\s+|\s+[-–—]+\s+|\s+(?=(?:but|however|yet|only|instead|aber|sondern|mais|pero|ma)\b)|:\s+", re.IGNORECASE
)
_WORD = re.compile(r"[^\W_]+(?:-\d+)?")
_NAME = re.compile(r"(?<![^\W_])(?:(?i:[a-z]{2,10})[-\s_.#\u2010-\u2015]{0,2}\d{2,6}|[A-Z]{3,10})(?![^\W_])")
"""A code, or a name in capitals."""
_STATE = (
    r"(?:all |perfectly |absolutely |quite )?(?:fine|ok|okay|healthy|online|green|up|running|working"
    r"|good|stable|normal|unaffected|not affected|solved|settled|sorted)(?! (?:and down|for|to|out))"
)
_DENIED = re.compile(
    rf"""\b(?:
      (?:is|are|was|were|looks?|seems?|runs?)\ (?:both\ |still\ |back\ )?{_STATE}\b(?!\ (?:only|if|when
      |until|again\ only))
    |(?:is|are|was|were|it['’]s|that['’]s)\ not\ (?:the\ |our\ |a\ |my\ )?(?:problem|issue|cause|reason
    |matter|question|point|concern|topic|fault|affected)
    |(?:isn|aren|wasn|weren)['’]t\ (?:the\ |our\ |a\ |my\ )?(?:problem|issue|cause|reason|matter|question
    |point|concern|topic|fault|affected)
    |(?:work|run)s?\ (?:just\ )?(?:fine|well|perfectly|as\ expected|normally)
    |(?:do\ not|don['’]t|never|no\ need\ to|need\ not|please\ leave)\ (?:touch|change|restart|look\ (?:at
    |into)|check|reset|investigate|worry|alone|bother)
    |(?:not|nothing|isn['’]t|n['’]t)\ (?:about|to\ do\ with|related\ to|because\ of|concerning)
    |(?:no|without\ any|not\ a|never\ a)\ (?:\w+\ )?(?:problems?|issues?|troubles?|complaints?|faults?
    |errors?)\ (?:with|in|at|on)
    |(?:ignore|forget|never\ mind|leave\ aside|apart\ from|rather\ than|instead\ of)\ (?:the|our|my|that|all)\b
    |(?:has|have|was|were|is|are)\ (?:been\ )?(?:already\ )?(?:solved|fixed|resolved|sorted)
    |(?:ist|sind|läuft|laufen|funktioniert|funktionieren)\ (?:nicht\ das\ (?:problem|thema)|in\ ordnung|ok
    |okay|einwandfrei|fehlerfrei|online|stabil|normal|(?:schon\ |bereits\ )?(?:gelöst|behoben|erledigt))
    |(?:est|sont)\ (?:déjà\ )?(?:résolue?s?|réglée?s?|stables?)|(?:está|están)\ (?:ya\ )?(?:resuelt|solucionad|estable)
    |(?:è|sono)\ (?:già\ )?(?:risolt|stabil)|está\ (?:já\ )?(?:resolvid|estável)
    |is\ (?:al\ )?(?:opgelost|verholpen|stabiel)
    |(?:fonctionne|marche)\ (?:bien|parfaitement|très\ bien)|n['’]est\ pas\ (?:le|en)\ (?:problème|cause)
    |funciona\ (?:bien|perfectamente)|no\ es\ el\ problema|funziona\ (?:bene|perfettamente)
    |non\ è\ il\ problema|funciona\ (?:bem)
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_DENIED_TITLE = re.compile(
    r"^(?:not?|kein[e]?|pas de|sin|nessun)\b(?!\s+(?:access|longer|one|connection|signal))(?=.*)", re.IGNORECASE
)
_TITLE_OF_TROUBLE = re.compile(r"\b(?:issue|problem|fault|error|question|the|about|thema|our)\b", re.IGNORECASE)


@lru_cache(maxsize=4096)
def matter_of(ticket: TicketText) -> TicketText:
    """Of a cleaned ticket what is left of it; the ticket itself where that is all, or nothing to read."""
    often, denied = hammered_words(ticket), _denied_names(f"{ticket.subject}\n{ticket.content}")
    is_title = len(ticket.subject) <= LONGEST_TITLE and not _denies(ticket.subject)
    subject = _unnamed(_rest(ticket.subject, often), denied) if is_title else ""
    left = _unnamed(_rest(ticket.content, often), denied)
    if (subject, left) == (ticket.subject, ticket.content):
        return ticket
    found = ticket.model_copy(update={"subject": " ".join(subject.split()), "content": left.strip()})
    return ticket if is_empty(found) else found


def _denied_names(text: str) -> frozenset[str]:
    """The codes and the names in capitals of which the text says that they are not the matter."""
    if not _DENIED.search(text):
        return frozenset()
    clauses = (clause for sentence in _SENTENCE.findall(text) for clause in _CLAUSE.split(sentence) if clause)
    return frozenset(
        _name(found[0]) for clause in clauses if _DENIED.search(clause) for found in _NAME.finditer(clause)
    )


def _name(typed: str) -> str:
    return "".join(filter(str.isalnum, typed.upper()))


def _unnamed(text: str, denied: frozenset[str]) -> str:
    """Without those, wherever else they stand."""
    return _NAME.sub(lambda found: "" if _name(found[0]) in denied else found[0], text) if denied else text


def _denies(title: str) -> bool:
    """A title such as `No firewall issue` or `Not the connector`."""
    return bool(_DENIED_TITLE.search(title) and _TITLE_OF_TROUBLE.search(title))


@lru_cache(maxsize=4096)
def hammered_words(ticket: TicketText) -> frozenset[str]:
    """The words that a cleaned ticket says over and over, in small letters."""
    return _hammered(f"{ticket.subject}\n{ticket.content}", runs=3) | _hammered(ticket.subject, runs=2)


def _hammered(text: str, *, runs: int) -> frozenset[str]:
    words = _WORD.findall(text.lower())
    often = {word for word, times in Counter(words).items() if times >= OFTEN}
    rows = Counter(zip(*(words[at:] for at in range(RUN)), strict=False))
    often.update(word for row, times in rows.items() if times >= runs for word in row)
    return frozenset(often - STOP_WORDS)


def _rest(text: str, often: frozenset[str]) -> str:
    if not often and not _DENIED.search(text):
        return text
    return "".join(_without(sentence, often) for sentence in _SENTENCE.findall(text))


def _without(sentence: str, often: frozenset[str]) -> str:
    if often:
        words = [word for word in _WORD.findall(sentence.lower()) if word not in STOP_WORDS]
        other = sum(word not in often for word in words)
        if other < len(words) and other <= 1:
            return "\n"
        if other < len(words):
            sentence = _WORD.sub(lambda found: "" if found[0].lower() in often else found[0], sentence)
    if not _DENIED.search(sentence):
        return sentence
    return " ".join([*(clause for clause in _CLAUSE.split(sentence) if clause and not _DENIED.search(clause)), "\n"])
