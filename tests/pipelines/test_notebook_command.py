"""`helmdesk notebook`: what it lists, that a reader's own changes stay, and where its notebooks run."""

import json
import os
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest
from jupyter_client.blocking import BlockingKernelClient
from typer.testing import CliRunner

from engine.shared.errors import Unavailable
from pipelines.app.settings import shipped_notebooks
from pipelines.cli import command_line
from pipelines.commands.notebook import check_installed, copied, notebooks
from tests.pipelines.test_dashboard_command import COMMAND, free_port

HAS_JUPYTERLAB = find_spec("jupyterlab") is not None


def test_it_lists_seven_by_their_titles() -> None:
    ran = CliRunner().invoke(command_line, ["notebook", "--list"])
    assert len(list(notebooks())) == 7
    assert all(title in ran.stdout for _, title in notebooks())


def test_what_a_reader_changed_stays(tmp_path: Path) -> None:
    assert len(copied(tmp_path)) == 14
    mine = tmp_path / "7_your_own_question.py"
    mine.write_text("mine", encoding="utf-8")
    (tmp_path / "5_is_the_model_honest.py").unlink()
    assert copied(tmp_path) == [tmp_path / "5_is_the_model_honest.py"]
    assert mine.read_text(encoding="utf-8") == "mine"


def test_shipped_ones_are_found_beside_the_packages() -> None:
    assert shipped_notebooks().is_dir()


@pytest.mark.skipif(HAS_JUPYTERLAB, reason="JupyterLab is installed here")
def test_without_jupyterlab_it_says_what_installs_it_and_copies_nothing(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="uv sync --extra notebook"):
        check_installed()
    run = CliRunner().invoke(command_line, ["--home", str(tmp_path / "home"), "notebook"])
    assert isinstance(run.exception, Unavailable)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.skipif(not HAS_JUPYTERLAB, reason="the extra `notebook` is not installed")
def test_it_asks_a_token_and_runs_notebooks_where_the_command_was_given(tmp_path: Path) -> None:
    here, runtime = tmp_path / "here", tmp_path / "runtime"
    here.mkdir()
    (here / ".env").write_text("HELMDESK_USER=somebody\n", encoding="utf-8")
    command = [COMMAND, "--home", tmp_path / "home", "notebook", "--no-browser", "--port", str(free_port())]
    environment = os.environ | {"JUPYTER_RUNTIME_DIR": str(runtime)}
    server = subprocess.Popen(command, cwd=here, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        about = json.loads(awaited(runtime, "jpserver-*.json").read_text(encoding="utf-8"))
        assert about["hostname"] == "127.0.0.1"
        assert httpx.get(f"{about['url']}api/contents").status_code == 403
        with httpx.Client(base_url=about["url"], headers={"Authorization": f"token {about['token']}"}) as api:
            assert len(api.get("api/contents").raise_for_status().json()["content"]) == 14
            asked = {"path": "7_your_own_question.ipynb", "name": "", "type": "notebook", "kernel": {"name": "python3"}}
            kernel = api.post("api/sessions", json=asked).raise_for_status().json()["kernel"]["id"]
            settings = "__import__('pipelines.app.settings').app.settings.read_settings()"
            assert evaluated(runtime / f"kernel-{kernel}.json", f"{settings}.user") == "'somebody'"
    finally:
        server.terminate()
        server.wait(timeout=60)


def awaited(folder: Path, pattern: str) -> Path:
    until = time.monotonic() + 120
    while not (found := list(folder.glob(pattern))) and time.monotonic() < until:
        time.sleep(0.2)
    return found[0]


def evaluated(connection: Path, expression: str) -> str:
    """What a running kernel answers."""
    client = BlockingKernelClient(connection_file=str(connection))
    client.load_connection_file()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        reply = client.execute("", user_expressions={"it": expression}, reply=True, timeout=60)
        return str(reply["content"]["user_expressions"]["it"]["data"]["text/plain"])
    finally:
        client.stop_channels()
