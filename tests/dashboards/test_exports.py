"""Rows of a page are taken away by who may export, and auditors see that they were."""

import io
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from engine.access import Right, User, UserRole
from engine.shared.errors import NotAllowed
from pipelines import actions
from pipelines.app.container import open_app
from pipelines.app.identity import user_of
from pipelines.marts import current
from tests.dashboards.marts_by_hand import NOON, clock, published
from tests.dashboards.test_pages import opened

ROWS = pl.DataFrame({"ticket": ["demo:INC-1"], "subject": ["=HYPERLINK(1)"]})


@pytest.fixture(autouse=True)
def people(home: Path) -> None:
    with open_app(home=home) as app:
        roles = {"mia": UserRole.MANAGER, "ada": UserRole.AGENT, "ines": UserRole.AUDITOR}
        app.store.put([User(id=name, name=name.capitalize(), roles=(role,)) for name, role in roles.items()])


def offered() -> set[str]:
    return {button.label for button in opened("tickets").get("download_button")}


def test_who_may_export_is_offered_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELMDESK_USER", "mia")
    assert offered() == {"Export CSV", "Export Parquet"}
    monkeypatch.setenv("HELMDESK_USER", "ada")
    assert not offered()


def test_an_export_of_a_page_says_its_filter_and_is_shown_to_auditors(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_app(home=home) as app:
        publication, mia = current(app.settings.marts_folder), user_of(app, "mia")
        csv = actions.exported(app, mia, publication, "tickets-open", ROWS, kind="csv", where="Open; tier gold")
        parquet = actions.exported(app, mia, publication, "tickets-open", ROWS, kind="parquet", where="Open")
        with pytest.raises(NotAllowed, match=f"no right to {Right.EXPORT}"):
            actions.exported(app, user_of(app, "ada"), publication, "tickets-open", ROWS, kind="csv", where="Open")
    assert b"# filter: Open; tier gold\n" in csv
    assert pl.read_csv(csv, comment_prefix="#")["subject"].item() == "'=HYPERLINK(1)"
    assert pl.read_parquet(io.BytesIO(parquet)).equals(ROWS)
    monkeypatch.setenv("HELMDESK_USER", "ines")
    shown = opened("audit", acts="exports").dataframe[0].value
    assert ("Mia", "took 1 row of tickets-open away as csv; filter: Open; tier gold") in set(
        zip(shown["who"], shown["what"], strict=True)
    )
    assert "Ada" not in set(shown["who"])


def test_the_weekly_report_is_offered_once_a_week_is_settled_to_who_may_export(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def labels() -> set[str]:
        return {button.label for button in opened("promises").get("download_button")}

    published(home, sla_clocks=[clock("INC-1", "resolution", "on_track")]).close()
    assert "Weekly report" not in labels()
    published(home, sla_clocks=[clock("INC-1", "resolution", "met")], at=NOON + timedelta(minutes=1)).close()
    assert "Weekly report" in labels()
    monkeypatch.setenv("HELMDESK_USER", "ada")
    assert "Weekly report" not in labels()
