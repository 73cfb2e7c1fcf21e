"""What a source posts is accepted once, durably, under the source's own name, and becomes tickets soon after."""

import hashlib
import hmac
import json

import pytest

from engine.shared.errors import NotFound
from pipelines.app import identity
from pipelines.service.callers import check_signature
from pipelines.service.problems import Unauthorized
from tests.pipelines.service.conftest import SECRET, Served


def body(number: object, **more: object) -> dict[str, object]:
    return {"ticket_id": f"W-{number}", "title": "VPN drops", "description": "every hour since Monday"} | more


def signed(content: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()


def state(served: Served, receipt: int, key: str = "webhook") -> dict[str, object]:
    def known() -> dict[str, object] | None:
        found = served.ask("GET", f"/webhooks/receipts/{receipt}", key).json()
        return None if found["state"] == "waiting" else found

    return served.eventually(known)


def test_becomes_a_ticket_created_when_it_came(served: Served) -> None:
    answer = served.post_ticket(body(1))
    assert (answer.status_code, answer.json()["undated"], "created_at" in answer.json()["note"]) == (202, 1, True)
    assert state(served, answer.json()["receipt"])["state"] == "ingested"
    ticket = served.app.store.ticket("webhook:W-1")
    assert ticket.created_at.isoformat() == answer.json()["received_at"].replace("Z", "+00:00")


def test_keeps_a_creation_that_is_stated(served: Served) -> None:
    answer = served.post_ticket(body(2, created_at="2026-03-02T09:15:00-05:00"))
    state(served, answer.json()["receipt"])
    assert (answer.json()["undated"], answer.json()["note"]) == (0, None)
    assert served.app.store.ticket("webhook:W-2").created_at.isoformat() == "2026-03-02T14:15:00+00:00"


def test_an_update_without_creation_is_no_contradiction(served: Served) -> None:
    answer = served.post_ticket(body(3, updated_at="2026-03-02T09:15:00Z"))
    assert state(served, answer.json()["receipt"])["error"] is None
    assert served.app.store.ticket("webhook:W-3").created_at.isoformat() == "2026-03-02T09:15:00+00:00"


def test_a_text_that_says_nothing_is_refused(served: Served) -> None:
    answer = served.post_ticket(body(11, title="VPN", description=""))
    assert "expected 10 to 10000" in str(state(served, answer.json()["receipt"])["error"])


def test_the_same_body_is_a_duplicate(served: Served) -> None:
    first, again = served.post_ticket(body(4)).json(), served.post_ticket(body(4)).json()
    assert (first["duplicate"], again["duplicate"]) == (False, True)
    assert (again["receipt"], again["received_at"]) == (first["receipt"], first["received_at"])


def test_the_same_idempotency_key_is_one_message(served: Served) -> None:
    first = served.post_ticket(body(5), Idempotency_Key="k-5")
    other = served.post_ticket(body(5, title="other"), Idempotency_Key="k-5")
    assert (first.status_code, other.status_code) == (202, 409)
    assert f"receipt {first.json()['receipt']} " in other.json()["detail"]
    assert served.post_ticket(body(5), Idempotency_Key="k-5").json()["duplicate"]


def test_what_cannot_be_read_is_kept_with_its_reason(served: Served) -> None:
    answer = served.post_ticket(body(6, priority="huge", requester_location={"lat": False, "lng": 1.5}))
    found = state(served, answer.json()["receipt"])
    assert (answer.status_code, found["state"]) == (202, "rejected")
    assert "priority" in str(found["error"])
    assert "lat" in str(found["error"])
    rejected = [one for one in served.app.store.rejected() if one.origin == f"receipt {found['receipt']}"]
    assert rejected[0].content["ticket_id"] == "W-6"


@pytest.mark.parametrize("content", [b"", b"[]", b'"a"', b"{", b"\xff{}", b'{"a": NaN}', b"[" * 5_000])
def test_a_body_that_is_no_object_is_refused_at_once(served: Served, content: bytes) -> None:
    before = served.app.receipts.counts()
    answer = served.post_ticket(content)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert served.app.receipts.counts() == before


def test_a_source_writes_no_tickets_of_another(served: Served) -> None:
    answer = served.post_ticket(body("7", source="servicenow"))
    assert "of another source" in str(state(served, answer.json()["receipt"])["error"])
    with pytest.raises(NotFound):
        served.app.store.ticket("servicenow:W-7")


def test_a_source_writes_no_tickets_that_were_taken_down_at_the_desk(served: Served) -> None:
    taken = served.ask("POST", "/desk/tickets/create", json={"title": "By phone"}).json()
    answer = served.post_ticket(body("9", source="desk", ticket_id=taken["external_id"], status="closed"))
    assert "of another source" in str(state(served, answer.json()["receipt"])["error"])
    assert served.app.store.ticket(taken["id"]).subject == "By phone"


def test_a_source_that_has_no_plugin_of_its_own_may_be_named(served: Served) -> None:
    answer = served.post_ticket(body("8", source="partner"))
    state(served, answer.json()["receipt"])
    assert served.app.store.ticket("partner:W-8").subject == "VPN drops"


def test_a_source_writes_no_tickets_of_another_that_has_a_key(served: Served) -> None:
    for source in ("partner-a", "desk"):
        served.keys[source] = identity.create_key(served.app, by=identity.local_user(served.app), source=source)
    for sender, source in (("webhook", "partner-a"), ("desk", "desk")):
        answer = served.post_ticket(body(10, source=source), key=sender, X_Source_ID=sender)
        assert "of another source" in str(state(served, answer.json()["receipt"], sender)["error"])


@pytest.mark.parametrize("source", ["servicenow", "no-plugin-of-ours"])
def test_any_source_with_a_key_may_speak_standard_ticket(served: Served, source: str) -> None:
    served.keys[source] = identity.create_key(served.app, by=identity.local_user(served.app), source=source)
    answer = served.post_ticket(body(9, source=source), key=source, X_Source_ID=source)
    assert (answer.status_code, state(served, answer.json()["receipt"], source)["state"]) == (202, "ingested")
    assert served.app.store.ticket(f"{source}:W-9").source == source


class TestSignature:
    def test_opens_the_source_it_belongs_to(self, served: Served) -> None:
        content = json.dumps(body(20)).encode()
        answer = served.post_ticket(content, key=None, X_Helmdesk_Signature=signed(content))
        assert answer.status_code == 202

    def test_no_bit_of_it_may_be_wrong(self, served: Served) -> None:
        content = json.dumps(body(21)).encode()
        right = bytes.fromhex(signed(content).removeprefix("sha256="))
        for place in range(256):
            wrong = bytearray(right)
            wrong[place // 8] ^= 1 << place % 8
            with pytest.raises(Unauthorized):
                check_signature(SECRET, content, f"sha256={wrong.hex()}")
        assert served.post_ticket(content, key=None, X_Helmdesk_Signature=f"sha256={wrong.hex()}").status_code == 401

    @pytest.mark.parametrize("shape", ["", "sha256=", "{0}0", "{0} x", "sha1={1}", "{1}", "SHA256={1}", "sha256=é"])
    def test_no_other_shape_is_one(self, served: Served, shape: str) -> None:
        content = json.dumps(body(22)).encode()
        right = signed(content)
        given = shape.format(right, right.removeprefix("sha256=")).encode("latin-1")
        headers = {"X-Source-ID": "webhook", "X-Helmdesk-Signature": given}
        answer = served.ask("POST", "/webhooks/ticket", None, headers=headers, content=content)
        assert answer.status_code == 401

    def test_is_of_the_body_and_of_the_source(self, served: Served) -> None:
        content = json.dumps(body(23)).encode()
        other = served.post_ticket(content + b" ", key=None, X_Helmdesk_Signature=signed(content))
        foreign = served.post_ticket(content, key=None, X_Helmdesk_Signature=signed(content), X_Source_ID="jira")
        assert (other.status_code, foreign.status_code) == (401, 401)

    def test_helps_no_key_that_opens_nothing(self, served: Served) -> None:
        content = json.dumps(body(24)).encode()
        headers = {"Authorization": "Bearer hd_no", "X-Helmdesk-Signature": signed(content), "X-Source-ID": "webhook"}
        answer = served.ask("POST", "/webhooks/ticket", None, headers=headers, content=content)
        assert answer.status_code == 401
