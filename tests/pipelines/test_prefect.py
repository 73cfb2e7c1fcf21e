"""The flows on a real Prefect server: deployments are scheduled, a worker runs them, the cycle runs as tasks."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from pipelines.app.container import open_app
from pipelines.app.locks import alone
from pipelines.jobs.cycle import STAGES
from tests.pipelines.small_desk import AS_OF, fill_inbox
from tests.pipelines.test_cycle import ONCE, Reads
from tests.ports.test_lock import another_process

ROOT = Path(__file__).resolve().parents[2]
QUIET = {
    "HELMDESK_EMBEDDER": "wordllama",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_LEVEL": "WARNING",
    "PREFECT_CLI_COLORS": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    "PREFECT_SERVER_SERVICES_SCHEDULER_MIN_RUNS": "1",  # in place of an hour of them for each deployment
    "PREFECT_SERVER_SERVICES_SCHEDULER_MIN_SCHEDULED_TIME": "PT1S",
    **{
        f"PREFECT_SERVER_SERVICES_{service}_ENABLED": "false"
        for service in ("EVENT_PERSISTER", "TRIGGERS", "FOREMAN", "LATE_RUNS", "REPOSSESSOR")
    },
}

pytestmark = [pytest.mark.slow, pytest.mark.prefect, pytest.mark.xdist_group("prefect")]


class Server:
    """A Prefect server of its own on loopback."""

    def __init__(self, home: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.api = f"http://127.0.0.1:{port}/api"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")},
            **QUIET,
            "PREFECT_HOME": str(home / "prefect"),
            "PREFECT_API_URL": self.api,
            "HELMDESK_HOME": str(home / "desk"),
            "HELMDESK_TIME_ZONE": "Europe/Berlin",
        }
        command = ["server", "start", "--host", "127.0.0.1", "--port", str(port), "--no-ui"]
        self.process = subprocess.Popen(
            [self.prefect, *command], env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    @property
    def prefect(self) -> str:
        return shutil.which("prefect", path=str(Path(sys.executable).parent)) or "prefect"

    def ask(self, path: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(
            f"{self.api}{path}", json.dumps(body).encode(), {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def pause(self, deployment: str) -> None:
        url = f"{self.api}/deployments/{deployment}/pause_deployment"
        urllib.request.urlopen(urllib.request.Request(url, b"{}", method="POST"), timeout=30).close()

    def run(self, *words: str) -> str:
        done = subprocess.run(
            [self.prefect, *words],
            check=False,
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def wait_until_up(self) -> None:
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.api}/health", timeout=5):
                    return
            except OSError:
                time.sleep(0.5)
        raise TimeoutError("the Prefect server did not start within three minutes")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("prefect"))
    try:
        started.wait_until_up()
        started.ask("/work_pools/", {"name": "helmdesk", "type": "process"})
        started.run("--no-prompt", "deploy", "--all")
        yield started
    finally:
        started.process.terminate()
        started.process.wait(timeout=60)


def eventually(question: Any, seconds: float = 120) -> Any:
    deadline = time.monotonic() + seconds
    while not (answer := question()) and time.monotonic() < deadline:
        time.sleep(1)
    return answer


def deployments(server: Server) -> dict[str, Any]:
    return {d["entrypoint"].rsplit(".", 1)[1]: d for d in server.ask("/deployments/filter", {})}


def test_every_schedule_gets_scheduled_runs(server: Server) -> None:
    waiting = {name: d["id"] for name, d in deployments(server).items() if d["schedules"]}
    assert set(waiting) == {
        "ingest", "evaluate_sla", "triage_tickets", "allocate", "enrich_tickets", "publish", "grant_review",
        "retrain", "sweep", "deliver", "export_backlogs", "weekly_report",
        "pull_jira", "pull_servicenow", "pull_zendesk", "pull_freshdesk",
        "push_suggestions",
    }  # fmt: skip

    def scheduled(deployment: str) -> Any:
        of_it = {"id": {"any_": [deployment]}}
        state = {"state": {"type": {"any_": ["SCHEDULED"]}}}
        return server.ask("/flow_runs/filter", {"limit": 1, "deployments": of_it, "flow_runs": state})

    assert all(eventually(partial(scheduled, deployment)) for deployment in waiting.values())


def test_schedules_are_as_promised(server: Server) -> None:
    found = {name: d["schedules"][0]["schedule"] for name, d in deployments(server).items() if d["schedules"]}
    seconds = {name: schedule.get("interval") for name, schedule in found.items()}
    assert {
        "ingest": 60,
        "evaluate_sla": 60,
        "sweep": 60,
        "deliver": 60,
        "triage_tickets": 300,
        "allocate": 300,
        "pull_jira": 300,
        "push_suggestions": 300,
    }.items() <= seconds.items()
    assert found["publish"]["cron"] == "5 * * * *"
    assert found["grant_review"]["cron"] == "0 6 * * 1"
    assert found["export_backlogs"]["cron"] == "30 6 * * 1"
    assert (found["weekly_report"]["cron"], found["weekly_report"]["timezone"]) == ("0 7 * * 1", "Europe/Berlin")
    assert found["retrain"]["cron"] == "30 2 * * *"


def test_worker_runs_a_deployment(server: Server) -> None:
    for deployment in deployments(server).values():
        server.pause(deployment["id"])
    server.ask(f"/deployments/{deployments(server)['ingest']['id']}/create_flow_run", {"state": {"type": "SCHEDULED"}})
    server.run("worker", "start", "--pool", "helmdesk", "--run-once", "--name", "once")
    runs = server.ask(
        "/flow_runs/filter", {"flow_runs": {"state": {"type": {"any_": ["COMPLETED", "FAILED", "CRASHED"]}}}}
    )
    assert [run["state"]["type"] for run in runs] == ["COMPLETED"]


@pytest.fixture
def flows_here(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Flows that this process calls are runs of the server; the home they work on."""
    for name, value in {**QUIET, "PREFECT_HOME": str(tmp_path / "prefect")}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HELMDESK_HOME", str(tmp_path))

    from prefect.settings import PREFECT_API_URL, temporary_settings

    with temporary_settings({PREFECT_API_URL: server.api}):
        yield tmp_path


