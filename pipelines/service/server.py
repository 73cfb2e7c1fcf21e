"""The service on an address and port, until it is told to stop: what was accepted by then is durable."""

import signal
import sys

from pipelines.app.container import App
from pipelines.service.api import build

MOST_CONNECTIONS = 1_000
"""More are answered 503 at once."""
GRACE_SECONDS = 20
"""What is being answered is finished within that time."""
SWITCH_SECONDS = 0.001
"""For so long one thread may compute before another has a turn. Answers wait at each of their steps for what is taken
in beside them; Python's own 5 ms are made for throughput."""


def listen(app: App, *, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM, which are no errors; then what is being answered is finished."""
    import uvicorn

    sys.setswitchinterval(SWITCH_SECONDS)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn sends it on once it has stopped
    app.log.info("listening", address=f"http://{host}:{port}", openapi=f"http://{host}:{port}/openapi.json")
    uvicorn.run(
        build(app),
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # an address that a header claims is nobody's
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
