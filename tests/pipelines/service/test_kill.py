"""A service that is killed while others post has lost nothing of what it accepted."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from pipelines.jobs.receipts import take_in_all_receipts
from tests.pipelines.service.conftest import desk, keys_of


def free_port() -> int:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return int(place.getsockname()[1])


def started(home: Path, port: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pipelines.cli", "--home", str(home), "serve", "--port", str(port)]
    process = subprocess.Popen(command, env=os.environ | {"HELMDESK_EMBEDDER": "wordllama"}, stderr=subprocess.DEVNULL)
    for _ in range(600):
        try:
            if httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200:
                return process
        except httpx.HTTPError:
            time.sleep(0.1)
    process.kill()
    raise AssertionError("the service did not start within a minute")


@pytest.mark.slow
def test_every_acknowledged_ticket_survives_a_kill(tmp_path: Path) -> None:
    with desk(tmp_path) as app:
        key = keys_of(app)["webhook"]
    port, accepted, lock = free_port(), set[str](), threading.Lock()
    process = started(tmp_path, port)
    headers = {"Authorization": f"Bearer {key}", "X-Source-ID": "webhook"}

    def post(sender: int) -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30) as client:
            for number in range(100_000):
                name = f"K-{sender}-{number}"
                try:
                    answer = client.post("/webhooks/ticket", json={"ticket_id": name, "title": f"ticket {name}"})
                except httpx.HTTPError:
                    return
                with lock:
                    accepted.update({name} if answer.status_code == 202 else set())

    senders = [threading.Thread(target=post, args=(sender,)) for sender in range(8)]
    for sender in senders:
        sender.start()
    while len(accepted) < 150:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    for sender in senders:
        sender.join()

    with desk(tmp_path) as app:
        with app.store.engine.connect() as connection:
            bodies = connection.exec_driver_sql("SELECT body FROM receipts").scalars()
            assert accepted <= {json.loads(body)["ticket_id"] for body in bodies}
        take_in_all_receipts(app)
        known = {ticket.external_id for ticket in app.store.tickets()}
        assert accepted <= known
        assert app.receipts.counts() == {"ingested": len(known)}


@pytest.mark.slow
def test_one_that_is_told_to_stop_ends_well(tmp_path: Path) -> None:
    process = started(tmp_path, free_port())
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
