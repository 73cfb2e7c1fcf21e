"""What else is known of a ticket, on its page: as plain text, candidates as candidates, weak signals as weak."""

import json

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboards.enrichment import parts
from tests.dashboards.marts_by_hand import DAY_BEFORE, HOSTILE, NOON, published, ticket

CODE = {"code": "ZTNA-301", "runbook": "https://runbooks.example/ztna", "article": "https://help.example/ztna-301"}
PARTS = [
    {"name": "characters", "amount": 500.0, "share": 0.5, "adds": 0.08},
    {"name": "questions", "amount": 0.0, "share": 0.0, "adds": 0.0},
    {"name": "reopened", "amount": 1.0, "share": 0.5, "adds": 0.12},
]
TOLD = {
    "ticket": "demo:INC-1", "reference": "INC-1", "language": "de", "language_confidence": 0.97, "complexity": 0.2,
    "complexity_parts": json.dumps(PARTS), "error_codes": json.dumps([CODE]), "sentiment": -0.5,
    "sentiment_phrases": '["verärgert"]', "urgency": "high",
    "urgency_reasons": '["priority medium", "a promise is at risk"]', "suggested_priority": "high", "past_cases": 4,
    "past_cases_same_product": 2, "last_case": "INC-0", "created_at": NOON,
}  # fmt: skip
NEAR = {
    "ticket": "demo:INC-1", "reference": "INC-1", "other": "demo:INC-0", "other_reference": "INC-0",
    "other_subject": HOSTILE, "other_status": "waiting_customer", "other_created_at": DAY_BEFORE, "kind": "duplicate",
    "similarity": 0.93, "reason": "near-same text 0.93, another requester", "created_at": NOON,
}  # fmt: skip
ACME = {
    "company_id": "acme", "name": "Acme", "tier": "enterprise", "segment": "energy", "region": "EMEA",
    "health": "watch", "because": "billing is overdue", "open_cases": 3,
}  # fmt: skip


def page() -> None:
    from dashboards import enrichment, opening

    reader = opening.marts(opening.app())
    enrichment.section(reader, "demo:INC-1")
    enrichment.relatives(reader, "demo:INC-1")


@pytest.fixture
def shown(tmp_path, monkeypatch):
    """The section of a ticket of Acme, with these rows published."""
    monkeypatch.setenv("HELMDESK_HOME", str(tmp_path))

    def run(**marts):
        st.cache_resource.clear()
        st.cache_data.clear()
        published(tmp_path, tickets=[ticket("INC-1", company_id="acme")], **marts).close()
        app = AppTest.from_function(page, default_timeout=30).run()
        assert not app.exception
        return app

    yield run
    st.cache_resource.clear()
    st.cache_data.clear()


def texts(app: AppTest) -> str:
    return "\n".join(text.value for text in app.text)


def test_nothing_told_yet_is_said(shown):
    assert texts(shown()) == "Not enriched yet: the next cycle does it.\nNo earlier ticket looks related."


def test_language_complexity_and_its_parts_are_shown(shown):
    app = texts(shown(enrichments=[TOLD]))
    assert "de, 97 % sure" in app
    assert "0.20: 1 time reopened +0.12, 500 characters +0.08" in app
    assert parts("[]") == ""


@pytest.mark.parametrize(("amount", "said"), [(1, "1 question +0.03"), (2, "2 questions +0.03")])
def test_one_of_a_thing_is_singular(amount, said):
    assert parts(json.dumps([{"name": "questions", "amount": amount, "adds": 0.03}])) == f": {said}"


def test_tone_is_marked_weak(shown):
    app = shown(enrichments=[TOLD])
    assert "Tone (weak signal)" in [caption.value for caption in app.caption]
    assert "-0.50 of -1 to +1, only from “verärgert”; nothing is ordered by it" in texts(app)
    assert "not told: no listed phrase" in texts(shown(enrichments=[TOLD | {"sentiment": None}]))


def test_priority_is_suggested_with_its_reasons(shown):
    app = shown(enrichments=[TOLD])
    assert "Suggested urgency now: high (priority medium, a promise is at risk)" in texts(app)
    assert [info.value for info in app.info] == ["Suggested priority: high. A person changes it, nothing else does."]
    assert not shown(enrichments=[TOLD | {"suggested_priority": None}]).info


def test_codes_lead_to_runbook_and_article(shown):
    links = shown(enrichments=[TOLD]).get("link_button")
    assert [link.proto.url for link in links] == [CODE["runbook"], CODE["article"]]
    unsafe = json.dumps([CODE | {"runbook": "javascript:alert(1)", "article": None}])
    assert not shown(enrichments=[TOLD | {"error_codes": unsafe}]).get("link_button")


def test_customer_is_shown_with_health_and_past_cases(shown):
    app = texts(shown(enrichments=[TOLD], customers=[ACME]))
    assert "Acme, enterprise, energy, EMEA" in app
    assert "watch: billing is overdue; 3 open cases" in app
    assert "4, 2 about the same product; the last is INC-0" in app


def test_related_tickets_are_candidates(shown):
    app = shown(related_tickets=[NEAR])
    assert "Duplicate? INC-0, waiting customer" in texts(app)
    captions = [caption.value for caption in app.caption]
    assert "Candidates: a person decides whether they belong together." in captions
    assert "` near-same text 0.93, another requester `" in captions


def test_hostile_words_are_plain_text(shown):
    hostile = {"kind": HOSTILE, "reason": HOSTILE, "other_reference": HOSTILE, "other_status": HOSTILE}
    told = {"language": HOSTILE, "urgency_reasons": json.dumps([HOSTILE]), "last_case": HOSTILE}
    customer = ACME | {"name": HOSTILE, "because": HOSTILE}
    app = shown(enrichments=[TOLD | told], related_tickets=[NEAR | hostile], customers=[customer])
    markdown = [piece.value for kind in ("markdown", "caption", "info", "subheader") for piece in app.get(kind)]
    assert [piece for piece in markdown if "evil.example" in piece] == [f"` {HOSTILE} `"]
    assert texts(app).count("evil.example") >= 8
