"""What a customer is entitled to: products, hours of support, a place of data; and whether a ticket is within it."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from pydantic import model_validator

from engine.contracts import Company, Frozen, Tier
from engine.shared import policy_file


class Cover(StrEnum):
    """`not_known`: the customer, or what it is entitled to, is not known; nothing is outside by guess."""

    WITHIN = "within"
    OUTSIDE = "outside"
    NOT_KNOWN = "not_known"


class EntitlementPolicy(Frozen):
    """The calendar of each tier's support hours, the entitlement each product takes (None: none) and the residency of
    each region."""

    support_hours: dict[Tier, str]
    products: dict[str, str | None]
    regions: dict[str, str]

    @model_validator(mode="after")
    def _every_tier(self) -> "EntitlementPolicy":
        if missing := sorted(set(Tier) - set(self.support_hours)):
            raise ValueError(f"support_hours has no row for {', '.join(missing)}")
        return self


class Entitlement(NamedTuple):
    """How a ticket stands to its customer's contract; `because` says what is outside, empty if nothing is."""

    product: Cover
    hours: Cover
    residency: Cover
    because: str

    @property
    def is_outside(self) -> bool:
        return Cover.OUTSIDE in self[:3]


def load(path: str | Path) -> EntitlementPolicy:
    return policy_file.read(path, EntitlementPolicy)


def check(
    company: Company | None,
    *,
    product: str | None,
    created_at: datetime,
    regions: Iterable[str],
    is_open: Callable[[str, datetime], bool],
    policy: EntitlementPolicy,
) -> Entitlement:
    """Product, support hours at creation and regions of affected resources, against the company's contract.

    `is_open` says whether a calendar is open at an instant. A company that names no entitlements has unknown ones.
    """
    if company is None:
        return Entitlement(Cover.NOT_KNOWN, Cover.NOT_KNOWN, Cover.NOT_KNOWN, "")
    calendar = policy.support_hours[company.tier]
    where = [(region, policy.regions.get(region)) for region in regions]
    covers = (
        _of_product(company, product, policy),
        Cover.WITHIN if is_open(calendar, created_at) else Cover.OUTSIDE,
        _of_data(company.data_residency, [residency for _, residency in where]),
    )
    reasons = _reasons(
        company, product, calendar, [region for region, at in where if at not in (None, company.data_residency)]
    )
    outside = [reason for cover, reason in zip(covers, reasons, strict=True) if cover == Cover.OUTSIDE]
    return Entitlement(*covers, "; ".join(outside))


def _of_product(company: Company, product: str | None, policy: EntitlementPolicy) -> Cover:
    if product is None or product not in policy.products:
        return Cover.NOT_KNOWN
    wanted = policy.products[product]
    if wanted is None or wanted in company.entitlements:
        return Cover.WITHIN
    return Cover.OUTSIDE if company.entitlements else Cover.NOT_KNOWN


def _of_data(residency: str | None, places: list[str | None]) -> Cover:
    if residency is None or not places:
        return Cover.NOT_KNOWN
    if any(place not in (None, residency) for place in places):
        return Cover.OUTSIDE
    return Cover.NOT_KNOWN if None in places else Cover.WITHIN


def _reasons(company: Company, product: str | None, calendar: str, elsewhere: list[str]) -> Iterator[str]:
    yield f"{product} was not bought (there are {', '.join(company.entitlements)})"
    yield f"it came in outside the hours of {company.tier} support ({calendar})"
    yield f"data in {', '.join(dict.fromkeys(elsewhere))} is not in {company.data_residency}"
