"""Notices reach a mail server and a web server as they are meant, and say what happened where they do not."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from threading import Thread
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from engine.plugins.connection import UNTIL_MENDED
from engine.plugins.notifiers import _escaped, _masked, _service, notifier
from engine.plugins.ports import Refused, TryLater
from engine.shared.errors import BadInput, HelmdeskError
from tests.pipelines.handler_system import HandlerSystem, handler_system

ANA = {"id": "AGT-07", "name": "Ána O'Neil", "email": "ana+desk@desk.example"}
PAYLOAD: dict[str, Any] = {
    "channel": "email",
    "to": ANA,
    "title": "INC-1: a clock breached",
    "message": "INC-1: a clock breached\nnaïve <b>&",
    "news": 1,
    "created_at": "2026-03-02T09:00:00+00:00",
}
FAST: dict[str, float] = {"timeout_seconds": 0.5, "wait_seconds": 0.01}


class Postbox:
    """What a mail server got; it answers as its script says, then `250`."""

    def __init__(self) -> None:
        self.answers: list[str] = []
        self.recipients: list[str] = []
        self.mails: list[tuple[list[str], EmailMessage]] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.recipients:
            return self.recipients.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("2"):
            mail = message_from_bytes(envelope.content, policy=policy.default)
            self.mails.append((envelope.rcpt_tos, mail))  # type: ignore[arg-type]
        return answer


@pytest.fixture
def postbox() -> Iterator[tuple[Postbox, str]]:
    box = Postbox()
    port = free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, f"mailto://127.0.0.1:{port}?from=desk@desk.example&to={{email}}"
    controller.stop()


@pytest.fixture
def system() -> Iterator[HandlerSystem]:
    with handler_system() as server:
        yield server


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def answering(first: bytes, *, hangs: bool = False) -> Iterator[int]:
    """A server on loopback that says this to everybody, and then nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            held = []
            while True:
                try:
                    one, _ = server.accept()
                except OSError:
                    return
                held.append(one)
                one.sendall(first)
                if not hangs:
                    one.close()

        Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def body(mail: EmailMessage) -> str:
    """As it was written: on the wire lines end with CRLF."""
    return str(mail.get_content()).replace("\r\n", "\n")


def failure(channel: str, url: str, **payload: Any) -> HelmdeskError:
    with pytest.raises(HelmdeskError) as caught:
        notifier(channel, url, **FAST).send({**PAYLOAD, **payload}, key="AGT-07/1")
    return caught.value


class TestMail:
    def test_arrives_as_plain_text_at_the_persons_address(self, postbox: tuple[Postbox, str]) -> None:
        box, url = postbox
        notifier("email", url, **FAST).send(PAYLOAD, key="AGT-07/1")
        [(to, mail)] = box.mails
        assert to == ["ana+desk@desk.example"]
        assert (mail["subject"], mail["from"]) == ("INC-1: a clock breached", "desk@desk.example")
        assert mail["date"].datetime.isoformat() == "2026-03-02T09:00:00+00:00"
        assert (mail.get_content_type(), body(mail)) == ("text/plain", "INC-1: a clock breached\nnaïve <b>&\n")

    def test_message_id_is_that_of_the_key(self, postbox: tuple[Postbox, str]) -> None:
        box, url = postbox
        for key in ("AGT-07/1", "AGT-07/1", "AGT-07/2"):
            notifier("email", url, **FAST).send(PAYLOAD, key=key)
        first, again, other = (mail["message-id"] for _, mail in box.mails)
        assert first == again != other
        assert first.endswith("@desk.example>")

    def test_no_header_comes_of_the_text(self, postbox: tuple[Postbox, str]) -> None:
        box, url = postbox
        assert isinstance(failure("email", url, title="a\r\nBcc: eve@evil.example"), Refused)
        notifier("email", url, **FAST).send({**PAYLOAD, "message": "x\n.\nRCPT TO:<eve@evil.example>"}, key="k")
        [(to, mail)] = box.mails
        assert (to, body(mail)) == (["ana+desk@desk.example"], "x\n.\nRCPT TO:<eve@evil.example>\n")

    @pytest.mark.parametrize(
        ("answer", "kind"), [("451 busy", TryLater), ("554 no spam here", Refused), ("552 full", Refused)]
    )
    def test_answer_decides_whether_to_try_again(
        self, postbox: tuple[Postbox, str], answer: str, kind: type[HelmdeskError]
    ) -> None:
        box, url = postbox
        box.answers = [answer] * 3
        trouble = failure("email", url)
        assert isinstance(trouble, kind)
        assert answer in str(trouble)
        assert len(box.answers) == (0 if kind is TryLater else 2)

    @pytest.mark.parametrize(("answer", "kind"), [("450 later", TryLater), ("550 nobody", Refused)])
    def test_mailbox_that_is_not_there_is_refused(
        self, postbox: tuple[Postbox, str], answer: str, kind: type[HelmdeskError]
    ) -> None:
        box, url = postbox
        box.recipients = [answer] * 3
        assert isinstance(failure("email", url), kind)

    def test_busy_server_gets_it_at_the_next_try(self, postbox: tuple[Postbox, str]) -> None:
        box, url = postbox
        box.answers = ["421 busy", "451 busy"]
        notifier("email", url, **FAST).send(PAYLOAD, key="k")
        assert len(box.mails) == 1

    def test_server_that_is_down_slow_or_no_mail_server(self) -> None:
        down = failure("email", f"mailto://127.0.0.1:{free_port()}?from=a@b.example&to={{email}}")
        assert isinstance(down, TryLater)
        for first, hangs in ((b"", True), (b"220 hello\r\n", True), (b"SSH-2.0\r\n", False), (b"\xff\x00" * 99, False)):
            with answering(first, hangs=hangs) as port:
                trouble = failure("email", f"mailto://127.0.0.1:{port}?from=a@b.example&to={{email}}")
            assert isinstance(trouble, TryLater), first

    def test_password_is_in_no_error(self) -> None:
        with answering(b"220 hello\r\n", hangs=False) as port:
            trouble = failure("email", f"mailto://desk:s3cretword@127.0.0.1:{port}?from=a@b.example&to={{email}}")
        assert "s3cretword" not in str(trouble)


