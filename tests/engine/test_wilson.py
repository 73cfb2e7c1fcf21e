"""One interval for numbers and frames, and none where nothing was tried."""

import polars as pl
import pytest

from engine.shared.wilson import wilson, with_share


@pytest.mark.parametrize(("hits", "trials"), [(0, 1), (1, 1), (0, 30), (30, 30), (17, 30), (9990, 10_000)])
def test_frames_and_numbers_have_one_interval(hits: int, trials: int) -> None:
    counted = pl.DataFrame({"k": [hits], "n": [trials]})
    row = with_share(counted, "share", pl.col("k"), pl.col("n")).row(0, named=True)
    assert (row["low"], row["high"]) == pytest.approx(wilson(hits, trials), abs=1e-15)
    assert 0 <= row["low"] <= row["share"] <= row["high"] <= 1


def test_no_trials_have_no_share() -> None:
    counted = pl.DataFrame({"k": [0], "n": [0]})
    assert with_share(counted, "share", pl.col("k"), pl.col("n")).row(0) == (0, 0, None, None, None)
