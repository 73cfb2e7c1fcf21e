"""A real Milvus server, that of the wheel `milvus`, for the tests of a session.

The server listens on every address it finds, so it gets a network of its own, in which there is loopback alone; what
it answers is passed on to a port of 127.0.0.1. It ends when nobody holds a connection to it any more, also if whoever
held one was killed.
"""

import asyncio
import ctypes
import fcntl
import importlib.util
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from filelock import FileLock

TOKEN = "root:Milvus"
"""Of the user whom every server knows."""
NAMED = os.environ.get("HELMDESK_TEST_MILVUS_URI", "")
"""Another server to run the tests against, a newer one for instance."""
PATIENCE = 120.0
UNPACKED = Path(sys.prefix) / "milvus-server"
"""Half a gigabyte that the wheel has packed, kept beside it for the next session."""
QUICK = {
    "common.session.ttl": 3,  # seconds until one that was killed is waited for no more
    "proxy.timeTickInterval": 50,  # milliseconds, here and below, until what was written can be read
    "queryCoord.checkInterval": 200,
    "queryCoord.distPullInterval": 200,
    "log.level": "warn",
    "etcd.log.level": "warn",
}
"""Tests wait for less than a desk does."""
_NEW_NETWORK, _NEW_USERS = 0x40000000, 0x10000000
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 0x1


class Held(NamedTuple):
    """A running server, as long as the connection is open."""

    uri: str
    connection: socket.socket

    def order(self, what: str) -> None:
        """`kill` it at once, or `start` it again with what it had; it is done when this returns."""
        self.connection.sendall(what.encode() + b"\n")
        assert self.connection.recv(16) == b"done\n"


@pytest.fixture(scope="session")
def milvus_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that asks for TOKEN, one for all workers of the session."""
    if NAMED:
        yield NAMED
        return
    own = tmp_path_factory.getbasetemp()
    with hold_server(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own, "asking") as server:
        yield server.uri


@pytest.fixture
def mortal_server(tmp_path: Path) -> Iterator[Held]:
    """A server of one test, that asks for no token."""
    with hold_server(tmp_path, "open") as server:
        yield server


@contextmanager
def hold_server(shared: Path, kind: str) -> Iterator[Held]:
    """The server of that kind that the folder knows; one is started if it knows none that runs. Skips where it can't
    be, but fails in CI."""
    with FileLock(shared / f"milvus-{kind}.lock"):
        address = shared / f"milvus-{kind}.address"
        server = _join(address) or _start(address, kind)
    with server.connection:
        yield server


def _join(address: Path) -> Held | None:
    try:
        uri, door = address.read_text().split("\n")
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(PATIENCE)
        connection.connect(door)
    except OSError:
        return None
    return Held(uri, connection)


def _start(address: Path, kind: str) -> Held:
    if importlib.util.find_spec("milvus") is None:
        _refused("the wheel milvus, which is for Linux on x86-64 alone, is not installed")
    command = [sys.executable, "-m", "tests.triage.milvus_server", str(address), kind]
    starting = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert starting.stdout is not None
    if (said := starting.stdout.readline()) != "ready\n":
        _refused(f"Milvus did not start: {said.strip()}")
    server = _join(address)
    assert server is not None
    return server


def _refused(why: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


def main(address: Path, kind: str) -> None:
    outside = socket.create_server(("127.0.0.1", 0))
    folder = Path(tempfile.mkdtemp(prefix="milvus-"))
    try:
        _leave_the_network()
        asyncio.run(_serve(outside, folder, address, kind))
    except (OSError, RuntimeError, TimeoutError) as error:
        print(f"{type(error).__name__}: {error}", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _leave_the_network() -> None:
    """This process, and what it starts, from now on; sockets that are open stay where they are. A container of CI that
    may not do so has a network of its own already."""
    flags = _NEW_NETWORK if os.geteuid() == 0 else _NEW_NETWORK | _NEW_USERS
    if ctypes.CDLL(None, use_errno=True).unshare(flags) != 0:
        if os.environ.get("CI"):
            return
        raise OSError(ctypes.get_errno(), "a network of its own, for it would listen on every address, is not allowed")
    with socket.socket() as any_socket:
        request = struct.pack("16sh", b"lo", 0).ljust(40, b"\0")
        held = fcntl.ioctl(any_socket, _GET_FLAGS, request)
        is_up = struct.unpack("16sh", held[:18])[1] | _UP
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh", b"lo", is_up).ljust(40, b"\0"))


def _server(folder: Path, *, asks_for_token: bool) -> Any:
    from milvus import MilvusServer, MilvusServerConfig, _initialize_data_files

    with FileLock(f"{UNPACKED}.lock"):
        _initialize_data_files(str(UNPACKED))
    (folder / "bin").symlink_to(UNPACKED / "bin")
    server = MilvusServer(MilvusServerConfig(data_dir=str(folder)))
    server.config.set("authorization_enabled", asks_for_token)
    for setting, value in QUICK.items():
        server.config.set(setting, value)
    for part in ("rootCoord", "proxy", "queryCoord", "queryNode", "indexNode", "dataCoord", "dataNode"):
        server.config.set(f"{part}.ip", "127.0.0.1")
    return server


async def _serve(outside: socket.socket, folder: Path, address: Path, kind: str) -> None:
    server = _server(folder, asks_for_token=kind == "asking")
    server.start()
    try:
        held, nobody = set[object](), asyncio.Event()

        async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(OSError, asyncio.CancelledError):
                inside = await asyncio.open_connection("127.0.0.1", server.listen_port)
                await asyncio.gather(_copy(reader, inside[1]), _copy(inside[0], writer))
            writer.close()

        async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            held.add(writer)
            with suppress(OSError, asyncio.CancelledError):
                while order := await reader.readline():
                    if order == b"kill\n":
                        server.server_proc.send_signal(signal.SIGKILL)
                        server.server_proc.wait()
                    else:
                        await asyncio.to_thread(server.start)
                    writer.write(b"done\n")
            held.discard(writer)
            writer.close()
            if not held:
                nobody.set()

        await asyncio.start_server(pass_on, sock=outside)
        await asyncio.start_unix_server(hold, folder / "door")
        address.write_text(f"http://127.0.0.1:{outside.getsockname()[1]}\n{folder / 'door'}")
        print("ready", flush=True)
        await nobody.wait()
    finally:
        server.stop()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()
    writer.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
