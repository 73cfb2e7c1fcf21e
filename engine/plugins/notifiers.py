"""How a notice leaves the house: by mail, by webhook, on a console, or by whatever service Apprise knows.

Addresses hold secrets: they stand in no error and in no log. What people wrote in tickets is escaped for each channel.
"""

import hashlib
import logging
import re
import smtplib
import ssl
import sys
import urllib.parse
from base64 import b64decode
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from threading import Thread
from typing import Any

import httpx

from engine.plugins.connection import UNTIL_MENDED
from engine.plugins.ports import Notifier, Refused, TryLater
from engine.plugins.posting import to_url, tries
from engine.shared.errors import BadInput

SETTING = "HELMDESK_NOTIFY_URLS"
TIMEOUT_SECONDS = 5.0
"""The longest silence of the other side; a whole try takes at most three times as long."""
WAIT_SECONDS = 1.0
PLACEHOLDERS = ("email", "id", "name")
SHORTEST_SECRET = 4
_PLACEHOLDER = re.compile(r"\{(\w*)\}")
_MENTION = re.compile(r"@(?=\w)")
_MARKDOWN = re.compile(r"([\\`*_\[\]<>~#|])")


def notifier(
    channel: str, url: str, *, timeout_seconds: float = TIMEOUT_SECONDS, wait_seconds: float = WAIT_SECONDS
) -> Notifier:
    """The way to a channel's address, an Apprise URL or http(s), in which {email}, {id} and {name} are filled in.

    Raises BadInput that names the channel, not the address.
    """
    scheme, there, rest = url.partition("://")
    if not there or not _has_host(scheme, url):
        raise BadInput(f"{SETTING}: {channel} has no address such as mailto://…, slack://… or https://…")
    if unknown := set(_PLACEHOLDER.findall(url)) - set(PLACEHOLDERS):
        raise BadInput(
            f"{SETTING}: {channel}: {{{min(unknown)}}} is filled in by nothing; there are {{email}}, {{id}}, {{name}}"
        )
    match scheme.lower():
        case "http" | "https":
            kind: Callable[..., Notifier] = WebhookNotifier
        case "json" | "jsons" if "?" not in rest:
            kind, url = WebhookNotifier, f"http{'s' if scheme.lower() == 'jsons' else ''}://{rest}"
        case "console":
            kind = ConsoleNotifier
        case "mailto" | "mailtos":
            kind = MailNotifier
        case _:
            kind = AppriseNotifier
    return kind(channel, url, timeout_seconds=timeout_seconds, wait_seconds=wait_seconds)


def _has_host(scheme: str, url: str) -> bool:
    """Whether a web address has a host, and a port that is none or one."""
    if scheme.lower() not in {"http", "https", "json", "jsons"}:
        return True
    try:
        parts = urllib.parse.urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


class _Channel:
    """A payload is {channel, to: {id, name, email}, title, message, news, created_at}; title and message are free of
    control characters. Mails and webhooks also take `html`, the message for who reads mail in colour, and
    `attachments`, each {name, type, content}, of which the content is base64."""

    def __init__(self, channel: str, url: str, *, timeout_seconds: float, wait_seconds: float) -> None:
        self._channel, self._url, self._timeout, self._wait = channel, url, timeout_seconds, wait_seconds

    def address(self, to: Mapping[str, str]) -> str:
        """Raises Refused for a person of whom it takes what is not known."""

        def value(found: re.Match[str]) -> str:
            if not to.get(found[1]):
                raise Refused(f"{self._channel} needs the {found[1]} of {to['id']}, which is not known")
            return urllib.parse.quote(to[found[1]], safe="")

        return _PLACEHOLDER.sub(value, self._url)

    def tried(self, post: Callable[[Mapping[str, Any], str], None], payload: Mapping[str, Any], key: str) -> str:
        """Up to three tries, a second and two seconds apart."""
        for attempt in tries(timeout_seconds=self._timeout, wait_seconds=self._wait, wait_jitter=0):
            with attempt:
                post(payload, key)
        return f"{self._channel} {key}"


