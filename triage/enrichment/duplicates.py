"""Which earlier tickets a ticket may belong to: the same matter told twice, or a customer who comes back.

Texts are found by MinHash signatures cut into bands (Broder 1997; Leskovec et al., Mining of Massive Datasets, ch. 3)
and judged by their exact Jaccard similarity; `related_by_comparing_all` is the plain reference.
"""

import math
import re
from collections import defaultdict, deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from triage.enrichment.contracts import CaseFacts, Related, Relation
from triage.enrichment.minhash import Signature, signature
from triage.enrichment.policy import DuplicatePolicy
from triage.sanitize import all_text, clean_ticket

Pairs = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Shingles = frozenset[str]

REMEMBERED_TEXTS: Final = 4_096
CHUNK: Final = 100_000
_TOKEN = re.compile(r"[぀-ヿ㐀-鿿가-힣]|[^\W぀-ヿ㐀-鿿가-힣]+")
"""A word, or one character of a script written without spaces."""


def shingles_of(case: CaseFacts, policy: DuplicatePolicy) -> Shingles:
    """The runs of words of a ticket's readable text, whatever their case; none of a text too short to compare."""
    words = _TOKEN.findall(all_text(clean_ticket(case.ticket)).casefold())
    if len(words) < policy.fewest_words:
        return frozenset()
    size = min(policy.words_a_shingle, len(words))
    return frozenset(" ".join(words[at : at + size]) for at in range(len(words) - size + 1))


def similarity(one: Shingles, other: Shingles) -> float:
    """Jaccard similarity: what two texts share of all they say; 0 if one says nothing."""
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared) if shared else 0.0


def signatures_of(cases: Sequence[CaseFacts], policy: DuplicatePolicy) -> dict[str, bytes]:
    """The MinHash signature of each case by ticket, empty for a text too short to compare."""
    shingled = ((case.ticket_id, shingles_of(case, policy)) for case in cases)
    return {
        key: signature(shingles, policy.permutations).astype("<u4").tobytes() if shingles else b""
        for key, shingles in shingled
    }


def related_in_turn(
    cases: Sequence[CaseFacts],
    policy: DuplicatePolicy,
    *,
    signatures: Mapping[str, bytes] | None = None,
    fresh: Collection[str] | None = None,
) -> Iterator[tuple[str, tuple[Related, ...]]]:
    """Ticket by ticket, the candidates of each among the tickets opened before it, the most similar first.

    With `fresh`, only of those tickets and of others that one of them may be a candidate for: what changed since the
    whole backlog was compared. A ticket that was looked at has an entry, if an empty one. Time is linear in the
    tickets, in a flood of near-same ones too: of more than `bucket` alike before it, a ticket is compared with the
    `bucket` newest only, so that the tickets of a storm form a chain. One with fewer is compared with all of them.
    """
    marks = signatures_of(cases, policy) if signatures is None else signatures
    ordered = sorted(cases, key=_age)
    every = np.ones(len(ordered), dtype=np.bool_)
    wanted = every if fresh is None else _touched(ordered, marks, policy, set(fresh))

    @lru_cache(maxsize=REMEMBERED_TEXTS)
    def shingles(place: int) -> Shingles:
        return shingles_of(ordered[place], policy)

    pairs, rows = _neighbours(ordered, marks, policy, earlier=every, later=wanted), len(ordered)
    for place in np.flatnonzero(wanted).tolist():
        first, last = np.searchsorted(pairs, [place * rows, (place + 1) * rows])
        before = (pairs[first:last] - place * rows).tolist()
        met = [(similarity(shingles(at), shingles(place)), ordered[at]) for at in before]
        yield ordered[place].ticket_id, _best(ordered[place], met, policy)


def within_reach(
    facts: pl.DataFrame, signatures: Mapping[str, bytes], policy: DuplicatePolicy, fresh: Collection[str]
) -> list[str]:
    """All tickets without which `related_in_turn` could say something else of the fresh ones: those that share a band
    of their signature, or requester and product, with one of them, and those that do so with one of these. Facts have
    a row a ticket."""
    tickets, contact = facts["ticket"], facts.select(pl.concat_str("requester", pl.lit("\n"), "product")).to_series()
    marks = [signatures[ticket] for ticket in tickets.to_list()]
    has_text = np.array([bool(mark) for mark in marks], dtype=np.bool_)
    rows = np.frombuffer(b"".join(marks), dtype="<u4").reshape(-1, policy.permutations)
    bands = [
        _band_keys(rows[:, place : place + policy.rows]) for place in range(0, policy.bands * policy.rows, policy.rows)
    ]
    reached = tickets.is_in([*fresh])
    for _ in range(2):
        same_contact = contact.is_in(contact.filter(reached).drop_nulls().unique().to_list())
        texts = reached.to_numpy()[has_text]
        alike = np.zeros(len(tickets), dtype=np.bool_)
        alike[has_text] = np.logical_or.reduce([_is_among(keys, keys[texts]) for keys in bands])
        reached = reached | same_contact.fill_null(value=False) | pl.Series(alike)
    return tickets.filter(reached).to_list()


