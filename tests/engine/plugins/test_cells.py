"""Every bad cell is named with its row, its column and the reason; nothing is guessed."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from engine.contracts import Priority, Tier
from tests.engine.plugins.samples import read, refusals


def one(folder: Path, header: str, row: str, **changes: Any) -> Any:
    told = read(folder, f"id,opened,{header}\n1,2026-03-02 09:00,{row}\n", **changes)
    assert told.rejected == (), told.rejected
    return told.tickets[0]


def why(folder: Path, header: str, row: str, **changes: Any) -> str:
    told = read(folder, f"id,opened,{header}\n1,2026-03-02 09:00,{row}\n", **changes)
    assert told.tickets == ()
    return told.rejected[0].reason


def test_words_become_ours_whatever_their_case(tmp_path: Path) -> None:
    words = {"priority": {"P1": "critical", 2: "high", "*": "low"}}
    for word, meaning in (("p1", "critical"), (" P1 ", "critical"), ("2", "high"), ("zzz", "low"), ("", "medium")):
        made = one(tmp_path, "prio", word, columns={"priority": "prio"}, values=words)
        assert made.priority == Priority(meaning)


def test_an_unknown_word_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    said = why(tmp_path, "prio", "P9", columns={"priority": "prio"}, values={"priority": {"P1": "critical"}})
    assert said == "column prio: 'P9' is not one of p1"
    assert "is not one of enterprise, business" in why(tmp_path, "t", "gold", columns={"tier": "t"})
    assert one(tmp_path, "t", "Enterprise", columns={"tier": "t"}).tier == Tier.ENTERPRISE


def test_every_fault_of_a_row_is_told(tmp_path: Path) -> None:
    said = why(tmp_path, "u,v", "9,perhaps", columns={"urgency": "u", "vip": "v"})
    assert said.startswith("column u: '9' is not a level from 1 to 5; column v: 'perhaps' is not one of true, yes")


def test_ids_and_creation_are_always_needed(tmp_path: Path) -> None:
    told = read(tmp_path, "id,opened\n,2026-03-02\n1,\n1,soon\n")
    assert [(row, reason[:32]) for row, reason in refusals(told)] == [
        (1, "column id is empty and must not "),
        (2, "column opened is empty and must "),
        (3, "column opened: 'soon' is not an "),
    ]


@pytest.mark.parametrize(
    ("text", "dates", "zone", "instant"),
    [
        ("29/2/2016 01:16", ["%d/%m/%Y %H:%M"], "UTC", "2016-02-29 01:16:00"),
        ("02.03.2026 09:00", ["%d.%m.%Y %H:%M"], "Europe/Berlin", "2026-03-02 08:00:00"),
        ("2026-07-02T09:00:00", ["iso"], "Europe/Berlin", "2026-07-02 07:00:00"),
        ("2026-07-02T09:00:00Z", ["iso"], "Europe/Berlin", "2026-07-02 09:00:00"),
        ("2026-07-02 09:00:00.250 +0200", ["iso"], "UTC", "2026-07-02 07:00:00.250000"),
        ("2026-07-02", ["%d.%m.%Y", "iso"], "UTC", "2026-07-02 00:00:00"),
        ("1772442000", ["epoch_s"], "UTC", "2026-03-02 09:00:00"),
        ("1772442000000", ["epoch_ms"], "Asia/Tokyo", "2026-03-02 09:00:00"),
        ("1772442000.5", ["epoch_s"], "UTC", "2026-03-02 09:00:00.500000"),
        ("1.77244E+09", ["epoch_s"], "UTC", None),
        ("45750.3854", ["excel"], "UTC", "2025-04-03 09:14:59"),
        ("45750,5", ["excel"], "Europe/Berlin", "2025-04-03 10:00:00"),
        ("25569", ["excel"], "UTC", "1970-01-01 00:00:00"),
        ("60", ["excel"], "UTC", None),  # the 29 February 1900 that Excel knows
        ("44288.5", ["excel_1904"], "UTC", "2025-04-03 12:00:00"),
        ("03/04/2025 9:15 p. m.", ["%d/%m/%Y %I:%M %p"], "UTC", "2025-04-03 21:15:00"),
        ("03/04/2025 12:15\u202fam", ["%d/%m/%Y %I:%M %p"], "UTC", "2025-04-03 00:15:00"),
        ("2025-04-03 09:15 EST", ["%Y-%m-%d %H:%M %Z"], "Asia/Tokyo", "2025-04-03 14:15:00"),
        ("2025-04-03 09:15 pst", ["%Y-%m-%d %H:%M %Z"], "UTC", None),
        ("2025-04-03 09:15", ["%Y-%m-%d %H:%M %Z"], "UTC", None),
        ("2025-04-03 09:15 UTC+2", ["%Y-%m-%d %H:%M %Z"], "UTC", "2025-04-03 07:15:00"),
        ("2025-04-03 09:15 GMT-0530", ["%Y-%m-%d %H:%M %Z"], "UTC", "2025-04-03 14:45:00"),
        ("Thu Apr 03 09:15:00 CEST 2025", ["%a %b %d %H:%M:%S %Z %Y"], "UTC", "2025-04-03 07:15:00"),
        ("13/dic/25 4:30 PM", ["language:es"], "UTC", "2025-12-13 16:30:00"),
        ("sáb., 5 abr. 2025 2:02 p. m.", ["language:es"], "UTC", "2025-04-05 14:02:00"),
        ("13. Dez. 2025 16:30", ["language:de"], "Europe/Berlin", "2025-12-13 15:30:00"),
        ("1er avril 2025 à 14:30", ["language:fr"], "UTC", "2025-04-01 14:30:00"),
        ("5 апреля 2025 г. 14:02:09", ["language:ru"], "UTC", "2025-04-05 14:02:09"),
        ("2025年4月3日 下午 9:15", ["language:zh"], "UTC", "2025-04-03 21:15:00"),
        ("5 de fev. de 2025 12:02 AM", ["language:pt"], "UTC", "2025-02-05 00:02:00"),
        ("hace 2 horas", ["language:es"], "UTC", None),
        ("abril 2025", ["language:es"], "UTC", None),
        ("5 abr 2025 25:02", ["language:es"], "UTC", None),
        ("5 abr 2025 14:02 EST", ["language:es"], "UTC", None),  # a zone is never ignored
        ("03/04/2025 14:02", ["language:es"], "UTC", None),  # which of both is the month is not told
        ("2026-10-25 02:30", ["iso"], "Europe/Berlin", "2026-10-25 00:30:00"),  # the first of two
        ("30/2/2016 01:16", ["%d/%m/%Y %H:%M"], "UTC", None),
        ("29/2/16 01:16", ["%d/%m/%Y %H:%M"], "UTC", None),  # year 16
        ("0000-01-01 00:00", ["iso"], "UTC", None),
        ("9999-12-31T23:59:59-05:00", ["iso"], "UTC", None),
        ("99999999999999999", ["epoch_s"], "UTC", None),
        ("2026-13-01", ["iso"], "UTC", None),
    ],
)
def test_instants(tmp_path: Path, text: str, dates: list[str], zone: str, instant: str | None) -> None:
    told = read(tmp_path, f'id,opened\n1,"{text}"\n', dates=dates, time_zone=zone)
    assert [t.created_at for t in told.tickets] == ([datetime.fromisoformat(f"{instant}Z")] if instant else [])
    if instant is None:
        (reason,) = [reason for _, reason in refusals(told)]
        assert reason.startswith(f"column opened: '{text}' is not an instant written as {dates[0]} in {zone}")


def test_an_order_is_given_by_the_mapping(tmp_path: Path) -> None:
    def read_as(**changes: Any) -> list[str]:
        text = 'id,opened\n1,"03/04/2025 14:02"\n2,"13/04/2025 14:02"\n'
        return [f"{t.created_at:%d %B}" for t in read(tmp_path, text, dates=["language:es"], **changes).tickets]

    assert (read_as(day_first=True), read_as(day_first=False)) == (["03 April", "13 April"], ["04 March"])


def test_a_zone_name_that_is_not_known_is_refused_until_the_mapping_tells_it(tmp_path: Path) -> None:
    text, dates = "id,opened\n1,2025-04-03 09:15 IST\n", ["%Y-%m-%d %H:%M %Z"]
    assert "IST is no zone with one meaning, give its offset" in read(tmp_path, text, dates=dates).rejected[0].reason
    told = read(tmp_path, text, dates=dates, zone_names={"IST": "+05:30"})
    assert f"{told.tickets[0].created_at:%H:%M}" == "03:45"


def test_an_hour_that_the_clock_skips_is_refused(tmp_path: Path) -> None:
    told = read(tmp_path, "id,opened\n1,2026-03-29 02:30\n", time_zone="Europe/Berlin")
    assert refusals(told) == [
        (1, "column opened: '2026-03-29 02:30' is an hour that does not exist in Europe/Berlin: its clocks skip it")
    ]


@pytest.mark.parametrize(
    ("solved", "reason"),
    [
        ("2026-03-01 09:00", "column solved: '2026-03-01 09:00' is before opened '2026-03-02 09:00'"),
        ("2026-03-02", "column solved: '2026-03-02' tells the day of the creation, not the time"),
        ("soon", "column solved: 'soon' is not an instant written as iso in UTC"),
    ],
)
def test_a_wrong_later_date_is_dropped_and_its_ticket_stays(tmp_path: Path, solved: str, reason: str) -> None:
    made = one(tmp_path, "solved,x", f"{solved},1", columns={"resolved_at": "solved"})
    assert (made.resolved_at, made.external_metadata) == (None, {"x": "1", "dropped": {"resolved_at": reason}})
    refused = why(tmp_path, "solved,x", f"{solved},1", columns={"resolved_at": "solved"}, required=["resolved_at"])
    assert refused == reason


def test_an_answer_whose_date_was_dropped_is_not_none(tmp_path: Path) -> None:
    columns = {"first_response_at": "answered"}
    assert one(tmp_path, "answered", "", columns=columns).responses == "column"
    assert one(tmp_path, "answered", "soon", columns=columns).responses == "none"


def test_places_and_tags(tmp_path: Path) -> None:
    columns = {"latitude": "lat", "longitude": "lng", "timezone": "zone", "tags": "labels"}
    made = one(
        tmp_path, "lat,lng,zone,labels,labels", "52.5,13.4,Europe/Berlin,a; b,c", columns=columns, tag_separator=";"
    )
    assert (made.requester_location.lat, made.requester_location.timezone) == (52.5, "Europe/Berlin")
    assert made.tags == ("a", "b", "c")
    assert "degrees from -90 to 90" in why(tmp_path, "lat,lng,zone,labels", "91,1,,", columns=columns)


def test_nothing_is_lost_but_what_is_ignored(tmp_path: Path) -> None:
    made = one(tmp_path, "a,b,c", "x,?,z", nulls=["", "?"], ignore=["c"])
    assert made.external_metadata == {"a": "x"}


def test_an_id_counts_once_in_a_file(tmp_path: Path) -> None:
    told = read(tmp_path, "id,opened\n1,2026-03-02\n2,2026-03-02\n1,2026-03-04\n")
    assert [t.ticket_id for t in told.tickets] == ["1", "2"]
    assert refusals(told) == [(3, "column id: '1' was already in row 1")]


def test_a_title_too_long_is_refused_in_plain_words(tmp_path: Path) -> None:
    said = why(tmp_path, "t", "x" * 501, columns={"title": "t"})
    assert said.startswith("title: String should have at most 500 characters, got 'xxx")


def test_constants_and_braces_are_plain_text(tmp_path: Path) -> None:
    made = one(tmp_path, "a{b}", "{x}", columns={"category": "a{b}"}, constants={"channel": "phone"})
    assert (made.category, made.channel) == ("{x}", "phone")
    assert why(tmp_path, "u{}", "{}", columns={"urgency": "u{}"}) == "column u{}: '{}' is not a level from 1 to 5"
