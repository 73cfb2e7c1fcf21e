import csv
import json
import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cpu import cpu_seconds
from tests.triage.conftest import DATA
from tests.triage.enrichment.enriching import POLICY, case, facts
from triage.enrichment import duplicates
from triage.enrichment.contracts import CaseFacts, Related
from triage.enrichment.duplicates import (
    judge,
    related,
    related_by_comparing_all,
    related_in_turn,
    signatures_of,
    similarity,
    within_reach,
)
from triage.enrichment.minhash import SEED, signature

RULES = POLICY.duplicates
TUNNEL = "The tunnel from the Lyon branch drops every hour and comes back after two minutes since Monday"
EDITED = TUNNEL.replace("two minutes", "three minutes")
OTHER = "Please add a purchase order number and a second address to our billing account for the invoice"

PAIRS = [
    # earlier ticket, later ticket, kind, reason
    ({"content": TUNNEL, "requester": "ana"}, {"content": TUNNEL.upper(), "day": 1, "requester": "ben"},
     "duplicate", "same text, another requester"),
    ({"content": TUNNEL, "requester": "ana"}, {"content": TUNNEL, "day": 1, "requester": "ana"},
     "duplicate", "same text, same requester"),
    ({"content": TUNNEL, "company": "acme"}, {"content": EDITED, "day": 1, "company": "acme"},
     "duplicate", "near-same text 0.78, another requester"),
    ({"content": TUNNEL, "requester": "ana", "resolved_day": 1}, {"content": TUNNEL, "day": 4, "requester": "ana"},
     "repeat_contact", "same text, same requester, 3 days after it was resolved"),
    ({"content": TUNNEL, "company": "acme", "resolved_day": 1}, {"content": TUNNEL, "day": 1.5, "company": "acme"},
     "repeat_contact", "same text, same company, less than a day after it was resolved"),
    ({"content": TUNNEL, "company": "acme", "resolved_day": 1}, {"content": TUNNEL, "day": 3, "company": "other"},
     "duplicate", "same text, another requester"),
    ({"content": TUNNEL}, {"content": TUNNEL, "day": 91}, None, None),
    ({"content": TUNNEL, "requester": "ana", "product": "CFW"},
     {"content": OTHER, "day": 6, "requester": "ana", "product": "CFW"},
     "follow_up", "same requester about the same product within 7 days"),
    ({"content": TUNNEL, "requester": "ana", "product": "CFW", "resolved_day": 20},
     {"content": OTHER, "day": 26, "requester": "ana", "product": "CFW"},
     "repeat_contact", "same requester about the same product within 7 days of its resolution"),
    ({"content": TUNNEL, "requester": "ana", "product": "CFW"},
     {"content": OTHER, "day": 8, "requester": "ana", "product": "CFW"}, None, None),
    ({"content": TUNNEL, "requester": "ana", "product": "CFW"},
     {"content": OTHER, "day": 1, "requester": "ana", "product": "SWG"}, None, None),
    ({"content": "password"}, {"content": "password", "day": 1}, None, None),
    ({"content": "😀😀😀 😀 😀 😀"}, {"content": "😀😀😀 😀 😀 😀", "day": 1}, None, None),
]  # fmt: skip


def pairs(found: dict[str, tuple[Related, ...]]) -> set[tuple[str, str, str]]:
    return {(one.ticket_id, one.other_id, one.kind) for candidates in found.values() for one in candidates}


@pytest.mark.parametrize(("earlier", "later", "kind", "reason"), PAIRS)
def test_two_tickets_are_what_the_rules_say(earlier, later, kind, reason) -> None:
    found = related([case("b", **later), case("a", **earlier)], RULES)
    assert found["a"] == ()
    assert [(one.other_id, one.kind, one.reason) for one in found["b"]] == ([("a", kind, reason)] if kind else [])


def test_candidates_are_few_and_the_most_similar_first() -> None:
    cases = [case(f"t{at}", TUNNEL, day=at) for at in range(8)] + [case("x", EDITED, day=7.5)]
    last = related([*cases, case("y", TUNNEL, day=8)], RULES)["y"]
    assert [one.other_id for one in last] == ["t7", "t6", "t5", "t4", "t3"]
    assert [one.similarity for one in last] == [1.0] * 5


def test_a_flood_of_one_mail_costs_a_bucket_each() -> None:
    flood = [case(f"{at:04}", f"{TUNNEL} number {at}", day=at / 1000) for at in range(300)]
    found = related(flood, RULES.model_copy(update={"bucket": 5, "most_candidates": 50}))
    assert max(len(candidates) for candidates in found.values()) == 5
    assert all(found[one.ticket_id] for one in flood[1:])


