"""`helmdesk grants`: the week is drawn, what waits is listed, a lead who had no part in it decides once."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.contracts import Delivery, StandardTicket
from engine.grant_review import GrantReviewItem, Lesson, SecondOpinion, needs_second
from engine.resolutions import Claim, Resolution
from engine.shared.errors import BadInput, NotAllowed, NotFound
from engine.storage.audit import verify
from pipelines.app import identity
from pipelines.app.container import App, open_app
from pipelines.app.settings import shipped_data
from pipelines.cli import command_line
from pipelines.commands.ticket import ticket
from pipelines.jobs.people import bring_people

LEAD, AGENT, OTHER_LEAD, MANAGER = "AGT-01", "AGT-03", "AGT-05", "AGT-32"
CLAIM = Claim(what_went_wrong="outage", why_eligible="goodwill", type="refund", amount=Decimal(40))


@pytest.fixture(scope="module")
def granted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two grants of last week under the agent's own limit, which nothing but the draw lists."""
    home = tmp_path_factory.mktemp("granted")
    with open_app(home=home) as opened:
        bring_people(opened, shipped_data() / "people")
        at = opened.now() - timedelta(days=8 + opened.now().weekday() - 7)
        for key in ("INC-1", "INC-2"):
            made = StandardTicket(ticket_id=key, source="demo", title="VPN \x1b[31mdrops", created_at=at)
            opened.store.ingest(Delivery(tickets=(made,)), at=at)
            opened.desk.accept(f"demo:{key}", by=AGENT, at=at)
            opened.desk.propose_resolution(f"demo:{key}", CLAIM, by=AGENT, at=at)
    return home


@pytest.fixture
def app(granted: Path, tmp_path: Path) -> Iterator[App]:
    shutil.copytree(granted, tmp_path, dirs_exist_ok=True)
    with open_app(home=tmp_path) as opened:
        yield opened


def run(app: App, *words: str) -> Any:
    return CliRunner().invoke(command_line, ["--home", str(app.settings.home), "grants", *words])


PROPOSED = {
    "--what-went-wrong": "outage",
    "--why-eligible": "goodwill",
    "--type": "refund",
    "--amount": "900",
    "--by": AGENT,
}


def propose(app: App, **changed: str) -> Any:
    words = {**PROPOSED, **{f"--{name}": value for name, value in changed.items()}}
    return run(app, "propose", "INC-1", *(word for pair in words.items() for word in pair))


def only_item(app: App) -> str:
    run(app, "draw")
    (item,) = app.store.all(GrantReviewItem)
    return item.id


def test_the_week_is_drawn_once(app: App) -> None:
    assert run(app, "draw").output == "new on the list: 1\n"
    assert run(app, "draw").output == "new on the list: 0\n"


def test_the_list_says_what_was_granted_and_why_it_is_reviewed(app: App) -> None:
    item = only_item(app)
    told = run(app, "list").output
    for said in (
        item,
        "random_sample",
        f"refund of 40.00 EUR for outage by {AGENT}",
        "INC-",
        "waiting for a review: 1",
    ):
        assert said in told
    assert "\x1b" not in told


