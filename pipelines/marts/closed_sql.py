"""SQL of whoever asks over the marts, in a database of its own that reaches nothing else.

The marts that a query names are read into memory; then DuckDB's access to files, network, extensions and Python is
turned off and its settings are locked.
"""

import re
from collections.abc import Collection
from difflib import get_close_matches
from threading import Timer

import duckdb
import polars as pl

from engine.shared.errors import BadInput, Unavailable
from pipelines.marts.publication import MartReader

SECONDS, MEMORY = 60.0, "2GB"
_WORDS = re.compile(r"\w+")
_UNKNOWN = re.compile(r"(?:Table with name|Referenced column) \"?(\w+)\"?")


def answer(reader: MartReader, sql: str, *, seconds: float = SECONDS, memory: str = MEMORY) -> pl.DataFrame:
    """The answer to one SELECT. Raises BadInput for what is none or can't be understood, NotAllowed for a mart whose
    right is missing, Unavailable for what takes too long or too much memory."""
    words = {word.casefold() for word in _WORDS.findall(sql)}
    with duckdb.connect(":memory:") as database:
        _one_select(database, sql)
        for mart in _named(reader, words):
            quoted = str(reader.file(mart)).replace("'", "''")
            database.execute(f"CREATE TABLE {mart} AS SELECT * FROM read_parquet('{quoted}')")
        for setting in (
            "TimeZone = 'UTC'", f"memory_limit = '{memory}'", "temp_directory = ''", "enable_external_access = false",
            "python_enable_replacements = false", "lock_configuration = true",
        ):  # fmt: skip
            database.execute(f"SET {setting}")
        return _within(database, sql, seconds, reader.marts)


def _named(reader: MartReader, words: Collection[str]) -> list[str]:
    """The marts whose names stand in a query. Raises NotAllowed as the reader does."""
    from pipelines.marts.registry import MARTS

    found = [mart for mart in MARTS if mart in words]
    for mart in found:
        reader.file(mart)
    return found


def _one_select(database: duckdb.DuckDBPyConnection, sql: str) -> None:
    try:
        statements = database.extract_statements(sql)
    except duckdb.Error as error:
        raise BadInput(_in_one_line(error)) from None
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise BadInput("The marts can be asked, and nothing else: write one SELECT")


def _within(database: duckdb.DuckDBPyConnection, sql: str, seconds: float, marts: Collection[str]) -> pl.DataFrame:
    timer = Timer(seconds, database.interrupt)
    timer.start()
    try:
        return pl.DataFrame(database.sql(sql).to_arrow_table())
    except duckdb.InterruptException:
        raise Unavailable(f"The query took longer than {seconds:g} s and was stopped") from None
    except duckdb.OutOfMemoryException:
        raise Unavailable(f"The query needs more memory than {MEMORY}: ask for fewer rows or columns") from None
    except duckdb.Error as error:
        raise BadInput(_in_one_line(error) + _hint(str(error), marts)) from None
    finally:
        timer.cancel()


def _in_one_line(error: duckdb.Error) -> str:
    return " ".join(str(error).split("\n\n")[0].split("LINE ")[0].split())


def _hint(reason: str, marts: Collection[str]) -> str:
    unknown = _UNKNOWN.search(reason)
    close = get_close_matches(unknown[1], marts, 1) if unknown else []
    return f" The mart {close[0]} is close; `helmdesk sql --marts` lists them." if close else ""
