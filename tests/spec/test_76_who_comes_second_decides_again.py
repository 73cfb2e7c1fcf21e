"""INC-1 is drawn for Ana and for Ben; an alert rises, Ana accepts: Ben's click does nothing, a second is refused."""

from collections.abc import Iterator
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from engine.contracts import Event, Kind
from pipelines.app.container import App
from tests.engine.people import a_desk, later


def page() -> None:
    import streamlit as st

    from dashboards import acting, opening
    from pipelines.app import identity

    app = opening.app()
    user = identity.user_of(app, st.session_state["who"])
    acting.answer(app, user, {"ana": "Ana"})
    drawn = app.store.ticket("INC-1")
    acting.offer(app, user, acting.Act("ticket accept", drawn.id, drawn.id, drawn.version), "Accept")


def page_of(agent: str) -> Any:
    opened = AppTest.from_function(page, default_timeout=60)
    opened.session_state["who"] = agent
    return opened.run()


@pytest.fixture
def desk(app: App, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    """Its home is the one that pages open."""
    monkeypatch.setenv("HELMDESK_HOME", str(app.settings.home))
    a_desk(app.store)
    yield app
    st.cache_resource.clear()


def test_the_later_click_does_nothing_until_it_is_meant(desk: App) -> None:
    anas, bens = page_of("ana"), page_of("ben")
    desk.store.append([Event(ticket_id="web:1", kind=Kind.ALERT, at=later(1), value="x", id="x")], at=later(1))
    assert not anas.button[0].click().run().warning
    bens.button[0].click().run()
    assert "Ana accepted the ticket and owns it" in bens.warning[0].value
    assert not bens.error
    again = next(button for button in bens.button if button.label == "Do it all the same")
    assert again.click().run().error[0].value == "` INC-1 is owned by Ana; join with an envelope instead. `"
    assert desk.store.ticket("INC-1").owner_id == "ana"