class ConsoleNotifier(_Channel):
    """On the standard error of whoever delivers."""

    def send(self, payload: Mapping[str, Any], *, key: str) -> str:
        return self.tried(self._post, payload, key)

    def _post(self, payload: Mapping[str, Any], key: str) -> None:  # noqa: ARG002
        sys.stderr.write(f"to {payload['to']['name']}: {payload['title']}\n{payload['message']}\n")
        sys.stderr.flush()


class WebhookNotifier(_Channel):
    """JSON by POST, with the notice's key as `Idempotency-Key`."""

    def send(self, payload: Mapping[str, Any], *, key: str) -> str:
        url = self.address(payload["to"])
        try:
            transport = to_url(
                url,
                setting=f"{SETTING} ({self._channel})",
                secret=f"the key in {SETTING} ({self._channel})",
                timeout_seconds=self._timeout,
                limit_seconds=3 * self._timeout,
                wait_seconds=self._wait,
                wait_jitter=0,
            )
            return transport({**payload, "key": key, "type": "info", "version": "1.0"}, key)
        except (BadInput, httpx.InvalidURL, UnicodeError):
            raise Refused(f"{self._channel}: what is filled in for {payload['to']['id']} makes no address") from None
        except TryLater as trouble:
            raise TryLater(_masked(str(trouble), url), after=trouble.after) from None
        except Refused as refusal:
            raise Refused(_masked(str(refusal), url)) from None


class MailNotifier(_Channel):
    """By SMTP to the server of a `mailto://` URL. The Message-ID is made of the notice's key, which Apprise would not
    allow: sent again after a kill it is the same message."""

    def send(self, payload: Mapping[str, Any], *, key: str) -> str:
        return self.tried(self._post, payload, key)

    def _post(self, payload: Mapping[str, Any], key: str) -> None:
        server = _service(self._channel, self.address(payload["to"]), self._timeout)
        message = _mail(server, payload, key)
        about = f"{self._channel}: the mail server {server.smtp_host}"
        try:
            _within(3 * self._timeout, lambda: _transmit(server, message, self._timeout), about)
        except smtplib.SMTPAuthenticationError as error:
            raise TryLater(
                f"{about} lets nobody in with this: {_reply(error)}; see to {SETTING}", after=UNTIL_MENDED
            ) from None
        except smtplib.SMTPRecipientsRefused as error:
            worst = min(code for code, _ in error.recipients.values())
            raise (Refused if worst >= 500 else TryLater)(
                f"{about} takes no mail for {payload['to']['id']}: {worst}"
            ) from None
        except smtplib.SMTPResponseException as error:
            kind = Refused if error.smtp_code >= 500 else TryLater
            raise kind(f"{about} answered {error.smtp_code} {_reply(error)}") from None
        except (OSError, smtplib.SMTPException) as error:
            raise TryLater(f"{about} did not take it ({_one_line(str(error)) or type(error).__name__})") from None


class AppriseNotifier(_Channel):
    """Whatever else Apprise can reach. It says only whether the other side took it, so nothing is known of why not."""

    def send(self, payload: Mapping[str, Any], *, key: str) -> str:
        return self.tried(self._post, payload, key)

    def _post(self, payload: Mapping[str, Any], key: str) -> None:  # noqa: ARG002
        from apprise import Apprise, NotifyFormat

        service = _service(self._channel, self.address(payload["to"]), self._timeout)
        text = _escaped(f"{payload['title']}\n{payload['message']}", service)
        sender = Apprise(asset=service.asset)
        sender.add(service)
        about = f"{self._channel}: {service.service_name}"
        if not _within(3 * self._timeout, lambda: sender.notify(body=text, body_format=NotifyFormat.TEXT), about):
            raise TryLater(f"{about} did not take it; is its address in {SETTING} right, and is it there?")


def _service(channel: str, url: str, timeout_seconds: float) -> Any:
    """Apprise's part for this address. Raises TryLater, for when it is mended, for one that it can't read."""
    from apprise import Apprise, AppriseAsset, NotifyFormat

    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # it would log addresses
    service: Any = Apprise.instantiate(url, asset=AppriseAsset(async_mode=False, app_id="helmdesk"))
    if service is None:
        raise TryLater(f"{SETTING}: {channel}: Apprise can't read its address", after=UNTIL_MENDED)
    service.socket_connect_timeout = service.socket_read_timeout = timeout_seconds
    if service.secure_protocol == "slack":  # plain text in a block: nothing in it is a link, a mention or a format
        service.use_blocks, service.notify_format = True, NotifyFormat.TEXT
    return service


