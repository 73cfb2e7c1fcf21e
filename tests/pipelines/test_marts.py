"""A publication is seen whole or not at all."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from engine.shared.errors import NotFound, Unavailable
from pipelines import marts
from pipelines.marts.registry import MARTS

AS_OF = datetime(2026, 9, 30, 8, tzinfo=UTC)


def frames(**filled: pl.DataFrame) -> dict[str, pl.DataFrame]:
    return {name: filled.get(name, pl.DataFrame(schema=mart.schema)) for name, mart in MARTS.items()}


def volume(created: int) -> pl.DataFrame:
    row = {"day": [AS_OF.date()], "created": [created], "resolved": [0], "open_at_end": [created]} | {
        "reopened": [0],
        "left_out": [0],
    }
    return pl.DataFrame(row, schema=MARTS["volume"].schema)


def published(folder: Path, created: int, minutes: int = 0) -> marts.Publication:
    at = AS_OF + timedelta(minutes=minutes)
    return marts.publish(frames(volume=volume(created)), folder, as_of=AS_OF, at=at)


def test_nothing_published_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="helmdesk cycle"):
        marts.current(tmp_path)


def test_reader_sees_what_was_published(tmp_path: Path) -> None:
    published(tmp_path, created=3)
    with marts.MartReader(tmp_path) as reader:
        assert reader.publication.as_of == AS_OF
        assert reader.publication.rows["volume"] == 1
        assert reader.query("SELECT sum(created) AS n FROM volume").item() == 3


def test_open_reader_keeps_its_publication(tmp_path: Path) -> None:
    published(tmp_path, created=3)
    with marts.MartReader(tmp_path) as reader:
        published(tmp_path, created=5, minutes=1)
        assert reader.query("SELECT created FROM volume").item() == 3
    with marts.MartReader(tmp_path) as later:
        assert later.query("SELECT created FROM volume").item() == 5


def test_half_written_publication_is_not_in_force(tmp_path: Path) -> None:
    published(tmp_path, created=3)
    broken = frames(volume=volume(9)) | {"alerts": pl.DataFrame({"ticket": ["x"]})}
    with pytest.raises(pl.exceptions.ColumnNotFoundError):
        marts.publish(broken, tmp_path, as_of=AS_OF, at=AS_OF + timedelta(minutes=2))
    with marts.MartReader(tmp_path) as reader:
        assert reader.query("SELECT created FROM volume").item() == 3


def test_wrong_column_type_is_refused(tmp_path: Path) -> None:
    wrong = frames(volume=volume(1).with_columns(pl.col("created").cast(pl.Float64)))
    with pytest.raises(ValueError, match="volume: columns differ"):
        marts.publish(wrong, tmp_path, as_of=AS_OF, at=AS_OF)


def test_only_two_publications_are_kept(tmp_path: Path) -> None:
    for minute in range(4):
        published(tmp_path, created=minute, minutes=minute)
    assert len([path for path in tmp_path.iterdir() if path.is_dir() and not path.is_symlink()]) == 2
    assert json.loads((tmp_path / "current.json").read_text())["rows"]["volume"] == 1


def test_instants_come_back_in_utc(tmp_path: Path) -> None:
    published(tmp_path, created=1)
    with marts.MartReader(tmp_path) as reader:
        answer = reader.query("SELECT TIMESTAMPTZ '2026-09-30 08:00:00+02' AS at")
    assert answer.schema["at"] == pl.Datetime("us", "UTC")
    assert answer.item() == datetime(2026, 9, 30, 6, tzinfo=UTC)


@pytest.mark.parametrize("content", ["{bad", "", "[]", "{}", '{"as_of": "x"}'])
def test_damaged_pointer_says_what_to_run(content: str, tmp_path: Path) -> None:
    published(tmp_path, created=1)
    (tmp_path / "current.json").write_text(content, encoding="utf-8")
    with pytest.raises(NotFound, match="helmdesk publish"):
        marts.MartReader(tmp_path)


@pytest.mark.parametrize("content", ["{bad", "[]", '{"as_of": 7}', '{"as_of": "2026-01-30T08:00:00"}'])
def test_damaged_pointer_is_written_anew(content: str, tmp_path: Path) -> None:
    (tmp_path / "current.json").write_text(content, encoding="utf-8")
    published(tmp_path, created=1)
    assert marts.current(tmp_path).as_of == AS_OF


def test_latest_instant_outlives_looks_back_and_ahead(tmp_path: Path) -> None:
    days, at = timedelta(days=1), AS_OF + timedelta(days=1)
    for as_of in (AS_OF + 9 * days, AS_OF, AS_OF - days):
        marts.publish(frames(), tmp_path, as_of=as_of, at=at)
    assert marts.latest_as_of(tmp_path) == AS_OF


def test_missing_table_is_named(tmp_path: Path) -> None:
    (published(tmp_path, created=1).folder / "alerts.parquet").unlink()
    with pytest.raises(NotFound, match=r"alerts\.parquet"):
        marts.MartReader(tmp_path)


def test_damaged_table_says_what_to_run(tmp_path: Path) -> None:
    (published(tmp_path, created=1).folder / "confidence.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(Unavailable, match=r"confidence\.parquet is damaged: run `helmdesk publish`"):
        marts.MartReader(tmp_path)
