"""Phrases that people's answers speak for: proposed to a lead, and used once the lead has accepted them."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from math import log
from typing import Final, NamedTuple

from engine.contracts import Frozen, Instant
from engine.shared.errors import BadInput, Conflict, NotFound
from triage.feedback.policy import PhrasePolicy
from triage.feedback.reviews import Review, check_text, known_label, name_of
from triage.taxonomy import Taxonomy, words_of

LONGEST: Final = 3
"""Words of a phrase."""
OWN_SHARE: Final = 0.6
"""Share of its texts that a phrase's first and last word must have under one label: words of no meaning rarely do."""
_ADDRESS = re.compile(r"\S*(?:@|://|www\.)\S*")
_BREAK = re.compile(r"[^\w\s'’-]+|\n+")
_WORD = re.compile(r"[^\W_](?:[\w'’-]*[^\W_])?")


class Proposal(NamedTuple):
    """A phrase that so many answered texts of a label say, and so many of others; `z` says how surely that is no
    chance, `examples` are tickets."""

    phrase: str
    label: str
    texts: int
    elsewhere: int
    z: float
    examples: tuple[str, ...]


class PhraseDecision(Frozen):
    """What a lead decided about a phrase; the last decision on it counts."""

    phrase: str
    label: str
    is_accepted: bool
    texts: int
    decided_by: str
    decided_at: Instant


def proposals(
    answers: Sequence[Review],
    taxonomy: Taxonomy,
    policy: PhrasePolicy,
    *,
    names: Collection[str] = (),
    decided: Sequence[PhraseDecision] = (),
) -> list[Proposal]:
    """One to three words that answered texts of one label say and nearly none of others; the surest first.

    A text counts once, however often it says a phrase or was sent. What the taxonomy has, what was decided on before,
    what holds a refused phrase, a digit, a part of an address, or a word of the `names` of people and companies is not
    proposed.
    """
    newest = sorted(answers, key=lambda one: (one.answered_at, one.ticket_id))[-policy.newest_answers :]
    texts = {tuple(_parts(one.text)): one for one in newest if one.label in taxonomy.product.labels}
    saying: dict[str, list[Review]] = defaultdict(list)
    for parts, answer in texts.items():
        for phrase in {phrase for part in parts for phrase in _phrases(part)}:
            saying[phrase].append(answer)
    private = private_words(names, taxonomy)
    leading = {phrase for phrase, found in saying.items() if _leans(found)} - _function_words()
    fit = [
        one for one in _scored(saying, policy)
        if not set(one.phrase.split()) & private and {one.phrase.split()[0], one.phrase.split()[-1]} <= leading
    ]  # fmt: skip
    known = _known(taxonomy) | {(one.phrase, one.label) for one in decided}
    refused = [(one.phrase, one.label) for one in decided if not one.is_accepted]
    new = [
        one for one in _longest(fit, saying)
        if (one.phrase, one.label) not in known
        and not any(one.label == label and f" {phrase} " in f" {one.phrase} " for phrase, label in refused)
    ]  # fmt: skip
    return sorted(new, key=lambda one: (-one.z, one.phrase))


def private_words(names: Iterable[str], taxonomy: Taxonomy) -> set[str]:
    """The words of names of people and companies, but for those by which the taxonomy describes its labels."""
    contents = taxonomy.product.labels.values()
    own = {word for content in contents for phrase in (*content.phrases, *content.aliases) for word in words_of(phrase)}
    return {word for name in names for word in words_of(name) if len(word) > 1} - own


def with_phrases(taxonomy: Taxonomy, accepted: Sequence[tuple[str, str]]) -> Taxonomy:
    """The taxonomy with accepted phrases, of (label, phrase), beside its own; those of no label of its are left out."""
    known = {phrase for phrase, _ in _known(taxonomy)}
    more: dict[str, list[str]] = defaultdict(list)
    for label, phrase in dict.fromkeys(accepted):
        if label in taxonomy.product.labels and phrase not in known:
            known.add(phrase)
            more[label].append(phrase)
    labels = {
        label: content.model_copy(update={"phrases": (*content.phrases, *more[label])})
        for label, content in taxonomy.product.labels.items()
    }
    return taxonomy.model_copy(update={"product": taxonomy.product.model_copy(update={"labels": labels})})


def in_force(decisions: Iterable[PhraseDecision]) -> list[tuple[str, str]]:
    """Label and phrase of those whose last decision, of decisions as they arrived, is to accept them."""
    last = {(one.label, one.phrase): one.is_accepted for one in decisions}
    return sorted(pair for pair, is_accepted in last.items() if is_accepted)


