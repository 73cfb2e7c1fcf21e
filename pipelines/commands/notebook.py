"""`helmdesk notebook`: the shipped notebooks in JupyterLab, as copies of the reader's own."""

import os
import shutil
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from engine.shared.errors import Unavailable, translate_file_errors
from pipelines.app.settings import shipped_notebooks


def notebooks() -> Iterator[tuple[str, str]]:
    """The shipped notebooks: name, and the title that its first line has."""
    for file in sorted(shipped_notebooks().glob("*.py")):
        heads = (line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("# # "))
        yield file.stem, next(heads, file.stem).removeprefix("# # ")


def copied(folder: Path) -> list[Path]:
    """Copies of those that are not there yet, and only of them: what the reader changed stays. Raises BadInput or
    Unavailable for a folder that can't be written."""
    new = []
    with translate_file_errors(f"{folder} can't be written", is_written=True):
        folder.mkdir(parents=True, exist_ok=True)
        for name, _ in notebooks():
            for file in (shipped_notebooks() / f"{name}.py", shipped_notebooks() / f"{name}.ipynb"):
                if not (folder / file.name).exists():
                    shutil.copyfile(file, folder / file.name)
                    new.append(folder / file.name)
    return new


def check_installed() -> None:
    """Raises Unavailable without the extra."""
    if missing := [name for name in ("jupyterlab", "jupytext") if find_spec(name) is None]:
        raise Unavailable(
            f"{missing[0]} is not installed: `uv sync --extra notebook` (or pip install helmdesk[notebook])"
        )


def serve(home: Path, folder: Path, *, port: int, opens_browser: bool) -> None:
    """Become JupyterLab on this machine alone, with a token in its address; returns never. Notebooks run in the folder
    that the command was given in: its `.env` and relative paths mean there what they mean here."""
    command = [
        sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder}", "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}", "--ServerApp.contents_manager_class=jupytext.TextFileContentsManager",
        f"--MappingKernelManager.root_dir={Path.cwd()}", *(() if opens_browser else ("--no-browser",)),
    ]  # fmt: skip
    environment = {**os.environ, "HELMDESK_HOME": str(home.resolve())}
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    os.execve(sys.executable, command, environment)
