"""The choice of triage's parts: embedder, classifiers, hosted models, drafters, index, and what people answered."""

from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from engine.shared.errors import BadInput, HelmdeskError
from pipelines.app.policies import Policies
from pipelines.app.settings import Settings

if TYPE_CHECKING:
    from triage.classify import ProductClassifier
    from triage.contracts import Macro
    from triage.drafting.article_policy import ArticlePolicy
    from triage.drafting.wording import Wording
    from triage.enrichment.store import EnrichmentStore
    from triage.feedback.policy import AnsweredPolicy
    from triage.feedback.store import FeedbackStore, ModelRun
    from triage.knowledge.milvus import MilvusIndex
    from triage.llm.budget import Budget
    from triage.llm.local import LocalModels
    from triage.llm.models import HostedModel, Provider
    from triage.llm.policy import TriagePolicy
    from triage.ports import Classifier, Drafter, Embedder, IndexReport
    from triage.redaction.tickets import KnownOf
    from triage.store import TriageStore
    from triage.taxonomy import Taxonomy

T = TypeVar("T")
Part = TypeVar("Part")


def named_taxonomy(settings: Settings) -> Path:
    """The file that HELMDESK_TAXONOMY means: one of data/taxonomies by its name, or any that ends in .yaml."""
    named = Path(settings.taxonomy).expanduser()
    is_file = named.suffix.lower() in (".yaml", ".yml")
    return named if is_file else settings.data / "taxonomies" / f"{settings.taxonomy}.yaml"


def taxonomy_in_use(settings: Settings) -> Path:
    """The one named on purpose, else the one beside the model that HELMDESK_MODEL names, else the default."""
    if settings.model is not None and "taxonomy" not in settings.model_fields_set:
        from triage.learning.own_taxonomy import place_beside

        beside = place_beside(settings.model)
        if beside.is_file() and beside != settings.model:
            return beside
    return named_taxonomy(settings)


