"""The week's calibration queue: drawn once a week, reviewed by people."""

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from pipelines.wiring import House

if TYPE_CHECKING:
    from engine.calibration import CalibrationItem
    from engine.contracts import Ticket
    from engine.resolutions import Resolution


class Listed(NamedTuple):
    """A grant on the list, and the ticket it was made on."""

    item: "CalibrationItem"
    resolution: "Resolution"
    ticket: "Ticket"


def calibration_queue(house: House, *, at: datetime) -> int:
    """Sample the week before `at` for review, the same sample however often it is asked; returns the items added."""
    year, week, _ = at.isocalendar()
    return len(house.desk.weekly_calibration_queue(at=at, seed=year * 100 + week))


def calibration_list(house: House, *, reviewed: bool = False) -> list[Listed]:
    """What waits for a review, or what was reviewed, the longest on the list first."""
    from engine.calibration import CalibrationItem, ReviewStatus
    from engine.resolutions import Resolution

    status = ReviewStatus.REVIEWED if reviewed else ReviewStatus.PENDING
    items = sorted(house.store.all(CalibrationItem, review_status=status), key=lambda item: (item.created_at, item.id))
    tickets = {ticket.id: ticket for ticket in house.store.tickets(ids={item.ticket_id for item in items})}
    grants = {grant.id: grant for grant in house.store.all(Resolution)}
    return [Listed(item, grants[item.resolution_id], tickets[item.ticket_id]) for item in items]


def grants(house: House) -> "list[Resolution]":
    """Every grant ever proposed."""
    from engine.resolutions import Resolution

    return house.store.all(Resolution)


def unapproved(house: House) -> "list[Resolution]":
    """Grants that wait for somebody's approval, the longest waiting first."""
    from engine.resolutions import ApprovalStatus

    pending = [grant for grant in grants(house) if grant.approval_status == ApprovalStatus.PENDING]
    return sorted(pending, key=lambda grant: (grant.created_at, grant.id))
