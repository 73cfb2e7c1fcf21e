"""What would change? Promises, goals, staffing and the choice of groups, tried on history."""

from dashboards import cards, filters, opening, visit
from dashboards.what_if_parts import PARTS, Question


def page() -> None:
    app, _, reader, names = visit.begin("what-if")
    cards.speaks_of(reader.publication, app.now(), f"the bar applies to goals: {filters.in_words(reader)}")
    part = PARTS[cards.tabs(*PARTS)]
    try:
        part(Question(app, reader, filters.chosen(reader), names))
    except opening.HelmdeskError as error:
        cards.refused(error)


page()
