"""The choice of real parts, made once: which store, index, models and policies this process works with.

Parts are opened when first asked for, so that a command pays only for what it uses.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from pipelines.settings import Settings, read_settings

if TYPE_CHECKING:
    from engine.allocation.policy import AllocationPolicy
    from engine.desk import Desk
    from engine.plugins.ports import SourcePlugin
    from engine.storage.sql import SqlStore
    from pipelines.marts import MartReader
    from pipelines.people import People
    from sla.calendars import Calendar
    from sla.policies import Policies
    from sla.store import AlertStore
    from triage.milvus import MilvusIndex
    from triage.ports import Classifier, Drafter, Embedder
    from triage.store import TriageStore
    from triage.taxonomy import Taxonomy


def open_house(**overrides: object) -> "House":
    """The house as the environment describes it; `overrides` are settings given by hand."""
    return House(read_settings(**overrides))


class House:
    """The parts of one running helmdesk. Use `with`: it releases the index file and the database."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

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

        return open_store(self.settings.store_url)

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

    @cached_property
    def calendars(self) -> "Mapping[str, Calendar]":
        from sla.calendars import load_calendars

        return load_calendars(self.policy_file("calendars.yaml"))

    @cached_property
    def sla_policies(self) -> "Policies":
        from sla.policies import load

        return load(self.policy_file("sla", f"{self.settings.sla_policy}.yaml"))

    @cached_property
    def allocation_policy(self) -> "AllocationPolicy":
        from engine.allocation.policy import load_policy

        return load_policy(self.policy_file("allocation.yaml"), self.settings.allocation_policy)

    @cached_property
    def taxonomy(self) -> "Taxonomy":
        from triage.taxonomy import load_taxonomy

        return load_taxonomy(self.settings.data / "taxonomies" / f"{self.settings.taxonomy}.yaml")

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
    def desk(self) -> "Desk":
        from engine.desk import Desk

        return Desk(self.store)

    # -- triage --------------------------------------------------------------------------------------------------

    @cached_property
    def embedder(self) -> "Embedder":
        from triage.embed import open_embedder

        return open_embedder(self.settings.embedder)

    @cached_property
    def classifier(self) -> "Classifier":
        raise NotImplementedError

    @cached_property
    def index(self) -> "MilvusIndex":
        from triage.milvus import MilvusIndex

        token = self.settings.milvus_token
        self.settings.home.mkdir(parents=True, exist_ok=True)
        return MilvusIndex(self.settings.index_uri, self.embedder, token=token.get_secret_value() if token else None)

    @cached_property
    def drafter(self) -> "Drafter":
        raise NotImplementedError

    # -- marts ---------------------------------------------------------------------------------------------------

    def marts(self) -> "MartReader":
        """The publication in force. Raises NotFound with the command that publishes one."""
        from pipelines.marts import MartReader

        return MartReader(self.settings.marts_folder)

    def close(self) -> None:
        for part in ("index", "store"):
            if part in self.__dict__:
                self.__dict__.pop(part).close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
