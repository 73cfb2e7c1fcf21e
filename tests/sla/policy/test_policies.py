"""Promises as data: the presets' numbers, the order of the list, and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from engine.shared.errors import BadInput, NotFound
from sla.contracts import Clock
from sla.policy import calendar_files
from sla.policy.calendar_files import read as read_calendar
from sla.policy.model import Dims, with_round_the_clock
from sla.policy.parser import load, parse

DATA = Path(__file__).resolve().parents[3] / "data" / "policies"
PRESETS = sorted(p.stem for p in (DATA / "sla").glob("*.yaml") if p.stem != "alerts")
CALENDARS = with_round_the_clock(calendar_files.load(DATA / "calendars.yaml"))


def minutes(policies: Any, priority: str, tier: str, clock: Clock) -> float | None:
    target = policies.promise(clock, Dims(priority, tier), len(policies.versions) - 1, CALENDARS).target
    return None if target is None else target / 60


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_names_its_source_and_known_calendars(name: str) -> None:
    policies = load(DATA / "sla" / f"{name}.yaml")
    policies.check(CALENDARS)
    assert policies.name == name
    assert policies.source


DAY, BUSINESS_DAY = 1440, 480
"""Minutes; a business day is that of the calendar `business`."""


def table(text: str) -> dict[tuple[str, str], tuple[float | None, float | None]]:
    """Rows of priorities, columns of tiers; a cell is first response/resolution in m, h, d or b (business days)."""
    units = {"m": 1, "h": 60, "d": DAY, "b": BUSINESS_DAY}
    head, *rows = (line.split() for line in text.strip().splitlines())

    def cell(part: str) -> float | None:
        return None if part == "-" else float(part[:-1]) * units[part[-1]]

    return {
        (row[0], tier): (cell(first), cell(last))
        for row in rows
        for tier, (first, last) in zip(head, (c.split("/") for c in row[1:]), strict=True)
    }


TABLES = {
    "aigenius-doc": """
        enterprise  business     standard  free
critical 7.5m/1h    11.25m/1.5h  15m/2h    22.5m/3h
high     15m/2h     22.5m/3h     30m/4h    45m/6h
medium   1h/4h      1.5h/6h      2h/8h     3h/12h
low      2h/12h     3h/18h       4h/24h    6h/36h""",
    "aigenius-yaml": """
        enterprise  business    standard   free
critical 7m/120m    11m/180m    15m/240m   22m/360m
high     30m/240m   45m/360m    60m/480m   90m/720m
medium   120m/720m  180m/1080m  240m/1440m 360m/2160m
low      240m/1440m 360m/2160m  480m/2880m 720m/4320m
unheard  30m/240m   45m/360m    60m/480m   90m/720m""",
    "companyos": """
        standard free   business premium enterprise
critical 15m/4h  15m/4h 15m/2h   15m/2h  15m/2h
high     1h/8h   1h/8h  1h/6h    1h/6h   1h/6h
medium   4h/2b   4h/2b  4h/1b    4h/1b   4h/1b
low      1b/5b   1b/5b  1b/3b    1b/3b   1b/3b""",
    "itil-next": """
        standard enterprise
critical -/1h     -/1h
high     -/4h     -/4h
medium   -/8h     -/8h
low      -/24h    -/24h""",
    "summit-sev": """
        basic   professional enterprise premium
critical 24h/7d  4h/48h       1h/24h     15m/4h
high     24h/14d 8h/5d        2h/48h     30m/24h
medium   48h/30d 24h/14d      4h/7d      2h/3d
low      72h/60d 48h/30d      24h/30d    8h/14d
sev1     24h/7d  4h/48h       1h/24h     15m/4h
sev2     24h/14d 8h/5d        2h/48h     30m/24h
sev3     48h/30d 24h/14d      4h/7d      2h/3d
sev4     72h/60d 48h/30d      24h/30d    8h/14d""",
}
"""The tables of the sources, by hand: seeds S5-06, S5-R01, S4-06, S2-R01 to R03, S4-R02."""


@pytest.mark.parametrize("preset", TABLES)
def test_preset_is_its_source_cell_by_cell(preset: str) -> None:
    policies = load(DATA / "sla" / f"{preset}.yaml", CALENDARS)
    expected = table(TABLES[preset])
    clocks = (Clock.FIRST_RESPONSE, Clock.RESOLUTION)
    assert {cell: tuple(minutes(policies, *cell, clock) for clock in clocks) for cell in expected} == expected


@pytest.mark.parametrize("preset", PRESETS)
def test_preset_opens_with_who_how_and_source(preset: str) -> None:
    text = (DATA / "sla" / f"{preset}.yaml").read_text(encoding="utf-8")
    opening = " ".join(line.lstrip("# ") for line in text.partition("name: ")[0].splitlines())
    assert text.startswith("# ")
    assert "Who may change it" in opening
    assert "How to renew it" in opening


RESOLUTION_TERMS = {
    "aigenius-doc": ("created", False, "continue", "0.15"),
    "aigenius-yaml": ("created", False, "continue", "0.15"),
    "companyos": ("accepted", True, "new_window", "0.15"),
    "itil-next": ("created", True, "continue", "0.15"),
    "summit-sev": ("created", True, "new_window", "0.25"),
    "default": ("created", True, "new_window", "0.15"),
}
"""By preset (X-02): what starts the resolution, whether the customer's turn pauses it, reopening, at risk."""


