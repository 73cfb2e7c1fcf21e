"""What no reader sees, and what is hammered in, changes no class surely."""

from itertools import islice, product
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.triage import read_sample
from tests.cpu import cpu_seconds
from tests.triage.conftest import DATA, monday
from triage.classify import ProductClassifier
from triage.contracts import Classification, TicketText
from triage.embed import WordLlama
from triage.llm.local import open_local
from triage.ports import Embedder
from triage.sanitize import clean
from triage.taxonomy import Taxonomy

CASES: dict[str, dict[str, str]] = yaml.safe_load(
    (Path(__file__).parent / "data" / "unseen.yaml").read_text(encoding="utf-8")
)
BAIT = {
    "ZTNA": "ZTNA-301 ZTNA connector offline, private app unreachable, split DNS",
    "GENERAL": "GEN-701 invoice, payment, licence renewal, purchase order",
}
STUFFING = {
    "code": "{code} " * 5,
    "name": "\n".join(["{name}"] * 5),
    "list": "{list}. " * 5,
    "lines": "\n{list}" * 5,
    "commas": ", ".join(["{phrase}"] * 5),
    "numbered": "\n".join(f"{n}. {{phrase}}" for n in range(1, 6)),
    "shouted": "{phrase}!!! " * 5,
}


@pytest.mark.parametrize("name", CASES["hidden"])
def test_what_is_hidden_is_left_out(name: str) -> None:
    text = clean(f"<p>See this.</p>{CASES['hidden'][name].replace('{words}', 'X1')}<p>End.</p>")
    assert text.startswith("See this.")
    assert "X1" not in text
    assert name == "unclosed" or text.endswith("End.")


@pytest.mark.parametrize("name", CASES["seen"])
def test_what_is_seen_stays(name: str) -> None:
    assert "V1" in clean(CASES["seen"][name].replace("{words}", "V1"))


@pytest.mark.parametrize(
    "sheet",
    ["@a{b{}" * 3300, "*," * 10000 + "b{color:red}", "b b b b b b{color:red}" * 900, "[x*=a]{color:red}" * 1100,
     ":not(i){color:red}" * 1100, "{" * 20000, "--a:var(--a)", "b{--a:var(--a)var(--a);color:var(--a)}" * 500],
)  # fmt: skip
def test_an_exotic_style_sheet_costs_no_more_than_the_mail_is_long(sheet: str) -> None:
    """Each element against all rules of all above it would be four times as much, or eight."""

    def seconds(elements: int) -> float:
        mail = f"<style>{sheet}</style>" + "".join(f"<b x='b{n}'>" for n in range(elements))
        return cpu_seconds(lambda: clean(mail), under=0.2)

    seconds(10)
    assert seconds(3000) < 3 * max(seconds(1500), 0.2)


@pytest.fixture(scope="module")
def cascade(taxonomy: Taxonomy, embedder: Embedder) -> ProductClassifier:
    """As it ships: word vectors decide first."""
    return open_local(taxonomy, embedder, clock=monday, quick=WordLlama()).classifier


@pytest.fixture(scope="module")
def sample() -> list[TicketText]:
    tickets = read_sample(DATA / "tickets" / "tickets.jsonl")[0]
    return [ticket for ticket in tickets if ticket.language in (None, "en")][::50]


def changed_surely(plain: list[Classification], after: list[Classification]) -> list[str]:
    return [
        f"{one.ticket_id}: {one.product} to {other.product} ({other.confidence:.2f})"
        for one, other in zip(plain, after, strict=True)
        if one.product != other.product and not other.needs_review
    ]


def as_html(ticket: TicketText, after: str = "") -> TicketText:
    content = ticket.content.replace("&", "&amp;").replace("<", "&lt;").replace("\n", "<br>")
    return ticket.model_copy(update={"content": f"<p>{content}</p>{after}"})


def test_invisible_words_change_nothing(cascade: ProductClassifier, sample: list[TicketText]) -> None:
    pairs = list(product(sample[:10], CASES["hidden"].values(), BAIT.values()))
    assert len(pairs) >= 300
    plain = {
        ticket.ticket_id: claim for ticket, claim in zip(sample, cascade.classify([*map(as_html, sample)]), strict=True)
    }
    hidden = cascade.classify([as_html(ticket, html.replace("{words}", bait)) for ticket, html, bait in pairs])
    was = [plain[ticket.ticket_id] for ticket, _, _ in pairs]
    assert changed_surely(was, hidden) == []
    assert [claim.product for claim in hidden] == [claim.product for claim in was]


def stuffed(taxonomy: Taxonomy) -> list[tuple[str, str]]:
    """A label and words that speak for it five times."""
    return [
        (label, form.format(
            code=f"{content.code_prefixes[0]}-{content.codes[0]}", name=content.name, phrase=content.phrases[0],
            list=", ".join(content.phrases[1:5]),
        ))
        for label, content in taxonomy.product.labels.items() for form in STUFFING.values()
    ]  # fmt: skip


def test_hammered_words_change_nothing_surely(
    cascade: ProductClassifier, taxonomy: Taxonomy, sample: list[TicketText]
) -> None:
    words = stuffed(taxonomy)
    pairs = [(sample[n % len(sample)], words[n % len(words)][1], n % 3) for n in range(330)]
    places: list[Any] = [
        lambda ticket, text: {"content": f"{ticket.content}\n{text}"},
        lambda ticket, text: {"content": f"{text}\n{ticket.content}"},
        lambda ticket, text: {"subject": f"{ticket.subject} {text}"},
    ]
    attacked = [ticket.model_copy(update=places[place](ticket, text)) for ticket, text, place in pairs]
    plain = {claim.ticket_id: claim for claim in cascade.classify(sample)}
    assert changed_surely([plain[ticket.ticket_id] for ticket, _, _ in pairs], cascade.classify(attacked)) == []


def test_repeating_the_whole_ticket_keeps_its_class(cascade: ProductClassifier, sample: list[TicketText]) -> None:
    some = list(islice(sample, 12))
    again = [ticket.model_copy(update={"content": "\n\n".join([ticket.content] * 5)}) for ticket in some]
    assert changed_surely(cascade.classify(some), cascade.classify(again)) == []
