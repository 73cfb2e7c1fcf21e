"""A payload is kept once, whoever sends it how often, on SQLite and on PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from engine.shared.errors import NotFound
from engine.storage.connect import engine_for
from engine.storage.receipts import INGESTED, REJECTED, Finding, Posted, Receipts

AT = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
pytestmark = pytest.mark.usefixtures("sql_only")


def posted(body: bytes, *, source: str = "jira", key: str | None = None) -> Posted:
    return Posted(source, body, AT, "0123456789ab", key)


class TestReceipts:
    def test_are_new_once(self, url: str) -> None:
        receipts = Receipts(engine_for(url))
        found = receipts.keep([posted(b"1"), posted(b"2"), posted(b"1"), posted(b"1", source="bmc")])
        assert [one.is_new for one in found] == [True, True, False, True]
        assert found[0].id == found[2].id != found[3].id
        assert [one.is_new for one in receipts.keep([posted(b"2"), posted(b"3")])] == [False, True]

    def test_one_idempotency_key_is_one_receipt(self, url: str) -> None:
        receipts = Receipts(engine_for(url))
        first, other = receipts.keep([posted(b"1", key="k"), posted(b"2", key="k")])
        third = receipts.keep([posted(b"3", key="k")])[0]
        assert {first.id, other.id, third.id} == {first.id}
        assert [one.is_same for one in (first, other, third)] == [True, False, False]
        assert receipts.keep([posted(b"2", key="k", source="bmc")])[0].is_new

    def test_a_key_that_came_with_a_duplicate_is_not_used_up(self, url: str) -> None:
        receipts = Receipts(engine_for(url))
        found = receipts.keep([posted(b"1"), posted(b"1", key="k"), posted(b"2", key="k")])
        assert [one.is_new for one in found] == [True, False, True]

    def test_are_taken_in_the_order_in_which_they_came(self, url: str) -> None:
        receipts = Receipts(engine_for(url))
        kept = receipts.keep([posted(b"%d" % number) for number in range(5)])
        receipts.mark([Finding(kept[0].id, INGESTED), Finding(kept[1].id, REJECTED, "no\x00 ticket")])
        assert [one.body for one in receipts.waiting(2)] == [b"2", b"3"]
        assert receipts.counts() == {"waiting": 3, INGESTED: 1, REJECTED: 1}
        assert receipts.status(kept[1].id, source="jira").error == "no� ticket"

    def test_are_nothing_to_other_sources(self, url: str) -> None:
        receipts = Receipts(engine_for(url))
        kept = receipts.keep([posted(b"1")])[0]
        with pytest.raises(NotFound):
            receipts.status(kept.id, source="bmc")

    def test_eight_who_send_the_same_have_one_receipt(self, url: str) -> None:
        receipts = Receipts(engine_for(url))
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _: receipts.keep([posted(b"same")])[0], range(8)))
        assert len({one.id for one in found}) == 1
        assert sum(one.is_new for one in found) == 1
