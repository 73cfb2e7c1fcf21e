"""Who would have taken a ticket: a group that can do it, near the customer, and somebody in its team."""

from itertools import accumulate
from random import Random

from engine.contracts import Agent, AssignmentGroup, Contact, GroupStatus, Location, Tier
from pipelines.app.people_files import People
from pipelines.samples.arrivals import place


class Desk:
    """The people of a desk, ready to be asked many times."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._tiers = {company.id: company.tier for company in people.companies}
        self._candidates: dict[tuple[str, str, str], tuple[list[AssignmentGroup], list[float]]] = {}
        self._agents: dict[tuple[str, str], list[Agent]] = {}

    def tier(self, contact: Contact) -> Tier:
        """The contract tier of the contact's company, or the contact's own without one."""
        return self._tiers.get(contact.company_id or "", contact.tier)

    def groups(self, rng: Random, product: str, contact: Contact) -> tuple[AssignmentGroup, AssignmentGroup | None]:
        """The group that ends up with it, and another that might get it by mistake."""
        need = (product, contact.timezone or "UTC", contact.language)
        if need not in self._candidates:
            self._candidates[need] = self._rank(*need)
        groups, sums = self._candidates[need]
        chosen, other = rng.choices(groups, cum_weights=sums, k=2)
        return chosen, other if other is not chosen else None

    def agent(self, rng: Random, product: str, group: AssignmentGroup) -> str:
        need = (product, group.group_id)
        if need not in self._agents:
            active = [agent for agent in self._people.agents if agent.is_active]
            team = [agent for agent in active if group.team_id is None or group.team_id in agent.teams]
            self._agents[need] = [agent for agent in team if product in agent.skills] or team or active
        return rng.choice(self._agents[need]).id

    def _rank(self, product: str, timezone: str, language: str) -> tuple[list[AssignmentGroup], list[float]]:
        groups = [group for group in self._people.groups if group.max_bandwidth and not group.is_vendor]
        active = [group for group in groups if group.status is GroupStatus.ACTIVE]
        able = [group for group in active if product in group.capabilities] or active
        return able, list(accumulate(_fit(group, place(timezone), language) for group in able))


def _fit(group: AssignmentGroup, customer: Location | None, language: str) -> float:
    """More for a group with the customer's language and few hours away."""
    nearness = 0.5
    if customer and customer.lng is not None and group.location.lng is not None:
        apart = abs(customer.lng - group.location.lng)
        nearness = 1 / (1 + (min(apart, 360 - apart) / 25) ** 2)
    return nearness * (1.0 if language in group.languages else 0.35) * (0.3 if group.team_id is None else 1.0)
