"""What a cascade saves: `python -m benchmarks.cascade [local]`, where `local` measures that of local classifiers alone.

Two real tiers stand for local and hosted: WordLlama is the cheap one, MiniLM the dear one, each with the same learning,
on ten examples a label and on all. Banking77 is read from `../shared/data` where it exists; figures on its dev split
are dev figures. Prompt tokens are counted with MiniLM's tokeniser, which stands in for those of the hosted models.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from more_itertools import chunked

from benchmarks.triage import NOON, ROOT, SHARED, read_rows, read_sample
from triage.calibrate import expected_calibration_error
from triage.classify import ProductClassifier
from triage.contracts import TicketText
from triage.embed import TOKENIZER, MiniLM, WordLlama
from triage.learning.own_taxonomy import own_taxonomy
from triage.learning.product_model import LabelledText
from triage.learning.train import train
from triage.llm.cascade import least_certain
from triage.llm.local import open_local
from triage.llm.policy import CascadePolicy, load_policy
from triage.llm.prompts import Prompt, classify_messages
from triage.llm.risk_coverage import give_up
from triage.local_cascade import open_trained
from triage.ports import Embedder
from triage.sanitize import clean_ticket
from triage.taxonomy import Taxonomy, load_taxonomy

BATCH = 256
SHARES = (0.1, 0.2, 0.3, 0.5)


class Tier(NamedTuple):
    """What one tier says of every text: how sure it is, calibrated, and whether it is right."""

    confidence: np.ndarray
    is_right: np.ndarray


def main(only: str = "") -> None:
    taxonomy = load_taxonomy(ROOT / "data" / "taxonomies" / "products.yaml")
    policy = load_policy(ROOT / "data" / "policies" / "triage.yaml")
    local(taxonomy)
    if only == "local":
        return
    for training in ("train_10shot.csv", "train.csv"):
        banking(policy.cascade, training)
    file = ROOT / "data" / "tickets" / "tickets.jsonl"
    tickets, truth = read_sample(file)
    prompt_tokens(tickets, taxonomy, policy.asking.tickets_per_prompt)
    sample(tickets, truth, taxonomy, policy.cascade)


def local(taxonomy: Taxonomy) -> None:
    """The quick classifier first against MiniLM alone, in the batches of the pipeline."""
    full, quick = MiniLM(), WordLlama()
    tickets, truth = read_sample(ROOT / "data" / "tickets" / "tickets.jsonl")
    labels = [truth[ticket.ticket_id]["product"] for ticket in tickets]
    both = [open_local(taxonomy, full, clock=lambda: NOON, quick=first).classifier for first in (None, quick)]
    against(f"{len(tickets)} sample tickets, learned from the taxonomy", both, tickets, labels)
    folder = SHARED / "banking77"
    if not folder.exists():
        print("banking77: ../shared/data is not there")
        return
    dev = read_rows(folder / "dev.csv")
    tickets, labels = [TicketText(ticket_id=row.text, content=row.text) for row in dev], [row.label for row in dev]
    few = read_rows(folder / "train_10shot.csv")
    theirs = own_taxonomy(few, taxonomy.urgency, name="banking")
    both = [open_local(theirs, full, clock=lambda: NOON, quick=first).classifier for first in (None, quick)]
    against("banking77 dev, learned from a taxonomy with five examples a label", both, tickets, labels)
    for training in ("train_10shot.csv", "train.csv"):
        model = train(read_rows(folder / training), full, at=NOON, quick=quick)
        both = [open_trained(model, full, theirs, clock=lambda: NOON, quick=first) for first in (None, quick)]
        against(f"banking77 dev, trained on {training}", both, tickets, labels)


def against(what: str, both: Sequence[ProductClassifier], tickets: Sequence[TicketText], labels: Sequence[str]) -> None:
    print(what)
    costs = []
    for classifier in both:
        classifier.classify(tickets[:BATCH])
        started = time.process_time()
        claims = [claim for batch in chunked(tickets, BATCH) for claim in classifier.classify(batch)]
        costs.append((time.process_time() - started) * 1000 / len(tickets))
        right = np.array([claim.product == label for claim, label in zip(claims, labels, strict=True)])
        error = expected_calibration_error(np.array([claim.confidence for claim in claims]), right)
        sure = np.array([not claim.needs_review for claim in claims])
        print(
            f"  {classifier.name}: {costs[-1]:.2f} ms CPU a ticket, right {right.mean():.2%}, calibration error "
            f"{error:.4f}, not for review {sure.mean():.1%}, of these right {right[sure].mean():.1%}"
        )
    print(f"  {costs[0] / costs[1]:.2f} times the throughput")


def banking(policy: CascadePolicy, training: str) -> None:
    folder = SHARED / "banking77"
    if not folder.exists():
        print("banking77: ../shared/data is not there")
        return
    rows, dev = read_rows(folder / training), read_rows(folder / "dev.csv")
    cheap, dear = (tier(embedder, rows, dev) for embedder in (WordLlama(), MiniLM()))
    print(f"banking77 dev, learned from {training}, {len(dev)} texts")
    print(f"  cheap tier (WordLlama) right {cheap.is_right.mean():.2%}")
    print(f"  dear tier (MiniLM)     right {dear.is_right.mean():.2%}")
    for share in SHARES:
        print(
            f"  cascade at {share:4.0%} of the calls: "
            f"right {cascaded(cheap, dear, int(share * len(dev))):.2%}, calibration error "
            f"{joint_error(cheap, dear, int(share * len(dev))):.4f}"
        )
    for target in (policy.target_error, 0.10, 0.15):
        asks = give_up(sorted(cheap.confidence), target_error=target, max_share=1.0)
        own = np.argsort(cheap.confidence, kind="stable")[asks:]
        print(
            f"  target error {target:.0%}: {asks / len(dev):.1%} asked, "
            f"kept ones wrong {1 - cheap.is_right[own].mean():.1%}, right in all {cascaded(cheap, dear, asks):.2%}"
        )


def tier(embedder: Embedder, rows: list[LabelledText], dev: list[LabelledText]) -> Tier:
    model = train(rows, embedder, at=NOON)
    texts = [text for text, _ in dev]
    predicted, confidence = model.best(texts, embedder.embed(texts))
    return Tier(confidence, predicted == np.array([model.labels.index(label) for _, label in dev]))


def cascaded(cheap: Tier, dear: Tier, asks: int) -> float:
    """Share right where the dear tier decides the `asked` texts that the cheap one is least sure of."""
    order = np.argsort(cheap.confidence, kind="stable")
    right = cheap.is_right.copy()
    right[order[:asks]] = dear.is_right[order[:asks]]
    return float(right.mean())


def joint_error(cheap: Tier, dear: Tier, asks: int) -> float:
    """Expected calibration error of what both say together."""
    order = np.argsort(cheap.confidence, kind="stable")[:asks]
    confidence, right = cheap.confidence.copy(), cheap.is_right.copy()
    confidence[order], right[order] = dear.confidence[order], dear.is_right[order]
    return expected_calibration_error(confidence, right)


def prompt_tokens(tickets: Sequence[TicketText], taxonomy: Taxonomy, size: int) -> None:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(Path(TOKENIZER)))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    prompt = Prompt("classify_batch")
    cleaned = [clean_ticket(ticket) for ticket in tickets]

    def tokens(batch: Sequence[TicketText]) -> int:
        messages = classify_messages(prompt, batch, taxonomy)
        return sum(len(tokenizer.encode(text, add_special_tokens=False).ids) for _, text in messages)

    alone = sum(tokens([ticket]) for ticket in cleaned)
    together = sum(tokens(cleaned[start : start + size]) for start in range(0, len(cleaned), size))
    print(f"prompt tokens of the {len(tickets)} sample tickets (MiniLM's tokeniser as a proxy)")
    print(f"  one a prompt {alone / len(tickets):.0f} a ticket, {size} a prompt {together / len(tickets):.0f}")
    print(f"  ratio {together / alone:.1%}")


def sample(
    tickets: Sequence[TicketText], truth: dict[str, dict[str, str]], taxonomy: Taxonomy, policy: CascadePolicy
) -> None:
    """What the shipped policy would send of the sample tickets, in the batches of the pipeline."""
    for embedder in (MiniLM(), WordLlama()):
        claims = open_local(taxonomy, embedder, clock=lambda: NOON).classifier.classify(tickets)
        right = np.array([claim.product == truth[claim.ticket_id]["product"] for claim in claims])
        sent = np.zeros(len(claims), dtype=bool)
        for start in range(0, len(claims), BATCH):
            sent[[start + n for n in least_certain(claims[start : start + BATCH], policy)]] = True
        print(f"sample tickets, {embedder.name}: right {right.mean():.1%}")
        print(f"  would be asked {sent.mean():.1%}; the rest wrong {1 - right[~sent].mean():.1%}")


if __name__ == "__main__":
    main(*sys.argv[1:2])