@pytest.mark.parametrize(("work", "lock"), [("cycle", "triage"), ("evaluate_sla", "evaluate"), ("ingest", "ingest")])
def test_run_on_a_busy_store_ends_as_skipped(server: Server, flows_here: Path, work: str, lock: str) -> None:
    flow = getattr(import_module("pipelines.flows.cycle" if work == "cycle" else "pipelines.flows.stages"), work)
    fill_inbox(flows_here, tickets=2)
    with open_app(home=flows_here) as app, another_process(app.settings.store_url, lock):
        ended = flow(return_state=True)
        assert app.store.counts()["tickets"] == 0
    (run,) = server.ask("/flow_runs/filter", {"flow_runs": {"id": {"any_": [str(ended.state_details.flow_run_id)]}}})
    assert (run["state"]["type"], run["state"]["name"]) == ("COMPLETED", "Skipped")
    assert "held by cycle since noon, process 7 on desk-1" in run["state"]["message"]


@pytest.mark.usefixtures("flows_here")
def test_stage_as_a_task_is_not_refused_by_its_own_cycle() -> None:
    from prefect import flow, task

    @task
    def stage(name: str) -> str:
        with open_app() as app, alone(app, name):
            return name

    @flow
    def stages() -> list[str]:
        with open_app() as app, alone(app, "cycle"):
            return [stage(name) for name in STAGES]

    assert stages() == list(STAGES)


def test_cycle_runs_as_tasks_and_twice_is_safe(flows_here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.flows.cycle import cycle

    fill_inbox(flows_here, tickets=12)
    reads = Reads().watch(monkeypatch)
    first = cycle(as_of=AS_OF)
    assert {name: reads[name] for name in ONCE} == ONCE
    second = cycle(as_of=AS_OF)
    assert first["ingest"]["created"] == 12
    assert first["triage"]["classified"] == 12
    assert first["publish"]["tickets"] == 12
    assert second["ingest"]["created"] == second["triage"]["classified"] == second["allocate"]["new"] == 0
    assert second["evaluate"]["new_alerts"] == 0
    assert (first["enrich"]["enriched"], second["enrich"]["enriched"]) == (12, 0)


def test_run_of_a_cycle_says_which_stage_failed(flows_here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.flows.cycle import cycle

    fill_inbox(flows_here, tickets=3)
    monkeypatch.setenv("HELMDESK_HANDLER", "servicenow")
    ended = cycle(as_of=AS_OF, return_state=True)
    assert ended.is_failed()
    assert "allocate: HELMDESK_HANDLER=servicenow needs" in ended.message
    assert "(done: ingest, triage, evaluate, enrich, publish)" in ended.message


def test_weekly_report_without_anything_published_ends_as_skipped(server: Server, flows_here: Path) -> None:
    from pipelines.flows.weekly_report import weekly_report

    ended = weekly_report(return_state=True)
    (run,) = server.ask("/flow_runs/filter", {"flow_runs": {"id": {"any_": [str(ended.state_details.flow_run_id)]}}})
    assert (run["state"]["type"], run["state"]["name"]) == ("COMPLETED", "Skipped")
    assert f"no marts in {flows_here / 'marts'}: run `helmdesk cycle`" in run["state"]["message"]
