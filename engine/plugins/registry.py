"""Which sources and handlers there are: the built-in ones, those a config file adds, and every mapping file."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pydantic import Field

from engine.contracts import Frozen
from engine.plugins.mapping import load_mapping
from engine.plugins.ports import HandlerPlugin, SourcePlugin
from engine.shared import policy_file
from engine.shared.errors import BadInput

if TYPE_CHECKING:
    from engine.plugins.pull.notes import Notes
    from engine.plugins.pull.pages import Feed
    from engine.plugins.pull.site import Account

CONFIG = "plugins.yaml"
MAPPED = "engine.plugins.files:MappedFiles"


class Entry(Frozen):
    """A plugin: `module:Class`, the mapping file it reads by, and further arguments of the class."""

    plugin: str = Field(pattern=r"^[\w.]+:\w+$")
    mapping: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)


class PluginFile(Frozen):
    """`data/mappings/plugins.yaml`: plugins beside the built-in ones, or in their place."""

    sources: dict[str, Entry] = Field(default_factory=dict)
    handlers: dict[str, Entry] = Field(default_factory=dict)


SOURCES = {
    "helmdesk": Entry(plugin="engine.plugins.files:HelmdeskFiles"),
    "webhook": Entry(plugin="engine.plugins.webhook:StandardTicketSource"),
    "servicenow": Entry(plugin="engine.plugins.servicenow:ServiceNowSource", mapping="servicenow.yaml"),
    "jira": Entry(plugin="engine.plugins.jira:JiraSource", mapping="jira.yaml"),
    "zendesk": Entry(plugin="engine.plugins.zendesk:ZendeskSource", mapping="zendesk.yaml"),
    "freshdesk": Entry(plugin="engine.plugins.freshdesk:FreshdeskSource", mapping="freshdesk.yaml"),
}
PULLED = ("freshdesk", "jira", "servicenow", "zendesk")
"""Sources whose tickets can be fetched from an API."""
TAKES_NOTES = ("jira", "servicenow", "zendesk")
"""Sources whose tickets take internal notes."""
HANDLERS = {
    "outbox": Entry(plugin="engine.plugins.sending:OutboxHandler"),
    "webhook": Entry(plugin="engine.plugins.handlers.webhook:WebhookHandler"),
    "servicenow": Entry(plugin="engine.plugins.handlers.servicenow:ServiceNowHandler"),
    "jira": Entry(plugin="engine.plugins.handlers.jira:JiraHandler"),
    "bmc": Entry(plugin="engine.plugins.handlers.bmc:BmcHandler"),
}


def source_names(mappings: Path) -> list[str]:
    return sorted(_sources(mappings))


def source_plugin(name: str, *, mappings: Path, mapping: Path | None = None) -> SourcePlugin:
    """The source of this name, or with `mapping` a source that reads by that file whatever its name.

    Raises BadInput for an unknown name, with the known ones, and for a mapping that can't be used.
    """
    known = _sources(mappings)
    entry = known.get(name, Entry(plugin=MAPPED) if mapping else None)
    if entry is None:
        raise BadInput(
            f"there is no source {name!r}; there are {', '.join(sorted(known))}. "
            f"A new one is a mapping file in {mappings} or an entry in {CONFIG}."
        )
    if mapping is not None and entry.mapping is None:
        entry = Entry(plugin=MAPPED)
    options = dict(entry.options)
    if mapping is not None or entry.mapping is not None:
        options["mapping"] = load_mapping(mapping or mappings / str(entry.mapping))
    return cast("SourcePlugin", _made(name, entry, options))


def handler_plugin(name: str, *, mappings: Path, send_to: "Path | Account") -> HandlerPlugin:
    """The handler of this name, to an address or an outbox file. Raises BadInput for an unknown name, with the known
    ones, and for options or an address that can't be used."""
    known = {**HANDLERS, **_config(mappings).handlers}
    if name not in known:
        raise BadInput(f"there is no handler {name!r}; there are {', '.join(sorted(known))}")
    return cast("HandlerPlugin", _made(name, known[name], {**known[name].options, "send_to": send_to}))


def feed(account: "Account", *, jql: str = "") -> "Feed":
    """Where the tickets of this account's source are fetched from. Raises BadInput for an address that is none."""
    from engine.plugins.pull import freshdesk, jira, servicenow, zendesk

    match account.source:
        case "jira":
            return jira.JiraFeed(account, jql=jql)
        case "servicenow":
            return servicenow.ServiceNowFeed(account)
        case "zendesk":
            return zendesk.ZendeskFeed(account)
        case "freshdesk":
            return freshdesk.FreshdeskFeed(account)
    raise BadInput(f"nothing is pulled from {account.source!r}; there are {', '.join(PULLED)}")


def notes(account: "Account") -> "Notes":
    """Where suggestions for this account's tickets go; its source is one of TAKES_NOTES."""
    from engine.plugins.pull.notes import JiraNotes, ServiceNowNotes, ZendeskNotes

    match account.source:
        case "jira":
            return JiraNotes(account)
        case "servicenow":
            return ServiceNowNotes(account)
    return ZendeskNotes(account)


def _sources(mappings: Path) -> dict[str, Entry]:
    files = sorted(mappings.glob("*.yaml")) if mappings.is_dir() else []
    mapped = {file.stem: Entry(plugin=MAPPED, mapping=file.name) for file in files if file.name != CONFIG}
    return {**mapped, **SOURCES, **_config(mappings).sources}


def _config(mappings: Path) -> PluginFile:
    path = mappings / CONFIG
    return policy_file.read(path, PluginFile) if path.exists() else PluginFile()


def _made(name: str, entry: Entry, options: dict[str, Any]) -> object:
    module, _, kind = entry.plugin.partition(":")
    try:
        plugin = getattr(import_module(module), kind)
    except (ImportError, AttributeError) as error:
        raise BadInput(f"{CONFIG}: plugin {name!r}: {entry.plugin} can't be loaded ({error})") from error
    try:
        return plugin(name, **options)
    except TypeError as error:
        raise BadInput(f"{CONFIG}: plugin {name!r}: its options do not fit ({error})") from error
