"""Whatever the delimiter, encoding, writing of dates and language of headers and words: the draft of a mapping reads a
table as it was meant. A question of two readings is answered, nothing else."""

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.contracts import StandardTicket
from engine.plugins.files import MappedFiles
from engine.plugins.inspection.draft import draft_of
from engine.plugins.inspection.mapping_text import mapping_text
from engine.plugins.inspection.overview import overview_of
from engine.plugins.inspection.vocabulary import load_vocabulary
from engine.plugins.mapping import load_mapping

VOCABULARY = load_vocabulary(Path("data/exports"))
FIELDS = ("ticket_id", "title", "created_at", "resolved_at", "status", "priority")
WRITINGS = {
    "%d/%m/%Y %H:%M": "day",
    "%m/%d/%Y %H:%M": "month",
    "%d.%m.%Y %H:%M": "day",
    "%d-%m-%y %H:%M": "day",
    "%m/%d/%y %I:%M %p": "month",
    "%d-%b-%Y %H:%M": None,
    "%b %d, %Y %I:%M %p": None,
    "%Y/%m/%d %H:%M": None,
    "%Y-%m-%dT%H:%M:%SZ": None,
    "%Y-%m-%d %H:%M": None,
}
TITLES = (
    "Drucker größer als Tür",
    "Prüfung für Müller; schön",
    "La VPN se cae, señor",
    'Não "imprime" à noite',
    "Étiquette déjà reçue\nà l'accueil",
    "Plain words | and more",
    "Città più lontana",
)
START = datetime(2024, 1, 1, tzinfo=UTC)


class Row(NamedTuple):
    title: str
    minutes: int
    resolved_after: int | None
    status: str
    priority: str


@st.composite
def words(draw: st.DrawFn, field: str) -> tuple[str, str]:
    """Our word, and one of theirs that the vocabulary has for it first."""
    ours = draw(st.sampled_from(sorted(VOCABULARY.words[field])))
    theirs = draw(st.sampled_from([w for w in VOCABULARY.words[field][ours] if not w.isdigit()]))
    found = VOCABULARY.meaning(field, theirs, None)
    assert found is not None
    return found.word, theirs


@st.composite
def headers(draw: st.DrawFn) -> list[str]:
    """Of one language, no two the same, each of which is known for its field alone among these."""
    language = draw(st.sampled_from(["en", "de", "es", "pt", "fr"]))
    chosen: list[str] = []
    for field in FIELDS:
        known = [h for h in VOCABULARY.headers[field][language] if h not in chosen]
        alone = [h for h in known if all(VOCABULARY.rank(other, h, None) is None for other in FIELDS if other != field)]
        chosen.append(draw(st.sampled_from(alone)))
    return chosen


rows = st.lists(
    st.tuples(
        st.sampled_from(TITLES),
        st.integers(0, 600_000),
        st.none() | st.integers(0, 20_000),
        words("status"),
        words("priority"),
    ),
    min_size=2,
    max_size=12,
)


@given(headers(), rows, st.sampled_from(sorted(WRITINGS)), st.sampled_from(",;\t|"),
       st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"]))  # fmt: skip
def test_the_draft_reads_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], table: list[tuple], form: str, mark: str, encoding: str
) -> None:
    folder = tmp_path_factory.mktemp("any")
    written = io.StringIO()
    lines = csv.writer(written, delimiter=mark)
    lines.writerow(names)
    expected = []
    for number, (title, minutes, after, (status, their_status), (priority, their_priority)) in enumerate(table, 1):
        created = START + timedelta(minutes=minutes)
        resolved = None if after is None else created + timedelta(minutes=after)
        cells = ["" if at is None else at.strftime(form) for at in (created, resolved)]
        lines.writerow([f"T-{number}", title, *cells, their_status, their_priority])
        expected.append((f"T-{number}", title, created, resolved, status, priority))
    file = folder / "table.csv"
    file.write_bytes(written.getvalue().encode(encoding))
    seen = overview_of(file, VOCABULARY)
    draft = draft_of(seen, VOCABULARY, answers={}, take_guesses=True, time_zone="UTC")
    if [question.key for question in draft.open] == ["dates"]:
        answers = {"dates": WRITINGS[form] or ""}
        draft = draft_of(seen, VOCABULARY, answers=answers, take_guesses=True, time_zone="UTC")
    assert draft.open == []
    mapping = folder / "mapping.yaml"
    mapping.write_text(mapping_text(draft, seen), encoding="utf-8")
    deliveries = list(MappedFiles("table", mapping=load_mapping(mapping)).read(file))
    assert [each for delivery in deliveries for each in delivery.rejected] == []
    assert [_told(ticket) for delivery in deliveries for ticket in delivery.tickets] == expected


def _told(ticket: StandardTicket) -> tuple[object, ...]:
    return tuple(getattr(ticket, field) for field in FIELDS)
