"""Nothing but health answers without a key, and a key opens what its owner may."""

import pytest

from pipelines.app import identity
from pipelines.service.api import build
from tests.pipelines.service.conftest import AGENT, LEAD, Served

OPEN = {"/health", "/ready", "/metrics"}


def routes(served: Served) -> list[tuple[str, str]]:
    paths = served.ask("GET", "/openapi.json", None).json()["paths"]
    named = [(method.upper(), path) for path, methods in paths.items() for method in methods if path not in OPEN]
    return [(method, path.format(key="x", ticket="x", receipt=1)) for method, path in named]


def test_every_route_asks_for_a_key(served: Served) -> None:
    headers = {"X-Source-ID": "webhook", "X-Handler-ID": "outbox"}
    assert len(routes(served)) > 50
    for method, path in routes(served):
        for key in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic YTpi"}):
            answer = served.ask(method, path, None, headers=headers | key, json={})
            assert answer.status_code in (401, 429), (method, path, key)
            assert answer.headers["content-type"] == "application/problem+json"


def test_a_sources_key_opens_nothing_else(served: Served) -> None:
    headers = {"X-Source-ID": "webhook", "X-Handler-ID": "outbox"}
    for method, path in routes(served):
        if "/webhooks/" not in path:
            answer = served.ask(method, path, "jira", headers=headers, json={})
            assert answer.status_code in (403, 422), (method, path)
            assert answer.status_code == 403 or method == "POST", path


def test_an_auditor_reads_and_does_no_work(served: Served) -> None:
    assert served.ask("GET", f"/sla/tickets/{served.ticket}", "auditor").status_code == 200
    refused = served.ask("POST", f"/desk/tickets/{served.ticket}/accept", "auditor")
    assert (refused.status_code, "no right to work" in refused.json()["detail"]) == (403, True)


def test_supervising_takes_a_supervisor(served: Served) -> None:
    assert served.ask("POST", "/desk/orphans", "agent").status_code == 403
    assert served.ask("POST", "/desk/orphans", "lead").status_code == 200


def test_a_revoked_key_opens_nothing_from_then_on(served: Served) -> None:
    admin = identity.local_user(served.app, None)
    served.keys["passing"] = key = identity.create_key(served.app, by=admin, user_id=AGENT)
    assert served.ask("POST", "/desk/queue", "passing").status_code == 200
    identity.revoke_key(served.app, key.split("_")[1], by=admin)
    assert served.ask("POST", "/desk/queue", "passing").status_code == 401


def test_who_acts_is_never_said_by_the_body(served: Served) -> None:
    answer = served.ask("POST", f"/desk/tickets/{served.ticket}/note", json={"text": "hello", "by": LEAD})
    assert (answer.status_code, "by" in answer.json()["detail"]) == (422, True)


def test_a_key_of_another_source_posts_nothing_here(served: Served) -> None:
    assert served.post_ticket({"ticket_id": "x"}, key="jira").status_code == 403
    assert served.post_ticket({"ticket_id": "x"}, key="agent").status_code == 403


def test_views_of_tickets_are_logged(served: Served) -> None:
    from engine.access import View

    served.ask("GET", f"/tickets/{served.ticket}/suggestions", "auditor")
    served.app.view_log.write()
    seen = [view for view in served.app.store.all(View, user_id="auditor-1") if "suggestions" in view.door]
    assert [view.ticket_id for view in seen] == [served.ticket]


@pytest.mark.parametrize(
    "path", ["/sla/dashboard", "/api/v1/sla/dashboard", "/triage/stats", "/api/v1/health", "/ready"]
)
def test_both_forms_of_a_path_lead_there(served: Served, path: str) -> None:
    assert served.ask("GET", path).status_code == 200


def test_describes_itself_without_a_key(served: Served) -> None:
    assert build(served.app).openapi()["info"]["title"] == "helmdesk"
