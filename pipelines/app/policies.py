"""Every policy in force: which files it is made of, who reads them, and the last good version of a broken one."""

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from engine.shared.errors import BadInput, HelmdeskError, in_a_line
from pipelines.app.policy_in_force import InForce
from pipelines.app.settings import Settings

if TYPE_CHECKING:
    from engine.access import AccessPolicy
    from engine.allocation.policy import AllocationPolicy
    from engine.desk import Policies as DeskPolicies
    from engine.entitlements import EntitlementPolicy
    from engine.outcomes import OutcomePolicy
    from sla.alerting.alerts import AlertPolicy
    from sla.calendar.calendars import Calendar
    from sla.policy.model import Policies as SlaPolicies
    from sla.reporting.breach_reasons import ReasonRule
    from sla.reporting.credits import CreditPresets
    from sla.reporting.goals import Goals
    from triage.drafting.article_policy import ArticlePolicy
    from triage.drafting.wording import Wording
    from triage.enrichment.policy import EnrichmentPolicy
    from triage.feedback.policy import LearningPolicy
    from triage.llm.policy import TriagePolicy

T = TypeVar("T")


class SlaRules(NamedTuple):
    """Calendars and the policies that count on them: taken up together, so that they always fit."""

    calendars: "Mapping[str, Calendar]"
    policies: "SlaPolicies"


class Policy(Generic[T]):
    """A policy by its loader (`module:function`, given the files) and its files below `data/policies`, in which
    `{name}` stands for a setting; `settings` are given to the loader by keyword, an empty one as None."""

    def __init__(self, loader: str, *files: str, **settings: str) -> None:
        self.loader, self.files, self.settings = loader, files, settings

    def __set_name__(self, owner: "type[Policies]", name: str) -> None:
        self.name = name

    def __get__(self, policies: "Policies", owner: "type[Policies]") -> T:
        found: T = policies.in_force(self.name).get()
        return found

    def load(self, settings: Settings) -> Callable[..., T]:
        """What reads the files of this policy under these settings."""
        module, _, function = self.loader.partition(":")
        given = {keyword: getattr(settings, name) or None for keyword, name in self.settings.items()}
        read: Callable[..., T] = getattr(import_module(module), function)
        return lambda *files: read(*files, **given)


