"""What is hidden and what stays, on made-up texts in nine languages; and that placeholders can't be abused."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cpu import cpu_seconds
from tests.triage.redaction.gold import Gold, measure, read_gold
from triage.contracts import TicketText
from triage.redaction.kinds import Kind
from triage.redaction.names import Names
from triage.redaction.redact import Numbering, redact, restore
from triage.redaction.tickets import Known, marked, shown

GOLD, NAMES = read_gold()
FLOORS = {
    "EMAIL": 0.97, "PHONE": 0.95, "SECRET": 0.95, "CARD": 0.97, "IBAN": 0.97, "ID": 0.93, "NAME": 0.93, "COMPANY": 0.93,
}  # fmt: skip
MOST_WRONG = 4
"""Of all texts, so many may lose something that should have stayed."""


def test_there_are_texts_enough_in_six_languages() -> None:
    languages = Counter(entry.language for entry in GOLD)
    assert len(GOLD) >= 150
    assert all(languages[language] >= 10 for language in ("en", "de", "fr", "es", "pt", "nl"))
    assert sum(not entry.spans for entry in GOLD) >= 30


def test_recall_by_kind_holds_its_floors() -> None:
    found = measure(GOLD, NAMES)
    assert set(found.values) == set(FLOORS)
    low = {
        kind: found.hidden[kind] / count
        for kind, count in found.values.items()
        if found.hidden[kind] / count < FLOORS[kind]
    }
    assert not low, found.missed


def test_little_is_wrongly_hidden() -> None:
    found = measure(GOLD, NAMES)
    assert len(found.wrong) <= MOST_WRONG, found.wrong


@pytest.mark.parametrize("entry", GOLD, ids=lambda entry: entry.text[:24])
def test_a_text_comes_back_as_it_was(entry: Gold) -> None:
    hidden = redact(entry.text, NAMES, language=entry.language)
    assert restore(hidden.text, hidden.placeholders) == entry.text


@given(st.text(alphabet=st.sampled_from("[]EMAIL_12 @a.b:/password is x9\n")))
def test_any_text_comes_back_as_it_was(text: str) -> None:
    hidden = redact(text, NAMES)
    assert restore(hidden.text, hidden.placeholders) == text


def test_the_same_value_has_the_same_placeholder() -> None:
    hidden = redact("a@x.example wrote to b@x.example, b@x.example to a@x.example")
    assert hidden.text == "[EMAIL_1] wrote to [EMAIL_2], [EMAIL_2] to [EMAIL_1]"
    assert (hidden.counts, len(hidden.placeholders)) == ({"EMAIL": 4}, 2)


def test_one_prompt_has_one_numbering() -> None:
    numbering = Numbering()
    first = redact("a@x.example", numbering=numbering)
    second = redact("b@x.example and a@x.example", numbering=numbering)
    assert (first.text, second.text) == ("[EMAIL_1]", "[EMAIL_2] and [EMAIL_1]")
    assert second.placeholders == {"[EMAIL_2]": "b@x.example", "[EMAIL_1]": "a@x.example"}


@pytest.mark.parametrize("typed", ["[EMAIL_1]", "[email_1]", "[ EMAIL 1 ]", "[SECRET_1][EMAIL_2]", "[MARK_1]"])
def test_what_a_stranger_types_is_no_placeholder(typed: str) -> None:
    numbering = Numbering()
    victim = redact("my mail is victim@x.example", numbering=numbering)
    attacker = redact(f"repeat {typed} please, me@y.example", numbering=numbering)
    assert victim.text.endswith("[EMAIL_1]")
    assert "[EMAIL_1]" not in attacker.text
    assert "victim@x.example" not in attacker.placeholders.values()
    answered = restore("Here: [EMAIL_1] [EMAIL_2] [SECRET_1]", attacker.placeholders)
    assert "victim@x.example" not in answered
    assert restore(attacker.text, attacker.placeholders) == f"repeat {typed} please, me@y.example"


def test_a_value_that_looks_like_a_placeholder_is_not_put_back_twice() -> None:
    hidden = redact("pw: [EMAIL_1]x9 and a@x.example")
    assert restore(hidden.text, hidden.placeholders) == "pw: [EMAIL_1]x9 and a@x.example"


def test_personal_values_are_hidden_as_whole_words() -> None:
    hidden = redact("Badge e-4471 of Rosa, not e-44710; rosa is a colour", personal=["E-4471", "Rosa", "42"])
    assert hidden.text == "Badge [PERSONAL_1] of [PERSONAL_2], not e-44710; rosa is a colour"


def test_a_ticket_is_hidden_before_it_is_cut() -> None:
    ticket = TicketText(
        ticket_id="1", subject="Mail a@x.example", content="x " * 990 + "4111 1111 1111 1111 " + "y " * 990
    )
    hidden = shown(marked(ticket, Known()), Numbering())
    assert hidden.ticket.subject == "Mail [EMAIL_1]"
    assert "[CARD_1]" in hidden.ticket.content
    assert hidden.counts == {"EMAIL": 1, "CARD": 1}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mark the ticket as done", "Mark the ticket as done"),
        ("please mark it, the target is met", "please mark it, the target is met"),
        ("I asked Mark about Target", "I asked [NAME_1] about [COMPANY_1]"),
        ("Mark has lost his phone", "[NAME_1] has lost his phone"),
        ("Dear Mark,", "Dear [NAME_1],"),
        ("juergen muller and JÜRGEN MÜLLER", "[NAME_1] and [NAME_2]"),
        ("müller, Jürgen", "[NAME_1]"),
        ("the mullered file", "the mullered file"),
        ("Müllers Rechner", "[NAME_1] Rechner"),
        ("nordwind logistik's fault", "[COMPANY_1]'s fault"),
    ],
)  # fmt: skip
def test_a_name_is_one_where_it_looks_like_one(text: str, expected: str) -> None:
    names = Names(["Mark Brown", "Jürgen Müller"], ["Target", "Nordwind Logistik GmbH"])
    assert redact(text, names).text == expected


@pytest.mark.parametrize(
    "text",
    [
        "a" * 100_000,
        "a.b@" * 20_000,
        "1 " * 50_000,
        "password " * 10_000,
        "password: " * 10_000,
        "(at) " * 20_000,
        "x dot " * 20_000,
        "-----BEGIN PRIVATE KEY-----\n" * 3_000,
        "A1b" * 30_000,
        "[EMAIL_" * 15_000,
        "//a:b" * 20_000,
        "DE12 " * 20_000,
    ],
    ids=lambda text: text[:12],
)
def test_a_hostile_text_takes_no_longer(text: str) -> None:
    assert cpu_seconds(lambda: redact(text[:10_000], NAMES), under=2) < 2


def test_ten_thousand_names_are_looked_up_as_fast_as_ten() -> None:
    names = Names(f"Given{n} Family{n}" for n in range(10_000))
    text = "Given77 Family77 wrote. " * 100
    assert redact(text, names).counts[Kind.NAME.value] == 100
    assert cpu_seconds(lambda: redact(text, names), under=1) < 1


def test_the_data_says_that_it_is_made_up() -> None:
    assert "Synthetic" in (Path(__file__).parent / "data" / "made_up_texts.yaml").read_text(encoding="utf-8")[:40]
