"""How well and how fast triage works here: `python -m benchmarks.triage [minilm|wordllama]`.

Real data are read from `../shared/data` where it exists; figures on a dev split are dev figures. The sample tickets are
invented by this project, so their figures say that nothing is broken rather than how a customer's tickets will fare.
"""

import csv
import json
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from triage.calibrate import expected_calibration_error, softmax
from triage.contracts import TicketText
from triage.drafting.article_policy import load_article_policy
from triage.drafting.macros import read_macros
from triage.drafting.wording import load_wording
from triage.embed import Remembering, open_embedder
from triage.knowledge.articles import read_folder
from triage.knowledge.judged_files import read_corpus, read_judgements, read_queries
from triage.knowledge.milvus import MilvusIndex
from triage.knowledge.retrieval_measures import figures
from triage.knowledge.retrieval_runs import Collection, hybrid_ranking, ranking
from triage.knowledge.retrieve import default_weights, question_of
from triage.learning.measures import in_scope_figures, out_of_scope_figures
from triage.learning.out_of_scope import likeness_to, scope_score
from triage.learning.product_model import LabelledText
from triage.learning.train import train
from triage.llm.local import open_local
from triage.ports import Drafter, Embedder
from triage.taxonomy import Taxonomy, load_taxonomy

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"
Answer = TypeVar("Answer")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def main(name: str = "auto") -> None:
    embedder = Remembering(open_embedder(name))
    print(f"embedder {embedder.name}, {embedder.dimension} dimensions")
    taxonomy = load_taxonomy(ROOT / "data" / "taxonomies" / "products.yaml")
    with tempfile.TemporaryDirectory() as folder:
        sample_tickets(embedder, taxonomy, Path(folder))
    for dataset, training in (
        ("banking77", "train_10shot.csv"),
        ("banking77", "train.csv"),
        ("clinc150", "train.csv"),
    ):
        labelled(embedder, dataset, training)
    stack_questions(embedder)


def sample_tickets(embedder: Embedder, taxonomy: Taxonomy, folder: Path) -> None:
    file = ROOT / "data" / "tickets" / "tickets.jsonl"
    if not file.exists():
        print("sample tickets: not there")
        return
    tickets, truth = read_sample(file)
    macros, wording = read_macros(ROOT / "data" / "macros"), load_wording(ROOT / "data" / "policies" / "wording.yaml")
    articles = load_article_policy(ROOT / "data" / "policies" / "articles.yaml")
    models, _ = timed("learn the taxonomy", lambda: open_local(taxonomy, embedder, clock=lambda: NOON, cache=folder))
    models, _ = timed(
        "open what was learned",
        lambda: open_local(
            taxonomy, embedder, clock=lambda: NOON, cache=folder, macros=macros, wording=wording, articles=articles
        ),
    )
    classes, seconds = timed(f"classify {len(tickets)} tickets", lambda: models.classifier.classify(tickets))
    print(f"  {len(tickets) / seconds:.0f} tickets/s")
    english = np.array([ticket.language in (None, "en") for ticket in tickets])
    is_right = np.array([c.product == truth[c.ticket_id]["product"] for c in classes])
    sure = np.array([not c.needs_review for c in classes])
    confidence = np.array([c.confidence for c in classes])
    print(f"  product right {is_right.mean():.1%}, English {is_right[english].mean():.1%}")
    print(f"  not for review {sure.mean():.1%}, of these right {is_right[sure].mean():.1%}")
    print(f"  calibration error {expected_calibration_error(confidence, is_right):.3f}")
    urgency = np.mean([c.urgency == truth[c.ticket_id]["urgency"] for c in classes])
    print(f"  urgency right {urgency:.1%}")
    drafts(embedder, models.drafter, tickets, truth, folder)


def drafts(
    embedder: Embedder,
    drafter: Drafter,
    tickets: list[TicketText],
    truth: dict[str, dict[str, str]],
    folder: Path,
) -> None:
    articles = read_folder(ROOT / "data" / "knowledge").articles
    index = MilvusIndex(str(folder / "index.db"), embedder)
    report, _ = timed(f"index {len(articles)} articles", lambda: index.sync(articles))
    print(f"  {report}, {index.count()} chunks")
    timed("sync again", lambda: index.sync(articles))
    questions = [question_of(ticket) for ticket in tickets]
    found, _ = timed(f"search for {len(tickets)} tickets", lambda: index.search(questions))
    written, _ = timed(f"draft {len(tickets)} replies", lambda: drafter.draft(tickets, found))
    english = [
        ticket.language in (None, "en") and truth[ticket.ticket_id]["topic"] != "off_topic" for ticket in tickets
    ]
    topics = [truth[ticket.ticket_id]["topic"].lower() for ticket in tickets]
    first = [bool(p) and p[0].article_id == topic for p, topic in zip(found, topics, strict=True)]
    grounded = [draft.grounded for draft in written]
    cited = [d.grounded and d.citations[0].article_id == topic for d, topic in zip(written, topics, strict=True)]
    mask = np.array(english)
    print(f"  English on topic: right article first {np.array(first)[mask].mean():.1%}")
    print(f"  grounded {np.array(grounded)[mask].mean():.1%}, of these right {share(cited, grounded, mask):.1%}")
    off = np.array([topic == "off_topic" for topic in topics])
    print(f"  off topic yet grounded: {np.array(grounded)[off].sum()} of {off.sum()}")
    index.close()