def decide(
    phrase: str,
    *,
    label: str,
    is_accepted: bool,
    by: str,
    at: Instant,
    proposed: Sequence[Proposal],
    decided: Sequence[PhraseDecision],
    taxonomy: Taxonomy,
) -> PhraseDecision:
    """A lead's yes or no to a proposal, or a no to what was accepted before. Raises BadInput for a label or name that
    is none, Conflict for what was decided so already or was refused for good, NotFound for what is not proposed."""
    check_text("phrase", phrase)
    words, named, who = " ".join(phrase.split()).casefold(), known_label(label, taxonomy), name_of(by)
    last = next((one for one in reversed(decided) if (one.phrase, one.label) == (words, named)), None)
    if last is not None and (not last.is_accepted or is_accepted):
        done = "accepted" if last.is_accepted else "refused"
        raise Conflict(f"{last.decided_by} {done} “{words}” for {named} on {last.decided_at:%Y-%m-%d}; that stands")
    found = next((one for one in proposed if (one.phrase, one.label) == (words, named)), None)
    if found is None and last is None:
        raise NotFound(f"“{words}” is not proposed for {named}; `helmdesk triage phrases` lists what is")
    if is_accepted and len(words) < 2:
        raise BadInput(f"“{words}” is too short for a phrase of the taxonomy, which has two characters at least")
    texts = found.texts if found else last.texts if last else 0
    return PhraseDecision(
        phrase=words, label=named, is_accepted=is_accepted, texts=texts, decided_by=who, decided_at=at
    )


def _parts(text: str) -> Iterator[tuple[str, ...]]:
    """The words of a text from one mark to the next, in small letters and without addresses."""
    for part in _BREAK.split(_ADDRESS.sub(" | ", text.casefold())):
        if words := tuple(_WORD.findall(part)):
            yield words


def _phrases(words: Sequence[str]) -> Iterator[str]:
    for size in range(1, LONGEST + 1):
        for at in range(len(words) - size + 1):
            phrase = " ".join(words[at : at + size])
            if len(phrase) > 1 and not any(map(str.isdigit, phrase)):
                yield phrase


def _scored(saying: Mapping[str, Sequence[Review]], policy: PhrasePolicy) -> Iterator[Proposal]:
    """The log-odds ratio with an informative Dirichlet prior, of a label against all others: B. L. Monroe, M. P.
    Colaresi, K. M. Quinn, Fightin' Words, Political Analysis 16 (2008), 372-403, formulas 16 and 20-22; the prior is
    what all texts say, and a text counts a phrase once."""
    counts = {phrase: Counter(answer.label for answer in found) for phrase, found in saying.items()}
    totals: Counter[str] = Counter()
    for each in counts.values():
        totals.update(each)
    whole = totals.total()
    for phrase, each in counts.items():
        prior, rest = policy.prior * each.total(), policy.prior * (whole - each.total())
        for label, texts in each.items():
            elsewhere = each.total() - texts
            if texts < policy.least_texts or elsewhere > policy.most_elsewhere * each.total():
                continue
            here = log((texts + prior) / (totals[label] - texts + rest))
            there = log((elsewhere + prior) / (whole - totals[label] - elsewhere + rest))
            z = (here - there) / (1 / (texts + prior) + 1 / (elsewhere + prior)) ** 0.5
            if z >= policy.least_z:
                tickets = [answer.ticket_id for answer in saying[phrase] if answer.label == label]
                yield Proposal(phrase, label, texts, elsewhere, z, tuple(tickets[-policy.examples :]))


def _function_words() -> frozenset[str]:
    """English ones, which the few answers of a beginning do not tell from others."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return frozenset(ENGLISH_STOP_WORDS)


def _leans(found: Sequence[Review]) -> bool:
    return max(Counter(answer.label for answer in found).values()) >= OWN_SHARE * len(found)


def _longest(found: Sequence[Proposal], saying: Mapping[str, Sequence[Review]]) -> list[Proposal]:
    """Of phrases that the very same texts say the longest alone: "connector" says no more than "connector offline"."""
    by_texts: dict[tuple[str, ...], Proposal] = {}
    for one in sorted(found, key=lambda one: (len(one.phrase.split()), one.phrase)):
        by_texts[(one.label, *(answer.ticket_id for answer in saying[one.phrase]))] = one
    return list(by_texts.values())


def _known(taxonomy: Taxonomy) -> set[tuple[str, str]]:
    """Every phrase of the taxonomy, with each label: a phrase teaches one label."""
    contents = taxonomy.product.labels.values()
    own = {text.casefold() for content in contents for text in (*content.phrases, *content.examples, *content.aliases)}
    return {(phrase, label) for phrase in own for label in taxonomy.product.labels}
