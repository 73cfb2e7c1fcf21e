"""What a contract covers: outside is shown only where it is known to be."""

from datetime import datetime
from typing import Any

import pytest

from engine.contracts import Company, Tier
from engine.entitlements import Cover, Entitlement, check, load
from tests.engine.people import MONDAY, POLICIES, later

POLICY = load(POLICIES / "entitlements.yaml")
ACME = Company(id="acme", name="Acme", tier=Tier.STANDARD, data_residency="EU", entitlements=("CASB", "DLP"))
OPEN = {"business": (9, 17), "extended": (7, 19), "24x7": (0, 24)}


def is_open(calendar: str, at: datetime) -> bool:
    start, end = OPEN[calendar]
    return start <= at.hour < end


def checked(company: Company | None = ACME, **facts: Any) -> Entitlement:
    given = {"product": "DLP", "created_at": MONDAY, "regions": ["eu-west-1"]} | facts
    return check(company, is_open=is_open, policy=POLICY, **given)


@pytest.mark.parametrize(("product", "cover"), [
    ("DLP", "within"), ("SWG", "outside"), ("GENERAL", "within"), ("Fax", "not_known"), (None, "not_known"),
])  # fmt: skip
def test_a_product_is_within_if_it_was_bought(product: str | None, cover: str) -> None:
    assert checked(product=product).product == cover


@pytest.mark.parametrize(("tier", "hour", "cover"), [
    ("standard", 0, "within"), ("standard", 9, "outside"), ("business", 9, "within"), ("business", 11, "outside"),
    ("enterprise", 11, "within"), ("free", 8, "outside"),
])  # fmt: skip
def test_support_hours_are_those_of_the_customers_tier(tier: str, hour: int, cover: str) -> None:
    company = ACME.model_copy(update={"tier": Tier(tier)})
    assert checked(company, created_at=later(hour)).hours == cover


@pytest.mark.parametrize(("regions", "cover"), [
    (["eu-west-1", "eu-central-1"], "within"), (["eu-west-1", "us-east-1"], "outside"), (["mars-1"], "not_known"),
    (["mars-1", "us-east-1"], "outside"), ([], "not_known"),
])  # fmt: skip
def test_data_lies_where_the_customer_wants_it(regions: list[str], cover: str) -> None:
    assert checked(regions=regions).residency == cover


def test_what_is_outside_is_said_in_one_line() -> None:
    found = checked(product="SWG", created_at=later(9), regions=["us-east-1", "mars-1"])
    assert found.is_outside
    assert found.because == (
        "SWG was not bought (there are CASB, DLP); it came in outside the hours of standard support (business); "
        "data in us-east-1 is not in EU"
    )


def test_nothing_is_outside_by_guess() -> None:
    assert checked(None, product="SWG", created_at=later(9), regions=["us-east-1"]) == (*[Cover.NOT_KNOWN] * 3, "")
    silent = ACME.model_copy(update={"entitlements": (), "data_residency": None})
    found = checked(silent, product="SWG", regions=["us-east-1"])
    assert (found.product, found.residency) == (Cover.NOT_KNOWN, Cover.NOT_KNOWN)
    assert not found.is_outside
