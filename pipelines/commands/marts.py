"""`helmdesk export` and `helmdesk sql`: the marts as files, and asked by SQL."""

import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.shared.errors import BadInput
from pipelines.commands.operations import By
from pipelines.commands.terminal import counted, open_here, plain
from pipelines.export_format import Format

if TYPE_CHECKING:
    import polars as pl

    from pipelines.marts import MartReader

WIDE, LONG = 400, 40


class Answer(StrEnum):
    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"

    def as_file(self, to: Path | None) -> Format:
        """The format of a file; a table goes to one as its ending says. Raises BadInput for another ending."""
        if self != Answer.TABLE:
            return Format(self.value)
        ending = to.suffix.lstrip(".").lower() if to else ""
        if ending not in set(Format):
            raise BadInput(f"--to {to}: name a file that ends in .csv, .json or .parquet, or give --format")
        return Format(ending)


To = Annotated[Path | None, typer.Option(help="The file to write.", show_default="standard output")]


def export(
    context: typer.Context,
    mart: Annotated[str, typer.Argument(help="Its name; `helmdesk sql --marts` lists them.")],
    *,
    format: Annotated[Format, typer.Option(help="Columns as they are, instants as ISO.")] = Format.CSV,
    to: To = None,
    by: By = None,
) -> None:
    """Write a mart as a file, each row and column. Its head says as of when; who took it stands in the audit log."""
    from pipelines.app.identity import local_user
    from pipelines.jobs.export import export_mart

    if to is None and format == Format.PARQUET and sys.stdout.isatty():
        raise BadInput("--format parquet is no text: name a file with --to")
    with open_here(context) as app:
        rows = export_mart(app, local_user(app, by), mart, format, to or sys.stdout.buffer)
    if to:
        typer.echo(plain(f"{to}: {counted(rows, 'row')} of {mart}"))


def sql(
    context: typer.Context,
    query: Annotated[str | None, typer.Argument(help="One SELECT of DuckDB; each mart is a table.")] = None,
    *,
    marts: Annotated[bool, typer.Option("--marts", help="Which marts there are, and the question of each.")] = False,
    describe: Annotated[
        str | None, typer.Option(help="What the columns of this mart mean.", show_default=False)
    ] = None,
    format: Annotated[
        Answer, typer.Option(help="All but table take the right to export, and are noted as exports.")
    ] = Answer.TABLE,
    to: To = None,
    by: By = None,
) -> None:
    """Ask the marts by SQL: read-only, no file and no network in reach."""
    from engine.access import Right
    from pipelines.app.identity import has, local_user, saw
    from pipelines.jobs.export import Head, export_answer
    from pipelines.marts import MartReader
    from pipelines.marts.closed_sql import answer

    if (query is None) + (describe is None) + (not marts) != 2:
        raise BadInput('Give one of a query, --marts and --describe MART: helmdesk sql "SELECT count(*) FROM tickets"')
    with open_here(context) as app:
        user = local_user(app, by)
        rights = {right for right in Right if has(app, user, right)}
        with MartReader(app.settings.marts_folder, rights=rights) as reader:
            if query is None:
                typer.echo("\n".join(_listed(reader) if marts else _described(reader, str(describe))))
                return
            found = answer(reader, query)
            head = Head.of(reader.publication, "sql", "What was asked.", rows=found.height, where=query)
        if format == Answer.TABLE and to is None:
            saw(app, user, door="sql")
            typer.echo(_as_table(found))
            return
        export_answer(app, user, found, head, format.as_file(to), to=to or sys.stdout.buffer)


def _as_table(found: "pl.DataFrame") -> str:
    import polars as pl

    with pl.Config(tbl_rows=LONG, tbl_cols=-1, tbl_width_chars=WIDE, fmt_str_lengths=60, tbl_hide_dataframe_shape=True,
                   tbl_hide_column_data_types=True):  # fmt: skip
        more = f"; --format csv gives all, {LONG} are shown" if found.height > LONG else ""
        lines = "\n".join(map(plain, str(found).split("\n")))
        return f"{lines}\n{counted(found.height, 'row')}{more}"


def _listed(reader: "MartReader") -> Iterator[str]:
    from pipelines.marts.registry import MARTS

    for name in reader.marts:
        yield f"{name:<20} {reader.publication.rows[name]:>9,}  {MARTS[name].question}"


def _described(reader: "MartReader", mart: str) -> Iterator[str]:
    from pipelines.marts.opening import MartTable

    table = MartTable(mart, reader)
    yield table.question
    for name, about in table.columns.items():
        unit, null = f" [{about.unit}]" if about.unit else "", " or null" if about.is_nullable else ""
        yield f"  {name:<26} {about.dtype!s}{null}: {about.meaning}{unit}"
