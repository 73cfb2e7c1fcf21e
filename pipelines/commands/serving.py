"""`helmdesk dashboard`: the pages, served by this very process, so that ending it frees the port."""

import os
import socket
import sys
from errno import EADDRINUSE
from pathlib import Path

import typer

from engine.shared.errors import BadInput
from pipelines.commands.terminal import start_demo_time

PEER_ITSELF = {"FORWARDED_ALLOW_IPS": "none"}
"""By default the server believes a proxy on this machine about who called it, and a page could not tell the two."""


def serve(home: Path, *, address: str, port: int) -> None:
    """Become Streamlit; returns never. Raises BadInput for an address or port that can't be listened on."""
    from pipelines.app.container import open_app

    check_free(address, port)
    with open_app(home=home) as app:
        start_demo_time(app)
    page = Path(__file__).resolve().parents[2] / "dashboards" / "app.py"
    command = [sys.executable, "-m", "streamlit", "run", str(page)]
    options = ["--server.port", str(port), "--server.address", address, "--browser.gatherUsageStats", "false"]
    environment = {**os.environ, **PEER_ITSELF, "HELMDESK_HOME": str(home.resolve())}
    if os.name == "posix":
        os.execve(sys.executable, [*command, *options], environment)
    import subprocess

    raise typer.Exit(subprocess.run([*command, *options], env=environment, check=False).returncode)


def check_free(address: str, port: int) -> None:
    """Raises BadInput that says what to do."""
    try:
        family, *_, place = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            if os.name == "posix":  # a connection that was just closed takes no port
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
            probe.listen()
    except (OSError, UnicodeError) as error:
        if isinstance(error, OSError) and error.errno == EADDRINUSE:
            raise BadInput(f"port {port} is taken; choose another with --port") from None
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise BadInput(
            f"can't listen on {address}, port {port}: {reason}; choose others with --address, --port"
        ) from None
