"""A full disk and damaged files are told in one line; nothing half written is in force."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from engine.shared.errors import Unavailable, translate_file_errors
from pipelines import marts
from pipelines.marts.registry import MARTS
from tests.pipelines.small_desk import fill_inbox
from tests.pipelines.test_marts import AS_OF, frames, published, volume
from triage.contracts import Article
from triage.embed import WordLlama
from triage.knowledge.milvus import MilvusIndex

SCHEMA = MARTS["volume"].schema


def test_a_full_disk_leaves_the_publication_before_in_force(small_disk: Path) -> None:
    published(small_disk, created=3)
    before = sorted(small_disk.iterdir())
    filler = small_disk / "filler"
    with pytest.raises(OSError, match="No space left"):
        filler.write_bytes(bytes(6_000_000))
    with pytest.raises(Unavailable, match=r"can't be published: No space left on device.*; make room on the disk"):
        published(small_disk, created=9, minutes=1)
    assert sorted(small_disk.iterdir()) == sorted([*before, filler])
    with marts.MartReader(small_disk) as reader:
        assert reader.query("SELECT created FROM volume").item() == 3
    filler.unlink()
    assert published(small_disk, created=9, minutes=1).rows["volume"] == 1


def test_a_table_whose_footer_finds_no_room_is_told_as_a_full_disk(small_disk: Path) -> None:
    """Wherever in a table the room ends, page by page; in its footer Polars says `transport error`."""
    filler, target, said = small_disk / "filler", small_disk / "wide.parquet", dict[str, str]()
    wide = pl.DataFrame({f"column {n}": list(range(20)) for n in range(60)})
    with pytest.raises(OSError, match="No space left"):
        filler.write_bytes(bytes(6_000_000))
    for held in range(filler.stat().st_size, 0, -4096):
        target.unlink(missing_ok=True)
        os.truncate(filler, held)
        try:
            with translate_file_errors("it can't be written", is_written=True):
                wide.write_parquet(target)
            break
        except Unavailable as error:
            said[str(error.__cause__).rpartition(": ")[2]] = str(error)
    assert "transport error" in said
    assert set(said.values()) == {
        "it can't be written: No space left on device; make room on the disk and run it again"
    }


def test_a_command_on_a_full_disk_ends_with_one_line(tmp_path: Path) -> None:
    fill_inbox(tmp_path / "home", tickets=20)
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY));"
        "from pipelines.cli import main; main()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, "--home", str(tmp_path / "home"), "ingest"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 5, ran.stderr
    assert ran.stderr.count("\n") == 1
    assert "make room on the disk" in ran.stderr


@pytest.mark.parametrize("place", [0.0, 0.2, 0.5, 0.9])
def test_a_table_damaged_under_a_reader_is_said_to_be_damaged(tmp_path: Path, place: float) -> None:
    many = volume(1).select(SCHEMA.names())
    file = marts.publish(frames(volume=many), tmp_path, as_of=AS_OF, at=AS_OF).folder / "volume.parquet"
    with marts.MartReader(tmp_path) as reader:
        content = bytearray(file.read_bytes())
        start = int(len(content) * place)
        content[start : start + 400] = b"\x07" * 400
        file.write_bytes(content)
        with pytest.raises(Unavailable, match=r"is damaged: run `helmdesk publish`"):
            reader.frame("volume")
        with pytest.raises(Unavailable, match=r"is damaged: run `helmdesk publish`"):
            reader.query("SELECT * FROM volume")


def test_a_bug_in_a_query_stays_loud(tmp_path: Path) -> None:
    published(tmp_path, created=3)
    with marts.MartReader(tmp_path) as reader, pytest.raises(Exception, match="no_such"):
        reader.query("SELECT no_such FROM volume")


def test_a_bug_with_files_stays_loud(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), translate_file_errors("x"):
        (tmp_path / "none").read_bytes()


MANIFEST = "collections/knowledge/manifest.json"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("index") / "k.db"
    made = MilvusIndex(str(folder), WordLlama())
    made.sync([Article(id=f"a{n}", title="VPN", url="", text=f"The VPN drops {n}.") for n in range(3)])
    made.close()
    return folder


@pytest.mark.parametrize("content", [None, b"", b"{}", b'{"garbage', b"\xff"])
def test_a_damaged_manifest_is_told_and_not_taken_for_an_empty_index(
    index: Path, tmp_path: Path, content: bytes | None
) -> None:
    mine = Path(shutil.copytree(index, tmp_path / "k.db"))
    opened = MilvusIndex(str(mine), WordLlama())
    assert len(opened.held()) == 3
    opened.close()
    (mine / MANIFEST).unlink()
    if content is not None:
        (mine / MANIFEST).write_bytes(content)
    with pytest.raises(Unavailable, match=r"is damaged.*delete it and run `helmdesk knowledge sync`"):
        MilvusIndex(str(mine), WordLlama())
    shutil.rmtree(mine)
    anew = MilvusIndex(str(mine), WordLlama())
    assert anew.held() == []
    anew.close()


def test_articles_that_a_manifest_names_and_that_are_gone_are_told(index: Path, tmp_path: Path) -> None:
    mine = Path(shutil.copytree(index, tmp_path / "k.db"))
    for file in mine.glob("collections/knowledge/partitions/*/data/*"):
        file.unlink()
    with pytest.raises(Unavailable, match="is damaged"):
        MilvusIndex(str(mine), WordLlama())
