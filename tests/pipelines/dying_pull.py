"""A process that pulls and kills itself at its third page: before the page's cursor is written, or just after."""

import os
import signal
from pathlib import Path
from typing import Any

from pipelines.app.container import open_app
from pipelines.jobs import pull


def main(source: str, moment: str, home: Path, database_url: str) -> None:
    pull.PAGE = 2
    with open_app(home=home, database_url=database_url) as app:
        move, pages = app.pull_cursors.move, []

        def die(*words: Any, **named: Any) -> None:
            pages.append(1)
            if len(pages) == 3 and moment == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            move(*words, **named)
            if len(pages) == 3:
                os.kill(os.getpid(), signal.SIGKILL)

        app.pull_cursors.move = die  # type: ignore[method-assign]
        pull.pull(app, source)
