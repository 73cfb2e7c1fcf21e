"""Whether each ticket lies within what its customer is entitled to: product, hours of support, place of data."""

import json
from collections import defaultdict
from datetime import timedelta
from functools import cache

import dataframely as dy
import polars as pl

from engine import entitlements
from engine.contracts import Company
from engine.entitlements import Entitlement
from pipelines.marts import columns as col
from pipelines.marts.mart import Mart
from pipelines.snapshot import Snapshot
from sla.calendar.calendars import Calendar

COVERS = list(entitlements.Cover)
CONTRACT = ("id", "name", "tier", "data_residency")


class Entitlements(dy.Schema):
    ticket = col.ticket(primary_key=True)
    reference = col.reference()
    company_id = col.text("The customer for whom it was asked.", nullable=True)
    product = col.text("Whether its product was bought: `within`, `outside` or `not_known`.")
    hours = col.text("Whether it came in within the support hours of its customer's tier, as above.")
    residency = col.text("Whether its affected resources lie where its customer's data may be, as above.")
    because = col.text("What is outside, in words; empty if nothing is.")

    @dy.rule()
    def a_cover_is_one_of_three(cls) -> pl.Expr:
        return pl.all_horizontal(pl.col("product", "hours", "residency").is_in(COVERS))

    @dy.rule()
    def outside_has_its_reason(cls) -> pl.Expr:
        is_outside = pl.any_horizontal(pl.col("product", "hours", "residency") == entitlements.Cover.OUTSIDE.value)
        return is_outside == (pl.col("because") != "")

    @dy.rule()
    def an_unknown_customer_is_never_outside(cls) -> pl.Expr:
        return pl.col("company_id").is_not_null() | (pl.col("because") == "")


def build(snapshot: Snapshot) -> pl.DataFrame:
    calendars, policy = snapshot.policies.sla.calendars, snapshot.policies.entitlements
    companies = {row["id"]: _company(row) for row in snapshot.companies.iter_rows(named=True)}
    regions: dict[str, list[str]] = defaultdict(list)
    of_then = snapshot.resources.filter(pl.col("created_at") <= snapshot.as_of).drop_nulls("region")
    for ticket, region in of_then.select("ticket", "region").iter_rows():
        regions[ticket].append(region)
    tickets = snapshot.tickets.select("ticket", "reference", "company_id", "product", "created_at")
    hours = {name: _open(calendars[name], tickets["created_at"]) for name in set(policy.support_hours.values())}

    @cache
    def check(company_id: str | None, product: str | None, places: tuple[str, ...], *, is_open: bool) -> Entitlement:
        company, at = companies.get(company_id), snapshot.as_of
        return entitlements.check(
            company, product=product, created_at=at, regions=places, is_open=lambda *_: is_open, policy=policy
        )

    found = []
    for row, (ticket, company_id, product) in enumerate(tickets.select("ticket", "company_id", "product").iter_rows()):
        company = companies.get(company_id)
        is_open = company is not None and hours[policy.support_hours[company.tier]][row]
        found.append(check(company_id, product, tuple(regions.get(ticket, ())), is_open=is_open))
    covers = pl.DataFrame(found, schema=dict.fromkeys(Entitlement._fields, pl.String()), orient="row")
    return tickets.select("ticket", "reference", "company_id").hstack(covers)


def _open(calendar: Calendar, at: pl.Series) -> list[bool]:
    """Whether the second that begins at each instant is worked."""
    return (calendar.elapsed(at, at + timedelta(seconds=1)) > 0).to_list()


def _company(row: dict[str, object]) -> Company:
    bought = json.loads(str(row["entitlements"]))
    return Company.model_validate({name: row[name] for name in CONTRACT} | {"entitlements": bought})


MARTS = {
    "entitlements": Mart("Which tickets lie outside what their customer is entitled to?", Entitlements, build),
}
