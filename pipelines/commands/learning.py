"""`helmdesk triage train`, `eval` and `report`: learn from your own labelled tickets, and see how good that is."""

import json
import sys
import time
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from engine.shared.errors import BadInput
from pipelines.commands.terminal import open_here, plain

if TYPE_CHECKING:
    from triage.learning.measures import Figure
    from triage.learning.product_model import LabelledText
    from triage.learning.train import Model
    from triage.ports import Embedder
    from triage.taxonomy import Taxonomy

File = Annotated[Path, typer.Option(help="Labelled texts: .csv, .tsv, .jsonl (each also .gz) or .parquet.")]
Text = Annotated[str, typer.Option(help="The column with the text.")]
Label = Annotated[str, typer.Option(help="The column with the label.")]
Part = Annotated[str | None, typer.Option(help="auto, minilm, wordllama or cascade.", show_default="settings")]
Outside = Annotated[Path | None, typer.Option(help="Texts known to be out of scope, for the threshold.")]
SEED = 20


class Learned(NamedTuple):
    """A model, how many rows had no text or no label, and the texts out of scope that its threshold was chosen on."""

    model: "Model"
    left_out: int
    outside: list[str]


class Rows(NamedTuple):
    """How many rows of a file were judged, how many were left out, and how many have a text known from another file."""

    judged: int
    left_out: int
    shared: int


class Judged(NamedTuple):
    """How good a model is on the rows of a test, and of a file of texts out of scope where there is one."""

    rows: Rows
    strange: Rows | None
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
    """Learn a classifier from labelled texts; the best of several methods, by cross-validation.

    For labels that the taxonomy in use does not have, a taxonomy is written beside the model and used with it.
    """
    from triage.learning.own_taxonomy import write_beside
    from triage.model_files import check_place, save_model

    _check_files(data, oos_train)
    check_place(out, [file for file in (data, oos_train, taxonomy) if file])
    in_use = None if taxonomy else _taxonomy_without(context, data, text, label, out)
    part = _open(context, embedder)
    _say(f"learning from {data}")
    model, left_out, _ = _learn(
        data, text, label, part, taxonomy=taxonomy, oos_train=oos_train, quick=_open_quick(context, embedder)
    )
    save_model(out, model)
    for method, accuracy in model.about["cross_validated_accuracy"].items():
        typer.echo(f"{accuracy:7.1%}  {method}{'  <- chosen' if method == model.about['method'] else ''}")
    if first := model.about.get("first"):
        typer.echo(
            f"{first['embedder']} decides alone where it is sure of {first['limit']:.2f} or more, "
            f"{first['decides']:.0%} of the texts; both right {first['cross_validated_accuracy']:.1%}"
        )
    skipped = f", {left_out} rows without text or label left out" if left_out else ""
    typer.echo(f"{model.about['rows']} texts, {len(model.labels)} labels{skipped} -> {plain(str(out))}")
    if in_use is not None:
        typer.echo(plain(write_beside(out, model.rows, in_use=in_use, data=data.name)))


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
    for train_file, test_file in ((train, test), (oos_train, oos)):
        if train_file and test_file and train_file.samefile(test_file):
            raise BadInput(f"{test_file} is also learned from, so it can't tell how good that is; test on another file")
    part = _open(context, embedder)
    _say(f"learning from {train}")
    done = _learn(train, text, label, part, oos_train=oos_train)
    _say(f"judging on {test}")
    found = _judge(done, part, test, oos, text=text, label=label)
    if as_json:
        typer.echo(json.dumps(_as_data(done, found), indent=1))
        return
    for line in _lines(done.model, found):
        typer.echo(line)


