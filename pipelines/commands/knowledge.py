"""`helmdesk knowledge` keeps the searchable articles up to date; `helmdesk triage eval-retrieval` judges the search."""

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.shared.errors import BadInput
from pipelines.commands.operations import group_of
from pipelines.commands.terminal import counted, open_here, plain

if TYPE_CHECKING:
    from triage.knowledge.articles import Reading
    from triage.knowledge.retrieval_measures import Figures, Judged
    from triage.knowledge.retrieval_runs import Found
    from triage.knowledge.search_weights import Tuned
    from triage.ports import Embedder

Json = Annotated[bool, typer.Option("--json", help="Everything, for programs.")]

knowledge = typer.Typer(help="The articles that drafts may cite.", no_args_is_help=True)
knowledge.add_typer(
    typer.Typer(help="What cases taught, to be an article or not.", no_args_is_help=True, cls=group_of("lesson")),
    name="lessons",
)


@knowledge.command("sync")
def sync(
    context: typer.Context,
    folder: Annotated[Path | None, typer.Argument(help="Articles: .md, .mdx, .html, .json, .jsonl, .csv.")] = None,
    source: Annotated[
        str | None, typer.Option(help="What these articles are called together.", show_default="the folder's name")
    ] = None,
    field: Annotated[
        list[str] | None, typer.Option(help="field=column, where a table calls its columns otherwise: text=Solution")
    ] = None,
) -> None:
    """Make the index hold the articles of a folder as they are now; without one, those of data/knowledge."""
    from triage.knowledge.articles import grouped, read_folder
    from triage.knowledge.chunks import same_source
    from triage.ports import KNOWLEDGE

    mapping = _mapping(field or [])
    with open_here(context) as app:
        own = app.settings.data / "knowledge"
        place = folder or own
        name = _source_name(place, source, own)
        owners = {held.article_id: held.source for held in app.triage.index.held()}
        taken = {article_id: owner for article_id, owner in owners.items() if owner != name}
        reading = read_folder(place, mapping=mapping, taken=taken)
        _show_refused(reading, place)
        if name != KNOWLEDGE:
            same_source(reading.articles, name, owners)
        report = app.triage.index.sync(reading.articles, source=name, remove_missing=not reading.refused)
        if name == KNOWLEDGE:
            app.triage.knowledge_left_out.unlink(missing_ok=True)
    typer.echo(
        f"{plain(name)}: added or changed {report.added}, removed {report.removed}, unchanged {report.unchanged}, "
        f"refused {len(reading.refused)}"
    )
    for line in grouped(reading.left_out):
        typer.echo(f"left out  {plain(line)}")
    if reading.refused:
        typer.echo("while articles are refused none is removed: correct them and sync again")
        raise typer.Exit(2)


def _source_name(place: Path, given: str | None, own: Path) -> str:
    """The name given, else the folder's. Raises BadInput for one that can't be read, and where `knowledge` is not the
    name of the articles below the data folder, which every triage brings in under it."""
    from triage.knowledge.articles import LIMITS
    from triage.ports import KNOWLEDGE

    is_own = place.resolve() == own.resolve()
    derived = KNOWLEDGE if is_own else place.resolve().stem
    name = derived if given is None else given
    if is_own and name != KNOWLEDGE:
        raise BadInput(f"The articles of {own} are the source {KNOWLEDGE!r}; leave --source out")
    if name == KNOWLEDGE and not is_own:
        raise BadInput(f"The source {KNOWLEDGE!r} is the articles of {own}; say --source NAME for those of {place}")
    if not name.strip() or not name.isprintable() or len(name) > LIMITS["id"]:
        raise BadInput(f"A source is called by 1 to {LIMITS['id']} readable characters; say --source NAME")
    return name


def _show_refused(reading: "Reading", place: Path) -> None:
    """Raises BadInput if there is no article left."""
    from triage.knowledge.articles import FORMATS, grouped

    for line in grouped(reading.refused):
        typer.echo(f"refused  {plain(line)}", err=True)
    if not reading.articles and not reading.refused:
        raise BadInput(f"{place} holds no articles; they end in {', '.join(FORMATS)}")
    if not reading.articles:
        raise BadInput(f"None of the articles in {place} can be used; nothing was changed")


@knowledge.command("list")
def show(context: typer.Context, as_json: Json = False) -> None:
    """List the articles in the index, by source."""
    with open_here(context) as app:
        held = app.triage.index.held()
    if as_json:
        typer.echo(json.dumps([article._asdict() for article in held], indent=1))
        return
    for article in held:
        typer.echo(plain(f"{article.source:<20} {article.article_id:<28} {article.chunks:>4}  {article.title}"))
    sources = {article.source for article in held}
    parts = (len(held), "article"), (sum(article.chunks for article in held), "chunk"), (len(sources), "source")
    typer.echo(", ".join(counted(*part) for part in parts))


