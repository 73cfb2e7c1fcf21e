"""`helmdesk dashboard` is the one process that holds the port, and says when it can't have it."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.shared.errors import BadInput
from pipelines.commands.serving import check_free

COMMAND = Path(sys.executable).parent / "helmdesk"


def answers(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])


def test_a_taken_port_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        command = [COMMAND, "--home", tmp_path, "dashboard", "--port", str(port)]
        run = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert (run.returncode, run.stderr) == (2, f"helmdesk: port {port} is taken; choose another with --port\n")


def test_a_free_port_is_fine() -> None:
    check_free("localhost", free_port())


@pytest.mark.parametrize("address", ["nowhere.invalid", "203.0.113.7"])
def test_an_address_of_another_machine_is_named(address: str) -> None:
    with pytest.raises(BadInput, match=f"can't listen on {address}"):
        check_free(address, 8501)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="elsewhere Streamlit is a process of its own")
def test_ending_the_dashboard_frees_its_port(tmp_path: Path) -> None:
    port = free_port()
    command = [COMMAND, "--home", tmp_path, "dashboard", "--port", str(port)]
    environment = os.environ | {"STREAMLIT_SERVER_HEADLESS": "true"}
    served = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 120
        while not answers(port) and time.monotonic() < until:
            time.sleep(0.2)
        assert answers(port)
        served.send_signal(signal.SIGTERM)
        served.wait(timeout=60)
        assert not answers(port)
    finally:
        served.kill()
