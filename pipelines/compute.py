"""The same function over partitions of a backlog: on this machine's threads, or on a Dask cluster by address."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import polars as pl

from engine.shared.errors import Unavailable

Part = TypeVar("Part")

ROWS_A_PART = 250_000
CONNECT_SECONDS = 10


def parts_for(rows: int) -> int:
    """How many partitions a backlog of so many tickets is worth; below ROWS_A_PART splitting only costs."""
    return max(1, -(-rows // ROWS_A_PART))


def partitioned(frame: pl.DataFrame, key: str, parts: int) -> list[pl.DataFrame]:
    """The frame cut by a hash of `key`, so that one ticket's rows stay together; the same cut for equal keys."""
    if parts == 1:
        return [frame]
    bucket = frame[key].hash(seed=0) % parts
    return [frame.filter(bucket == part) for part in range(parts)]


def over_partitions(
    work: Callable[[Part], pl.DataFrame], parts: Sequence[Part], *, dask_address: str = ""
) -> pl.DataFrame:
    """`work` done on every part, results below each other in the order of the parts.

    Raises Unavailable if the scheduler at `dask_address` does not answer or Dask is not installed.
    """
    if not dask_address:
        with ThreadPoolExecutor() as pool:
            return pl.concat(list(pool.map(work, parts)))
    try:
        from distributed import Client
    except ImportError:
        raise Unavailable(
            "HELMDESK_DASK_ADDRESS is set, but Dask is not installed: pip install 'helmdesk[dask]'"
        ) from None
    try:
        client = Client(dask_address, timeout=CONNECT_SECONDS, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise Unavailable(
            f"no Dask scheduler at {dask_address} ({error}); unset HELMDESK_DASK_ADDRESS for threads"
        ) from None
    with client:
        done: list[pl.DataFrame] = client.gather(client.map(work, parts, pure=False))  # type: ignore[no-untyped-call]
        return pl.concat(done)