def related(
    cases: Sequence[CaseFacts],
    policy: DuplicatePolicy,
    *,
    signatures: Mapping[str, bytes] | None = None,
    fresh: Collection[str] | None = None,
) -> dict[str, tuple[Related, ...]]:
    """The same all at once."""
    return dict(related_in_turn(cases, policy, signatures=signatures, fresh=fresh))


def related_by_comparing_all(cases: Sequence[CaseFacts], policy: DuplicatePolicy) -> dict[str, tuple[Related, ...]]:
    """The same by comparing every two tickets: exact, and quadratic."""
    ordered = sorted(cases, key=_age)
    texts = [shingles_of(case, policy) for case in ordered]
    return {
        case.ticket_id: _best(case, [(similarity(texts[at], texts[place]), ordered[at]) for at in range(place)], policy)
        for place, case in enumerate(ordered)
    }


def judge(earlier: CaseFacts, later: CaseFacts, alike: float, policy: DuplicatePolicy) -> Related | None:
    """What two tickets whose texts are so much alike are to each other, if anything."""
    apart = later.created_at - earlier.created_at
    since = _since(earlier, later)
    resolved = since if since == earlier.resolved_at else None
    same_requester = earlier.requester is not None and earlier.requester == later.requester
    same_company = earlier.company is not None and earlier.company == later.company
    if alike >= policy.near_same and apart <= timedelta(days=policy.text_within_days):
        likeness = "same text" if alike == 1 else f"near-same text {min(alike, 0.99):.2f}"
        if resolved and (same_requester or same_company):
            who = "requester" if same_requester else "company"
            reason = f"{likeness}, same {who}, {_days(later.created_at - resolved)} after it was resolved"
            return _candidate(earlier, later, Relation.REPEAT_CONTACT, alike, reason)
        who = "same requester" if same_requester else "another requester"
        return _candidate(earlier, later, Relation.DUPLICATE, alike, f"{likeness}, {who}")
    within = timedelta(days=policy.contact_within_days)
    if not same_requester or later.product is None or earlier.product != later.product:
        return None
    if later.created_at - since > within:
        return None
    reason = f"same requester about the same product within {policy.contact_within_days} days"
    if resolved:
        return _candidate(earlier, later, Relation.REPEAT_CONTACT, alike, f"{reason} of its resolution")
    return _candidate(earlier, later, Relation.FOLLOW_UP, alike, reason)


def _candidate(earlier: CaseFacts, later: CaseFacts, kind: Relation, alike: float, reason: str) -> Related:
    return Related(
        ticket_id=later.ticket_id, other_id=earlier.ticket_id, kind=kind, similarity=round(alike, 4), reason=reason
    )