@knowledge.command("check")
def check(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="A file or folder of articles, as `sync` reads them.")],
    source: Annotated[
        str | None, typer.Option(help="Judge them as articles of this source.", show_default="the folder's name")
    ] = None,
    field: Annotated[list[str] | None, typer.Option(help="field=column, as for `sync`.")] = None,
    as_json: Json = False,
) -> None:
    """Which sentences of articles a draft may quote, which are to be checked before sending, which are left out.

    Nothing is stored. Ends with 2 where an article can't be read.
    """
    from pipelines.app.policies import Policies
    from pipelines.app.settings import read_settings
    from triage.drafting.articles_judged import counts_of, judged_sentences
    from triage.knowledge.articles import grouped, read_folder

    settings = read_settings(home=(context.obj or {}).get("home"))
    policy = Policies(settings, warn=lambda text: typer.echo(plain(text), err=True)).articles
    reading = read_folder(path, mapping=_mapping(field or []))
    sentences = judged_sentences(reading, policy.rules(source or _source_name(path, None, settings.data / "knowledge")))
    counts = counts_of(sentences)
    if as_json:
        report = {
            "sentences": [sentence._asdict() for sentence in sentences],
            "counts": counts,
            "refused": [str(each) for each in reading.refused],
            "left_out": [str(each) for each in reading.left_out],
        }
        typer.echo(json.dumps(report, indent=1, ensure_ascii=False))
    else:
        for one in sentences:
            if one.verdict != "quote":
                typer.echo(plain(f"{one.verdict:<9}  {one.file}  {one.text}"))
                typer.echo(plain(f"{'':<11}{one.reason}"))
        typer.echo(", ".join(f"{verdict} {count:,}" for verdict, count in counts.items()))
        for line in grouped([*reading.refused, *reading.left_out]):
            typer.echo(f"not read  {plain(line)}", err=True)
    if reading.refused:
        raise typer.Exit(2)


@knowledge.command("remove")
def remove(
    context: typer.Context, source: Annotated[str, typer.Option(help="As `helmdesk knowledge list` shows it.")]
) -> None:
    """Take all articles of one source out of the index; those of others stay.

    Those of data/knowledge stay out of later cycles too, until `helmdesk knowledge sync` without a folder.
    """
    from triage.ports import KNOWLEDGE

    with open_here(context) as app:
        if source != KNOWLEDGE:
            typer.echo(f"{plain(source)}: removed {app.triage.index.remove(source)}")
            return
        is_held = any(held.source == KNOWLEDGE for held in app.triage.index.held())
        app.triage.knowledge_left_out.touch()
        gone = app.triage.index.remove(KNOWLEDGE) if is_held else 0
    typer.echo(f"{KNOWLEDGE}: removed {gone}; they stay out until `helmdesk knowledge sync` without a folder")


def evaluate(
    context: typer.Context,
    *,
    corpus: Annotated[Path, typer.Option(help="corpus.jsonl: _id, title, text.")],
    queries: Annotated[Path, typer.Option(help="queries.jsonl: _id, text.")],
    qrels: Annotated[Path, typer.Option(help="qrels.tsv: query-id, corpus-id, score.")],
    tune_on: Annotated[
        Path | None, typer.Option(help="Other judged queries: a qrels .tsv, or a folder with queries.jsonl and one.")
    ] = None,
    save: Annotated[bool, typer.Option("--save", help="Use the tuned weights for this home's index.")] = False,
    embedder: Annotated[
        str | None, typer.Option(help="auto, minilm, wordllama or cascade.", show_default="settings")
    ] = None,
    as_json: Json = False,
) -> None:
    """How well words, meaning and both together find what was judged relevant (BEIR layout)."""
    from pipelines.app.settings import read_settings
    from triage.embed import open_embedder
    from triage.knowledge.search_weights import save_weights
    from triage.knowledge.vector_cache import VectorCache

    if save and tune_on is None:
        raise BadInput("--save keeps tuned weights: say with --tune-on which judged queries to tune on")
    settings = read_settings(home=(context.obj or {}).get("home"))
    file = settings.search_weights_file
    part = VectorCache(open_embedder(embedder or settings.embedder), settings.home / "vectors")
    usual = _weights_of(file, part.name)
    started = time.perf_counter()
    report, tuned = _judge(corpus, queries, qrels, tune_on, part, usual=usual)
    report["seconds"] = round(time.perf_counter() - started, 1)
    is_saved = save and tuned.is_tuned
    report["weights"]["saved_to"] = str(file) if is_saved else None
    if is_saved:
        save_weights(file, tuned, embedder=part.name)
    typer.echo(json.dumps(report, indent=1) if as_json else _table(report))
    if save and not as_json:
        typer.echo(f"saved for {part.name}: {file}" if is_saved else f"not saved: {tuned.reason}")


def _weights_of(file: Path, embedder: str) -> "tuple[Tuned, str]":
    """The weights this home searches with, and whether they are the default or saved."""
    from triage.knowledge.retrieve import default_weights
    from triage.knowledge.search_weights import SavedWeights, Tuned, read_weights

    weights = read_weights(file, embedder=embedder)
    if file.exists():
        saved = SavedWeights.model_validate_json(file.read_text(encoding="utf-8"))
        if saved.embedder == embedder:
            proof = f"{saved.gain:+.4f} ± {saved.standard_error:.4f} nDCG@10 on {saved.queries} queries"
            return Tuned(
                weights, True, saved.queries, saved.gain, saved.standard_error, f"{file.name}, {proof}"
            ), "saved"
    return Tuned(default_weights(embedder), False, 0, 0.0, 0.0, "--tune-on learns others"), "default"


