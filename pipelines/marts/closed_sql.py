"""SQL of whoever asks over the marts, in a database of its own that reaches nothing else.

The marts that a query names are read into memory; then DuckDB's access to files, network, extensions and Python is
turned off and its settings are locked.
"""

import re
from threading import Timer

import duckdb
import polars as pl

from engine.shared.errors import BadInput, Unavailable
from pipelines.marts.answers import frame_of
from pipelines.marts.publication import MartReader

SECONDS, GIGABYTES = 60.0, 2.0
"""The longest that a query may take; the most that it may work with, and that its answer may be."""
_WORDS = re.compile(r"\w+")
_UNKNOWN = re.compile(r"Table with name \"?(\w+)\"? does not exist")


def answer(reader: MartReader, sql: str, *, seconds: float = SECONDS, gigabytes: float = GIGABYTES) -> pl.DataFrame:
    """The answer to one SELECT. Raises BadInput for what is none or can't be understood, NotFound and NotAllowed for a
    mart that there is not or whose right is missing, Unavailable for what takes too long or too much memory."""
    words = {word.casefold() for word in _WORDS.findall(sql)}
    with duckdb.connect(":memory:") as database:
        _one_select(database, sql)
        for mart in words.intersection(reader.marts):
            quoted = str(reader.file(mart)).replace("'", "''")
            database.execute(f"CREATE TABLE {mart} AS SELECT * FROM read_parquet('{quoted}')")
        for setting in (
            "TimeZone = 'UTC'", f"memory_limit = '{gigabytes:g}GB'", "temp_directory = ''",
            "enable_external_access = false", "python_enable_replacements = false", "lock_configuration = true",
        ):  # fmt: skip
            database.execute(f"SET {setting}")
        timer = Timer(seconds, database.interrupt)
        timer.start()
        try:
            return frame_of(database.sql(sql), at_most=int(gigabytes * 1e9))
        except duckdb.InterruptException:
            raise Unavailable(f"The query took longer than {seconds:g} s and was stopped") from None
        except duckdb.OutOfMemoryException:
            raise Unavailable(f"The query needs more than {gigabytes:g} GB: ask for fewer rows or columns") from None
        except duckdb.Error as error:
            raise not_understood(error, reader) from None
        finally:
            timer.cancel()


def not_understood(error: duckdb.Error, reader: MartReader) -> BadInput:
    """What DuckDB said, in a line. Raises NotFound with the closest name and NotAllowed where it was about a mart."""
    if unknown := _UNKNOWN.search(str(error)):
        reader.file(unknown[1].casefold())
    return BadInput(_in_one_line(error))


def _one_select(database: duckdb.DuckDBPyConnection, sql: str) -> None:
    try:
        statements = database.extract_statements(sql)
    except duckdb.Error as error:
        raise BadInput(_in_one_line(error)) from None
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise BadInput("The marts can be asked, and nothing else: write one SELECT")


def _in_one_line(error: duckdb.Error) -> str:
    return " ".join(str(error).split("\n\n")[0].split("LINE ")[0].split())
