"""A line that Bo wrote into his copy stands there after the next opening, beside the others' copies."""

from pathlib import Path

from pipelines.commands.notebook import copied


def test_a_copy_is_never_written_over(tmp_path: Path) -> None:
    mine, *others = copied(tmp_path)
    mine.write_text("Bo's line", encoding="utf-8")
    others[0].unlink()
    assert copied(tmp_path) == [others[0]]
    assert mine.read_text(encoding="utf-8") == "Bo's line"