def report(
    context: typer.Context, *, as_json: Annotated[bool, typer.Option("--json", help="Every row, for programs.")] = False
) -> None:
    """Can we trust triage? From the marts in force: agreement, drafts, what to write next, the bill."""
    from pipelines.commands.triage_report import as_data, lines
    from pipelines.marts import MartReader

    with open_here(context) as app, MartReader(app.settings.marts_folder) as reader:
        if as_json:
            typer.echo(json.dumps(as_data(reader), indent=1, default=str))
            return
        for line in lines(reader):
            typer.echo(line)


def _open(context: typer.Context, name: str | None) -> "Embedder":
    from triage.embed import open_embedder

    return open_embedder(name or _usual(context))


def _open_quick(context: typer.Context, name: str | None) -> "Embedder | None":
    from triage.embed import open_quick

    return open_quick(name or _usual(context))


def _usual(context: typer.Context) -> str:
    from pipelines.app.settings import read_settings

    return read_settings(home=(context.obj or {}).get("home")).embedder


def _taxonomy_without(context: typer.Context, data: Path, text: str, label: str, out: Path) -> "Taxonomy | None":
    """The taxonomy that HELMDESK_TAXONOMY means, if it has not all labels of the data, so that they need one of their
    own. Raises BadInput, before anything is learned, if that can't lie beside the model."""
    from pipelines.app.settings import read_settings
    from pipelines.app.triage_parts import named_taxonomy
    from triage.learning.labelled_files import learnable, read_labelled
    from triage.learning.own_taxonomy import check_beside
    from triage.taxonomy import load_taxonomy

    in_use = load_taxonomy(named_taxonomy(read_settings(home=(context.obj or {}).get("home"))))
    labels = {row.label for row in learnable(read_labelled(data, text=text, label=label)[0])[0]}
    if labels <= set(in_use.product.labels):
        return None
    check_beside(out, labels)
    return in_use


def _check_files(*files: Path | None) -> None:
    from triage.learning.labelled_files import check_file

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
    quick: "Embedder | None" = None,
) -> Learned:
    from triage.learning.labelled_files import learnable, read_labelled, read_outside
    from triage.learning.train import learn_name
    from triage.learning.train import train as learn
    from triage.taxonomy import load_taxonomy

    every, left_out = read_labelled(data, text=text, label=label)
    rows, single = learnable(every)
    if single:
        typer.echo(plain(f"left out, since a label needs two different texts: {', '.join(single)}"), err=True)
    phrases = None
    if taxonomy is not None:
        labels = load_taxonomy(taxonomy).product.labels
        if unknown := [row.label for row in rows if row.label not in labels]:
            raise BadInput(f"{data.name} has the label {unknown[0]!r}; {taxonomy.name} has {', '.join(labels)}")
        phrases = {name: (learn_name(name), *content.phrases) for name, content in labels.items()}
    inside = {row.label for row in rows}
    outside = read_outside(oos_train, text=text, label=label, inside=inside)[0] if oos_train else []
    model = learn(rows, embedder, at=datetime.now(UTC), phrases=phrases, outside=outside, quick=quick)
    return Learned(model, left_out, outside)


def _judge(learned: Learned, embedder: "Embedder", test: Path, oos: Path | None, *, text: str, label: str) -> Judged:
    """Of a finished model: nothing of it can change any more. Raises BadInput for a label that was never learned and
    for a test of nothing but texts that were."""
    import numpy as np

    from triage.calibrate import softmax
    from triage.learning.labelled_files import read_labelled, read_outside
    from triage.learning.measures import in_scope_figures, out_of_scope_figures
    from triage.learning.out_of_scope import likeness_to, scope_score

    model = learned.model
    rows, left_out = read_labelled(test, text=text, label=label)
    numbers = {name: number for number, name in enumerate(model.labels)}
    _check_labels(rows, numbers, test)
    texts = [row.text for row in rows]
    counts = Rows(len(rows), left_out, _shared(texts, model.texts, test))
    truth = np.array([numbers[row.label] for row in rows])
    started = time.perf_counter()
    vectors = embedder.embed(texts)
    predicted, confidence = model.best(texts, vectors)
    texts_per_second = len(texts) / (time.perf_counter() - started)
    raw = softmax(model.linear.logits(texts, vectors)).max(axis=1)
    figures = in_scope_figures(confidence, raw, predicted, truth, seed=SEED)
    if oos is None:
        return Judged(counts, None, texts_per_second, figures)
    foreign, without = read_outside(oos, text=text, label=label, inside=numbers)
    strange = Rows(len(foreign), without, _shared(foreign, [*model.texts, *learned.outside, *texts], oos))
    others = embedder.embed(foreign)
    inside = scope_score(model.scope.score, confidence, likeness_to(vectors, model.vectors))
    outside = scope_score(model.scope.score, model.best(foreign, others)[1], likeness_to(others, model.vectors))
    figures |= out_of_scope_figures(inside, predicted == truth, outside, model.scope.threshold, seed=SEED)
    return Judged(counts, strange, texts_per_second, figures)