def _touched(
    ordered: Sequence[CaseFacts], marks: Mapping[str, bytes], policy: DuplicatePolicy, fresh: Collection[str]
) -> Flags:
    """The fresh tickets and those that one of them may be a candidate for."""
    touched = np.array([case.ticket_id in fresh for case in ordered], dtype=np.bool_)
    pairs = _neighbours(ordered, marks, policy, earlier=touched.copy(), later=np.ones_like(touched))
    touched[pairs // max(1, len(ordered))] = True
    return touched


def _neighbours(
    ordered: Sequence[CaseFacts], marks: Mapping[str, bytes], policy: DuplicatePolicy, *, earlier: Flags, later: Flags
) -> Pairs:
    """The places worth comparing: alike by a band of the signature and by its estimate, or of the same requester about
    the same product shortly before. Only of places that are flagged. Each pair as one number of 8 bytes, for there are
    up to `bucket` a ticket: later * places + earlier, sorted."""
    rows = len(ordered)
    places = np.array([place for place, case in enumerate(ordered) if marks[case.ticket_id]], dtype=np.int64)
    signatures = np.frombuffer(b"".join(marks[ordered[place].ticket_id] for place in places), dtype="<u4")
    alike = places[_alike(signatures.reshape(-1, policy.permutations), policy, earlier[places], later[places])]
    touching = (after * rows + before for before, after in _in_touch(ordered, policy, earlier, later))
    return np.unique(np.concatenate([alike @ np.array([1, rows]), np.fromiter(touching, dtype=np.int64)]))


def _alike(signatures: Signature, policy: DuplicatePolicy, earlier: Flags, later: Flags) -> Pairs:
    """The pairs of flagged rows that share a band and whose signatures agree often enough: earlier, later.

    What is up to three standard errors below the limit is still worth a look. In a band each row meets the `bucket`
    rows before it, and it keeps the `bucket` newest of all that it met.
    """
    margin = 3 * (policy.near_same * (1 - policy.near_same) / policy.permutations) ** 0.5
    least = max(1, math.ceil((policy.near_same - margin) * policy.permutations))
    pairs = np.zeros(0, dtype=np.int64)
    rows = max(1, len(signatures))
    for band in range(policy.bands):
        keys = _band_keys(signatures[:, band * policy.rows : (band + 1) * policy.rows])
        new = np.setdiff1d(_meetings(keys, policy.bucket, earlier, later), pairs, assume_unique=True)
        pairs = _newest(np.sort(np.concatenate([pairs, new[_agreeing(signatures, new, least)]])), rows, policy.bucket)
    return np.stack([pairs % rows, pairs // rows], axis=1)


def _newest(pairs: npt.NDArray[np.int64], rows: int, most: int) -> npt.NDArray[np.int64]:
    """The last `most` pairs of each later row; pairs are sorted and read later * rows + earlier."""
    owners = pairs // rows
    is_further = np.ones(len(pairs), dtype=np.bool_)
    is_further[:-most] = owners[most:] != owners[:-most]
    return pairs[is_further]


def _band_keys(band: Signature) -> npt.NDArray[np.uint64]:
    """One number a row: equal for equal bands, and hardly ever for others (those are weeded out by their texts)."""
    keys = np.zeros(len(band), dtype=np.uint64)
    for column in band.T:
        keys = (keys ^ column) * np.uint64(0x9E3779B97F4A7C15)
        keys ^= keys >> np.uint64(29)
    return keys


def _is_among(keys: npt.NDArray[np.uint64], some: npt.NDArray[np.uint64]) -> Flags:
    """As `np.isin`, several times as fast for few of many."""
    if not len(some):
        return np.zeros(len(keys), dtype=np.bool_)
    ordered = np.sort(some)
    at = np.searchsorted(ordered, keys).clip(max=len(ordered) - 1)
    return np.asarray(ordered[at] == keys)


def _meetings(keys: npt.NDArray[np.uint64], bucket: int, earlier: Flags, later: Flags) -> npt.NDArray[np.int64]:
    """Each flagged row with the flagged ones of the `bucket` rows of the same key before it, as one number a pair:
    later * rows + earlier. Only rows that have their key in common with one of the scarcer flag are put in order."""
    rows, scarcer = len(keys), min(earlier, later, key=np.count_nonzero)
    order = np.arange(rows) if scarcer.all() else np.flatnonzero(np.isin(keys, keys[scarcer]))
    order = order[np.argsort(keys[order], kind="stable")]
    keys = keys[order]
    met = []
    for step in range(1, bucket + 1):
        same = keys[step:] == keys[:-step]
        if not same.any():
            break
        same &= earlier[order[:-step]] & later[order[step:]]
        met.append(order[step:][same] * rows + order[:-step][same])
    return np.sort(np.concatenate(met)) if met else np.zeros(0, dtype=np.int64)


def _agreeing(signatures: Signature, pairs: npt.NDArray[np.int64], least: int) -> npt.NDArray[np.bool_]:
    """Which pairs agree in at least so many places of their signatures."""
    good = np.zeros(len(pairs), dtype=np.bool_)
    for start in range(0, len(pairs), CHUNK):
        one, other = np.divmod(pairs[start : start + CHUNK], len(signatures))
        good[start : start + CHUNK] = (signatures[one] == signatures[other]).sum(axis=1) >= least
    return good


def _in_touch(
    ordered: Sequence[CaseFacts], policy: DuplicatePolicy, earlier: Flags, later: Flags
) -> Iterator[tuple[int, int]]:
    """The flagged places of two tickets of one requester about one product, the later soon after the earlier or its
    end."""
    window = timedelta(days=policy.contact_within_days)
    known: dict[tuple[str, str], deque[int]] = defaultdict(lambda: deque(maxlen=policy.bucket))
    for place, case in enumerate(ordered):
        if case.requester is None or case.product is None:
            continue
        before = known[case.requester, case.product]
        if later[place]:
            near = [at for at in before if earlier[at]]
            yield from ((at, place) for at in near if case.created_at - _since(ordered[at], case) <= window)
        before.append(place)


def _since(earlier: CaseFacts, later: CaseFacts) -> datetime:
    """From when the days between two tickets count: the earlier one's resolution if it came before the later one."""
    resolved = earlier.resolved_at
    return resolved if resolved and earlier.created_at <= resolved <= later.created_at else earlier.created_at


def _best(later: CaseFacts, met: Sequence[tuple[float, CaseFacts]], policy: DuplicatePolicy) -> tuple[Related, ...]:
    """Of the tickets before it with how much their texts are alike, oldest first: of equally similar ones the newest
    come first."""
    newest_first = met[::-1]
    ranked = sorted(newest_first, key=lambda pair: -round(pair[0], 4))
    judged = (judge(case, later, alike, policy) for alike, case in ranked)
    return tuple(islice((one for one in judged if one), policy.most_candidates))


def _age(case: CaseFacts) -> tuple[float, str]:
    return case.created_at.timestamp(), case.ticket_id


def _days(length: timedelta) -> str:
    days = length.days
    return "less than a day" if days == 0 else "1 day" if days == 1 else f"{days} days"