def _escaped(text: str, service: Any) -> str:
    """Text of people as text: it mentions nobody and formats nothing. Apprise itself escapes for HTML."""
    harmless = _MENTION.sub("@\u200b", text)
    if service.secure_protocol == "slack":
        harmless = harmless.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    elif service.notify_format == "markdown":
        harmless = _MARKDOWN.sub(r"\\\1", harmless)
    return harmless[: service.body_maxlen]


def _mail(server: Any, payload: Mapping[str, Any], key: str) -> EmailMessage:
    name, sender = server.from_addr
    message = EmailMessage()
    try:
        message["Subject"] = payload["title"]
        message["From"] = formataddr((name or "", sender))
        message["To"] = ", ".join(formataddr((name or "", email)) for name, email in server.targets)
        if server.cc:
            message["Cc"] = ", ".join(sorted(server.cc))
    except ValueError as error:
        raise Refused(f"no mail can be addressed so: {_one_line(str(error))}") from None
    message["Date"] = format_datetime(datetime.fromisoformat(payload["created_at"]))
    message["Message-ID"] = f"<{hashlib.sha256(key.encode()).hexdigest()[:40]}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message["Idempotency-Key"] = urllib.parse.quote(key)
    message.set_content(payload["message"])
    if "html" in payload:
        message.add_alternative(payload["html"], subtype="html")
    for one in payload.get("attachments", ()):
        kind, _, subtype = one["type"].partition("/")
        message.add_attachment(b64decode(one["content"]), maintype=kind, subtype=subtype, filename=one["name"])
    return message


def _transmit(server: Any, message: EmailMessage, timeout_seconds: float) -> None:
    """Raises what smtplib raises; a server that took the message and then falls silent has taken it."""
    tls = ssl.create_default_context()
    if not server.verify_certificate:
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    if server.secure_mode == "ssl":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.smtp_host, server.port, timeout=timeout_seconds, context=tls)
    else:
        smtp = smtplib.SMTP(server.smtp_host, server.port, timeout=timeout_seconds)
    try:
        if server.secure_mode == "starttls":
            smtp.starttls(context=tls)
        if server.user and server.password:
            smtp.login(server.user, server.password)
        to = [email for _, email in server.targets]
        smtp.send_message(message, from_addr=server.from_addr[1], to_addrs=[*to, *server.cc, *server.bcc])
    finally:
        with suppress(OSError, smtplib.SMTPException):
            smtp.quit()
        smtp.close()


def _within(seconds: float, work: Callable[[], Any], about: str) -> Any:
    """What `work` returns or raises. Raises TryLater if it takes longer: libraries bound the wait for each byte, not
    for all of them."""
    outcome: list[Any] = []
    failure: list[Exception] = []

    def run() -> None:
        try:
            outcome.append(work())
        except Exception as error:
            failure.append(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if failure:
        raise failure[0]
    if not outcome:
        raise TryLater(f"{about} took no message within {seconds:g} s")
    return outcome[0]


def _masked(text: str, url: str) -> str:
    """The text without what of an address may be a secret: credentials, path and query."""
    parts = urllib.parse.urlsplit(url)
    pieces = [parts.username, parts.password, parts.path, parts.query, *parts.path.split("/")]
    pieces += [value for pair in urllib.parse.parse_qsl(parts.query) for value in pair]
    secrets = {form for piece in pieces if piece for form in (piece, urllib.parse.unquote(piece))}
    for secret in sorted((s for s in secrets if len(s) >= SHORTEST_SECRET), key=len, reverse=True):
        text = text.replace(secret, "/…" if secret.startswith("/") else "…")
    return text


def _reply(error: smtplib.SMTPResponseException) -> str:
    reply = error.smtp_error
    return _one_line(reply.decode("utf-8", "replace") if isinstance(reply, bytes) else str(reply))


def _one_line(text: str) -> str:
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())[:200]
