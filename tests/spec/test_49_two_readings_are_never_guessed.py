"""Opened 03/04/2025 and no day above 12 in the file: `inspect --yes` writes no mapping and exits 2."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.shared.errors import BadInput
from pipelines.cli import command_line

HEAD = "Ticket,Subject,Opened,State\n"


@pytest.mark.parametrize(("last", "is_settled"), [("12/04/2025 16:30", False), ("13/04/2025 16:30", True)])
def test_one_date_that_fits_a_single_way_settles_the_column(tmp_path: Path, last: str, is_settled: bool) -> None:
    file, mapping = tmp_path / "export.csv", tmp_path / "own.yaml"
    rows = f"T-1,Cannot print,03/04/2025 09:15,Open\nT-2,VPN drops,05/04/2025 14:02,Closed\nT-3,Laptop,{last},Open\n"
    file.write_text(HEAD + rows)
    words = ["--home", str(tmp_path), "inspect", str(file), "--mapping", str(mapping), "--yes"]
    found = CliRunner().invoke(command_line, words)
    assert (found.exit_code == 0, mapping.exists()) == (is_settled, is_settled)
    assert is_settled or isinstance(found.exception, BadInput)