def test_a_decision_is_kept_with_its_lesson_and_leaves_the_list(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    item = only_item(app)
    monkeypatch.setenv("HELMDESK_USER", LEAD)
    done = run(app, "decide", item, "--outcome", "revised", "--by", LEAD, "--notes", "too little")
    assert "outcome: revised" in done.output, done.output
    assert app.store.get(GrantReviewItem, item).notes == "too little"
    assert "too little" in app.store.all(Lesson)[0].text
    assert "waiting for a review: 0" in run(app, "list").output
    assert f"revised by {LEAD}" in run(app, "list", "--reviewed").output


@pytest.mark.parametrize(
    ("outcome", "by", "kind", "said"),
    [
        ("fine", LEAD, BadInput, "outcome: Input should be 'upheld', 'revised' or 'coaching_needed'"),
        ("upheld", AGENT, NotAllowed, "no right to supervise"),
        ("upheld", "AGT-999", NotFound, "AGT-999"),
    ],
)
def test_a_decision_that_may_not_be_is_one_clear_error(
    app: App, outcome: str, by: str, kind: type[Exception], said: str
) -> None:
    refused = run(app, "decide", only_item(app), "--outcome", outcome, "--by", by)
    assert (type(refused.exception), said in str(refused.exception)) == (kind, True)


def test_nothing_is_decided_twice(app: App) -> None:
    item = only_item(app)
    run(app, "decide", item, "--outcome", "upheld", "--by", LEAD)
    again = run(app, "decide", item, "--outcome", "revised", "--by", OTHER_LEAD)
    assert f"was reviewed by {LEAD} already" in str(again.exception)
    assert isinstance(run(app, "decide", "r9", "--outcome", "upheld", "--by", LEAD).exception, NotFound)
    assert len(app.store.all(Resolution)) == 2


def test_a_large_grant_is_approved_and_reviewed_from_the_terminal_alone(app: App) -> None:
    assert "approval_status: pending" in propose(app).output
    (grant,) = [made.id for made in app.store.all(Resolution) if made.tier == "manager"]
    assert f"{grant}  refund of 900.00 EUR" in run(app, "list", "--approvals").output
    assert f"approval_status: approved  approved_by: {MANAGER}" in run(app, "approve", grant, "--by", MANAGER).output
    assert "waiting for an approval: 0" in run(app, "list", "--approvals").output
    assert f"{grant}/calibration  tier3" in run(app, "list").output
    decided = run(app, "decide", f"{grant}/calibration", "--outcome", "upheld", "--by", LEAD)
    assert "upheld" in decided.output


@pytest.mark.parametrize(
    ("changed", "kind", "said"),
    [
        ({"type": "gift"}, BadInput, "claim.type: Input should be 'refund',"),
        ({"amount": "4x"}, BadInput, "claim.amount: Input should be a valid decimal"),
        ({"amount": "-1"}, BadInput, "claim.amount: Input should be greater than or equal to 0"),
        ({"amount": "nan"}, BadInput, "claim.amount: Input should be a finite number"),
        ({"amount": "1e400"}, BadInput, "claim.amount: Decimal input should have no more than 18 digits"),
        ({"currency": "USD"}, NotAllowed, "convert USD first"),
        ({"by": LEAD}, NotAllowed, f"owned by {AGENT}"),
        ({"by": "AGT-999"}, NotFound, "There is no user AGT-999"),
        ({"team": "legal"}, NotAllowed, "a team of theirs"),
    ],
)
def test_a_grant_that_may_not_be_is_one_clear_error(
    app: App, changed: dict[str, str], kind: type[Exception], said: str
) -> None:
    refused = propose(app, **changed)
    assert (type(refused.exception), said in str(refused.exception)) == (kind, True)
    assert len(app.store.all(Resolution)) == 2


def test_a_refused_approval_is_kept_with_its_reason(app: App) -> None:
    propose(app, amount="400")
    (grant,) = [made.id for made in app.store.all(Resolution) if made.tier == "team_lead"]
    assert "no right to supervise" in str(run(app, "approve", grant, "--by", AGENT).exception)
    done = run(app, "approve", grant, "--by", LEAD, "--not-approved", "--reason", "twice the usual")
    assert f"approval_status: rejected  approved_by: {LEAD}" in done.output
    assert app.store.history("demo:INC-1")[-1].reason == "twice the usual"


def test_an_empty_list_says_where_grants_come_from(app: App, tmp_path: Path) -> None:
    assert "2 grants made so far; `helmdesk grants draw`" in run(app, "list").output
    fresh = CliRunner().invoke(command_line, ["--home", str(tmp_path / "fresh"), "grants", "list"])
    assert "`helmdesk grants propose`" in fresh.output


def test_an_agent_sees_no_grants_of_others(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELMDESK_USER", AGENT)
    for words in (["list"], ["list", "--reviewed"], ["draw"]):
        assert isinstance(run(app, *words).exception, NotAllowed)


def test_grants_have_a_hidden_older_name(app: App) -> None:
    home = ["--home", str(app.settings.home)]
    older = CliRunner().invoke(command_line, [*home, "calibration", "list"])
    assert (older.exit_code, older.output) == (0, run(app, "list").output)
    shown = CliRunner().invoke(command_line, ["--help"]).output
    assert ("grants" in shown, "calibration" in shown) == (True, False)


def test_what_is_not_on_the_list_is_told_in_words(app: App) -> None:
    refused = run(app, "decide", "X-1", "--outcome", "upheld", "--by", LEAD).exception
    assert "no grant on the review list called X-1; `helmdesk grants list`" in str(refused)


def test_an_open_ticket_is_accepted_once(app: App) -> None:
    made = StandardTicket(ticket_id="INC-3", source="demo", created_at=app.now())
    app.store.ingest(Delivery(tickets=(made,)), at=app.now())
    words = ["accept", "demo:INC-3", "--by", AGENT]
    first, again = (CliRunner().invoke(ticket, words, obj={"home": app.settings.home}) for _ in range(2))
    assert f"is owned by {AGENT}, " in first.output
    assert f"is owned by {AGENT}; join" in str(again.exception)


def for_two(app: App) -> str:
    """A grant reviewed by a lead that is drawn for a second reviewer."""
    policy = app.policies.desk.grant_review
    while not (drawn := [one for one in app.store.all(GrantReviewItem) if needs_second(one, policy=policy)]):
        propose(app)
    run(app, "decide", drawn[0].id, "--outcome", "revised", "--notes", "half of it", "--by", LEAD)
    return drawn[0].id


def test_the_first_outcome_is_hidden_until_the_second_is_given(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    item = for_two(app)
    monkeypatch.setenv("HELMDESK_USER", LEAD)
    assert f"revised by {LEAD}" in run(app, "list", "--reviewed").output
    monkeypatch.setenv("HELMDESK_USER", OTHER_LEAD)
    before = run(app, "list", "--reviewed").output
    assert ("waits for a second opinion" in before, "revised" in before, "half of it" in before) == (True, False, False)
    assert "outcome: upheld" in run(app, "second", item, "--outcome", "upheld").output
    assert f"revised by {LEAD}, upheld by {OTHER_LEAD}" in run(app, "list", "--reviewed").output
    report = run(app, "report", "--since", "2020-01-01T00:00Z", "--until", "2100-01-01T00:00Z").output
    assert "not known: 1 reviewed by two, 10 are needed" in report
    assert (found := verify(app.store)).found == 0, found


def test_whoever_opened_the_ticket_since_is_no_second_reviewer(app: App) -> None:
    item = for_two(app)
    seen = app.store.get(GrantReviewItem, item).ticket_id
    identity.saw(app, identity.user_of(app, OTHER_LEAD), door="ticket", ticket_id=seen)
    app.view_log.write()
    refused = run(app, "second", item, "--outcome", "upheld", "--by", OTHER_LEAD).exception
    assert "opened INC-1 after its review" in str(refused)
    assert app.store.all(SecondOpinion) == []
