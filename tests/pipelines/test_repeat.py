"""The schedule of one machine: round after round, whatever happens to a policy file in between."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from engine.shared.errors import BadInput
from pipelines.app.container import open_app
from pipelines.app.settings import shipped_data
from pipelines.jobs.cycle import cycle, repeat
from triage.contracts import TicketText


class Enough(Exception):
    """The waiting ends here."""


class Pauses:
    """Does something in each pause between rounds, and ends after the last."""

    def __init__(self, *actions: object) -> None:
        self.actions, self.waited = list(actions), list[float]()

    def __call__(self, seconds: float) -> None:
        self.waited.append(seconds)
        if not self.actions:
            raise Enough
        self.actions.pop(0)()  # type: ignore[operator]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Policies that may be broken, with nothing in the knowledge base."""
    shutil.copytree(shipped_data(), tmp_path / "data", ignore=shutil.ignore_patterns("tickets", "knowledge"))
    (tmp_path / "data" / "knowledge").mkdir()
    return tmp_path / "data"


POLICIES = {
    "wording.yaml": "wording",
    "enrichment.yaml": "enrichment",
    "learning.yaml": "learning",
    "triage.yaml": "triage",
}
"""What a cycle of triage reads, and what the registry calls it."""


def mistype(data: Path, *names: str) -> None:
    for file in (data / "policies" / name for name in names):
        file.write_text(file.read_text(encoding="utf-8") + "\nwat: 1\n", encoding="utf-8")


def rewrite(data: Path, name: str, before: str, after: str) -> None:
    file = data / "policies" / name
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after, 1), encoding="utf-8")