@pytest.mark.parametrize("preset", RESOLUTION_TERMS)
def test_preset_keeps_its_clock_rules(preset: str) -> None:
    policies = load(DATA / "sla" / f"{preset}.yaml")
    terms = policies.terms(Clock.RESOLUTION, Dims("high"), 0)
    pauses = terms.pauses("waiting_customer", None)
    assert (terms.start_event, pauses, terms.reopen, str(terms.at_risk_fraction)) == RESOLUTION_TERMS[preset]
    assert not policies.terms(Clock.FIRST_RESPONSE, Dims("high"), 0).pauses("waiting_customer", None)


def test_itil_next_counts_on_eight_to_six() -> None:
    promise = load(DATA / "sla" / "itil-next.yaml").promise(Clock.RESOLUTION, Dims("low"), 0, CALENDARS)
    assert promise.calendar == "business-08-18"


def test_companyos_updates_p0_every_four_hours_and_p1_daily() -> None:
    preset = load(DATA / "sla" / "companyos.yaml")
    found = [minutes(preset, priority, "standard", Clock.NEXT_RESPONSE) for priority in ("critical", "high", "low")]
    assert found == [240, 1440, None]


def test_a_next_reply_is_promised_where_a_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "gold.yaml"
    path.write_text("policies: [{calendar: business, resolution: 4 hours, next_reply: 2 business_hours}]")
    policies = load(path)
    promise = policies.promise(Clock.NEXT_REPLY, Dims(), 0, CALENDARS)
    assert (promise.target, promise.terms.pauses("waiting_customer", None)) == (7_200, False)
    assert Clock.NEXT_REPLY in policies.clocks
    assert Clock.NEXT_REPLY not in load(DATA / "sla" / "default.yaml").clocks


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


