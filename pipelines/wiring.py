"""The choice of real parts, made once: which store, index, models and policies this process works with.

Parts are opened when first asked for, so that a command pays only for what it uses.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from engine.errors import BadInput, HelmdeskError
from pipelines.settings import Settings, read_settings

if TYPE_CHECKING:
    from engine.allocation.policy import AllocationPolicy
    from engine.desk import Desk
    from engine.plugins.ports import HandlerPlugin, SourcePlugin
    from engine.priority import Preset
    from engine.storage.sql import SqlStore
    from pipelines.jobs.review import Queued
    from pipelines.marts import MartReader
    from pipelines.people import People
    from pipelines.policies_in_force import InForce, SlaRules
    from sla.alerts import AlertPolicy
    from sla.calendars import Calendar
    from sla.explain import Ledger
    from sla.promises import Policies
    from sla.store import AlertStore
    from triage.budget import Budget
    from triage.classify import LocalClassifier, TrainedClassifier
    from triage.contracts import Macro
    from triage.feedback import Feedback
    from triage.feedback_store import FeedbackStore, ModelRun
    from triage.learning_policy import LearningPolicy
    from triage.llm.local import LocalModels
    from triage.llm.models import HostedModel, Provider
    from triage.llm.policy import TriagePolicy
    from triage.milvus import MilvusIndex
    from triage.ports import Classifier, Drafter, Embedder, IndexReport
    from triage.reviews import Review
    from triage.store import TriageStore
    from triage.taxonomy import Taxonomy


T = TypeVar("T")


def open_house(*, keep_last_good: bool = False, **overrides: object) -> "House":
    """The house as the environment describes it; `overrides` are settings given by hand.

    With `keep_last_good`, a broken policy file stops nothing: the last good one, kept below home, stays in force and
    the log says so. A scheduler wants that; a person at the command line wants to be told.
    """
    return House(read_settings(**overrides), keep_last_good=keep_last_good)


class House:
    """The parts of one running helmdesk. Use `with`: it releases the index file and the database."""

    def __init__(self, settings: Settings, *, keep_last_good: bool = False) -> None:
        self.settings = settings
        self._keep_last_good = keep_last_good

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

    # -- triage --------------------------------------------------------------------------------------------------

    @cached_property
    def embedder(self) -> "Embedder":
        from triage.embed import Remembering, open_embedder

        return Remembering(open_embedder(self.settings.embedder))

    @cached_property
    def local_models(self) -> "LocalModels":
        from triage.llm.local import open_local
        from triage.wording import load_wording

        return open_local(
            self.taxonomy,
            self.embedder,
            clock=self.now,
            macros=self.macros,
            wording=load_wording(self.policy_file("wording.yaml")),
            cache=self.settings.models_folder,
        )

    @cached_property
    def macros(self) -> "list[Macro]":
        from triage.macros import read_macros

        return read_macros(self.settings.data / "macros")

    @cached_property
    def triage_policy(self) -> "TriagePolicy":
        from triage.llm.policy import load_policy

        return load_policy(self.policy_file("triage.yaml"))

    @cached_property
    def llm_budget(self) -> "Budget":
        from triage.budget import Budget

        return Budget(self.store.engine, self.triage_policy.budget_per_day, clock=self.now)

    @cached_property
    def hosted_models(self) -> "list[HostedModel]":
        """Groq, then OpenAI, then a server that speaks its protocol, as far as a key or address was set on purpose."""
        settings, models = self.settings, []
        if key := settings.groq_api_key:
            models.append(self._hosted("groq", settings.llm_groq_model, key.get_secret_value()))
        if key := settings.openai_api_key:
            models.append(self._hosted("openai", settings.llm_openai_model, key.get_secret_value()))
        if url := settings.llm_base_url:
            if not settings.llm_model:
                raise BadInput(f"HELMDESK_LLM_BASE_URL={url} needs HELMDESK_LLM_MODEL: a model it serves")
            secret = settings.llm_api_key.get_secret_value() if settings.llm_api_key else ""
            models.append(self._hosted("compatible", settings.llm_model, secret, url))
        return models

    def _hosted(self, provider: "Provider", name: str, key: str, url: str | None = None) -> "HostedModel":
        from triage.llm.models import open_model

        asking, price = self.triage_policy.asking, self.triage_policy.price(f"{provider}:{name}")
        return open_model(
            provider,
            name,
            api_key=key,
            base_url=url,
            timeout=self.settings.llm_timeout_seconds,
            max_retries=asking.retries,
            prompts_per_second=asking.prompts_per_second,
            prompt_price=price.prompt,
            completion_price=price.completion,
        )

    @cached_property
    def local_classifier(self) -> "LocalClassifier | TrainedClassifier":
        """The model that HELMDESK_MODEL names, else the one that took over last, else what the taxonomy teaches."""
        if self.settings.model is None:
            return self._learned_classifier() or self.local_models.classifier
        from triage.model_files import load_model

        return load_model(self.settings.model, self.embedder, taxonomy=self.taxonomy, clock=self.now)

    @cached_property
    def classifier(self) -> "Classifier":
        """The local classifier, or a cascade: what it is least sure of goes to hosted models, within a day's budget."""
        if not self.hosted_models:
            return self.local_classifier
        from triage.answer_cache import AnswerCache
        from triage.cascade import Cascade

        return Cascade(
            self.local_classifier,
            self.hosted_models,
            taxonomy=self.taxonomy,
            policy=self.triage_policy,
            budget=self.llm_budget,
            cache=AnswerCache(self.store.engine),
            clock=self.now,
        )

    @cached_property
    def drafter(self) -> "Drafter":
        """The extractive drafter, or hosted models with it to fall back on."""
        if not self.hosted_models:
            return self.local_models.drafter
        from triage.llm.hosted import HostedDrafter

        return HostedDrafter(self.hosted_models, self.local_models.drafter, clock=self.now, budget=self.llm_budget)

    @cached_property
    def index(self) -> "MilvusIndex":
        """The knowledge index; one process at a time may hold the embedded one (raises Unavailable)."""
        from triage.milvus import MilvusIndex
        from triage.search_weights import read_weights

        token = self.settings.milvus_token
        self.settings.home.mkdir(parents=True, exist_ok=True)
        return MilvusIndex(
            self.settings.index_uri,
            self.embedder,
            token=token.get_secret_value() if token else None,
            weights=read_weights(self.settings.search_weights_file, embedder=self.embedder.name),
        )

    def sync_knowledge(self) -> "IndexReport":
        """Make the index hold the articles as they are now; only changed ones are embedded again.

        One that can't be read is told of in the log, and none is removed while there is one.
        """
        from triage.articles import read_folder

        reading = read_folder(self.settings.data / "knowledge")
        for refused in reading.refused:
            self.log.warning("article refused", reason=str(refused))
        return self.index.sync(reading.articles, remove_missing=not reading.refused)

    # Reviews, feedback, and the model that was learned from them.

    @cached_property
    def feedback_store(self) -> "FeedbackStore":
        from triage.feedback_store import FeedbackStore

        return FeedbackStore(self.store.engine)

    @cached_property
    def learning_policy(self) -> "LearningPolicy":
        from triage.learning_policy import load_policy

        return load_policy(self.policy_file("learning.yaml"))

    def model_in_force(self) -> "ModelRun | None":
        """The training whose model is in use; None where HELMDESK_MODEL names another or nothing took over yet."""
        return None if self.settings.model is not None else self.feedback_store.in_force()

    def model_file(self) -> Path | None:
        """The file of the model in use; None for what is learned from the taxonomy alone."""
        run = self.model_in_force()
        return self.settings.models_folder / run.file if run else self.settings.model

    def forget_classifier(self) -> None:
        """The next call opens the model that is in force by then."""
        for part in ("local_classifier", "classifier"):
            self.__dict__.pop(part, None)

    def _learned_classifier(self) -> "TrainedClassifier | None":
        """The model that took over last. One that can't be used (gone, damaged, for another embedder or taxonomy) is
        told of in the log, and triage goes on with what it learns from the taxonomy."""
        from triage.model_files import load_model

        run = self.model_in_force()
        if run is None:
            return None
        file = self.settings.models_folder / run.file
        try:
            return load_model(file, self.embedder, taxonomy=self.taxonomy, clock=self.now)
        except HelmdeskError as error:
            self.log.warning("model refused", model=run.name, reason=str(error))
            return None

    def review_queue(self, *, closed: bool = False) -> "list[Queued]":
        """Tickets that wait for a person's answer, the least certain first."""
        from pipelines.jobs.review import review_queue

        return review_queue(self, closed=closed)

    def answer_review(self, ticket: str, *, label: str, by: str, note: str = "") -> "Review":
        """Keep a person's answer and confirm the product on the ticket."""
        from pipelines.jobs.review import answer_review

        return answer_review(self, ticket, label=label, by=by, note=note, at=self.now())

    def record_feedback(
        self,
        ticket: str,
        *,
        by: str,
        sent: str | None = None,
        rejected: str | None = None,
        shown: str | None = None,
    ) -> "Feedback":
        """Keep what a person did with the newest draft on a ticket; nothing is sent by it."""
        from pipelines.jobs.review import record_feedback

        return record_feedback(self, ticket, by=by, sent=sent, rejected=rejected, shown=shown, at=self.now())

    # -- marts ---------------------------------------------------------------------------------------------------

    def marts(self) -> "MartReader":
        """The publication in force. Raises NotFound with the command that publishes one."""
        from pipelines.marts import MartReader

        return MartReader(self.settings.marts_folder)

    def explain(self, ticket_id: str, as_of: datetime) -> "list[Ledger]":
        """The ledgers behind a ticket's clocks as of an instant. Raises NotFound."""
        from pipelines.jobs.explain import explain

        return explain(self, ticket_id, as_of=as_of)

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
