"""What a page has the desk do is done once, and who comes second is told."""

import re
from pathlib import Path

from streamlit.testing.v1 import AppTest

from dashboards import acting, ticket_steps
from engine.access import User, UserRole
from engine.contracts import Kind
from pipelines.app.container import open_app
from pipelines.operations import OPERATIONS
from tests.dashboards.ticket_by_hand import KEY, button, click, fill, labels, owned, seen_by


def owner(home) -> str | None:
    with open_app(home=home) as parts:
        return parts.store.ticket(KEY).owner_id


def test_the_slower_of_two_is_told_what_happened(home):
    anas, bens = seen_by("ana"), seen_by("ben")
    click(anas, "Accept", by="ana")
    click(bens, "Accept", by="ben")
    assert "Ana accepted the ticket and owns it" in bens.warning[0].value
    assert "nothing was done yet" in "".join(text.value for text in bens.text)
    click(bens, "Do it all the same", by="ben")
    assert bens.error[0].value == "` INC-1 is owned by Ana; join with an envelope instead. `"
    assert owner(home) == "ana"


def two_clicks() -> None:
    from dashboards import acting, opening
    from pipelines.app import identity

    app = opening.app()
    ticket = app.store.ticket("INC-1")
    for _ in range(2):
        wanted = acting.Act("ticket note", ticket.id, ticket.id, ticket.version)
        acting.act(app, identity.user_of(app, "ana"), wanted, text="Once.")


def test_a_double_click_is_one_act(home):
    owned(home)
    assert not AppTest.from_function(two_clicks).run().exception
    with open_app(home=home) as parts:
        assert [event.kind for event in parts.store.history(KEY)].count(Kind.MESSAGE) == 1


def test_the_same_act_on_what_came_of_it_is_another(home):
    owned(home)
    app = seen_by("ana")
    for _ in range(2):
        fill(app, "ticket note", "Write a note", key=f"{KEY} envelope_id=None", text="Twice.")
    with open_app(home=home) as parts:
        assert [event.kind for event in parts.store.history(KEY)].count(Kind.MESSAGE) == 2


def test_a_refusal_shows_the_way_out(home):
    app = seen_by("ana")
    app.selectbox(key="more").select("ticket resolve").run()
    fill(app, "ticket resolve", "Resolve", summary="Restarted.")
    assert "INC-1 has no owner; accept it first to resolve it." in app.error[0].value
    button(app, "Accept it").click().run()
    assert owner(home) == "ana"


def test_a_refused_form_loses_nothing(home):
    app = seen_by("ana")
    app.selectbox(key="more").select("ticket resolve").run()
    fill(app, "ticket resolve", "Resolve", summary="Restarted.")
    assert [field.value for field in app.text_area if (field.key or "").endswith("summary")] == ["Restarted."]


def test_nothing_is_offered_to_who_may_not_act(home):
    with open_app(home=home) as parts:
        parts.store.put([User(id="aud", name="Aud", roles=(UserRole.AUDITOR,))])
    app = seen_by("aud")
    assert "no right to work, which work on tickets takes" in app.error[0].value
    assert labels(app) == []


def test_a_refusal_names_people_and_no_records(home):
    text = "Envelope demo:INC-1/envelope-4 is for ben, not for Ana; ana proposed demo:INC-1/resolution-5 of demo:INC-1."
    with open_app(home=home) as parts:
        done = acting.Act("envelope accept", "demo:INC-1/envelope-4", KEY, 3)
        assert acting.by_names(parts, text, done, {"ana": "Ana", "ben": "Ben"}) == (
            "Envelope is for Ben, not for Ana; Ana proposed it of INC-1."
        )


def test_what_was_done_is_said_in_words():
    source = "".join(file.read_text("utf-8") for file in Path(acting.__file__).parent.rglob("*.py"))
    offered = {*re.findall(r'(?:Act|offer|form)\("(\w+ [\w-]+)"', source), *ticket_steps.LABELS} & set(OPERATIONS)
    assert len(offered) > len(ticket_steps.LABELS)
    assert offered <= set(acting.IN_WORDS) <= set(OPERATIONS)


def test_what_was_done_is_told_after_it(home):
    anas = seen_by("ana")
    click(anas, "Accept", by="ana")
    assert anas.toast[0].value == "Done: the ticket is yours."


def test_people_are_named_in_a_sentence_of_the_desk():
    assert acting.named("AGT-11 took AGT-110's (INC-1).", {"AGT-11": "Ana"}) == "Ana took AGT-110's (INC-1)."
