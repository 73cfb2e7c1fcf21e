"""A policy changed under a running desk: a good change is taken up, a bad one changes nothing and is told of once."""

import shutil
from pathlib import Path

import pytest

from engine.shared.errors import BadInput, NotFound
from pipelines.app.policies import SlaRules, load_sla
from pipelines.app.policy_in_force import InForce
from pipelines.app.settings import shipped_data
from sla.alerting.alerts import AlertPolicy, load_policy
from sla.contracts import Clock
from sla.policy.model import Dims, with_round_the_clock

DATA = shipped_data() / "policies"


class Desk:
    """Two files being edited, what was said, and what holds."""

    def __init__(self, folder: Path, *, keep: Path | None = None) -> None:
        self.files = folder / "calendars.yaml", folder / "default.yaml"
        self.said: list[str] = []
        self.rules = InForce(self.files, load_sla, warn=self.said.append, keep=keep)

    def edit(self, old: str, new: str, *, file: int = 1) -> None:
        text = self.files[file].read_text(encoding="utf-8")
        assert old in text
        self.files[file].write_text(text.replace(old, new, 1), encoding="utf-8")

    def critical_minutes(self) -> float | None:
        found = self.rules.get()
        target = found.policies.promise(
            Clock.FIRST_RESPONSE, Dims("critical"), 0, with_round_the_clock(found.calendars)
        ).target
        return None if target is None else target / 60


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(DATA / "calendars.yaml", tmp_path)
    shutil.copy(DATA / "sla" / "default.yaml", tmp_path)
    return tmp_path


def test_good_change_is_taken_up(folder: Path) -> None:
    desk = Desk(folder)
    assert desk.critical_minutes() == 15
    desk.edit("15 min", "20 min")
    assert (desk.critical_minutes(), desk.said) == (20, [])


def test_nothing_is_loaded_again_without_a_change(folder: Path) -> None:
    desk = Desk(folder)
    first = desk.rules.get()
    desk.files[1].touch()
    assert desk.rules.get() is first
    desk.files[1].write_bytes(desk.files[1].read_bytes())
    assert desk.rules.get() is first


def test_bad_change_keeps_the_last_good_and_is_told_once(folder: Path) -> None:
    desk = Desk(folder)
    assert desk.critical_minutes() == 15
    desk.edit("15 min", "soon")
    assert [desk.critical_minutes() for _ in range(3)] == [15, 15, 15]
    assert len(desk.said) == 1
    assert "default.yaml: policies[0].first_response: expected an amount" in desk.said[0]
    desk.edit("soon", "sooner")
    assert (desk.critical_minutes(), len(desk.said)) == (15, 2)
    desk.edit("sooner", "10 min")
    assert (desk.critical_minutes(), len(desk.said)) == (10, 2)


def test_calendar_that_policies_need_cannot_be_taken_away(folder: Path) -> None:
    desk = Desk(folder)
    before = desk.rules.get()
    desk.edit("  extended:", "  long:", file=0)
    assert desk.rules.get() is before
    assert "policies[1].first_response.calendar" in desk.said[0]
    assert "'extended'" in desk.said[0]


def test_file_taken_away_changes_nothing(folder: Path) -> None:
    desk = Desk(folder)
    before = desk.rules.get()
    desk.files[1].unlink()
    assert desk.rules.get() is before
    assert len(desk.said) == 1


def test_start_with_a_broken_file_is_refused(folder: Path) -> None:
    desk = Desk(folder)
    desk.edit("15 min", "-15 min")
    with pytest.raises(BadInput, match=r"default\.yaml: policies\[0\]\.first_response"):
        desk.rules.get()
    desk.edit("-15 min", "15 min")
    assert desk.critical_minutes() == 15


def test_new_process_goes_on_with_the_kept_version_and_says_so(folder: Path, tmp_path: Path) -> None:
    keep = tmp_path / "kept"
    before = Desk(folder, keep=keep)
    before.edit("15 min", "20 min")
    assert before.critical_minutes() == 20
    before.edit("20 min", "soon")
    after = Desk(folder, keep=keep)
    assert [after.critical_minutes(), after.critical_minutes()] == [20, 20]
    assert len(after.said) == 1
    assert "first_response: expected an amount" in after.said[0]
    assert f"kept in {keep}" in after.said[0]


def test_only_the_last_good_version_is_kept(folder: Path, tmp_path: Path) -> None:
    keep = tmp_path / "kept"
    desk = Desk(folder, keep=keep)
    for old, new in (("15 min", "20 min"), ("20 min", "soon"), ("soon", "25 min")):
        desk.rules.get()
        desk.edit(old, new)
    assert desk.critical_minutes() == 25
    kept = [path for path in keep.iterdir() if path.is_dir()]
    assert len(kept) == 1
    assert "25 min" in (kept[0] / "default.yaml").read_text(encoding="utf-8")


def test_kept_version_of_another_policy_is_not_used(folder: Path, tmp_path: Path) -> None:
    keep = tmp_path / "kept"
    Desk(folder, keep=keep).rules.get()
    other = InForce((folder / "calendars.yaml", folder / "gold.yaml"), load_sla, warn=print, keep=keep)
    with pytest.raises(NotFound, match=r"gold\.yaml"):
        other.get()


def test_damaged_keep_does_not_hide_the_reason(folder: Path, tmp_path: Path) -> None:
    keep = tmp_path / "kept"
    Desk(folder, keep=keep).rules.get()
    next(path for path in keep.iterdir() if path.is_dir()).joinpath("default.yaml").write_text("policies: [")
    desk = Desk(folder, keep=keep)
    desk.edit("15 min", "soon")
    with pytest.raises(BadInput, match="expected an amount"):
        desk.rules.get()


def test_alert_rules_are_held_the_same_way(tmp_path: Path) -> None:
    file, said = tmp_path / "alerts.yaml", list[str]()
    shutil.copy(DATA / "sla" / "alerts.yaml", file)
    rules: InForce[AlertPolicy] = InForce(file, load_policy, warn=said.append)
    before = rules.get()
    file.write_text("rules: [{name: x}]", encoding="utf-8")
    assert rules.get() is before
    assert len(said) == 1


def test_rules_are_taken_up_as_a_pair(folder: Path) -> None:
    desk = Desk(folder)
    assert isinstance(desk.rules.get(), SlaRules)
    desk.edit("  extended:", "  long:", file=0)
    desk.edit("calendar: extended", "calendar: long")
    desk.edit("calendar: extended", "calendar: long")
    desk.edit("calendar: extended", "calendar: long")
    assert "long" in desk.rules.get().calendars
