"""Which parts are in use, do they work, and what would the real ones need."""

import importlib.metadata
import os
import platform
from collections.abc import Callable
from typing import NamedTuple

from engine.shared.errors import HelmdeskError
from pipelines.app.container import App
from pipelines.app.settings import Settings, setting_name, unknown_settings
from pipelines.marts import MartReader


class Finding(NamedTuple):
    """One part: what is in use, whether it works, and what the other choice would need."""

    part: str
    in_use: str
    works: bool
    note: str


def examine(settings: Settings) -> list[Finding]:
    """Try every part once. Never raises: a part that does not work says why in its note."""
    with App(settings) as app:
        checks: list[tuple[str, Callable[[App], tuple[str, str]]]] = [
            ("python", _python),
            ("settings", _settings),
            ("data and policies", _policies),
            ("store", _store),
            ("rules", rules_of_the_desk),
            ("marts", _marts),
            ("embedder", _embedder),
            ("index", _index),
            ("models", _models),
            ("handler", _handler),
            ("decisions to hand over", decisions_to_hand_over),
            ("notices", notices_to_people),
            ("orchestrator", _orchestrator),
            ("compute", _compute),
        ]
        return [_try(part, check, app) for part, check in checks]


def _try(part: str, check: Callable[[App], tuple[str, str]], app: App) -> Finding:
    try:
        in_use, note = check(app)
    except HelmdeskError as error:
        return Finding(part, "–", works=False, note=str(error))
    except Exception as error:  # a vendor's own error: the doctor reports it and goes on
        return Finding(part, "–", works=False, note=f"{type(error).__name__}: {error}")
    return Finding(part, in_use, works=True, note=note)


def _version(*packages: str) -> str:
    return ", ".join(f"{package} {importlib.metadata.version(package)}" for package in packages)


def _python(app: App) -> tuple[str, str]:
    return (
        f"Python {platform.python_version()}, {_version('helmdesk', 'polars', 'duckdb')}",
        f"home {app.settings.home}",
    )


def _settings(app: App) -> tuple[str, str]:
    app.settings.check_model()
    ignored = [name for name, _ in unknown_settings()]
    given = ", ".join(sorted(setting_name(field) for field in app.settings.model_fields_set))
    return given or "all as shipped", f"not ours, ignored: {', '.join(ignored)}" if ignored else ".env.example has all"


def _policies(app: App) -> tuple[str, str]:
    settings = app.settings
    calendars = len(app.policies.sla.calendars)
    in_use = f"SLA {settings.sla_policy}, allocation {app.policies.allocation.name}, taxonomy {app.triage.taxonomy.id}"
    app.policies.take_up()
    _ = app.triage.taxonomy
    return f"{in_use}, {calendars} calendars", f"your own: HELMDESK_DATA (now {settings.data})"


def _store(app: App) -> tuple[str, str]:
    tickets = app.store.counts()["tickets"]
    dialect = app.store.engine.dialect.name
    server = app.store.engine.dialect.server_version_info
    version = ".".join(map(str, server)) if server else ""
    note = "" if app.settings.database_url else "many users: HELMDESK_DATABASE_URL=postgresql+psycopg://…"
    return f"{dialect} {version}, {_version('sqlalchemy')}, {tickets:,} tickets", note


def _marts(app: App) -> tuple[str, str]:
    if not (app.settings.marts_folder / "current.json").exists():
        return "none published yet", "`helmdesk cycle` or `helmdesk demo` publishes them"
    with MartReader(app.settings.marts_folder) as reader:
        return f"as of {reader.publication.as_of:%Y-%m-%d %H:%M} UTC", str(reader.publication.folder)


def _embedder(app: App) -> tuple[str, str]:
    embedder = app.triage.embedder
    return (
        f"{embedder.name}, {embedder.dimension} dimensions",
        "" if app.settings.embedder == "auto" else "set by hand",
    )


