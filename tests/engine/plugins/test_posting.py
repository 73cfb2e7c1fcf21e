"""What an answer of a handler's system means: taken, try later, or refused."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from engine.plugins.connection import UNTIL_MENDED
from engine.plugins.ports import Refused, TryLater
from engine.plugins.posting import to_url
from engine.shared.errors import BadInput
from tests.pipelines.handler_system import HandlerSystem, handler_system


@pytest.fixture
def system() -> Iterator[HandlerSystem]:
    with handler_system() as server:
        yield server


def post(system: HandlerSystem, **options: Any) -> str:
    return to_url(system.url, timeout_seconds=0.5, wait_seconds=0.01, **options)({"n": 1}, "web:1/decision/1")


def test_payload_key_and_token_arrive(system: HandlerSystem) -> None:
    assert post(system, authorization="Bearer t") == "201 web:1/decision/1"
    assert (system.got, system.headers[0]["Authorization"]) == ([("web:1/decision/1", {"n": 1})], "Bearer t")


@pytest.mark.parametrize("trouble", ["hang", "die", "half", (500, {}, ""), (502, {}, ""), (408, {}, "")])
def test_trouble_is_tried_again_with_the_same_key(system: HandlerSystem, trouble: Any) -> None:
    system.answers = [trouble]
    assert post(system) == "201 web:1/decision/1"
    assert system.keys == ["web:1/decision/1"] * 2


@pytest.mark.parametrize("trouble", ["die", (500, {}, "Boom\nat line 7")])
def test_lasting_trouble_is_for_later(system: HandlerSystem, trouble: Any) -> None:
    system.answers = [trouble] * 3
    with pytest.raises(TryLater, match=r"127\.0\.0\.1") as later:
        post(system)
    assert (later.value.after, len(system.got), "\n" in str(later.value)) == (None, 3, False)


@pytest.mark.parametrize(
    ("status", "headers", "pause"),
    [
        (429, {}, timedelta(minutes=1)),
        (429, {"Retry-After": "7"}, timedelta(seconds=7)),
        (503, {"Retry-After": "Mon, 02 Mar 2099 12:00:30 GMT"}, timedelta(days=1)),
        (503, {"Retry-After": "99999999999999999999"}, timedelta(days=1)),
        (429, {"Retry-After": "soon"}, timedelta(minutes=1)),
    ],
)
def test_the_pause_asked_for_is_kept(system: HandlerSystem, status: int, headers: Any, pause: timedelta) -> None:
    system.answers = [(status, headers, "")] * 3
    with pytest.raises(TryLater) as later:
        post(system)
    assert (later.value.after, len(system.got)) == (pause, 1)


@pytest.mark.parametrize("answer", ["drip", "drip the body"])
def test_an_answer_without_end_is_cut_off(system: HandlerSystem, answer: str) -> None:
    system.answers = [answer]
    outcome = "no whole answer within 1.2 s" if answer == "drip" else "answered 400"
    with pytest.raises((TryLater, Refused), match=outcome):
        post(system, limit_seconds=1.2)
    assert post(system) == "201 web:1/decision/1"


def test_a_connection_that_was_used_before_is_cut_off_as_well(system: HandlerSystem) -> None:
    send = to_url(system.url, timeout_seconds=0.5, limit_seconds=1.2)
    assert send({}, "k") == "201 k"
    system.answers = ["drip"]
    with pytest.raises(TryLater, match=r"no whole answer within 1\.2 s"):
        send({}, "k")
    assert send({}, "k") == "201 k"


@pytest.mark.parametrize("status", [401, 403, 407])
def test_wrong_credentials_are_no_fault_of_the_row(system: HandlerSystem, status: int) -> None:
    system.answers = [(status, {}, "bad token")]
    with pytest.raises(TryLater, match=f"answered {status} .*: bad token; .*HELMDESK_HANDLER_TOKEN") as later:
        post(system, authorization="Bearer t")
    assert (later.value.after, len(system.got)) == (UNTIL_MENDED, 1)


@pytest.mark.parametrize("status", [400, 404, 409, 422])
def test_what_is_refused_is_not_tried_again(system: HandlerSystem, status: int) -> None:
    system.answers = [(status, {}, "no such\n\x1b[31m group " + "x" * 9000)]
    with pytest.raises(Refused, match=f"answered {status} .*: no such .*group") as refused:
        post(system)
    assert (len(system.got), len(str(refused.value)) < 400, "\x1b" in str(refused.value)) == (1, True, False)


def test_another_host_gets_nothing(system: HandlerSystem) -> None:
    with handler_system() as other:
        system.answers = [(307, {"Location": other.url}, "")]
        with pytest.raises(TryLater, match=r"redirects to http://127\.0\.0\.1, name that in HELMDESK_HANDLER_URL"):
            post(system, authorization="Bearer secret")
        assert other.got == []


def test_another_path_of_the_same_server_is_followed(system: HandlerSystem) -> None:
    system.answers = [(308, {"Location": "/v2/allocate"}, "")]
    assert post(system, authorization="Bearer t") == "201 web:1/decision/1"
    assert [sent["Authorization"] for sent in system.headers] == ["Bearer t"] * 2


def test_a_circle_of_redirects_ends(system: HandlerSystem) -> None:
    system.answers = [(307, {"Location": "/allocate"}, "")] * 9
    with pytest.raises(TryLater, match="more than 3 times"):
        post(system)


def test_errors_show_no_password() -> None:
    with handler_system() as system:
        system.answers = [(400, {}, "")]
        with pytest.raises(Refused) as refused:
            to_url(system.url.replace("127", "me:secret@127", 1) + "?token=secret")({}, "k")
    assert "secret" not in str(refused.value)


def test_a_token_that_no_header_carries_is_refused() -> None:
    with pytest.raises(BadInput, match="HELMDESK_HANDLER_TOKEN"):
        to_url("http://127.0.0.1:1/", authorization="Bearer a\nb")
