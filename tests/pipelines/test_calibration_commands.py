"""`helmdesk calibration`: the week is drawn, what waits is listed, a lead who had no part in it decides once."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.calibration import CalibrationItem, Lesson
from engine.contracts import Delivery, StandardTicket
from engine.errors import BadInput, NotAllowed, NotFound
from engine.resolutions import Claim, Resolution
from pipelines.commands.calibration import calibration
from pipelines.jobs.people import bring_people
from pipelines.settings import shipped_data
from pipelines.wiring import House, open_house

LEAD, AGENT, OTHER_LEAD = "AGT-01", "AGT-03", "AGT-05"
CLAIM = Claim(what_went_wrong="outage", why_eligible="goodwill", type="refund", amount=Decimal(40))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Two grants of last week under the agent's own limit, which nothing but the draw lists."""
    with open_house(home=tmp_path) as opened:
        bring_people(opened, shipped_data() / "people")
        at = opened.now() - timedelta(days=8 + opened.now().weekday() - 7)
        for key in ("INC-1", "INC-2"):
            made = StandardTicket(ticket_id=key, source="demo", title="VPN \x1b[31mdrops", created_at=at)
            opened.store.ingest(Delivery(tickets=(made,)), at=at)
            opened.desk.accept(f"demo:{key}", by=AGENT, at=at)
            opened.desk.propose_resolution(f"demo:{key}", CLAIM, by=AGENT, at=at)
        yield opened


def run(house: House, *words: str) -> Any:
    return CliRunner().invoke(calibration, words, obj={"home": house.settings.home})


def only_item(house: House) -> str:
    run(house, "draw")
    (item,) = house.store.all(CalibrationItem)
    return item.id


def test_the_week_is_drawn_once(house: House) -> None:
    assert run(house, "draw").output == "new on the list: 1\n"
    assert run(house, "draw").output == "new on the list: 0\n"


def test_the_list_says_what_was_granted_and_why_it_is_reviewed(house: House) -> None:
    item = only_item(house)
    told = run(house, "list").output
    for said in (
        item,
        "random_sample",
        f"refund of 40.0000 EUR for outage by {AGENT}",
        "INC-",
        "waiting for a review: 1",
    ):
        assert said in told
    assert "\x1b" not in told


def test_a_decision_is_kept_with_its_lesson_and_leaves_the_list(house: House) -> None:
    item = only_item(house)
    done = run(house, "decide", item, "--outcome", "revised", "--by", LEAD, "--notes", "too little")
    assert done.output == f"{item}: revised by {LEAD}\n"
    assert house.store.get(CalibrationItem, item).notes == "too little"
    assert "too little" in house.store.all(Lesson)[0].text
    assert "waiting for a review: 0" in run(house, "list").output
    assert f"revised by {LEAD}" in run(house, "list", "--reviewed").output


@pytest.mark.parametrize(
    ("outcome", "by", "kind", "said"),
    [
        ("fine", LEAD, BadInput, "upheld, revised, coaching_needed"),
        ("upheld", AGENT, NotAllowed, "neither granted nor approved"),
        ("upheld", "AGT-999", NotFound, "AGT-999"),
    ],
)
def test_a_decision_that_may_not_be_is_one_clear_error(
    house: House, outcome: str, by: str, kind: type[Exception], said: str
) -> None:
    refused = run(house, "decide", only_item(house), "--outcome", outcome, "--by", by)
    assert (type(refused.exception), said in str(refused.exception)) == (kind, True)


def test_nothing_is_decided_twice(house: House) -> None:
    item = only_item(house)
    run(house, "decide", item, "--outcome", "upheld", "--by", LEAD)
    again = run(house, "decide", item, "--outcome", "revised", "--by", OTHER_LEAD)
    assert f"was reviewed by {LEAD} already" in str(again.exception)
    assert isinstance(run(house, "decide", "r9", "--outcome", "upheld", "--by", LEAD).exception, NotFound)
    assert len(house.store.all(Resolution)) == 2
