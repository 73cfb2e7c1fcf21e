"""How many payloads a second does the service accept durably, how long does one wait, how long takes a decision?

`uv run python -m benchmarks.service` starts a real server process on 127.0.0.1 with SQLite and posts to it from this
one. It prints figures with their conditions: cores, load, and the CPU of the server, which other work does not change.
"""

import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import httpx

from engine.contracts import AssignmentGroup, Delivery, Location, StandardTicket
from pipelines.app import identity
from pipelines.app.container import App, open_app

GROUPS, DECISIONS = 500, 200
SECONDS, CONNECTIONS, RATE = 10.0, 32, 300
SKILLS = ("network", "email", "vpn", "payments", "login")


class Posts(NamedTuple):
    """What came of posting: answers by status, seconds each took, seconds in all."""

    statuses: list[int]
    seconds: list[float]
    wall: float

    def line(self, name: str, cpu: float) -> str:
        accepted = self.statuses.count(202)
        p50, p99 = quantile(self.seconds, 50), quantile(self.seconds, 99)
        return (
            f"{name}: {accepted / self.wall:,.0f} accepted/s ({accepted:,} of {len(self.statuses):,}), "
            f"p50 {p50 * 1e3:.0f} ms, p99 {p99 * 1e3:.0f} ms, server CPU {cpu / max(1, accepted) * 1e3:.2f} ms each"
        )


def quantile(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def request(key: str, port: int, number: str) -> bytes:
    body = json.dumps(
        {"ticket_id": number, "title": "VPN drops every hour", "description": "Since Monday. " * 20}
    ).encode()
    head = (
        f"POST /api/v1/webhooks/ticket HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {key}\r\n"
        f"X-Source-ID: webhook\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Line:
    """A connection that stays open."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def post(self, content: bytes) -> tuple[int, float]:
        if not hasattr(self, "reader"):
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        began = time.perf_counter()
        self.writer.write(content)
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await self.reader.readexactly(int(length.partition(b":")[2]))
        return int(head[9:12]), time.perf_counter() - began


async def as_fast_as_it_goes(port: int, key: str) -> Posts:
    """Each connection posts again as soon as it has its answer."""
    answers: list[tuple[int, float]] = []
    began = time.perf_counter()

    async def sender(name: int) -> None:
        line, number = Line(port), 0
        while time.perf_counter() - began < SECONDS:
            number += 1
            answers.append(await line.post(request(key, port, f"F-{name}-{number}")))

    await asyncio.gather(*(sender(name) for name in range(CONNECTIONS)))
    return Posts([status for status, _ in answers], [taken for _, taken in answers], time.perf_counter() - began)


async def at_a_rate(port: int, key: str) -> Posts:
    """So many a second, whether earlier ones are answered or not; a wait for a free connection counts."""
    free: asyncio.Queue[Line] = asyncio.Queue()
    for _ in range(CONNECTIONS * 4):
        free.put_nowait(Line(port))

    async def one(number: int) -> tuple[int, float]:
        began = time.perf_counter()
        line = await free.get()
        status, _ = await line.post(request(key, port, f"R-{number}"))
        free.put_nowait(line)
        return status, time.perf_counter() - began

    began, tasks = time.perf_counter(), []
    for number in range(int(RATE * SECONDS)):
        await asyncio.sleep(max(0.0, began + number / RATE - time.perf_counter()))
        tasks.append(asyncio.create_task(one(number)))
    answers = await asyncio.gather(*tasks)
    return Posts([status for status, _ in answers], [taken for _, taken in answers], time.perf_counter() - began)


def cpu_of(process: int) -> float:
    """Seconds of CPU that it has used."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def fill(app: App) -> tuple[str, str]:
    """500 groups and the tickets to decide for; returns the keys of a source and of the handler."""
    app.store.put([
        AssignmentGroup(
            group_id=f"grp-{number:03}", name=f"Group {number}", max_bandwidth=40, current_load=number % 40,
            capabilities=(SKILLS[number % 5], SKILLS[(number + 2) % 5]), languages=("en", "de"),
            location=Location(lat=number % 180 - 90.0, lng=number % 360 - 180.0, timezone="Europe/Berlin"),
        )
        for number in range(GROUPS)
    ])  # fmt: skip
    tickets = [
        StandardTicket(ticket_id=f"D-{n}", source="webhook", title="x", created_at=app.now() - timedelta(hours=1))
        for n in range(DECISIONS)
    ]
    app.store.ingest(Delivery(tickets=tuple(tickets)), at=app.now())
    admin = identity.local_user(app, None)
    source, handler = (identity.create_key(app, by=admin, source=name) for name in ("webhook", "outbox"))
    return source, handler


def decisions(port: int, key: str) -> list[float]:
    """Seconds of each decision for one ticket, one after the other."""
    seconds = []
    headers = {"Authorization": f"Bearer {key}", "X-Handler-ID": "outbox"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as client:
        for number in range(DECISIONS):
            began = time.perf_counter()
            answer = client.post("/handlers/allocate", json={"ticket": f"webhook:D-{number}"})
            seconds.append(time.perf_counter() - began)
            assert answer.status_code == 200, answer.text
    return seconds


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, open_app(home=Path(folder), embedder="wordllama") as app:
        source, handler = fill(app)
        with socket.socket() as place:
            place.bind(("127.0.0.1", 0))
            port = place.getsockname()[1]
        environment = os.environ | {
            "HELMDESK_EMBEDDER": "wordllama", "HELMDESK_SERVICE_WEBHOOKS_PER_SECOND": "100000",
        }  # fmt: skip
        command = [sys.executable, "-m", "pipelines.cli", "--home", folder, "serve", "--port", str(port)]
        server = subprocess.Popen(command, env=environment)
        try:
            while True:
                try:
                    httpx.get(f"http://127.0.0.1:{port}/health").raise_for_status()
                    break
                except httpx.HTTPError:
                    time.sleep(0.2)
            print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start")
            before = cpu_of(server.pid)
            found = decisions(port, handler)
            cpu = (cpu_of(server.pid) - before) / DECISIONS
            print(f"decisions for one ticket of {GROUPS} groups: p50 {quantile(found, 50) * 1e3:.0f} ms, "
                  f"p99 {quantile(found, 99) * 1e3:.0f} ms, server CPU {cpu * 1e3:.0f} ms each")  # fmt: skip
            for name, way in (
                (f"{RATE}/s for {SECONDS:.0f} s", at_a_rate),
                (f"{CONNECTIONS} senders", as_fast_as_it_goes),
            ):
                before = cpu_of(server.pid)
                posts = asyncio.run(way(port, source))
                print(posts.line(name, cpu_of(server.pid) - before))
            began = time.perf_counter()
            while app.receipts.counts().get("waiting"):
                time.sleep(0.2)
            print(f"all taken in {time.perf_counter() - began:.1f} s later: {app.receipts.counts()}")
            print(f"load {os.getloadavg()[0]:.1f} at the end")
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