@pytest.fixture
def _hosted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server is set, so that the policy of hosted models counts; nothing is asked of it."""
    monkeypatch.setenv("HELMDESK_LLM_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("HELMDESK_LLM_MODEL", "tiny")


@pytest.mark.usefixtures("_hosted")
def test_typos_in_all_of_triages_policies_do_not_end_the_rounds(tmp_path: Path, data: Path) -> None:
    told = list[str]()
    pauses = Pauses(lambda: mistype(data, *POLICIES))
    app = open_app(home=tmp_path / "home", data=data, embedder="wordllama", keep_last_good=True)
    with app, pytest.raises(Enough):
        repeat(app, every=timedelta(hours=1), wait=pauses, report=told.append)
    assert [line.split()[2] for line in told] == ["published", "published"]


@pytest.mark.parametrize(("name", "called"), POLICIES.items())
def test_a_scheduled_start_goes_on_with_triages_last_good_policy(
    tmp_path: Path, data: Path, name: str, called: str
) -> None:
    with open_app(home=tmp_path / "home", data=data, keep_last_good=True) as app:
        before = getattr(app.policies, called)
    mistype(data, name)
    with open_app(home=tmp_path / "home", data=data, keep_last_good=True) as app:
        assert getattr(app.policies, called) == before
        warned = list[str]()
        app.__dict__["log"] = type("Log", (), {"warning": lambda self, event, **told: warned.append(told["reason"])})()
        mistype(data, name)
        assert getattr(app.policies, called) == before
    assert [name in reason and "wat" in reason for reason in warned] == [True]


@pytest.mark.usefixtures("_hosted")
@pytest.mark.parametrize("name", POLICIES)
def test_a_person_is_told_of_triages_broken_policy_and_nothing_runs(tmp_path: Path, data: Path, name: str) -> None:
    mistype(data, name)
    with open_app(home=tmp_path / "home", data=data, embedder="wordllama") as app:
        with pytest.raises(BadInput, match=rf"{name}: wat"):
            cycle(app, as_of=app.now())
        assert "store" not in app.__dict__


def test_new_wording_is_in_the_next_draft(tmp_path: Path, data: Path) -> None:
    ticket = TicketText(ticket_id="desk:1", subject="Question", content="How do I get there?")
    with open_app(home=tmp_path / "home", data=data, embedder="wordllama") as app:
        before = app.triage.drafter
        rewrite(data, "wording.yaml", "tone: neutral", "tone: warm")
        assert app.policies.wording.tone == "warm"
        (draft,) = app.triage.drafter.draft([ticket], [[]])
        assert app.policies.wording.phrases("en").greeting in draft.text
        assert app.triage.drafter is not before
        assert app.triage.drafter is app.triage.drafter


@pytest.mark.usefixtures("_hosted")
def test_new_limits_and_prices_hold_for_the_next_ticket(tmp_path: Path, data: Path) -> None:
    with open_app(home=tmp_path / "home", data=data, embedder="wordllama") as app:
        before, drafter = app.triage.classifier, app.triage.drafter
        assert (app.triage.llm_budget.limits.calls, app.triage.hosted_models[0].prompt_price) == (2000, 0)
        rewrite(data, "triage.yaml", "calls: 2000", "calls: 7")
        rewrite(data, "triage.yaml", "compatible: {prompt: 0,", "compatible: {prompt: 3,")
        assert (app.triage.llm_budget.limits.calls, app.triage.hosted_models[0].prompt_price) == (7, 3)
        assert app.triage.classifier is not before
        assert app.triage.drafter is not drafter
        assert app.triage.classifier is app.triage.classifier


def test_a_comment_rebuilds_nothing(tmp_path: Path, data: Path) -> None:
    with open_app(home=tmp_path / "home", data=data, embedder="wordllama") as app:
        before = app.triage.local_models
        rewrite(data, "wording.yaml", "tone: neutral", "tone: neutral # as agreed")
        assert app.triage.local_models is before


def test_a_broken_policy_does_not_end_the_rounds(tmp_path: Path, data: Path) -> None:
    calendars, told = data / "policies" / "calendars.yaml", list[str]()
    pauses = Pauses(lambda: calendars.write_text("business: {tz: Nowhere/Land}\n"))
    with open_app(home=tmp_path / "home", data=data, keep_last_good=True) as app, pytest.raises(Enough):
        repeat(app, every=timedelta(hours=1), wait=pauses, report=told.append)
    assert [line.split()[2] for line in told] == ["published", "published"]
    assert all(3_000 < seconds <= 3_600 for seconds in pauses.waited)


def test_a_scheduled_start_goes_on_with_the_last_good_policy(tmp_path: Path, data: Path) -> None:
    home, file = tmp_path / "home", data / "policies" / "sla" / "default.yaml"
    with open_app(home=home, data=data, keep_last_good=True) as app:
        before = app.policies.sla.policies
    file.write_text(file.read_text(encoding="utf-8").replace("priority: critical", "priority: [critical"))
    with open_app(home=home, data=data, keep_last_good=True) as app:
        assert app.policies.sla.policies == before


def test_a_person_is_told_of_a_broken_policy(tmp_path: Path, data: Path) -> None:
    (data / "policies" / "sla" / "default.yaml").write_text("policies: 7\n")
    with open_app(home=tmp_path / "home", data=data) as app, pytest.raises(BadInput, match=r"default\.yaml"):
        _ = app.policies.sla.policies


def test_a_failed_round_is_told_and_the_next_one_tried(tmp_path: Path, data: Path) -> None:
    calendars, told = data / "policies" / "calendars.yaml", list[str]()
    good = calendars.read_text(encoding="utf-8")
    calendars.write_text("business: {tz: Nowhere/Land}\n", encoding="utf-8")
    pauses = Pauses(lambda: calendars.write_text(good, encoding="utf-8"))
    with open_app(home=tmp_path / "home", data=data) as app, pytest.raises(Enough):
        repeat(app, every=timedelta(minutes=1), wait=pauses, report=told.append)
    assert ["failed" in line for line in told] == [True, False]
    assert "calendars.yaml" in told[0]