def _judge(
    corpus: Path, queries: Path, qrels: Path, tune_on: Path | None, embedder: "Embedder", *, usual: "tuple[Tuned, str]"
) -> "tuple[dict[str, Any], Tuned]":
    """The weights are settled before a query of the test is run."""
    from triage.knowledge.judged_files import read_corpus, read_judgements, read_queries
    from triage.knowledge.retrieval_measures import MEANINGS, with_answers
    from triage.knowledge.retrieval_runs import Collection
    from triage.knowledge.search_weights import tune

    documents, questions = read_corpus(corpus), read_queries(queries)
    ids = {document.id for document in documents}
    given = read_judgements(qrels, set(questions), ids)
    judged = with_answers(given.grades)
    test = {query: questions[query] for query in judged}
    others, learned = _tuning(tune_on, questions, test, ids) if tune_on else ({}, {})
    collection = Collection(documents, embedder, progress=_progress)
    tuned, origin = usual
    if tune_on is not None:
        tuned = tune(collection.find(others), learned, embedder=embedder.name)
        origin = "tuned" if tuned.is_tuned else "default"
    figures = _figures(collection.find(test), judged, tuned)
    return {
        "documents": len(documents),
        "queries": len(judged),
        "queries_left_out": len(given.grades) - len(judged),
        "queries_left_out_why": "nothing is judged relevant to them",
        "judged_queries_not_asked": given.unknown_queries,
        "judged_documents_not_there": given.unknown_documents,
        "embedder": embedder.name,
        "weights": tuned.weights._asdict()
        | {"source": origin, "tuned": tuned.is_tuned, "queries": tuned.queries, "why": tuned.reason},
        "figures": {
            name: {"ndcg@10": part.ndcg, "mrr": part.mrr, "recall@5": part.recall} for name, part in figures.items()
        },
        "figures_say": MEANINGS,
    }, tuned


def _tuning(
    tune_on: Path, questions: dict[str, str], test: dict[str, str], documents: set[str]
) -> "tuple[dict[str, str], Judged]":
    """Queries to tune on with their grades, without any whose text is also in the test."""
    from triage.knowledge.judged_files import read_judgements, read_queries

    texts = questions
    if tune_on.is_dir():
        texts, tune_on = read_queries(tune_on / "queries.jsonl"), tune_on / "qrels.tsv"
    tested = {_folded(text) for text in test.values()}
    judged = read_judgements(tune_on, set(texts), documents).grades
    learned = {query: grades for query, grades in judged.items() if _folded(texts[query]) not in tested}
    if not learned:
        raise BadInput(f"{tune_on.name} judges only queries of the test; tune on others")
    return {query: texts[query] for query in learned}, learned


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _figures(found: "dict[str, Found]", judged: "Judged", tuned: "Tuned") -> "dict[str, Figures]":
    from triage.knowledge.retrieval_measures import figures
    from triage.knowledge.retrieval_runs import hybrid_ranking, ranking

    return {
        "bm25": figures({query: ranking(found[query].words) for query in judged}, judged),
        "dense": figures({query: ranking(found[query].dense) for query in judged}, judged),
        "hybrid": figures({query: hybrid_ranking(found[query], tuned.weights) for query in judged}, judged),
    }


_STRANGE = ("judged_queries_not_asked", "judged_documents_not_there")


def _table(report: dict[str, Any]) -> str:
    weights, without = report["weights"], report["queries_left_out"]
    left_out = f" ({without:,} more have nothing relevant)" if without else ""
    strange = [f"{report[name]:,} {name.replace('_', ' ')}; " for name in _STRANGE if report[name]]
    lines = [
        f"{report['documents']:,} documents, {report['queries']:,} judged queries{left_out}, {report['embedder']}, "
        f"{''.join(strange)}{report['seconds']:.0f} s",
        f"{'':<8}{'nDCG@10':>9}{'MRR':>9}{'recall@5':>10}",
        *(
            f"{name:<8}{part['ndcg@10']:>9.4f}{part['mrr']:>9.4f}{part['recall@5']:>10.4f}"
            for name, part in report["figures"].items()
        ),
        f"weights: meaning {weights['dense']:.2f}, words {weights['words']:.2f} "
        f"({weights['source']}: {weights['why']})",
    ]
    return "\n".join(lines)


def _progress(stage: str, done: int, total: int) -> None:
    """One line that counts up, where somebody watches."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{stage} {done:,} of {total:,}".ljust(40) + ("\n" if done >= total else ""))


def _mapping(fields: list[str]) -> dict[str, str]:
    if wrong := [text for text in fields if "=" not in text]:
        raise BadInput(f"--field {wrong[0]!r} names no column; write field=column, for example text=Solution")
    return dict(text.split("=", 1) for text in fields)
