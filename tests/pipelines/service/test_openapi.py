"""What the OpenAPI says of every route holds, whatever is sent: schemathesis over a real server."""

from contextlib import suppress

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.pipelines.service.conftest import Served

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
]


EXAMPLES = 2
"""Of each route, and of each way to fill it: as described, and not."""


def headers_for(case: schemathesis.Case, served: Served) -> dict[str, str]:
    posts = "/webhooks/ticket" in case.path
    named = {"Authorization": f"Bearer {served.keys['webhook' if posts else 'lead']}"}
    named |= {"X-Source-ID": "webhook"} if posts else {}
    return named | ({"X-Handler-ID": "outbox"} if "/handlers/" in case.path else {})


def faults_of(operation: APIOperation, mode: GenerationMode, served: Served) -> list[str]:
    """What of its description a route does not keep."""
    faults: list[str] = []

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def keeps_it(case: schemathesis.Case) -> None:
        case.headers.update(headers_for(case, served))
        if mode == GenerationMode.POSITIVE and "/tickets/{" in case.path:
            case.path_parameters = dict.fromkeys(case.path_parameters, served.ticket)
        try:
            case.call_and_validate(checks=CHECKS)
        except FailureGroup as failures:
            faults.extend(f"{case.method} {case.path} {case.body!r:.300}: {one!s:.600}" for one in failures.exceptions)

    with suppress(Unsatisfiable):  # a route without anything to fill can't be filled wrong
        keeps_it()
    return faults


@pytest.mark.slow
def test_every_route_keeps_its_description(served: Served) -> None:
    described = schemathesis.openapi.from_url(f"{served.url}/openapi.json")
    operations = [found.ok() for found in described.get_all_operations()]
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    faults = [fault for one in operations for mode in modes for fault in faults_of(one, mode, served)]
    assert len(operations) > 50
    assert not faults, "\n\n".join(faults)


def test_names_signature_callback_suggestions_and_desk(served: Served) -> None:
    found = served.ask("GET", "/api/v1/openapi.json", None).json()
    assert found["components"]["securitySchemes"]["signature"]["name"] == "X-Helmdesk-Signature"
    assert {
        "/api/v1/handlers/decisions/answer",
        "/api/v1/tickets/{ticket}/suggestions",
        "/api/v1/desk/tickets/{key}/accept",
        "/api/v1/webhooks/ticket",
    } <= set(found["paths"])


def test_bodies_have_examples(served: Served) -> None:
    found = served.ask("GET", "/openapi.json", None).json()
    for path in ("webhooks/ticket", "handlers/allocate", "sla/tickets", "triage/classify", "triage/respond"):
        body = found["paths"][f"/api/v1/{path}"]["post"]["requestBody"]["content"]["application/json"]
        named = body["schema"].get("$ref", "").rpartition("/")[2]
        assert "example" in body or found["components"]["schemas"][named]["examples"], path
