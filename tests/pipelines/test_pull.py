"""Tickets fetched from a system: none lost, none twice, whatever happens between two pages."""

import re
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.contracts import Kind
from engine.plugins.pull import pages, site
from engine.shared.errors import BadInput, Busy, Unavailable
from pipelines.app.container import App, open_app
from pipelines.app.locks import alone
from pipelines.app.settings import known_settings
from pipelines.cli import command_line
from pipelines.jobs import pull as job
from pipelines.jobs.pull import pull
from tests.pipelines import dying_pull
from tests.pipelines.vendors import MINUTE, START, TOKEN, VENDORS, JiraDataCenter, ServiceNow, Vendor, serving
from tests.processes import ended

EVENTS = ["ticket_id", "kind", "at", "value", "actor"]
TICKETS = 5
"""Three pages of them, the last one half full."""
NUMBERS = {
    "jira": "jira:SUP-{}",
    "servicenow": "servicenow:INC{:07}",
    "zendesk": "zendesk:{}",
    "freshdesk": "freshdesk:{}",
}


@pytest.fixture(params=VENDORS)
def vendor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendor]:
    with serving(VENDORS[request.param](TICKETS, minutes=2)) as started:
        for name, value in started.settings().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(job, "PAGE", 2)
        yield started


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return ""
    return str(request.getfixturevalue("new_database")(request.getfixturevalue("postgres_template")))


@pytest.fixture
def app(tmp_path: Path, vendor: Vendor) -> Iterator[App]:
    with open_app(home=tmp_path) as opened:
        yield opened


def keys(app: App) -> list[str]:
    return sorted(app.store.frame("tickets", ["id"])["id"])


def every_key(vendor: Vendor, count: int = TICKETS) -> list[str]:
    return sorted(NUMBERS[vendor.source].format(number) for number in range(1, count + 1))


def story(app: App, key: str) -> list[tuple[str, str | None, str]]:
    """What happened in minutes before the ticket's last update, who spoke and to whom."""
    start = app.store.ticket(key).created_at
    return [
        (f"{event.at - start}", event.value or event.data.get("author_role"), event.data.get("visibility", event.kind))
        for event in app.store.history(key)
    ]


def test_every_ticket_arrives_once(app: App, vendor: Vendor) -> None:
    report = pull(app, vendor.source)
    assert (report.created, report.rejected, keys(app)) == (TICKETS, 0, every_key(vendor))


def test_the_next_pull_asks_for_what_is_new(app: App, vendor: Vendor) -> None:
    pull(app, vendor.source)
    everything = len(vendor.asked)
    vendor.touch(3, START + timedelta(hours=5))
    report = pull(app, vendor.source)
    assert (report.created, report.updated, report.events) == (0, 1, 0)
    assert len(vendor.asked) - everything < everything


def test_nothing_new_is_nothing_written(app: App, vendor: Vendor) -> None:
    pull(app, vendor.source)
    events = app.store.frame("events")
    report = pull(app, vendor.source)
    assert (report.created, report.updated, report.rejected) == (0, 0, 0)
    assert app.store.frame("events").equals(events)


def test_a_ticket_that_changes_meanwhile_hides_no_other(app: App, vendor: Vendor) -> None:
    vendor.after_page = lambda: vendor.touch(1, START + timedelta(hours=5))
    pull(app, vendor.source)
    assert keys(app) == every_key(vendor)


def test_many_of_one_instant_all_arrive(app: App, vendor: Vendor) -> None:
    for number in range(1, TICKETS + 1):
        vendor.touch(number, START)
    if isinstance(vendor, JiraDataCenter):  # others' numbers shift by one: within an instant that hides the third
        vendor.after_page = lambda: vendor.touch(2, START + timedelta(hours=5))
    pull(app, vendor.source)
    assert keys(app) == every_key(vendor)


def test_a_limit_ends_and_the_next_goes_on(app: App, vendor: Vendor) -> None:
    """However many are fetched again because a server may show a change late."""
    counts = [pull(app, vendor.source, limit=2).created for _ in range(3)]
    assert (counts[0], sum(counts)) == (2, TICKETS)
    assert keys(app) == every_key(vendor)


@pytest.mark.parametrize("vendor", ["jira-dc"], indirect=True)  # of which each page begins with the last one's end
def test_one_at_a_time_comes_to_the_end(app: App, vendor: Vendor) -> None:
    for _ in range(TICKETS):
        pull(app, vendor.source, limit=1)
    assert keys(app) == every_key(vendor)