def storm(size: int) -> list[CaseFacts]:
    """What a monitoring sends when a data centre fails: near-equal tickets of one requester within hours."""
    chance = random.Random(3)
    return [
        case(
            f"t{at:06}",
            f"Alert of the monitoring: host web-{chance.randrange(400)} does not answer, load {chance.randrange(100)} "
            f"percent, response time {chance.randrange(9000)} ms. The probe checked three times within five minutes. "
            "See the runbook for lost hosts and tell the network team on call.",
            day=at / 20_000, requester="monitoring", product="ZTNA",
        )
        for at in range(size)
    ]  # fmt: skip


def seconds(cases: list[CaseFacts]) -> float:
    marks = signatures_of(cases, RULES)
    return cpu_seconds(lambda: related(cases, RULES, signatures=marks), under=0.1)


def compared(cases: list[CaseFacts], monkeypatch: pytest.MonkeyPatch) -> int:
    """How many pairs of texts are read again."""
    plain, pairs = duplicates.similarity, list[int]()
    with monkeypatch.context() as patch:
        patch.setattr(duplicates, "similarity", lambda one, other: pairs.append(1) or plain(one, other))
        related(cases, RULES)
    return len(pairs)


def test_a_storm_is_compared_in_step_with_its_tickets(monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = (compared(storm(size), monkeypatch) for size in (500, 2_000))
    assert 0 < few < many <= 4.5 * few


def test_a_storm_costs_in_step_with_its_tickets() -> None:
    seconds(storm(100))  # imports
    few, many = (min(seconds(storm(size)) for _ in range(3)) for size in (200, 800))
    assert many <= 10 * few  # each with each would be 16


def test_the_pairs_of_a_storm_are_held_as_numbers() -> None:
    """Fifty earlier tickets each: 400 bytes a ticket, and not an object a pair."""
    cases = [case(f"{at:06}", f"host {at}", day=at / 20_000, requester="m", product="ZTNA") for at in range(1_000)]
    marks = signatures_of(cases, RULES)
    tracemalloc.start()
    next(related_in_turn(cases, RULES, signatures=marks))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most / len(cases) < 2_500  # a set of numbers a ticket: 3,350


def test_what_is_new_in_a_storm_is_compared_alone() -> None:
    cases = storm(1_000)
    before, after = related(cases[:-20], RULES), related(cases, RULES, fresh={one.ticket_id for one in cases[-20:]})
    assert len(after) == 20
    assert before | after == related(cases, RULES)


WORDS = [
    "tunnel",
    "drops",
    "connector",
    "offline",
    "invoice",
    "wrong",
    "file",
    "blocked",
    "scan",
    "stuck",
    "policy",
    "alert",
    "user",
    "login",
    "slow",
    "portal",
]
TEXTS = st.lists(st.sampled_from(WORDS), min_size=0, max_size=14).map(" ".join)


@st.composite
def backlogs(draw: st.DrawFn) -> list[CaseFacts]:
    """Texts that repeat or nearly repeat each other, of few requesters."""
    texts = draw(st.lists(TEXTS, min_size=1, max_size=6))
    chosen = draw(st.lists(st.tuples(st.sampled_from(texts), st.booleans()), min_size=1, max_size=14))
    who, days = st.sampled_from([None, "ana", "ben"]), st.integers(0, 20)
    return [
        case(
            f"t{at:02}", f"{text} portal" if longer else text, day=draw(days), requester=draw(who), product="CFW",
            resolved_day=draw(st.none() | st.integers(0, 40)),
        )
        for at, (text, longer) in enumerate(chosen)
    ]  # fmt: skip


@given(backlogs())
def test_found_pairs_are_those_of_comparing_all(cases: list[CaseFacts]) -> None:
    generous = RULES.model_copy(update={"most_candidates": 50})
    found, exact = pairs(related(cases, generous)), pairs(related_by_comparing_all(cases, generous))
    assert found <= exact
    same = {(a, b) for a, told in related_by_comparing_all(cases, generous).items() for b in told if b.similarity == 1}
    assert {(one.ticket_id, one.other_id, one.kind) for _, one in same} <= found


@given(backlogs(), st.data())
def test_comparing_what_changed_is_comparing_all_anew(cases: list[CaseFacts], data: st.DataObject) -> None:
    new = data.draw(st.sets(st.sampled_from([one.ticket_id for one in cases])))
    before = related([one for one in cases if one.ticket_id not in new], RULES)
    after = related(cases, RULES, fresh=new)
    assert before | after == related(cases, RULES)


@given(backlogs(), st.data(), st.integers(1, 3))
def test_only_what_is_within_reach_has_a_say(cases: list[CaseFacts], data: st.DataObject, bucket: int) -> None:
    rules = RULES.model_copy(update={"bucket": bucket})
    new = data.draw(st.sets(st.sampled_from([one.ticket_id for one in cases])))
    reached = within_reach(facts(*cases), signatures_of(cases, rules), rules, new)
    some = [one for one in cases if one.ticket_id in reached]
    assert related(some, rules, fresh=new) == related(cases, rules, fresh=new)


def test_who_shares_neither_words_nor_product_is_out_of_reach() -> None:
    ana = {"requester": "ana", "product": "CFW"}
    cases = [case("a", TUNNEL, **ana), case("b", OTHER, **ana), case("c", OTHER.upper()), case("d", "password " * 9)]
    marks = signatures_of(cases, RULES)
    assert within_reach(facts(*cases), marks, RULES, {"a"}) == ["a", "b", "c"]
    assert within_reach(facts(*cases), marks, RULES, {"d"}) == ["d"]
    assert within_reach(facts(*cases), marks, RULES, set()) == []


def test_a_signature_is_the_same_whatever_stands_beside_it() -> None:
    alone = signatures_of([case("a", TUNNEL)], RULES)
    assert signatures_of([case("b", OTHER), case("a", TUNNEL)], RULES)["a"] == alone["a"]
    assert len(alone["a"]) == 4 * RULES.permutations


def test_strangers_are_not_related_by_their_product() -> None:
    first, second = case("a", TUNNEL, requester="ana", product="CFW"), case("b", OTHER, requester="ben", product="CFW")
    assert judge(first, second, 0.4, RULES) is None
    assert judge(first, second.model_copy(update={"requester": None}), 0.4, RULES) is None


def test_similarity_of_nothing_is_none() -> None:
    assert similarity(frozenset(), frozenset()) == 0.0


def edited(text: str, share: float, chance: random.Random) -> str:
    return " ".join("x" + word if chance.random() < share else word for word in text.split())


def test_near_same_texts_are_found_nearly_always() -> None:
    """Synthetic edits of sample tickets; every exact pair counts, near the limit as well."""
    chance, lines = random.Random(7), (DATA / "tickets" / "tickets.jsonl").read_text(encoding="utf-8").split("\n")
    texts = [json.loads(line).get("description") or "" for line in lines[:250]]
    cases = [case(f"a{at}", text) for at, text in enumerate(texts)]
    cases += [case(f"b{at}", edited(text, chance.random() / 4, chance), day=1) for at, text in enumerate(texts)]
    found, exact = pairs(related(cases, RULES)), pairs(related_by_comparing_all(cases, RULES))
    assert len(exact) > 150
    assert len(found & exact) / len(exact) >= 0.97
    assert found <= exact


def test_labelled_duplicates_of_the_sample_are_candidates() -> None:
    with (DATA / "tickets" / "labels.csv").open(encoding="utf-8") as file:
        twin = {row["external_id"]: row["duplicate_of"] for row in csv.DictReader(file) if row["duplicate_of"]}
    cases = []
    for at, line in enumerate((DATA / "tickets" / "tickets.jsonl").read_text(encoding="utf-8").splitlines()):
        if '"description"' in line and line.endswith("}"):
            ticket = json.loads(line)
            cases.append(
                case(ticket["ticket_id"], ticket["description"] or "", subject=ticket.get("title", ""), day=at / 50)
            )
    found = related(cases, RULES)
    missed = [key for key, first in twin.items() if all(one.other_id != first for one in found[key])]
    assert len(missed) <= len(twin) / 30  # of a short text with typos in three words too little is the same
    text_pairs = [one for candidates in found.values() for one in candidates if one.similarity >= RULES.near_same]
    assert len([one for one in text_pairs if twin.get(one.ticket_id) != one.other_id]) <= 5


@given(st.sets(st.text(min_size=1), min_size=1, max_size=60), st.sampled_from([16, 128]))
def test_signatures_are_those_of_datasketch(elements, places) -> None:
    from datasketch import MinHash

    theirs = MinHash(num_perm=places, seed=SEED, scheme="affine32")
    theirs.update_batch([element.encode() for element in elements])
    assert signature(elements, places).tolist() == theirs.hashvalues.tolist()
