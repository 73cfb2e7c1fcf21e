"""What every room of a running helmdesk stands on: settings, store, policies in force, sources and the desk."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from engine.errors import BadInput
from pipelines.settings import Settings

if TYPE_CHECKING:
    from engine.allocation.policy import AllocationPolicy
    from engine.desk import Desk
    from engine.plugins.ports import HandlerPlugin, SourcePlugin
    from engine.priority import Preset
    from engine.storage.outbox import Outbox
    from engine.storage.sql import SqlStore
    from pipelines.people import People
    from pipelines.policies_in_force import InForce, SlaRules
    from sla.alerts import AlertPolicy
    from sla.calendars import Calendar
    from sla.promises import Policies
    from sla.store import AlertStore
    from triage.drafting.wording import Wording
    from triage.enrichment.policy import EnrichmentPolicy
    from triage.feedback.policy import LearningPolicy
    from triage.llm.policy import TriagePolicy
    from triage.store import TriageStore

T = TypeVar("T")


class Foundations:
    """Settings, the system of record, the policies in force, sources and the desk."""

    def __init__(self, settings: Settings, *, keep_last_good: bool = False) -> None:
        self.settings = settings
        self._keep_last_good = keep_last_good
        self._made: dict[str, tuple[object, Any]] = {}

    def now(self) -> datetime:
        """The only clock below the flows."""
        return datetime.now(UTC)

    @cached_property
    def log(self) -> Any:
        import structlog

        return structlog.get_logger("helmdesk")

    # -- the system of record ------------------------------------------------------------------------------------

    @cached_property
    def store(self) -> "SqlStore":
        from engine.storage import open_store
        from engine.storage.sql import SqlStore

        store = open_store(self.settings.store_url)
        if not isinstance(store, SqlStore):
            raise BadInput("HELMDESK_DATABASE_URL names no database: use sqlite:///… or postgresql+psycopg://…")
        return store

    @cached_property
    def outbox(self) -> "Outbox":
        from engine.storage.outbox import Outbox

        return Outbox(self.store.engine)

    @cached_property
    def triage_store(self) -> "TriageStore":
        from triage.store import TriageStore

        return TriageStore(self.store.engine)

    @cached_property
    def alert_store(self) -> "AlertStore":
        from sla.store import AlertStore

        return AlertStore(self.store.engine)

    # -- policies ------------------------------------------------------------------------------------------------

    def policy_file(self, *parts: str) -> Path:
        return self.settings.data.joinpath("policies", *parts)

    @property
    def calendars(self) -> "Mapping[str, Calendar]":
        return self._sla_rules.get().calendars

    @property
    def sla_policies(self) -> "Policies":
        return self._sla_rules.get().policies

    @property
    def sla_rules(self) -> "SlaRules":
        """Calendars and policies of one moment: ask once where both are needed."""
        return self._sla_rules.get()

    @property
    def alert_policy(self) -> "AlertPolicy":
        return self._alert_policy.get()

    @cached_property
    def _sla_rules(self) -> "InForce[SlaRules]":
        from pipelines.policies_in_force import load_sla_rules

        file = self.policy_file("sla", f"{self.settings.sla_policy}.yaml")
        if not file.is_file() and not self._keep_last_good:
            known = ", ".join(sorted(path.stem for path in file.parent.glob("*.yaml") if path.stem != "alerts"))
            raise BadInput(f"HELMDESK_SLA_POLICY={self.settings.sla_policy!r}: there is no {file}; there are {known}")
        return self._in_force("sla", (self.policy_file("calendars.yaml"), file), load_sla_rules)

    @cached_property
    def _alert_policy(self) -> "InForce[AlertPolicy]":
        from sla.alerts import load_policy

        return self._in_force("alerts", (self.policy_file("sla", "alerts.yaml"),), load_policy)

    @property
    def wording(self) -> "Wording":
        return self._wording.get()

    @cached_property
    def _wording(self) -> "InForce[Wording]":
        from triage.drafting.wording import load_wording

        return self._in_force("wording", (self.policy_file("wording.yaml"),), load_wording)

    @property
    def enrichment_policy(self) -> "EnrichmentPolicy":
        return self._enrichment_policy.get()

    @cached_property
    def _enrichment_policy(self) -> "InForce[EnrichmentPolicy]":
        from triage.enrichment.policy import load_enrichment_policy

        return self._in_force("enrichment", (self.policy_file("enrichment.yaml"),), load_enrichment_policy)

    @property
    def learning_policy(self) -> "LearningPolicy":
        return self._learning_policy.get()

    @cached_property
    def _learning_policy(self) -> "InForce[LearningPolicy]":
        from triage.feedback.policy import load_policy

        return self._in_force("learning", (self.policy_file("learning.yaml"),), load_policy)

    @property
    def triage_policy(self) -> "TriagePolicy":
        return self._triage_policy.get()

    @cached_property
    def _triage_policy(self) -> "InForce[TriagePolicy]":
        from triage.llm.policy import load_policy

        return self._in_force("triage", (self.policy_file("triage.yaml"),), load_policy)

    def _in_force(self, name: str, files: tuple[Path, ...], load: "Callable[..., T]") -> "InForce[T]":
        from pipelines.policies_in_force import InForce

        keep = self.settings.home / "policies" / name if self._keep_last_good else None
        return InForce(files, load, warn=lambda reason: self.log.warning("policy refused", reason=reason), keep=keep)

    @cached_property
    def allocation_policy(self) -> "AllocationPolicy":
        from engine.allocation.policy import load_policy

        return load_policy(self.policy_file("allocation.yaml"), self.settings.allocation_policy or None)

    @cached_property
    def priority_preset(self) -> "Preset":
        from engine.priority import load

        return load(self.policy_file("priority.yaml")).preset()

    @cached_property
    def people(self) -> "People":
        from pipelines.people import load_people

        return load_people(self.settings.data / "people")

    # -- sources and the desk ------------------------------------------------------------------------------------

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
        settings.home.mkdir(parents=True, exist_ok=True)
        return handler_plugin(
            settings.handler,
            mappings=settings.data / "mappings",
            groups=settings.data / "people" / "groups.yaml",
            send_to=settings.handler_url or settings.home / "decisions.jsonl",
            token=settings.handler_token.get_secret_value() if settings.handler_token else None,
        )

    @cached_property
    def desk(self) -> "Desk":
        from engine.desk import Desk, load_policies

        return Desk(self.store, load_policies(self.policy_file()))