def test_since_begins_there(app: App, vendor: Vendor) -> None:
    pull(app, vendor.source, since=START + 7 * MINUTE)
    assert set(keys(app)) in [set(every_key(vendor)[-2:]), {NUMBERS[vendor.source].format(n) for n in (3, 4, 5)},
                              {NUMBERS[vendor.source].format(n) for n in (4, 5)}]  # fmt: skip


TROUBLES = ["half", "lost", (500, {}), (503, {"Retry-After": "0"}), (429, {"Retry-After": "1"})]


@pytest.mark.parametrize(
    ("vendor", "trouble"),
    [*(("zendesk", trouble) for trouble in TROUBLES), *((name, (500, {})) for name in VENDORS if name != "zendesk")],
    indirect=["vendor"],
)
def test_trouble_of_a_moment_is_got_over(app: App, vendor: Vendor, trouble: Any) -> None:
    vendor.trouble = [trouble]
    assert pull(app, vendor.source).created == TICKETS
    assert keys(app) == every_key(vendor)


def test_a_server_that_wants_rest_gets_it(app: App, vendor: Vendor) -> None:
    pull(app, vendor.source, limit=2)
    vendor.trouble = [(429, {"Retry-After": "3600"})]
    with pytest.raises(Unavailable, match=r"429 .*created 0, updated 0 before that, the next pull goes on from there"):
        pull(app, vendor.source)
    pull(app, vendor.source)
    assert keys(app) == every_key(vendor)


def test_an_expired_token_is_one_line(app: App, vendor: Vendor) -> None:
    vendor.account = "Bearer another"
    with pytest.raises(Unavailable) as told:
        pull(app, vendor.source)
    line = str(told.value)
    assert "answered 401 Unauthorized" in line
    assert f"see to HELMDESK_{vendor.source.upper()}_TOKEN (wrong, expired)" in line
    assert (TOKEN in line, "\n" in line, len(vendor.asked)) == (False, False, 1)


def test_a_token_is_written_nowhere(app: App, vendor: Vendor, tmp_path: Path) -> None:
    pull(app, vendor.source)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]
    assert TOKEN not in repr(app.settings)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(
    ("vendor", "database_url"),
    [
        *((name, "sqlite") for name in VENDORS if name != "jira-dc"),  # that one's cursor is Jira Cloud's
        pytest.param("zendesk", "postgres", marks=pytest.mark.postgres),
    ],
    indirect=True,
)
def test_a_kill_between_pages_costs_nothing(vendor: Vendor, moment: str, tmp_path: Path, database_url: str) -> None:
    killed = ended(dying_pull.main, vendor.source, moment, tmp_path, database_url)
    assert killed.code == -signal.SIGKILL, killed.text
    with open_app(home=tmp_path, database_url=database_url) as app, open_app(home=tmp_path / "whole") as whole:
        assert 4 <= len(keys(app)) <= TICKETS
        pull(app, vendor.source)
        pull(whole, vendor.source)
        assert keys(app) == every_key(vendor)
        for table, columns in (("events", EVENTS), ("tickets", ["id", "status", "first_response_at", "resolved_at"])):
            ours, theirs = (one.store.frame(table, columns).sort(columns) for one in (app, whole))
            assert ours.equals(theirs)


@pytest.mark.parametrize("vendor", ["zendesk", "freshdesk"], indirect=True)
def test_two_pulls_of_a_source_do_not_meet(app: App, vendor: Vendor) -> None:
    from tests.ports.test_lock import another_process

    with another_process(app.settings.store_url, f"pull-{vendor.source}"), pytest.raises(Busy):
        pull(app, vendor.source)
    with alone(app, "ingest"):
        assert pull(app, vendor.source).created == TICKETS


