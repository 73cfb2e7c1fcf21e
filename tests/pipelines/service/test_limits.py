"""Too large, too slow, too often: refused at the threshold, with what to do, and without room for memory to grow."""

import json
import socket
import time
from pathlib import Path

import httpx

from pipelines.service import limits
from pipelines.service.callers import signature_of
from pipelines.service.limits import Buckets
from tests.pipelines.service.conftest import SECRET, Served, desk, keys_of, listening


def test_a_body_is_refused_from_the_first_byte_too_many(served: Served) -> None:
    most = served.app.settings.service_body_bytes
    frame = b'{"ticket_id":"big","title":"%s"}'
    fits = frame.replace(b"%s", b"x" * (most - len(frame) + 2))
    assert (len(fits), served.post_ticket(fits).status_code) == (most, 202)
    assert served.post_ticket(fits + b" ").status_code == 413
    assert served.post_ticket(fits * 3).status_code == 413


def test_a_body_without_a_length_is_counted_as_it_comes(served: Served) -> None:
    most = served.app.settings.service_body_bytes
    headers = {"Authorization": f"Bearer {served.keys['webhook']}", "X-Source-ID": "webhook"}
    parts = (b"x" * 10_000 for _ in range(most // 10_000 + 1))
    assert httpx.post(f"{served.url}/webhooks/ticket", headers=headers, content=parts).status_code == 413


def test_a_slow_body_is_refused(tmp_path: Path) -> None:
    with desk(tmp_path, service_body_seconds=0.5) as app, listening(app) as url:
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as line:
            line.sendall(b"POST /webhooks/ticket HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
            line.settimeout(30)
            assert line.recv(100).startswith(b"HTTP/1.1 408")


def test_beyond_its_rate_a_key_waits_as_long_as_it_is_told(tmp_path: Path) -> None:
    with desk(tmp_path, service_requests_per_second=2) as app:
        keys = keys_of(app)
        with listening(app) as url:
            served = Served(url, app, keys, "")
            given = {"tickets": [{"id": "a", "created_at": "2026-03-02T09:15:00Z"}]}
            answers = [served.ask("POST", "/sla/tickets", json=given) for _ in range(4)]
            refused = next(answer for answer in answers if answer.status_code == 429)
            assert {answer.status_code for answer in answers[:2]} == {200}
            assert (
                served.ask("POST", "/sla/tickets", "lead", json=given).status_code == 200
            )  # another key has its own rate
            time.sleep(float(refused.headers["Retry-After"]))
            assert served.ask("POST", "/sla/tickets", json=given).status_code == 200


def test_who_guesses_signatures_waits_and_who_signs_right_does_not(tmp_path: Path) -> None:
    with desk(tmp_path) as app:
        keys = keys_of(app)
        with listening(app) as url:
            served, body = Served(url, app, keys, ""), json.dumps({"ticket_id": "1", "title": "x"}).encode()
            wrong = [served.post_ticket(body, key=None, X_Helmdesk_Signature="sha256=00") for _ in range(40)]
            assert {answer.status_code for answer in wrong[:20]} == {401}
            assert 429 in {answer.status_code for answer in wrong}
            guess = {"headers": {"Authorization": "Bearer x"}}  # by the same address, from the same bucket
            assert 429 in {served.ask("POST", "/desk/queue", None, **guess).status_code for _ in range(5)}
            right = served.post_ticket(body, key=None, X_Helmdesk_Signature=signature_of(SECRET, body))
            assert right.status_code == 202, right.text


class TestBuckets:
    def test_hold_what_a_second_brings_and_fill_again(self) -> None:
        now = [0.0]
        bucket = Buckets(4, clock=lambda: now[0])
        assert [bucket.take("a") for _ in range(5)] == [0, 0, 0, 0, 0.25]
        now[0] = 0.25
        assert [bucket.take("a"), bucket.take("a")] == [0, 0.25]

    def test_are_each_callers_own(self) -> None:
        bucket = Buckets(1, clock=lambda: 0.0)
        assert [bucket.take("a"), bucket.take("b"), bucket.take("a")] == [0, 0, 1]

    def test_take_no_more_room_however_many_call(self) -> None:
        bucket = Buckets(1, clock=lambda: 0.0)
        for number in range(limits.MOST_CALLERS + 100):
            bucket.take(str(number))
        assert len(bucket._levels) == limits.MOST_CALLERS
