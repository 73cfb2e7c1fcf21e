"""Promises as data: the presets' numbers, the order of the list, and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from engine.errors import BadInput
from sla import calendar_files
from sla.contracts import Clock
from sla.policies import load, parse
from sla.promises import Dims, with_round_the_clock

DATA = Path(__file__).resolve().parents[2] / "data" / "policies"
PRESETS = sorted(p.stem for p in (DATA / "sla").glob("*.yaml") if p.stem != "alerts")
CALENDARS = with_round_the_clock(calendar_files.load(DATA / "calendars.yaml"))
TIERS = ("enterprise", "business", "standard", "free")


def minutes(policies: Any, priority: str, tier: str, clock: Clock) -> float | None:
    target = policies.promise(clock, Dims(priority, tier), len(policies.versions) - 1, CALENDARS).target
    return None if target is None else target / 60


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_names_its_source_and_known_calendars(name: str) -> None:
    policies = load(DATA / "sla" / f"{name}.yaml")
    policies.check(CALENDARS)
    assert policies.name == name
    assert policies.source


@pytest.mark.parametrize(
    ("priority", "row"),
    [
        ("critical", [(7, 120), (11, 180), (15, 240), (22, 360)]),
        ("high", [(30, 240), (45, 360), (60, 480), (90, 720)]),
        ("medium", [(120, 720), (180, 1080), (240, 1440), (360, 2160)]),
        ("low", [(240, 1440), (360, 2160), (480, 2880), (720, 4320)]),
    ],
)
def test_aigenius_yaml_matrix(priority: str, row: list[tuple[int, int]]) -> None:
    preset = load(DATA / "sla" / "aigenius-yaml.yaml")
    clocks = (Clock.FIRST_RESPONSE, Clock.RESOLUTION)
    assert [tuple(minutes(preset, priority, tier, clock) for clock in clocks) for tier in TIERS] == row


def test_aigenius_doc_is_exact_where_the_code_floors() -> None:
    assert minutes(load(DATA / "sla" / "aigenius-doc.yaml"), "critical", "enterprise", Clock.FIRST_RESPONSE) == 7.5


@pytest.mark.parametrize(
    ("preset", "priority", "tier", "expected"),
    [
        ("aigenius-doc", "medium", "standard", (120, 480)),
        ("aigenius-doc", "low", "free", (360, 2160)),
        ("aigenius-yaml", "unheard of", "standard", (60, 480)),
        ("companyos", "critical", "standard", (15, 240)),
        ("companyos", "critical", "enterprise", (15, 120)),
        ("companyos", "high", "enterprise", (60, 360)),
        ("companyos", "medium", "standard", (240, 2 * 480)),  # business days of eight hours
        ("companyos", "low", "enterprise", (480, 3 * 480)),
        ("itil-next", "critical", "standard", (None, 60)),
        ("itil-next", "low", "standard", (None, 1440)),
        ("summit-sev", "critical", "premium", (15, 240)),
        ("summit-sev", "low", "basic", (72 * 60, 60 * 1440)),
        ("summit-sev", "high", "professional", (8 * 60, 5 * 1440)),
        ("default", "critical", "standard", (15, 240)),
    ],
)
def test_preset_targets(preset: str, priority: str, tier: str, expected: tuple[float | None, float]) -> None:
    policies = load(DATA / "sla" / f"{preset}.yaml")
    assert (
        minutes(policies, priority, tier, Clock.FIRST_RESPONSE),
        minutes(policies, priority, tier, Clock.RESOLUTION),
    ) == expected


def test_companyos_starts_resolution_at_accept_and_updates_p0_every_four_hours() -> None:
    preset = load(DATA / "sla" / "companyos.yaml")
    assert preset.terms(Clock.RESOLUTION, Dims("critical"), 0).start_event == "accepted"
    assert minutes(preset, "critical", "standard", Clock.NEXT_RESPONSE) == 240


def test_first_match_wins() -> None:
    policies = parse([{"name": "a", "priority": ["high", "low"], "resolution": 1}, {"name": "b", "resolution": 2}])
    named = [policies.promise(Clock.RESOLUTION, Dims(p), 0, CALENDARS).policy for p in ("low", "medium")]
    assert named == ["a", "b"]


def test_explicit_cell_beats_multiplier() -> None:
    policies = parse(
        [{"multipliers": {"gold": 0.5, "free": 2}, "resolution": {"target": 100, "tiers": {"gold": 70, "none": None}}}]
    )
    found = [
        policies.promise(Clock.RESOLUTION, Dims(tier=t), 0, CALENDARS).target for t in ("gold", "free", "x", "none")
    ]
    assert found == [70, 200, 100, None]


@pytest.mark.parametrize(
    ("target", "seconds", "calendar"),
    [
        (90, 90, "business"),
        ("90 s", 90, "business"),
        ("15 min", 900, "24x7"),
        ("1.5 hours", 5_400, "24x7"),
        ("2 business days", 57_600, "business"),
        ("2 biz days", 57_600, "business"),
        ({"target": 30, "unit": "business_minutes"}, 1_800, "business"),
        ({"target": 1, "unit": "business_days", "calendar": "extended"}, 43_200, "extended"),
    ],
)
def test_units(target: Any, seconds: int, calendar: str) -> None:
    promise = parse([{"calendar": "business", "resolution": target}]).promise(Clock.RESOLUTION, Dims(), 0, CALENDARS)
    assert (promise.target, promise.calendar) == (seconds, calendar)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], r"policies: empty"),
        ([{"resolution": "soon"}], r"policies\[0\]\.resolution: expected an amount"),
        ([{"resolution": -5}], r"policies\[0\]\.resolution: expected an amount"),
        ([{"resolution": {"target": 5, "unit": "moons"}}], r"'moons' is no unit; use seconds"),
        ([{"resolution": "2 business days"}], r"policies\[0\]\.resolution\.calendar: missing; business_days need one"),
        (
            [{"resolution": {"target": 5, "unit": "minutes", "calendar": "x"}}],
            r"write business_minutes to count on 'x'",
        ),
        ([{"resolution": {"target": 5, "reopen": "never"}}], r"policies\[0\]\.resolution\.reopen: .*got 'never'"),
        ([{"resolution": {"target": 5, "at_risk_fraction": 2}}], r"at_risk_fraction: .*less than or equal to 1"),
        ([{"resolutoin": 5}], r"policies\[0\]\.resolutoin: unknown key"),
        ([{"priority": [1], "resolution": 5}], r"policies\[0\]\.priority: expected a name"),
        ([{"name": "a"}, {"name": "a"}], r"two are named 'a'"),
        ({"versions": [{"valid_from": "x", "policies": [{}]}]}, r"versions\[0\]\.valid_from: expected a date"),
        ({"versions": [{"valid_from": "2024-02-01", "policies": [{}]}, {"policies": [{}]}]}, r"later valid_from"),
        ({"clocks": {"resolution": {"stops": []}}, "policies": [{}]}, r"clocks\.resolution\.stops: unknown key"),
        ("policies", r"file: expected a mapping"),
    ],
)
def test_bad_policy_names_its_key(content: Any, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        parse(content)


def test_bad_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "gold.yaml"
    path.write_text("policies: [{resolution: soon}]")
    with pytest.raises(BadInput, match=r"gold\.yaml: policies\[0\]\.resolution"):
        load(path)
    path.write_text("policies: [")
    with pytest.raises(BadInput, match=r"gold\.yaml: while parsing"):
        load(path)


def test_unknown_calendar_is_named() -> None:
    with pytest.raises(BadInput, match="policy 'gold' names the calendar 'moon'"):
        parse([{"name": "gold", "calendar": "moon", "resolution": 5}]).check(CALENDARS)