def labelled(embedder: Embedder, dataset: str, training: str) -> None:
    """What `helmdesk triage eval` measures, on the dev split."""
    folder = SHARED / dataset
    if not (folder / training).exists():
        print(f"{dataset}: ../shared/data is not there")
        return
    outside = [row.text for row in read_rows(folder / "oos_train.csv")] if dataset == "clinc150" else []
    rows = read_rows(folder / training)
    model, _ = timed(
        f"{dataset}: learn {len(rows)} rows of {training}", lambda: train(rows, embedder, at=NOON, outside=outside)
    )
    print(f"  {model.about['cross_validated_accuracy']}")
    dev = read_rows(folder / "dev.csv")
    texts, truth = [text for text, _ in dev], np.array([model.labels.index(label) for _, label in dev])
    vectors, seconds = timed(f"  embed {len(dev)} dev texts", lambda: embedder.embed(texts))
    print(f"  {len(dev) / seconds:.0f} texts/s")
    predicted, confidence = model.best(texts, vectors)
    raw = softmax(model.linear.logits(texts, vectors)).max(axis=1)
    figures = in_scope_figures(confidence, raw, predicted, truth, seed=20)
    if outside:
        foreign = [row.text for row in read_rows(folder / "oos_dev.csv")]
        others = embedder.embed(foreign)
        inside = scope_score(model.scope.score, confidence, likeness_to(vectors, model.vectors))
        strange = scope_score(model.scope.score, model.best(foreign, others)[1], likeness_to(others, model.vectors))
        figures |= out_of_scope_figures(inside, predicted == truth, strange, model.scope.threshold, seed=20)
    for name, (value, low, high) in figures.items():
        print(f"  {name}: {value:.4f} [{low:.4f}, {high:.4f}]")


def stack_questions(embedder: Embedder) -> None:
    """Search on Stack Exchange questions, default weights (MiniLM has seen Stack Exchange: this flatters it)."""
    folder = SHARED / "stackfaq"
    if not folder.exists():
        print("stackfaq: ../shared/data is not there")
        return
    documents, queries = read_corpus(folder / "corpus.jsonl"), read_queries(folder / "queries.jsonl")
    judged = read_judgements(folder / "qrels.tsv", set(queries), {document.id for document in documents}).grades
    collection = Collection(documents, embedder, progress=lambda *_: None)
    found = timed("stackfaq: search", lambda: collection.find({query: queries[query] for query in judged}))[0]
    weights = default_weights(embedder.name)
    rankings = {
        "bm25": {query: ranking(hits.words) for query, hits in found.items()},
        "dense": {query: ranking(hits.dense) for query, hits in found.items()},
        "hybrid": {query: hybrid_ranking(hits, weights) for query, hits in found.items()},
    }
    for name, ranked in rankings.items():
        print(f"  {name}: {figures(ranked, judged)}")


def read_sample(file: Path) -> tuple[list[TicketText], dict[str, dict[str, str]]]:
    with (file.parent / "labels.csv").open(encoding="utf-8", newline="") as labels:
        truth = {row["external_id"]: row for row in csv.DictReader(labels)}
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
    rows = {row["ticket_id"]: row for row in map(json.loads, lines) if row.get("ticket_id") in truth}
    tickets = [
        TicketText(
            ticket_id=key,
            subject=row.get("title") or "",
            content=row.get("description") or "",
            priority=row.get("priority"),
            tier=row.get("tier"),
            language=row.get("language"),
        )
        for key, row in rows.items()
    ]
    return tickets, truth


def read_rows(file: Path) -> list[LabelledText]:
    with file.open(encoding="utf-8", newline="") as rows:
        return [LabelledText(row["text"], row["label"]) for row in csv.DictReader(rows)]


def share(right: list[bool], of: list[bool], mask: npt.NDArray[np.bool_]) -> float:
    return float(np.array(right)[mask].sum() / max(1, np.array(of)[mask].sum()))


def timed(what: str, work: Callable[[], Answer]) -> tuple[Answer, float]:
    """The answer and its wall seconds; CPU seconds of all threads stand beside them."""
    started, used = time.perf_counter(), time.process_time()
    result = work()
    seconds = time.perf_counter() - started
    print(f"{what}: {seconds:.2f} s, {time.process_time() - used:.2f} s CPU")
    return result, seconds


if __name__ == "__main__":
    main(*sys.argv[1:2])
