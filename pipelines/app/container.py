"""The parts of one running helmdesk, each opened when first asked for, so that a command pays only for what it uses."""

import sys
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.shared.closing import Closing
from engine.shared.errors import BadInput
from pipelines.app import clock
from pipelines.app.known_people import KnownPeople
from pipelines.app.policies import Policies
from pipelines.app.settings import Settings, read_settings
from pipelines.app.triage_parts import TriageParts

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.desk import Desk
    from engine.plugins.ports import HandlerPlugin, Notifier, SourcePlugin
    from engine.plugins.pull.notes import Notes
    from engine.plugins.pull.pages import Feed
    from engine.plugins.pull.site import Account
    from engine.storage.last_runs import LastRuns
    from engine.storage.outbox import Outbox
    from engine.storage.pull_cursors import PullCursors
    from engine.storage.receipts import Receipts
    from engine.storage.sql import SqlStore
    from pipelines.app.people_files import People
    from pipelines.app.view_log import ViewLog
    from sla.alerting.store import AlertStore


def open_app(*, keep_last_good: bool = False, **overrides: object) -> "App":
    """The app as the environment describes it; `overrides` are settings given by hand.

    With `keep_last_good`, a broken policy file stops nothing: the last good one, kept below home, stays in force and
    the log says so. A scheduler wants that; a person at the command line wants to be told.
    """
    return App(read_settings(**overrides), keep_last_good=keep_last_good)


def _printable(_: Any, __: str, entry: Any) -> Any:
    """What others wrote moves no cursor of whoever reads the log: a control character is written as its number."""
    return {name: _visible(value) if isinstance(value, str) else value for name, value in entry.items()}


def _visible(text: str) -> str:
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