class TestWebhook:
    def test_is_json_with_the_key(self, system: HandlerSystem) -> None:
        notifier("webhook", system.url + "/{id}?who={name}", **FAST).send(PAYLOAD, key="AGT-07/1")
        [(key, sent)] = system.got
        assert (key, sent["key"], sent["title"], sent["to"]["id"]) == (
            "AGT-07/1",
            "AGT-07/1",
            PAYLOAD["title"],
            "AGT-07",
        )
        assert sent["message"] == PAYLOAD["message"]

    def test_json_of_apprise_is_a_webhook(self, system: HandlerSystem) -> None:
        notifier("webhook", system.url.replace("http", "json", 1), **FAST).send(PAYLOAD, key="k")
        assert system.keys == ["k"]

    @pytest.mark.parametrize(
        ("answer", "kind", "after"),
        [
            ((429, {"Retry-After": "120"}, ""), TryLater, timedelta(minutes=2)),
            ((429, {}, ""), TryLater, timedelta(minutes=1)),
            ((503, {"Retry-After": "9"}, ""), TryLater, timedelta(seconds=9)),
            ((404, {}, "gone"), Refused, None),
            ((401, {}, ""), TryLater, UNTIL_MENDED),
        ],
    )
    def test_status_says_what_to_do(self, system: HandlerSystem, answer: Any, kind: type, after: Any) -> None:
        system.answers = [answer]
        trouble = failure("webhook", system.url)
        assert isinstance(trouble, kind)
        assert getattr(trouble, "after", None) == after
        assert len(system.got) == 1

    @pytest.mark.parametrize("answer", ["hang", "die", "half", (500, {}, "")])
    def test_trouble_is_tried_again(self, system: HandlerSystem, answer: Any) -> None:
        system.answers = [answer]
        notifier("webhook", system.url, **FAST).send(PAYLOAD, key="k")
        assert system.keys == ["k", "k"]

    def test_three_tries_with_a_pause_that_doubles(self, system: HandlerSystem) -> None:
        system.answers = [(500, {}, "")] * 4
        assert isinstance(failure("webhook", system.url), TryLater)
        assert len(system.got) == 3

    def test_secrets_of_the_address_are_in_no_error(self, system: HandlerSystem) -> None:
        url = system.url.replace("127", "bob:pa55word@127", 1) + "/T0SECRET/B0HIDDEN?token=abcd1234"
        system.answers = [(404, {}, "no POST /allocate/T0SECRET/B0HIDDEN?token=abcd1234 here")]
        text = str(failure("webhook", url))
        assert "answered 404" in text
        assert not any(secret in text for secret in ("T0SECRET", "B0HIDDEN", "abcd1234", "pa55word"))


