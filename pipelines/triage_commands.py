"""`helmdesk triage train`, `eval` and `report`: learn from your own labelled tickets, and see how good that is."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from engine.errors import BadInput
from pipelines.terminal import open_here, plain

if TYPE_CHECKING:
    from triage.measures import Figure
    from triage.ports import Embedder
    from triage.product_model import LabelledText
    from triage.train import Model

File = Annotated[Path, typer.Option(help="Labelled texts: .csv, .parquet or .jsonl.")]
Text = Annotated[str, typer.Option(help="The column with the text.")]
Label = Annotated[str, typer.Option(help="The column with the label.")]
Part = Annotated[str | None, typer.Option(help="auto, minilm or wordllama.", show_default="settings")]
Outside = Annotated[Path | None, typer.Option(help="Texts known to be out of scope, for the threshold.")]
SEED = 20


class Judged(NamedTuple):
    """How good a model is on the rows of a test: how many, how many without text or label, how many learned before."""

    rows: int
    left_out: int
    shared: int
    texts_per_second: float
    figures: "dict[str, Figure]"


def train(
    context: typer.Context,
    *,
    data: File,
    out: Annotated[Path, typer.Option(help="Where the model is written.")],
    text: Text = "text",
    label: Label = "label",
    taxonomy: Annotated[
        Path | None, typer.Option(help="A taxonomy file: its phrases describe the labels, others are refused.")
    ] = None,
    oos_train: Outside = None,
    embedder: Part = None,
) -> None:
    """Learn a classifier from labelled texts; the best of several methods, by cross-validation."""
    from triage.model_files import check_place, save_model

    _check_files(data, oos_train)
    check_place(out, [file for file in (data, oos_train, taxonomy) if file])
    part = _open(context, embedder)
    model, left_out = _learn(data, text, label, part, taxonomy=taxonomy, oos_train=oos_train)
    save_model(out, model)
    for method, accuracy in model.about["cross_validated_accuracy"].items():
        typer.echo(f"{accuracy:7.1%}  {method}{'  <- chosen' if method == model.about['method'] else ''}")
    skipped = f", {left_out} rows without text or label left out" if left_out else ""
    typer.echo(f"{model.about['rows']} texts, {len(model.labels)} labels{skipped} -> {plain(str(out))}")


def evaluate(
    context: typer.Context,
    *,
    train: File,
    test: File,
    text: Text = "text",
    label: Label = "label",
    oos: Annotated[Path | None, typer.Option(help="Out-of-scope texts of the test.")] = None,
    oos_train: Outside = None,
    embedder: Part = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything, for programs.")] = False,
) -> None:
    """Learn from one file, report on another, with 95 % intervals. The other is read only after all is learned."""
    _check_files(train, test, oos_train, oos)
    for learned, asked in ((train, test), (oos_train, oos)):
        if learned and asked and learned.samefile(asked):
            raise BadInput(f"{asked} is also learned from, so it can't tell how good that is; test on another file")
    part = _open(context, embedder)
    model, _ = _learn(train, text, label, part, oos_train=oos_train)
    found = _judge(model, part, test, oos, text=text, label=label)
    if as_json:
        counts = {"test_rows": found.rows, "test_rows_left_out": found.left_out, "shared_texts": found.shared}
        figures = {name: figure._asdict() for name, figure in found.figures.items()}
        more = counts | {"texts_per_second": found.texts_per_second, "figures": figures}
        typer.echo(json.dumps(model.about | more, indent=1))
        return
    for line in _lines(model, found):
        typer.echo(line)


def report(
    context: typer.Context, *, as_json: Annotated[bool, typer.Option("--json", help="Every row, for programs.")] = False
) -> None:
    """Can we trust triage? From the marts in force: agreement, drafts, what to write next, the bill."""
    from pipelines.triage_report import as_data, lines

    with open_here(context) as house, house.marts() as reader:
        if as_json:
            typer.echo(json.dumps(as_data(reader), indent=1, default=str))
            return
        for line in lines(reader):
            typer.echo(line)


def _open(context: typer.Context, name: str | None) -> "Embedder":
    from pipelines.settings import read_settings
    from triage.embed import open_embedder

    return open_embedder(name or read_settings(home=(context.obj or {}).get("home")).embedder)


def _check_files(*files: Path | None) -> None:
    from triage.labelled_files import check_file

    for file in files:
        if file is not None:
            check_file(file)


def _learn(
    data: Path,
    text: str,
    label: str,
    embedder: "Embedder",
    *,
    taxonomy: Path | None = None,
    oos_train: Path | None = None,
) -> "tuple[Model, int]":
    from triage.labelled_files import read_labelled
    from triage.taxonomy import load_taxonomy
    from triage.train import learn_name
    from triage.train import train as learn

    rows, left_out = read_labelled(data, text=text, label=label)
    phrases = None
    if taxonomy is not None:
        labels = load_taxonomy(taxonomy).product.labels
        if unknown := [row.label for row in rows if row.label not in labels]:
            raise BadInput(f"{data.name} has the label {unknown[0]!r}; {taxonomy.name} has {', '.join(labels)}")
        phrases = {name: (learn_name(name), *content.phrases) for name, content in labels.items()}
    outside = [row.text for row in read_labelled(oos_train, text=text, label=None)[0]] if oos_train else []
    return learn(rows, embedder, at=datetime.now(UTC), phrases=phrases, outside=outside), left_out


def _judge(model: "Model", embedder: "Embedder", test: Path, oos: Path | None, *, text: str, label: str) -> Judged:
    """Of a finished model: nothing of it can change any more. Raises BadInput for a label that was never learned and
    for a test of nothing but texts that were."""
    import numpy as np

    from triage.calibrate import softmax
    from triage.labelled_files import read_labelled
    from triage.measures import in_scope_figures, out_of_scope_figures
    from triage.out_of_scope import likeness_to, scope_score

    rows, left_out = read_labelled(test, text=text, label=label)
    numbers = {name: number for number, name in enumerate(model.labels)}
    if unknown := sorted({row.label for row in rows} - set(numbers)):
        raise BadInput(f"{test.name} has the label {unknown[0]!r}, which the training rows do not have")
    shared = _shared(model, rows, test)
    texts = [row.text for row in rows]
    truth = np.array([numbers[row.label] for row in rows])
    started = time.perf_counter()
    vectors = embedder.embed(texts)
    said, confidence = model.best(texts, vectors)
    texts_per_second = len(texts) / (time.perf_counter() - started)
    raw = softmax(model.linear.logits(texts, vectors)).max(axis=1)
    figures = in_scope_figures(confidence, raw, said, truth, seed=SEED)
    if oos is not None:
        foreign = [row.text for row in read_labelled(oos, text=text, label=None)[0]]
        others = embedder.embed(foreign)
        inside = scope_score(model.scope.score, confidence, likeness_to(vectors, model.vectors))
        outside = scope_score(model.scope.score, model.best(foreign, others)[1], likeness_to(others, model.vectors))
        figures |= out_of_scope_figures(inside, said == truth, outside, model.scope.threshold, seed=SEED)
    return Judged(len(rows), left_out, shared, texts_per_second, figures)


def _shared(model: "Model", rows: "list[LabelledText]", test: Path) -> int:
    """How many rows of the test were learned from, whatever their capitals and spaces."""
    learned = {_folded(text) for text in model.texts}
    shared = sum(_folded(row.text) in learned for row in rows)
    if shared == len(rows):
        raise BadInput(f"Every text of {test.name} was also learned from, so it can't tell how good that is; "
                       "test on others")  # fmt: skip
    return shared


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _lines(model: "Model", found: Judged) -> list[str]:
    about = f"{model.about['method']}, {model.about['embedder']}, {found.texts_per_second:.0f} texts/s"
    counts = [f"{found.rows} test rows"]
    if found.left_out:
        counts.append(f"{found.left_out} more without text or label left out")
    if found.shared:
        counts.append(f"{found.shared} with a text that was also learned from")
    return [
        about,
        ", ".join(counts),
        *(
            f"{name.replace('_', ' '):<34} {value:7.4f}  [{low:.4f}, {high:.4f}]"
            for name, (value, low, high) in found.figures.items()
        ),
    ]