def _index(app: App) -> tuple[str, str]:
    index, there = app.triage.index, "found by meaning and words (BM25) there"
    held = f"{index.count():,} passages"
    if (server := index.server()) is None:
        note = "many processes: HELMDESK_MILVUS_URI=http://…"
        return f"Milvus Lite, {_version('pymilvus', 'milvus-lite')}, {held} {there}", note
    if index.finds_words_here:
        there = "found by meaning there, by words (BM25) here: Milvus finds words itself from 2.5 on"
    token = "works" if server.asks_for_token else "is not asked for: whoever reaches the server may read and write"
    in_use = f"Milvus server {server.version}, {_version('pymilvus')}, database {server.database}, {held} {there}"
    return in_use, f"HELMDESK_MILVUS_TOKEN {token}"


def _models(app: App) -> tuple[str, str]:
    classifier = app.triage.classifier.name
    if app.settings.hosted_model:
        return classifier, "configured, not contacted; ticket text is sent there"
    return classifier, "hosted: HELMDESK_GROQ_API_KEY, HELMDESK_OPENAI_API_KEY or HELMDESK_LLM_BASE_URL"


def _handler(app: App) -> tuple[str, str]:
    settings = app.settings
    _ = app.handler
    if settings.handler_url:
        return f"{settings.handler} at {settings.handler_url}", "configured, not contacted"
    return "outbox, decisions.jsonl below home", "a system: HELMDESK_HANDLER and HELMDESK_HANDLER_URL"


def decisions_to_hand_over(app: App) -> tuple[str, str]:
    """How many wait, were refused, or belong to a handler that is not in use, and the way out."""
    from engine.storage.outbox import NOTICES
    from pipelines.jobs.deliver import orphans_in_words

    unsent = [there for there in app.outbox.unsent() if not there.destination.startswith(NOTICES)]
    ours = [there for there in unsent if there.destination in app.destinations]
    waiting, refused = sum(there.waiting for there in ours), sum(there.refused for there in ours)
    orphaned = sum(there.waiting + there.refused for there in unsent) - waiting - refused
    notes = [*orphans_in_words(app), *(["`helmdesk deliver --refused` lists what was refused"] if refused else [])]
    return f"{waiting:,} wait, {refused:,} refused, {orphaned:,} orphaned", "; ".join(notes)


def notices_to_people(app: App) -> tuple[str, str]:
    """Which channels have an address, which that people wish for have none, and what was not taken yet."""
    from engine.notifications import Channel, NotificationPreference
    from engine.storage.outbox import NOTICES

    policy, reached = app.desk.policies.notifications, sorted(app.notifiers)
    wished = {wish.channel for wish in app.store.all(NotificationPreference)} | {policy.default_channel, *policy.ladder}
    unsent = [there for there in app.outbox.unsent() if there.destination.startswith(NOTICES)]
    waiting, refused = sum(there.waiting for there in unsent), sum(there.refused for there in unsent)
    notes = []
    if in_inbox := sorted(wished - {Channel.IN_APP.value, *reached}):
        notes.append(f"no address in HELMDESK_NOTIFY_URLS, so in the inbox: {', '.join(in_inbox)}")
    if refused:
        notes.append("`helmdesk deliver --refused` lists what was refused")
    return f"{', '.join(reached) or 'the inbox'}; {waiting:,} wait, {refused:,} refused", "; ".join(notes)


def rules_of_the_desk(app: App) -> tuple[str, str]:
    """How many rules can act, and why the others never do."""
    from pipelines.jobs.rules import rules_in_force

    found = rules_in_force(app)
    never = [f"{one.rule} never acts: {one.why_never}" for one in found if one.why_never]
    note = f"{'; '.join(never)} (data/policies/rules.yaml, `helmdesk people import`)" if never else ""
    return f"{len(found) - len(never):,} of {len(found):,} can act", note


def _orchestrator(app: App) -> tuple[str, str]:
    if server := app.settings.prefect_api_url:
        return f"Prefect server {server}, {_version('prefect')}", "configured, not contacted"
    return f"in process, {_version('prefect')}", "schedules: `prefect server start`, then see prefect.yaml"


def _compute(app: App) -> tuple[str, str]:
    if address := app.settings.dask_address:
        return f"Dask {address}, {_version('distributed')}", "configured, not contacted"
    return f"{os.cpu_count()} local cores", "many machines: uv sync --extra dask, HELMDESK_DASK_ADDRESS=tcp://…"