class App(Closing):
    """Settings, policies, the system of record, the desk, sources, and triage's models. Use `with`: it releases the
    index file and the database."""

    def __init__(self, settings: Settings, *, keep_last_good: bool = False) -> None:
        self.settings = settings
        self.policies = Policies(
            settings,
            warn=lambda reason: self.log.warning("policy refused", reason=reason),
            keep_last_good=keep_last_good,
        )
        self.triage = TriageParts(
            settings,
            self.policies,
            engine=lambda: self.store.engine,
            now=self.now,
            log=lambda: self.log,
            known=lambda tickets: self.known_people.of(tickets),  # noqa: PLW0108 - opens the store when asked, not before
        )

    def now(self) -> datetime:
        """The only clock below the flows: the machine's, on a home of the demo the demo's."""
        return clock.now(self.settings)

    @cached_property
    def known_people(self) -> KnownPeople:
        return KnownPeople(self.store)

    @property
    def is_demo(self) -> bool:
        """Whether this home lives in the demo's time."""
        return clock.demo_clock(self.settings) is not None

    @property
    def time_in_words(self) -> str | None:
        """A line for whoever reads an instant of a demo; None where it is the machine's time."""
        return (
            f"Demo: here it is {self.now():%A %Y-%m-%d %H:%M} UTC, and all data is synthetic." if self.is_demo else None
        )

    @cached_property
    def log(self) -> Any:
        import structlog

        if not structlog.is_configured():
            *before, renderer = structlog.get_config()["processors"]
            renderer.exception_formatter = (
                structlog.dev.plain_traceback
            )  # others show every variable: ticket text, keys
            structlog.configure(processors=[_printable, *before, renderer])
        structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))  # stdout has what is asked for
        return structlog.get_logger("helmdesk")

    @cached_property
    def store(self) -> "SqlStore":
        """The system of record. Raises BadInput for an address that names no database, Unavailable for a silent one."""
        from engine.storage import open_store

        return open_store(self.settings.store_url)

    @cached_property
    def view_log(self) -> "ViewLog":
        from pipelines.app.view_log import ViewLog

        return ViewLog(self.store, now=self.now, warn=lambda why: self.log.warning("views not kept yet", reason=why))

    @cached_property
    def outbox(self) -> "Outbox":
        from engine.storage.outbox import Outbox

        return Outbox(self.store.engine)

    @cached_property
    def last_runs(self) -> "LastRuns":
        from engine.storage.last_runs import LastRuns

        return LastRuns(self.store.engine)

    @cached_property
    def alert_store(self) -> "AlertStore":
        from sla.alerting.store import AlertStore

        return AlertStore(self.store.engine)

    @property
    def desk(self) -> "Desk":
        """The use cases of the desk under the policies in force."""
        from engine.desk import Desk

        return Desk(self.store, self.policies.desk)

    @cached_property
    def people(self) -> "People":
        from pipelines.app.people_files import load_people

        return load_people(self.settings.data / "people")

    def source(self, name: str, *, mapping: Path | None = None) -> "SourcePlugin":
        """The source plugin of this name; raises BadInput that lists the known ones."""
        from engine.plugins.registry import source_plugin

        return source_plugin(name, mappings=self.settings.data / "mappings", mapping=mapping)

    @cached_property
    def handler(self) -> "HandlerPlugin":
        """Where allocation decisions are handed over: an outbox file below home, or a system by address."""
        from engine.plugins.registry import handler_plugin

        settings = self.settings
        if settings.handler != "outbox" and not settings.handler_url:
            raise BadInput(f"HELMDESK_HANDLER={settings.handler} needs HELMDESK_HANDLER_URL: where it listens")
        if settings.handler == "outbox" and settings.handler_url:
            raise BadInput("HELMDESK_HANDLER_URL needs HELMDESK_HANDLER: webhook, or the system that listens there")
        settings.home.mkdir(parents=True, exist_ok=True)
        return handler_plugin(
            settings.handler,
            mappings=settings.data / "mappings",
            send_to=self._handler_account() if settings.handler_url else settings.home / "decisions.jsonl",
        )

    def _handler_account(self) -> "Account":
        from engine.plugins.pull.site import Account

        settings, token = self.settings, self.settings.handler_token
        secret = token.get_secret_value() if token else ""
        return Account("handler", settings.handler_url, settings.handler_user, secret)

    @cached_property
    def pull_cursors(self) -> "PullCursors":
        from engine.storage.pull_cursors import PullCursors

        return PullCursors(self.store.engine)

    @cached_property
    def receipts(self) -> "Receipts":
        from engine.storage.receipts import Receipts

        return Receipts(self.store.engine)

    def feed(self, source: str) -> "Feed":
        """Where this source's tickets are fetched from. Raises BadInput with the settings that it takes."""
        from engine.plugins.registry import feed

        return feed(self._account(source), jql=self.settings.jira_jql)

    @cached_property
    def notes(self) -> "dict[str, Notes]":
        """By source: where suggestions go, if they are pushed at all."""
        from engine.plugins.registry import TAKES_NOTES, notes

        return {source: notes(self._account(source)) for source in self.settings.accounts if source in TAKES_NOTES}

    @cached_property
    def notifiers(self) -> "dict[str, Notifier]":
        """By channel: how its notices leave the house; those of a channel without an address stay in the inbox."""
        from engine.plugins.notifiers import notifier

        urls = self.settings.notify_urls
        return {channel: notifier(channel, url.get_secret_value()) for channel, url in urls.items()}

    @property
    def destinations(self) -> "dict[str, Callable[..., str]]":
        """How what waits in the outbox is sent, by destination."""
        from engine.storage.outbox import NOTICES

        there = {self.handler.name: self.handler.send}
        pushed = self.notes.values() if self.settings.push_suggestions else ()
        channels = {f"{NOTICES}{channel}": notifier.send for channel, notifier in self.notifiers.items()}
        return there | {notes.name: notes.send for notes in pushed} | channels

    def _account(self, source: str) -> "Account":
        from engine.plugins.pull.site import Account
        from engine.plugins.registry import PULLED

        if source not in PULLED:
            raise BadInput(f"nothing is pulled from {source!r}; there are {', '.join(PULLED)}")
        url, user, token = self.settings.accounts.get(source, ("", "", None))
        if not url or token is None or not token.get_secret_value():
            name = f"HELMDESK_{source.upper()}"
            raise BadInput(f"{source} needs {name}_URL and {name}_TOKEN; `helmdesk pull --help` has all it takes")
        return Account(source, url, user, token.get_secret_value())

    def close(self) -> None:
        self.triage.close()
        if "view_log" in self.__dict__:
            self.__dict__.pop("view_log").close()
        if "store" in self.__dict__:
            self.__dict__.pop("store").close()