class TestApprise:
    def test_other_side_takes_it(self, system: HandlerSystem) -> None:
        url = f"json://127.0.0.1:{system.server_port}/hook?+Idempotency-Key=of-apprise"
        notifier("chat", url, **FAST).send(PAYLOAD, key="k")
        assert system.got[0][1]["message"].startswith(PAYLOAD["title"])

    def test_that_it_did_not_is_all_that_is_known(self, system: HandlerSystem) -> None:
        system.answers = [(500, {}, "")] * 3
        url = f"json://127.0.0.1:{system.server_port}/hook?+Idempotency-Key=s3cret"
        trouble = failure("chat", url)
        assert isinstance(trouble, TryLater)
        assert (len(system.got), "s3cret" in str(trouble)) == (3, False)

    def test_slow_side_is_left_in_time(self, system: HandlerSystem) -> None:
        system.answers = ["drip"] * 3
        url = f"json://127.0.0.1:{system.server_port}/hook?+Idempotency-Key=k"
        assert "took no message within 1.5 s" in str(failure("chat", url))

    def test_address_that_is_none_waits_to_be_mended(self) -> None:
        trouble = failure("slack", "slack://s3cret")
        assert (trouble.after, "s3cret" in str(trouble)) == (UNTIL_MENDED, False)  # type: ignore[attr-defined]

    def test_slack_gets_a_block_of_plain_text(self, system: HandlerSystem, monkeypatch: pytest.MonkeyPatch) -> None:
        from apprise.plugins.slack import NotifySlack

        monkeypatch.setattr(NotifySlack, "webhook_url", system.url)
        monkeypatch.setattr("tests.pipelines.handler_system.unquote", lambda _: "")
        system.answers = [(200, {}, "ok")]
        url = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/{id}"
        room = {"id": "#escalations", "name": "#escalations", "email": ""}
        text = "<!channel> @here <http://evil.example|help> & *bold*"
        notifier("slack", url, **FAST).send({**PAYLOAD, "to": room, "title": text, "message": text}, key="k")
        [(_, sent)] = system.got
        [block] = [block for block in sent["attachments"][0]["blocks"] if block["type"] == "section"]
        line = "&lt;!channel&gt; @\u200bhere &lt;http://evil.example|help&gt; &amp; *bold*"
        assert (sent["channel"], block["text"]) == ("#escalations", {"type": "plain_text", "text": f"{line}\n{line}"})

    def test_teams_gets_no_markdown_of_the_text(self) -> None:
        url = "workflows://prod.example.com:443/643e69f83c8944438d68119179a10a64/5Gr6Eb9WqkOVZMZHYwV0BQ"
        teams = _service("teams", url, 1)
        assert _escaped("[help](http://evil.example) *b* @everyone", teams) == (
            r"\[help\](http://evil.example) \*b\* " + "@\u200beveryone"
        )


def test_what_may_be_an_address_of_a_channel() -> None:
    for url in ("", "nothing", "https://", "https://host:99999/", "json://"):
        with pytest.raises(BadInput, match="HELMDESK_NOTIFY_URLS: push has no address"):
            notifier("push", url)
    with pytest.raises(BadInput, match=r"push: \{token\} is filled in by nothing"):
        notifier("push", "https://desk.example/{token}")


def test_person_without_what_the_address_needs_is_refused(system: HandlerSystem) -> None:
    trouble = failure("email", "mailto://127.0.0.1?from=a@b.example&to={email}", to={**ANA, "email": ""})
    assert (type(trouble), str(trouble)) == (Refused, "email needs the email of AGT-07, which is not known")


def test_what_is_filled_in_makes_no_other_address(system: HandlerSystem) -> None:
    evil = {**ANA, "id": "x@evil.example/?a#", "name": "../../admin"}
    notifier("webhook", system.url + "/{id}/{name}", **FAST).send({**PAYLOAD, "to": evil}, key="k")
    assert system.keys == ["k"]
    trouble = failure("webhook", "http://{id}.example:80/", to={**ANA, "id": "a" * 70})
    assert (type(trouble), "makes no address" in str(trouble)) == (Refused, True)


def test_console_says_it(capsys: pytest.CaptureFixture[str]) -> None:
    notifier("console", "console://").send(PAYLOAD, key="k")
    assert capsys.readouterr().err == f"to Ána O'Neil: {PAYLOAD['title']}\n{PAYLOAD['message']}\n"


def test_masking_leaves_the_host() -> None:
    url = "https://u:longpass@chat.example/services/T1/SECRET?token=abcd"
    masked = _masked(f"{json.dumps(url)} failed", url)
    assert "chat.example" in masked
    assert not any(part in masked for part in ("longpass", "SECRET", "abcd", "services"))