def _check_labels(rows: "list[LabelledText]", known: Collection[str], test: Path) -> None:
    if unknown := [row.label for row in rows if row.label not in known]:
        more = f"and {len(unknown) - 1:,} more such rows"
        raise BadInput(f"{test.name} has the label {unknown[0]!r}, which the training rows do not have ({more}); "
                       "rows that no label fits go into a file for --oos")  # fmt: skip


def _shared(texts: Sequence[str], known: Sequence[str], file: Path) -> int:
    """How many of the texts are known from another file of this call, whatever their capitals and spaces."""
    before = {_folded(text) for text in known}
    shared = sum(_folded(text) in before for text in texts)
    if shared == len(texts):
        raise BadInput(f"Every text of {file.name} was also learned from or is in another file of the test, so it "
                       "can't tell how good that is; test on others")  # fmt: skip
    return shared


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _say(stage: str) -> None:
    """Where somebody watches."""
    if sys.stderr.isatty():
        typer.echo(plain(stage), err=True)


def _as_data(learned: Learned, found: Judged) -> dict[str, Any]:
    from triage.learning.measures import INTERVALS, MEANINGS

    about, scope = learned.model.about, learned.model.scope
    counts = {
        "train_rows": about["rows"],
        "train_rows_left_out": learned.left_out,
        "test_rows": found.rows.judged,
        "test_rows_left_out": found.rows.left_out,
        "shared_texts": found.rows.shared,
        "texts_per_second": found.texts_per_second,
    }
    strange = found.strange and {
        "rows": found.strange.judged,
        "rows_left_out": found.strange.left_out,
        "shared_texts": found.strange.shared,
        "score": scope.score,
        "threshold": scope.threshold,
        "threshold_chosen_on": f"rows of --train held out, {len(learned.outside)} rows of --oos-train; none of --oos",
    }
    figures = {name: {**figure._asdict(), "says": MEANINGS[name]} for name, figure in found.figures.items()}
    return {**about, **counts, "out_of_scope": strange, "intervals": INTERVALS, "figures": figures}


def _lines(model: "Model", found: Judged) -> list[str]:
    about = f"{model.about['method']}, {model.about['embedder']}, {found.texts_per_second:.0f} texts/s"
    counts = [f"{found.rows.judged} test rows"]
    if found.rows.left_out:
        counts.append(f"{found.rows.left_out} more without text or label left out")
    if found.rows.shared:
        counts.append(f"{found.rows.shared} with a text that was also learned from")
    if found.strange:
        counts.append(f"{found.strange.judged} rows out of scope")
        known = f"{found.strange.shared} of these with a text that is also in another file"
        counts += [known] if found.strange.shared else []
    return [
        about,
        ", ".join(counts),
        *(
            f"{name.replace('_', ' '):<34} {value:7.4f}  [{low:.4f}, {high:.4f}]"
            for name, (value, low, high) in found.figures.items()
        ),
    ]