class TriageParts:
    """What triage works with, opened when first asked for."""

    def __init__(
        self,
        settings: Settings,
        policies: Policies,
        *,
        engine: Callable[[], Any],
        now: Callable[[], datetime],
        log: Callable[[], Any],
        known: "KnownOf",
    ) -> None:
        """`known` is what the desk knows of the people behind tickets."""
        self.settings, self.policies, self.now = settings, policies, now
        self._engine, self._log, self._known = engine, log, known
        self._made: dict[str, tuple[object, Any]] = {}

    @cached_property
    def store(self) -> "TriageStore":
        from triage.store import TriageStore

        return TriageStore(self._engine())

    @cached_property
    def enrichment(self) -> "EnrichmentStore":
        from triage.enrichment.store import EnrichmentStore

        return EnrichmentStore(self._engine())

    @cached_property
    def feedback(self) -> "FeedbackStore":
        """Reviews, feedback, and the models that were learned from them."""
        from triage.feedback.store import FeedbackStore

        return FeedbackStore(self._engine())

    def close(self) -> None:
        if "index" not in self.__dict__:
            return
        index: MilvusIndex = self.__dict__.pop("index")
        try:
            ids = [held.article_id for held in index.held()]
        except HelmdeskError:
            ids = None
        index.close()
        if ids is not None:
            self._keep_ids(ids)

    @cached_property
    def taxonomy(self) -> "Taxonomy":
        from triage.taxonomy import load_taxonomy

        return load_taxonomy(taxonomy_in_use(self.settings))

    @cached_property
    def embedder(self) -> "Embedder":
        from triage.embed import Remembering, open_embedder

        return Remembering(open_embedder(self.settings.embedder))

    @cached_property
    def quick(self) -> "Embedder | None":
        """What may decide before the embedder does; none where HELMDESK_EMBEDDER names one by hand."""
        from triage.embed import open_quick

        return open_quick(self.settings.embedder)

    def _made_from(self, given: T, name: str, make: "Callable[[T], Part]") -> "Part":
        """The part of this name, made anew once another policy is given than the one it was made from."""
        known = self._made.get(name)
        if known is None or known[0] != given:
            known = self._made[name] = (given, make(given))
        part: Part = known[1]
        return part

    @property
    def taught_taxonomy(self) -> "Taxonomy":
        """With the phrases that leads have accepted of people's answers."""
        from triage.feedback.phrases import in_force

        return self._made_from(in_force(self.feedback.phrase_decisions()), "taxonomy", self._with_phrases)

    def _with_phrases(self, accepted: "list[tuple[str, str]]") -> "Taxonomy":
        from triage.feedback.phrases import with_phrases

        return with_phrases(self.taxonomy, accepted) if accepted else self.taxonomy

    @property
    def local_models(self) -> "LocalModels":
        return self._made_from(
            (self.policies.wording, self.policies.articles, self.taught_taxonomy), "local models", self._open_local
        )

    def _open_local(self, given: "tuple[Wording, ArticlePolicy, Taxonomy]") -> "LocalModels":
        from triage.llm.local import open_local

        wording, articles, taxonomy = given
        return open_local(
            taxonomy,
            self.embedder,
            clock=self.now,
            quick=self.quick,
            macros=self.macros,
            wording=wording,
            articles=articles,
            cache=self.settings.models_folder,
        )

    @cached_property
    def macros(self) -> "list[Macro]":
        from triage.drafting.macros import read_macros

        return read_macros(self.settings.data / "macros")

    @property
    def llm_budget(self) -> "Budget":
        return self._made_from(self.policies.triage, "budget", self._open_budget)

    def _open_budget(self, policy: "TriagePolicy") -> "Budget":
        from triage.llm.budget import Budget

        return Budget(self._engine(), policy.budget_per_day, clock=self.now)

    @property
    def hosted_models(self) -> "list[HostedModel]":
        """Groq, then OpenAI, then a server that speaks its protocol, as far as a key or address was set on purpose."""
        return (
            self._made_from(self.policies.triage, "hosted models", self._open_hosted)
            if self.settings.hosted_model
            else []
        )

    def _open_hosted(self, policy: "TriagePolicy") -> "list[HostedModel]":
        settings, models = self.settings, []
        if key := settings.groq_api_key:
            models.append(self._hosted(policy, "groq", settings.llm_groq_model, key.get_secret_value()))
        if key := settings.openai_api_key:
            models.append(self._hosted(policy, "openai", settings.llm_openai_model, key.get_secret_value()))
        if url := settings.llm_base_url:
            if not settings.llm_model:
                raise BadInput(f"HELMDESK_LLM_BASE_URL={url} needs HELMDESK_LLM_MODEL: a model it serves")
            secret = settings.llm_api_key.get_secret_value() if settings.llm_api_key else ""
            models.append(self._hosted(policy, "compatible", settings.llm_model, secret, url))
        return models

    def _hosted(
        self, policy: "TriagePolicy", provider: "Provider", name: str, key: str, url: str | None = None
    ) -> "HostedModel":
        from triage.llm.models import open_model

        asking, price = policy.asking, policy.price(f"{provider}:{name}")
        return open_model(
            provider,
            name,
            api_key=key,
            base_url=url,
            timeout=self.settings.llm_timeout_seconds,
            max_retries=asking.retries,
            deadline=asking.answer_within_seconds,
            is_redacted=policy.redaction.covers(provider),
            prompts_per_second=asking.prompts_per_second,
            prompt_price=price.prompt,
            completion_price=price.completion,
        )

    @property
    def local_classifier(self) -> "ProductClassifier":
        """The model that HELMDESK_MODEL names, else the one that took over last, else what the taxonomy teaches."""
        return self.trained_classifier or self.local_models.classifier

    @cached_property
    def trained_classifier(self) -> "ProductClassifier | None":
        if self.settings.model is None:
            return self._learned_classifier()
        from triage.learning.own_taxonomy import place_beside
        from triage.model_files import load_model

        return load_model(
            self.settings.model,
            self.embedder,
            taxonomy=self.taxonomy,
            clock=self.now,
            quick=self.quick,
            remedy=f"put a taxonomy that has them at {place_beside(self.settings.model)} (`helmdesk triage train` "
            "without --taxonomy writes it beside the model) and leave HELMDESK_TAXONOMY unset",
        )

    @property
    def classifier(self) -> "Classifier":
        """The local classifier with what people answered, or a cascade: what it is least sure of goes to hosted models,
        within a day's budget."""
        local, stamp, policy = self.local_classifier, self.feedback.answers_stamp(), self.policies.learning.answered
        taught = self._made_from((local, stamp, policy), "taught", self._teach)
        if not self.settings.hosted_model:
            return taught
        return self._made_from((self.policies.triage, taught), "cascade", self._open_cascade)

    def _teach(self, given: "tuple[Classifier, tuple[int, int], AnsweredPolicy]") -> "Classifier":
        from triage.feedback.answered import AnsweredTexts, TaughtClassifier, last_words

        local, _, policy = given
        answers = last_words(self.feedback.review_history(), self.taxonomy.product.labels)
        return TaughtClassifier(local, AnsweredTexts(answers, policy), policy)

    def _open_cascade(self, given: "tuple[TriagePolicy, Classifier]") -> "Classifier":
        from triage.llm.answer_cache import AnswerCache
        from triage.llm.cascade import Cascade

        policy, taught = given
        return Cascade(
            taught,
            self.hosted_models,
            taxonomy=self.taxonomy,
            policy=policy,
            budget=self.llm_budget,
            cache=AnswerCache(self._engine()),
            clock=self.now,
            known=self._known,
        )

    @property
    def drafter(self) -> "Drafter":
        """The extractive drafter, or hosted models with it to fall back on."""
        if not self.settings.hosted_model:
            return self.local_models.drafter
        return self._made_from((self.policies.triage, self.local_models), "drafter", self._open_hosted_drafter)

    def _open_hosted_drafter(self, _: "tuple[TriagePolicy, LocalModels]") -> "Drafter":
        from triage.llm.hosted import HostedDrafter

        return HostedDrafter(
            self.hosted_models, self.local_models.drafter, clock=self.now, budget=self.llm_budget, known=self._known
        )

    @cached_property
    def index(self) -> "MilvusIndex":
        """The knowledge index; one process at a time may hold the embedded one (raises Unavailable)."""
        from triage.knowledge.milvus import MilvusIndex
        from triage.knowledge.search_weights import read_weights

        token = self.settings.milvus_token
        self.settings.home.mkdir(parents=True, exist_ok=True)
        return MilvusIndex(
            self.settings.index_uri,
            self.embedder,
            token=token.get_secret_value() if token else None,
            database=self.settings.milvus_database,
            weights=read_weights(self.settings.search_weights_file, embedder=self.embedder.name),
        )

    @property
    def knowledge_left_out(self) -> Path:
        """The mark that the articles of the data folder were taken out of the index and are to stay out."""
        return self.settings.home / "knowledge_left_out"

    def held_articles(self) -> list[str]:
        """The ids of the articles in the index; its file is opened only if it has changed since they were last asked
        for. One that another process holds or another embedder made is told of in the log, and has none. Raises
        Unavailable for a damaged one, and for a server that does not answer."""
        from triage.knowledge.held_ids import read_ids

        is_file, place = self.settings.milvus_uri == "", Path(self.settings.index_uri)
        if is_file and not place.exists():
            return []
        if is_file and "index" not in self.__dict__ and (known := read_ids(self._held_ids, place)) is not None:
            return known
        from triage.knowledge.milvus_connection import InUse

        try:
            return [held.article_id for held in self.index.held()]
        except (InUse, BadInput) as error:
            self._log().warning("index not asked", reason=str(error))
            return []

    @property
    def _held_ids(self) -> Path:
        return self.settings.home / "held_articles.json"

    def _keep_ids(self, ids: list[str]) -> None:
        from triage.knowledge.held_ids import state_of, write_ids

        if self.settings.milvus_uri == "":
            write_ids(self._held_ids, ids, state=state_of(Path(self.settings.index_uri)))

    def sync_knowledge(self) -> "IndexReport":
        """Make the index hold the articles as they are now; only changed ones are embedded again.

        One that can't be read is told of in the log, and none is removed while there is one. Nothing is done where
        they were taken out on purpose.
        """
        from triage.knowledge.articles import grouped, read_folder
        from triage.ports import KNOWLEDGE, IndexReport

        if self.knowledge_left_out.exists():
            return IndexReport(0, 0, 0)
        taken = {held.article_id: held.source for held in self.index.held() if held.source != KNOWLEDGE}
        reading = read_folder(self.settings.data / "knowledge", taken=taken)
        for line in grouped(reading.refused):
            self._log().warning("article refused", reason=line)
        return self.index.sync(reading.articles, remove_missing=not reading.refused)

    def model_in_force(self) -> "ModelRun | None":
        """The training whose model is in use; None where HELMDESK_MODEL names another or nothing took over yet."""
        return None if self.settings.model is not None else self.feedback.in_force()

    def model_file(self) -> Path | None:
        """The file of the model in use; None for what is learned from the taxonomy alone."""
        run = self.model_in_force()
        return self.settings.models_folder / run.file if run else self.settings.model

    def forget_classifier(self) -> None:
        """The next call opens the model that is in force by then."""
        self.__dict__.pop("trained_classifier", None)

    def _learned_classifier(self) -> "ProductClassifier | None":
        """The model that took over last. One that can't be used (gone, damaged, for another embedder or taxonomy) is
        told of in the log, and triage goes on with what it learns from the taxonomy."""
        from triage.model_files import load_model

        run = self.model_in_force()
        if run is None:
            return None
        file = self.settings.models_folder / run.file
        try:
            return load_model(file, self.embedder, taxonomy=self.taxonomy, clock=self.now, quick=self.quick)
        except HelmdeskError as error:
            self._log().warning("model refused", model=run.name, reason=str(error))
            return None