def test_another_address_has_a_cursor_of_its_own(app: App, vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    pull(app, vendor.source)
    with serving(type(vendor)(TICKETS + 1, minutes=2)) as other:
        monkeypatch.setenv(f"HELMDESK_{vendor.source.upper()}_URL", other.url)
        with open_app(home=app.settings.home) as again:
            assert pull(again, vendor.source).created == 1


def test_a_ticket_that_is_gone_meanwhile_is_named(app: App, vendor: Vendor) -> None:
    if vendor.source == "servicenow":
        pytest.skip("its rows come in one answer for the whole page")
    vendor.after_page = lambda: vendor.tickets.pop(1)
    report = pull(app, vendor.source)
    assert (report.created, report.rejected) == (TICKETS - 1, 1)
    assert "answered 404" in app.store.rejected()[0].reason


def test_a_setting_that_is_missing_is_named(tmp_path: Path) -> None:
    with open_app(home=tmp_path) as app:
        with pytest.raises(BadInput, match="zendesk needs HELMDESK_ZENDESK_URL and HELMDESK_ZENDESK_TOKEN"):
            pull(app, "zendesk")
        with pytest.raises(BadInput, match="nothing is pulled from 'webhook'; there are freshdesk, jira"):
            pull(app, "webhook")


@pytest.mark.parametrize("vendor", ["zendesk"], indirect=True)  # how answers are read is the same for all
def test_an_answer_that_is_too_large_is_left(app: App, vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "LARGEST_ANSWER", 10)
    monkeypatch.setattr(site, "TRIES", 1)
    with pytest.raises(Unavailable, match="with more than"):
        pull(app, vendor.source)


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("zendesk", {"tickets": [], "after_cursor": "a", "end_of_stream": False}),
        ("zendesk", {"tickets": [{"id": 1, "updated_at": "2026-03-02T09:00:00Z"}], "after_cursor": "a",
                     "audits": [], "meta": {"has_more": True, "after_cursor": "b"}}),
        ("jira", {"deploymentType": "Cloud", "timeZone": "UTC", "issues": [], "nextPageToken": "a"}),
        ("jira", {"deploymentType": "Cloud", "timeZone": "UTC", "comments": [{"id": 1}], "total": 10**9,
                  "issues": [{"key": "A-1", "fields": {"updated": "2026-03-02T09:00:00+00:00"}}]}),
    ],
)  # fmt: skip
def test_a_server_that_never_ends_is_left(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str, answer: dict[str, Any]
) -> None:
    """The same answer to every question."""
    monkeypatch.setattr(pages, "MOST_PARTS", 30)
    with serving(VENDORS[source]()) as vendor:
        vendor.answer = lambda *_: answer  # type: ignore[method-assign]
        for name, value in vendor.settings().items():
            monkeypatch.setenv(name, value)
        with open_app(home=tmp_path) as app, pytest.raises(Unavailable, match=r"leads back to|no end after"):
            pull(app, source)


def test_what_the_user_must_not_see_hides_nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with serving(ServiceNow(10)) as vendor, open_app(home=tmp_path, **own(vendor)) as app:
        monkeypatch.setattr(job, "PAGE", 4)
        for ticket in vendor.tickets[:6]:
            ticket["caller_id"] = "u-hidden"
        assert pull(app, "servicenow").created == 4


def run(home: Path, *words: str) -> Any:
    return CliRunner().invoke(command_line, ["--home", str(home), "pull", *words])


def test_the_command_counts_as_ingest_does(vendor: Vendor, tmp_path: Path) -> None:
    done = run(tmp_path, vendor.source, "--limit", "2", "--since", "2026-03-02T00:00Z")
    assert done.output.startswith("created 2, updated 0, skipped 0, rejected 0, events ")


def test_the_command_wants_an_instant_with_its_zone(tmp_path: Path) -> None:
    assert "--since '2026-03-02' has no time zone" in str(run(tmp_path, "jira", "--since", "2026-03-02").exception)


def test_help_names_every_variable(tmp_path: Path) -> None:
    shown = run(tmp_path, "--help").output
    names = [name for name in known_settings() if re.match(r"HELMDESK_(JIRA|SERVICENOW|ZENDESK|FRESHDESK)_", name)]
    assert [name for name in names if name not in shown] == []


@pytest.mark.parametrize("vendor", ["zendesk"], indirect=True)
def test_a_failed_round_is_no_end(app: App, vendor: Vendor) -> None:
    """Each round is a line; the third is ended from outside."""
    lines: list[str] = []

    def wait(seconds: float) -> None:
        vendor.trouble = [(429, {"Retry-After": "3600"})]
        if len(lines) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        job.repeat(app, vendor.source, every=MINUTE, wait=wait, report=lines.append)
    assert (f"created {TICKETS}" in lines[0], " failed: " in lines[1], "429" in lines[1]) == (True, True, True)


