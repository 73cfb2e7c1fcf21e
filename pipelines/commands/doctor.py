"""Which parts are in use, do they work, and what would the real ones need."""

import importlib.metadata
import os
import platform
from collections.abc import Callable
from typing import NamedTuple

from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from engine.errors import HelmdeskError
from pipelines.settings import Settings, setting_name, unknown_settings
from pipelines.wiring import House


class Finding(NamedTuple):
    """One part: what is in use, whether it works, and what the other choice would need."""

    part: str
    in_use: str
    works: bool
    note: str


def examine(settings: Settings) -> list[Finding]:
    """Try every part once. Never raises: a part that does not work says why in its note."""
    with House(settings) as house:
        checks: list[tuple[str, Callable[[House], tuple[str, str]]]] = [
            ("python", _python),
            ("settings", _settings),
            ("data and policies", _policies),
            ("store", _store),
            ("marts", _marts),
            ("embedder", _embedder),
            ("index", _index),
            ("models", _models),
            ("handler", _handler),
            ("orchestrator", _orchestrator),
            ("compute", _compute),
        ]
        return [_try(part, check, house) for part, check in checks]


def show(findings: list[Finding], console: Console | None = None) -> None:
    out = console or Console()
    table = Table(title="helmdesk doctor", title_justify="left", box=SIMPLE)
    for column in ("part", "in use", "", "to go further"):
        table.add_column(column, overflow="fold")
    for finding in findings:
        mark = "ok" if finding.works else "[red]FAILS[/]"
        table.add_row(finding.part, escape(finding.in_use), mark, escape(finding.note))
    out.print(table)


def _try(part: str, check: Callable[[House], tuple[str, str]], house: House) -> Finding:
    try:
        in_use, note = check(house)
    except HelmdeskError as error:
        return Finding(part, "–", works=False, note=str(error))
    except Exception as error:  # a vendor's own error: the doctor reports it and goes on
        return Finding(part, "–", works=False, note=f"{type(error).__name__}: {error}")
    return Finding(part, in_use, works=True, note=note)


def _version(*packages: str) -> str:
    return ", ".join(f"{package} {importlib.metadata.version(package)}" for package in packages)


def _python(house: House) -> tuple[str, str]:
    return (
        f"Python {platform.python_version()}, {_version('helmdesk', 'polars', 'duckdb')}",
        f"home {house.settings.home}",
    )


def _settings(house: House) -> tuple[str, str]:
    house.settings.check_model()
    ignored = [name for name, _ in unknown_settings()]
    given = ", ".join(sorted(setting_name(field) for field in house.settings.model_fields_set))
    return given or "all as shipped", f"not ours, ignored: {', '.join(ignored)}" if ignored else ".env.example has all"


def _policies(house: House) -> tuple[str, str]:
    settings = house.settings
    calendars = len(house.calendars)
    in_use = f"SLA {settings.sla_policy}, allocation {house.allocation_policy.name}, taxonomy {house.taxonomy.id}"
    house.take_up_policies()
    _ = house.taxonomy
    return f"{in_use}, {calendars} calendars", f"your own: HELMDESK_DATA (now {settings.data})"


def _store(house: House) -> tuple[str, str]:
    tickets = house.store.counts()["tickets"]
    dialect = house.store.engine.dialect.name
    server = house.store.engine.dialect.server_version_info
    version = ".".join(map(str, server)) if server else ""
    note = "" if house.settings.database_url else "many users: HELMDESK_DATABASE_URL=postgresql+psycopg://…"
    return f"{dialect} {version}, {_version('sqlalchemy')}, {tickets:,} tickets", note


def _marts(house: House) -> tuple[str, str]:
    if not (house.settings.marts_folder / "current.json").exists():
        return "none published yet", "`helmdesk cycle` or `helmdesk demo` publishes them"
    with house.marts() as reader:
        return f"as of {reader.publication.as_of:%Y-%m-%d %H:%M} UTC", str(reader.publication.folder)


def _embedder(house: House) -> tuple[str, str]:
    embedder = house.embedder
    return (
        f"{embedder.name}, {embedder.dimension} dimensions",
        "" if house.settings.embedder == "auto" else "set by hand",
    )


def _index(house: House) -> tuple[str, str]:
    kind = "Milvus server" if house.settings.milvus_uri else "Milvus Lite"
    packages = ("pymilvus",) if house.settings.milvus_uri else ("pymilvus", "milvus-lite")
    note = "" if house.settings.milvus_uri else "many processes: HELMDESK_MILVUS_URI=http://…"
    return f"{kind}, {_version(*packages)}, {house.index.count():,} passages", note


def _models(house: House) -> tuple[str, str]:
    classifier = house.classifier.name
    if house.settings.hosted_model:
        return classifier, "configured, not contacted; ticket text is sent there"
    return classifier, "hosted: HELMDESK_GROQ_API_KEY, HELMDESK_OPENAI_API_KEY or HELMDESK_LLM_BASE_URL"


def _handler(house: House) -> tuple[str, str]:
    settings = house.settings
    _ = house.handler
    if settings.handler_url:
        return f"{settings.handler} at {settings.handler_url}", "configured, not contacted"
    return "outbox, decisions.jsonl below home", "a system: HELMDESK_HANDLER and HELMDESK_HANDLER_URL"


def _orchestrator(house: House) -> tuple[str, str]:
    if server := house.settings.prefect_api_url:
        return f"Prefect server {server}, {_version('prefect')}", "configured, not contacted"
    return f"in process, {_version('prefect')}", "schedules: `prefect server start`, then see prefect.yaml"


def _compute(house: House) -> tuple[str, str]:
    if address := house.settings.dask_address:
        return f"Dask {address}, {_version('distributed')}", "configured, not contacted"
    return f"{os.cpu_count()} local cores", "many machines: uv sync --extra dask, HELMDESK_DASK_ADDRESS=tcp://…"
