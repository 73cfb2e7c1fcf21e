"""The schedule of one machine: round after round, whatever happens to a policy file in between."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from engine.errors import BadInput
from pipelines.jobs.cycle import repeat
from pipelines.settings import shipped_data
from pipelines.wiring import open_house


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


def test_a_broken_policy_does_not_end_the_rounds(tmp_path: Path, data: Path) -> None:
    calendars, told = data / "policies" / "calendars.yaml", list[str]()
    pauses = Pauses(lambda: calendars.write_text("business: {tz: Nowhere/Land}\n"))
    with open_house(home=tmp_path / "home", data=data, keep_last_good=True) as house, pytest.raises(Enough):
        repeat(house, every=timedelta(hours=1), wait=pauses, told=told.append)
    assert [line.split()[2] for line in told] == ["published", "published"]
    assert all(3_000 < seconds <= 3_600 for seconds in pauses.waited)


def test_a_scheduled_start_goes_on_with_the_last_good_policy(tmp_path: Path, data: Path) -> None:
    home, file = tmp_path / "home", data / "policies" / "sla" / "default.yaml"
    with open_house(home=home, data=data, keep_last_good=True) as house:
        before = house.sla_policies
    file.write_text(file.read_text(encoding="utf-8").replace("priority: critical", "priority: [critical"))
    with open_house(home=home, data=data, keep_last_good=True) as house:
        assert house.sla_policies == before


def test_a_person_is_told_of_a_broken_policy(tmp_path: Path, data: Path) -> None:
    (data / "policies" / "sla" / "default.yaml").write_text("policies: 7\n")
    with open_house(home=tmp_path / "home", data=data) as house, pytest.raises(BadInput, match=r"default\.yaml"):
        _ = house.sla_policies


def test_a_failed_round_is_told_and_the_next_one_tried(tmp_path: Path, data: Path) -> None:
    calendars, told = data / "policies" / "calendars.yaml", list[str]()
    good = calendars.read_text(encoding="utf-8")
    calendars.write_text("business: {tz: Nowhere/Land}\n", encoding="utf-8")
    pauses = Pauses(lambda: calendars.write_text(good, encoding="utf-8"))
    with open_house(home=tmp_path / "home", data=data) as house, pytest.raises(Enough):
        repeat(house, every=timedelta(minutes=1), wait=pauses, told=told.append)
    assert ["failed" in line for line in told] == [True, False]
    assert "calendars.yaml" in told[0]