@pytest.mark.parametrize("vendor", ["jira"], indirect=True)
def test_an_hour_that_comes_twice_hides_nothing(app: App, vendor: Vendor) -> None:
    """In New York 01:30 on 1 November 2026 is 05:30Z and again 06:30Z; JQL can't say which."""
    twice = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    vendor.touch(1, twice - timedelta(hours=1))
    vendor.touch(2, twice)
    for since in (twice, twice - timedelta(hours=1)):
        found = {record.key for page in app.feed("jira").pages(None, since=since, size=4) for record in page.records}
        assert {"SUP-1", "SUP-2"} <= found


def own(vendor: Vendor) -> dict[str, str]:
    return {name.removeprefix("HELMDESK_").lower(): value for name, value in vendor.settings().items()}


class TestStories:
    """The first ticket of each: who did what, minutes after it was created."""

    @pytest.mark.parametrize("vendor", ["servicenow"], indirect=True)
    def test_servicenow(self, app: App, vendor: Vendor) -> None:
        pull(app, vendor.source)
        assert story(app, every_key(vendor)[0]) == [
            ("0:00:00", None, "created"),
            ("0:10:00", "colleague", "public"),
            ("0:15:00", "agent", "internal"),
            ("0:20:00", "in_progress", "status"),
            ("0:25:00", "agent", "public"),
            ("0:30:00", "waiting_customer", "status"),
            ("0:35:00", "customer", "public"),
            ("0:40:00", "in_progress", "status"),
            ("0:45:00", "high", "priority"),
            ("0:50:00", "resolved", "status"),
        ]

    @pytest.mark.parametrize("vendor", ["zendesk"], indirect=True)
    def test_zendesk(self, app: App, vendor: Vendor) -> None:
        pull(app, vendor.source)
        assert story(app, every_key(vendor)[0]) == [
            ("0:00:00", None, "created"),
            ("0:01:00", "automation", "public"),
            ("0:10:00", "in_progress", "status"),
            ("0:10:00", "agent", "internal"),
            ("0:20:00", "waiting_customer", "status"),
            ("0:20:00", "agent", "public"),
            ("0:40:00", "in_progress", "status"),
            ("0:40:00", "colleague", "public"),
            ("0:50:00", "resolved", "status"),
        ]

    @pytest.mark.parametrize("vendor", ["freshdesk"], indirect=True)
    def test_freshdesk(self, app: App, vendor: Vendor) -> None:
        pull(app, vendor.source)
        assert story(app, every_key(vendor)[0]) == [
            ("0:00:00", None, "created"),
            ("0:10:00", "agent", "internal"),
            ("0:20:00", "agent", "public"),
            ("0:40:00", "customer", "public"),
            ("0:45:00", "colleague", "public"),
            ("0:50:00", "resolved", "status"),
        ]

    @pytest.mark.parametrize("vendor", ["jira", "jira-dc"], indirect=True)
    def test_jira_is_given_whole(self, app: App, vendor: Vendor) -> None:
        """28 comments and six changes, of which the search shows 20 and five."""
        page = next(iter(app.feed("jira").pages(None, since=None, size=4)))
        issue = page.records[0].payload
        assert len(issue["fields"]["comment"]["comments"]) == issue["fields"]["comment"]["total"] == 28
        assert len(issue["changelog"]["histories"]) == issue["changelog"]["total"] == 6
        assert [each["jsdPublic"] for each in issue["fields"]["comment"]["comments"]][24:] == [False, True, True, True]
        pull(app, vendor.source)
        kinds = [event.kind for event in app.store.history("jira:SUP-1")]
        assert kinds.count(Kind.STATUS) == 6


def test_a_rejected_ticket_is_kept_by_its_key(tmp_path: Path) -> None:
    with serving(VENDORS["zendesk"](3)) as vendor, open_app(home=tmp_path, **own(vendor)) as app:
        for ticket in vendor.tickets[:2]:
            ticket["status"] = "frozen"
        rows: list[Any] = []
        assert pull(app, "zendesk", refused=rows.extend).rejected == 2
        assert [row.origin for row in app.store.rejected()] == ["pull 1", "pull 2"]
        assert pull(app, "zendesk", since=START).rejected == 2
        assert len(app.store.rejected()) == 2