class Policies:
    """The policies of one data folder; each is taken up when its files change and it is asked for.

    With `keep_last_good`, a broken file stops nothing: the last good version, kept below home, stays in force and
    `warn` is told why. Raises BadInput or NotFound with file, key and reason otherwise.
    """

    sla: Policy[SlaRules] = Policy("pipelines.app.policies:load_sla", "calendars.yaml", "sla/{sla_policy}.yaml")
    alerts: Policy["AlertPolicy"] = Policy("sla.alerting.alerts:load_policy", "sla/alerts.yaml")
    breach_reasons: Policy["ReasonRule"] = Policy("sla.reporting.breach_reasons:load", "breach_reasons.yaml")
    credits: Policy["CreditPresets"] = Policy("sla.reporting.credits:load", "sla_credits.yaml")
    goals: Policy["Goals"] = Policy("sla.reporting.goals:load", "goals.yaml")
    access: Policy["AccessPolicy"] = Policy("engine.access:load", "access.yaml")
    entitlements: Policy["EntitlementPolicy"] = Policy(
        "pipelines.app.policies:load_entitlements", "entitlements.yaml", "calendars.yaml"
    )
    outcomes: Policy["OutcomePolicy"] = Policy("engine.outcomes:load", "outcomes.yaml")
    allocation: Policy["AllocationPolicy"] = Policy(
        "engine.allocation.policy:load_policy", "allocation.yaml", preset="allocation_policy"
    )
    desk: Policy["DeskPolicies"] = Policy(
        "engine.desk.policies:read_policies",
        "lifecycle.yaml", "ownership.yaml", "envelopes.yaml", "flags.yaml", "empowerment.yaml", "calibration.yaml",
        "priority.yaml", "alert_matrix.yaml", "reminders.yaml", "notifications.yaml", "rules.yaml", "access.yaml",
        "cases.yaml", "escalations.yaml",
        lifecycle_preset="lifecycle_preset", priority_preset="priority_preset", alert_preset="alert_preset",
    )  # fmt: skip
    wording: Policy["Wording"] = Policy("triage.drafting.wording:load_wording", "wording.yaml")
    articles: Policy["ArticlePolicy"] = Policy("triage.drafting.article_policy:load_article_policy", "articles.yaml")
    enrichment: Policy["EnrichmentPolicy"] = Policy(
        "triage.enrichment.policy:load_enrichment_policy", "enrichment.yaml"
    )
    learning: Policy["LearningPolicy"] = Policy("triage.feedback.policy:load_policy", "learning.yaml")
    triage: Policy["TriagePolicy"] = Policy("triage.llm.policy:load_policy", "triage.yaml")

    def __init__(self, settings: Settings, *, warn: Callable[[str], None], keep_last_good: bool = False) -> None:
        self._settings, self._warn, self._keep = settings, warn, keep_last_good
        self._opened: dict[str, InForce[Any]] = {}

    @classmethod
    def registry(cls) -> dict[str, Policy[Any]]:
        """Every policy by name."""
        return {name: entry for name, entry in vars(cls).items() if isinstance(entry, Policy)}

    def files(self, name: str) -> tuple[Path, ...]:
        """Where a policy lies. Raises BadInput where the setting that chooses it names no file."""
        folder, values = self._settings.data / "policies", self._settings.model_dump()
        files = tuple(folder / file.format(**values) for file in self.registry()[name].files)
        if name == "sla" and not files[-1].is_file() and not self._keep:
            known = ", ".join(sorted(path.stem for path in files[-1].parent.glob("*.yaml") if path.stem != "alerts"))
            raise BadInput(f"HELMDESK_SLA_POLICY={values['sla_policy']!r}: there is no {files[-1]}; there are {known}")
        return files

    def in_force(self, name: str) -> InForce[Any]:
        """The policy of this name, kept up to date."""
        if name not in self._opened:
            keep = self._settings.home / "policies" / name if self._keep else None
            load = self.registry()[name].load(self._settings)
            self._opened[name] = InForce(self.files(name), load, warn=self._warn, keep=keep)
        return self._opened[name]

    def take_up(self) -> None:
        """All of them, before anything runs; what hosted models are asked by only where one is asked."""
        for name in self._read_here():
            self.in_force(name).get()

    def refusals(self) -> dict[str, str]:
        """By policy, why its files as they are now are not in force; each is looked at."""
        found = {}
        for name in self._read_here():
            try:
                policy = self.in_force(name)
                policy.get()
            except HelmdeskError as error:
                found[name] = in_a_line(error)
            else:
                found |= {name: policy.refusal} if policy.refusal else {}
        return found

    def _read_here(self) -> list[str]:
        return [name for name in self.registry() if name != "triage" or self._settings.hosted_model]


def load_sla(calendars: Path, policies: Path) -> SlaRules:
    """Both files, read strictly. Raises BadInput or NotFound with file, key and reason."""
    from sla.policy.calendar_files import load as load_calendars
    from sla.policy.parser import load as load_policies

    named = load_calendars(calendars)
    return SlaRules(named, load_policies(policies, named))


def load_entitlements(entitlements: Path, calendars: Path) -> "EntitlementPolicy":
    """What contracts cover, each tier's hours a calendar there is. Raises BadInput or NotFound with file and reason."""
    from engine.entitlements import load
    from engine.shared.policy_file import refusal
    from sla.policy.calendar_files import load as load_calendars

    policy, named = load(entitlements), load_calendars(calendars)
    if unknown := sorted(set(policy.support_hours.values()) - set(named)):
        raise refusal(entitlements, f"support_hours: {calendars.name} has no calendar {', '.join(unknown)}")
    return policy
