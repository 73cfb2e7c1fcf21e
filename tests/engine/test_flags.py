"""Flags mark special cases and set in motion what the policy says."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import flags
from engine.contracts import Kind, Priority
from engine.flags import FlagType
from engine.shared.errors import NotAllowed
from engine.timeline import EntryType, TimelineEntry
from tests.engine.people import POLICIES, a_ticket, later, owned

POLICY = flags.load(POLICIES / "flags.yaml")


def add(kind: str, ticket: Any = None, present: Any = ()) -> flags.Flagged:
    what = {"key": "f1", "type": FlagType(kind), "by": "ana", "reason": "seen", "at": later(1), "policy": POLICY}
    return flags.add(ticket or owned(), present=present, **what)


@pytest.mark.parametrize(("before", "after"), [("low", "medium"), ("medium", "high"), ("critical", "critical")])
@pytest.mark.parametrize("kind", ["social_media", "vip"])
def test_social_media_and_vip_raise_the_promise_one_step(kind: str, before: str, after: str) -> None:
    flagged = add(kind, owned(priority=before))
    assert flagged.ticket.priority == Priority(after)
    kinds = [event.kind for event in flagged.events]
    assert kinds == ([Kind.FLAG] if before == after else [Kind.FLAG, Kind.PRIORITY])


def test_effects_name_who_hears_and_who_helps() -> None:
    assert add("social_media").effect.notify == ("group_manager",)
    assert add("legal").effect.envelope_team == "legal"
    assert add("repeat_contact").effect.suggests == ("escalation", "root_cause")
    assert add("physical_damage").effect == flags.Effect()


def test_contract_tier_stays() -> None:
    assert add("social_media").ticket.tier == owned().tier


def test_a_flag_is_set_once_until_cleared() -> None:
    flag = add("legal").flag
    with pytest.raises(NotAllowed, match="already has the flag legal"):
        add("legal", present=[flag])
    cleared = flags.clear(owned(), flag, by="cleo", at=later(2))
    assert (cleared.flag.cleared_by, cleared.flag.cleared_at) == ("cleo", later(2))
    assert add("legal", present=[cleared.flag]).flag.is_active
    with pytest.raises(NotAllowed, match="cleared by cleo already"):
        flags.clear(owned(), cleared.flag, by="ana", at=later(3))


def mail(hour: float, kind: EntryType = EntryType.EMAIL_INBOUND) -> TimelineEntry:
    return TimelineEntry(
        id=f"m{hour}", ticket_id="web:1", type=kind, author_id="rob", content="?", created_at=later(hour)
    )


REPLY = EntryType.EMAIL_OUTBOUND


def is_repeat(others: Any = (), mails: Any = (), **facts: Any) -> bool:
    ticket = a_ticket(requester_id="rob", **{"product": "DLP", **facts})
    return flags.is_repeat_contact(ticket, of_requester=others, entries=mails, policy=POLICY.repeat_contact)


def earlier(number: int, days: float = -1, **facts: Any) -> Any:
    known = {"product": "DLP", "requester_id": "rob", **facts}
    return a_ticket(id=f"web:0{number}", created_at=later(days=days), **known)


@pytest.mark.parametrize(
    ("others", "found"),
    [
        ([earlier(1)], False),
        ([earlier(1), earlier(2)], True),
        ([earlier(1), earlier(2, days=-30)], True),
        ([earlier(1), earlier(2, days=-31)], False),
        ([earlier(1), earlier(2, product="SWG")], False),
        ([earlier(1), earlier(2, requester_id="sue")], False),
        ([earlier(1), earlier(2, days=1)], False),
    ],
)
def test_third_contact_about_one_issue_is_a_repeat(others: Any, found: bool) -> None:
    assert is_repeat(others) is found


def test_without_product_the_category_is_the_issue_but_other_is_none() -> None:
    vpn = [earlier(n, product=None, category="vpn") for n in (1, 2)]
    assert is_repeat(vpn, product=None, category="vpn")
    other = [earlier(n, product=None) for n in (1, 2)]
    assert not is_repeat(other, product=None)


@pytest.mark.parametrize(
    ("mails", "found"),
    [
        ([mail(1)], False),
        ([mail(1), mail(2)], True),
        ([mail(1, REPLY), mail(2), mail(3, REPLY), mail(4)], False),
        ([mail(1, REPLY), mail(2), mail(3), mail(4)], True),
    ],
)
def test_chasing_an_answer_counts_as_contact(mails: Any, found: bool) -> None:
    assert is_repeat(mails=mails) is found


CONTACT = st.tuples(
    st.sampled_from(["rob", "sue", None]),
    st.sampled_from(["DLP", "SWG", None]),
    st.sampled_from(["other", "vpn", "dns"]),
    st.one_of(st.sampled_from([0.0, 29.0, 30.0, 31.0]), st.floats(0, 40)),
)


@given(st.lists(CONTACT, max_size=12))
def test_a_store_has_the_repeat_contacts_that_its_tickets_are(drawn: list[Any]) -> None:
    tickets = [
        a_ticket(id=f"web:{n:02}", requester_id=who, product=product, category=category, created_at=later(days=days))
        for n, (who, product, category, days) in enumerate(drawn)
    ]
    plain = [
        one.id
        for one in tickets
        if flags.is_repeat_contact(one, of_requester=tickets, entries=[], policy=POLICY.repeat_contact)
    ]
    schema = {"ticket": pl.String, **dict.fromkeys(("requester_id", "product", "category"), pl.String)}
    rows = [(one.id, one.requester_id, one.product, one.category, one.created_at) for one in tickets]
    frame = pl.DataFrame(rows, schema={**schema, "created_at": pl.Datetime("us", "UTC")}, orient="row")
    assert flags.came_back(frame, frame, policy=POLICY.repeat_contact) == plain