ATTACKS = {
    "": "file: expected a mapping",
    "policies: []": r"policies: empty",
    "versions: []": r"versions: empty",
    "name: 5\npolicies: [{resolution: 5}]": r"name: expected text, got 5",
    "source: 2024-01-01\npolicies: [{resolution: 5}]": r"source: expected text",
    "colour: red\npolicies: [{resolution: 5}]": r"colour: unknown key",
    "policies: [{name: 1, resolution: 5}]": r"policies\[0\]\.name: expected text, got 1",
    "policies: [{name: a, match: {tier: free}}, {name: a}]": r"two are named 'a'",
    "policies: [{match: [], resolution: 5}]": r"policies\[0\]\.match: expected a mapping",
    "policies: [{match: {priority: low}, priority: high}]": r"policies\[0\]\.priority: stands in match as well",
    "policies: [{resoluton: 5}]": r"policies\[0\]\.resoluton: unknown key",
    "clocks: {closing: {}}\npolicies: [{}]": r"clocks\.closing: unknown key",
    "clocks: []\npolicies: [{}]": r"clocks: expected a mapping",
    "calendar: 5\npolicies: [{}]": r"calendar: expected text, got 5",
    "calendar: moon\npolicies: [{resolution: 5}]": r"policies\[0\]\.resolution\.calendar: .*'moon'; there are 24x7",
    "calendar: never\npolicies: [{resolution: 1 business day}]": r"resolution\.calendar: 'never' has no working day",
    "multipliers: {free: 0}\npolicies: [{}]": r"multipliers\.free: expected a number above 0 .*got 0",
    "multipliers: {free: -1}\npolicies: [{}]": r"multipliers\.free: expected a number above 0 .*got -1",
    "multipliers: {free: much}\npolicies: [{}]": r"multipliers\.free: expected a number above 0",
    "multipliers: {gold: 2}\npolicies: [{}]": r"multipliers\.gold: 'gold' is no tier; use business, .*words\.tier",
    "policies: [{resolution: {tiers: {gold: 5}}}]": r"policies\[0\]\.resolution\.tiers\.gold: 'gold' is no tier",
    "policies: [{tier: gold}]": r"policies\[0\]\.tier: 'gold' is no tier",
    "policies: [{priority: [low, urgent]}]": r"policies\[0\]\.priority: 'urgent' is no priority",
    "policies: [{type: wish}]": r"policies\[0\]\.type: 'wish' is no type",
    "clocks: {resolution: {pause_states: [waiting_custmer]}}\npolicies: [{}]": r"'waiting_custmer' is no status",
    "words: {tier: gold}\npolicies: [{}]": r"words\.tier: expected a list",
    "words: {colour: [red]}\npolicies: [{}]": r"words\.colour: unknown key",
    "policies: [{resolution: -5}]": r"policies\[0\]\.resolution: expected an amount .*got -5",
    "policies: [{resolution: .inf}]": r"policies\[0\]\.resolution: expected an amount",
    "policies: [{resolution: '1e999999999'}]": r"policies\[0\]\.resolution: expected an amount",
    "policies: [{resolution: 99999999 days}]": r"policies\[0\]\.resolution: no target is longer than a century",
    "policies: [{resolution: {target: 5 min, unit: hours}}]": r"resolution\.unit: 'hours' contradicts the minutes",
    "policies: [{at_risk_fraction: 1.5, resolution: 5}]": r"policies\[0\]\.at_risk_fraction: .*less than or equal to 1",
    "policies: [{resolution: {target: 5, at_risk_fraction: -0.1}}]": r"at_risk_fraction: .*greater than or equal to 0",
    "policies: [{resolution: {target: 5, at_risk_fraction: .nan}}]": r"at_risk_fraction: .*finite",
    "clocks: {resolution: {stop_states: []}}\npolicies: [{resolution: 5}]": r"stop_states: empty",
    "clocks: {resolution: {pause_states: [closed]}}\npolicies: [{resolution: 5}]": r"'closed' stops the clock",
    "policies: [{name: all}, {priority: low}]": r"policies\[1\]: '2 low' is never reached, 'all' above it",
    "policies: [{priority: [low, high]}, {priority: low, tier: free}]": r"policies\[1\]: .* is never reached",
    "versions: [{policies: [{}]}, {valid_from: 2024-01-01, policies: [{}, {}]}]": r"versions\[1\]\.policies\[1\]: ",
    "versions: [{valid_from: 2024-02-01, policies: [{}]}, {valid_from: 2024-02-01, policies: [{}]}]": (
        r"versions\[1\]\.valid_from: has to be a later"
    ),
    "versions: [{valid_from: '0001-01-01T00:00+14:00', policies: [{}]}]": r"versions\[0\]\.valid_from: expected a date",
    "versions: [{policies: [{}]}]\npolicies: [{}]": r"versions: give either versions or",
    "policies: [{}]\npolicies: [{}]": r"line 2: 'policies' is given twice",
}
"""Files that somebody might save, and what is said about them after the file's name."""


@pytest.mark.parametrize(("text", "message"), ATTACKS.items())
def test_wrong_file_is_refused_with_file_key_and_reason(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "gold.yaml"
    path.write_text(text, encoding="utf-8")
    never = read_calendar({"weekly": {}}, name="never")
    with pytest.raises(BadInput, match=rf"gold\.yaml: {message if message.startswith('file') else '.*' + message}"):
        load(path, {**CALENDARS, "never": never})


@pytest.mark.parametrize(
    "text",
    [
        "policies: [{resolution: 0}]",
        "policies: [{name: nothing promised}]",
        "words: {tier: [gold], priority: [sev1]}\nmultipliers: {gold: 1/3}\npolicies: [{priority: sev1}]",
        "policies: [{priority: low}, {priority: [low, high]}, {}]",
        "policies: [{tier: free}, {priority: low}]",
    ],
)
def test_unusual_file_is_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "gold.yaml"
    path.write_text(text, encoding="utf-8")
    assert load(path, CALENDARS).name == "gold"


def test_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"There is no SLA policy .*gold\.yaml"):
        load(tmp_path / "gold.yaml")
