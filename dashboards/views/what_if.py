"""What would change? Promises, hours, goals, staffing and the choice of groups, tried on history."""

from collections.abc import Callable, Mapping

from dashboards import cards, filters, opening, visit
from dashboards.what_if_goals import goals
from dashboards.what_if_groups import allocation, staffing
from dashboards.what_if_promises import calendar, policy
from dashboards.what_if_question import Question

PARTS: Mapping[str, Callable[[Question], None]] = {
    "Policy": policy,
    "Calendar": calendar,
    "Goals": goals,
    "Staffing": staffing,
    "Allocation": allocation,
}


def page() -> None:
    app, _, reader, names = visit.begin("what-if")
    cards.speaks_of(reader.publication, app.now(), filters.in_words(reader))
    part = PARTS[cards.tabs(*PARTS)]
    try:
        part(Question(app, reader, filters.chosen(reader), filters.in_words(reader), names))
    except opening.HelmdeskError as error:
        cards.refused(error)


page()
