"""What DuckDB answers, as a frame that loses nothing of it."""

from collections.abc import Iterator, Sequence
from itertools import count

import duckdb
import polars as pl
import pyarrow as pa

from engine.shared.errors import BadInput, Unavailable

ROWS_AT_ONCE = 100_000


def frame_of(relation: duckdb.DuckDBPyRelation, *, at_most: int | None = None) -> pl.DataFrame:
    """Whole numbers of any width are Int64, other decimals Float64, instants in UTC; intervals are text (`epoch(x)`
    asks for their seconds); of columns that have one name, the later ones have a number.

    Raises Unavailable for more than `at_most` bytes, BadInput for a column that no frame can have.
    """
    names = _different(relation.columns)
    texts = ["INTERVAL" in str(kind) for kind in relation.types]
    if any(texts) or names != relation.columns:
        columns = [f"CAST(#{at} AS VARCHAR)" if text else f"#{at}" for at, text in enumerate(texts, 1)]
        quoted = (name.replace('"', '""') for name in names)
        relation = relation.project(", ".join(f'{one} AS "{name}"' for one, name in zip(columns, quoted, strict=True)))
    batches = relation.to_arrow_reader(ROWS_AT_ONCE)
    try:
        frame = pl.DataFrame(pa.Table.from_batches(_up_to(at_most, batches), batches.schema))
        kinds = {name: kind for name, kind in frame.schema.items() if isinstance(kind, pl.Decimal)}
        numbers = [pl.col(name).cast(pl.Float64 if kind.scale else pl.Int64) for name, kind in kinds.items()]
        return frame.with_columns(*numbers, pl.col(pl.Datetime("us", "Etc/UTC")).dt.convert_time_zone("UTC"))
    except pl.exceptions.PolarsError as error:
        raise BadInput(f"A column of the answer has a type that can't be shown ({str(error).splitlines()[0]}): "
                       "CAST it AS VARCHAR") from None  # fmt: skip


def _up_to(limit: int | None, batches: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    size = 0
    for batch in batches:
        size += batch.nbytes
        if limit is not None and size > limit:
            raise Unavailable(f"The answer is larger than {limit / 1e9:g} GB: ask for fewer rows or columns")
        yield batch


def _different(names: Sequence[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        numbered = (f"{name}_{number}" for number in count(1))
        found.append(name if name not in found else next(one for one in numbered if one not in {*found, *names}))
    return found
