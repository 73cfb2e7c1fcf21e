"""Few alerts are told one by one, many as one digest."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from sla.alerting.digests import NOTICES, DigestPolicy, Message, messages

NOW = datetime(2024, 1, 16, 12, tzinfo=UTC)
POLICY = DigestPolicy(over=3, show=2)


def alert(number: int, **fields: Any) -> dict[str, Any]:
    given = {
        "dedupe_key": f"a:{number}:resolution:1:breach",
        "ticket": f"a:{number}",
        "reference": f"INC-{number}",
        "priority": "high",
        "clock": "resolution",
        "alert_type": "breach",
        "level": 3,
        "deadline": NOW - timedelta(minutes=number),
        "remaining_seconds": -60.0 * number,
        "triggered_at": NOW,
        "channel": "#escalations",
        "recipient": "ana",
    }
    return given | fields


def told(*alerts: dict[str, Any], policy: DigestPolicy = POLICY) -> list[Message]:
    return messages(pl.DataFrame(alerts, schema=NOTICES), policy=policy)


def test_few_are_told_one_by_one() -> None:
    found = told(*(alert(n) for n in range(1, 4)))
    assert [message.ticket for message in found] == ["a:1", "a:2", "a:3"]
    assert found[2].payload["message"] == "INC-3: resolution 3 min over its target (level 3)"
    assert found[2].payload["remaining_seconds"] == -180.0


def test_one_more_makes_a_digest_with_the_worst_first() -> None:
    fields = {1: {"priority": "low"}, 2: {"clock": "first_response"}, 4: {"level": 4}}
    [digest] = told(*(alert(n, **fields.get(n, {})) for n in range(1, 5)))
    assert (digest.ticket, digest.level, digest.payload["alerts"]) == (None, 4, 4)
    assert digest.payload["by_clock"] == {"resolution": 3, "first_response": 1}
    assert digest.payload["by_priority"] == {"high": 3, "low": 1}
    assert digest.payload["by_level"] == {"3": 3, "4": 1}
    assert [row["reference"] for row in digest.payload["worst"]] == ["INC-4", "INC-3"]
    span = (digest.payload["first_deadline"], digest.payload["last_deadline"])
    assert span == ((NOW - timedelta(minutes=4)).isoformat(), (NOW - timedelta(minutes=1)).isoformat())
    assert digest.payload["message"] == (
        "4 breaches: 3 resolution, 1 first response; worst INC-4, 4 min over its target"
    )


def test_each_person_channel_and_type_has_its_own_limit() -> None:
    warning = {"alert_type": "warning", "level": 2, "channel": "in_app", "remaining_seconds": 3_900.0}
    storm = [alert(n) for n in range(1, 5)] + [alert(n, dedupe_key=f"w{n}", **warning) for n in range(1, 3)]
    found = told(*storm, *(row | {"recipient": "ben"} for row in storm[:2]))
    assert [(m.recipient, m.alert_type, m.ticket) for m in found] == [
        ("ana", "breach", None),
        ("ben", "breach", "a:1"),
        ("ben", "breach", "a:2"),
        ("ana", "warning", "a:1"),
        ("ana", "warning", "a:2"),
    ]
    assert found[-1].payload["message"] == "INC-2: resolution 1 h 5 min left (level 2)"


def test_several_levels_of_one_clock_are_told_at_the_highest() -> None:
    warning = {"alert_type": "warning", "remaining_seconds": 60.0}
    found = told(alert(1, level=1, dedupe_key="low", **warning), alert(1, level=2, dedupe_key="high", **warning))
    assert [message.id for message in found] == ["high"]


def test_same_alerts_in_any_order_are_the_same_messages() -> None:
    storm = [alert(n) for n in range(1, 9)]
    assert told(*storm) == told(*reversed(storm))
    assert told(*storm)[0].id != told(*storm[1:])[0].id


def test_alert_without_deadline_is_told() -> None:
    [digest] = told(*(alert(n, deadline=None) for n in range(1, 5)))
    assert (digest.payload["first_deadline"], digest.payload["worst"][0]["deadline"]) == (None, None)


def test_nothing_to_tell_gives_nothing() -> None:
    assert told() == []
