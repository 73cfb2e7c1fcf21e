"""Two at once: one works, the other hears at once who does; a lock ends with the process that held it."""

from contextlib import AbstractContextManager
from multiprocessing.process import BaseProcess
from threading import Thread

import pytest

from engine.shared.errors import Busy
from engine.storage.connect import engine_for
from engine.storage.lock import store_lock
from tests.processes import holding

pytestmark = pytest.mark.usefixtures("sql_only")


def hold(url: str, name: str) -> AbstractContextManager[None]:
    return store_lock(engine_for(url), name, holder="cycle since noon, process 7 on desk-1")


def another_process(url: str, name: str) -> AbstractContextManager[BaseProcess]:
    """A process that holds the lock until the block ends."""
    return holding(hold, url, name)


def try_to_hold(url: str, name: str = "triage") -> str:
    """What the one who is refused hears; empty if the lock was free."""
    engine = engine_for(url)
    try:
        with store_lock(engine, name, holder="me"):
            return ""
    except Busy as busy:
        return str(busy)
    finally:
        engine.dispose()


def test_second_process_hears_who_holds_it(url: str) -> None:
    with another_process(url, "triage"):
        assert "triage lock of this store is held by cycle since noon, process 7 on desk-1" in try_to_hold(url)


def test_killed_holder_frees_the_lock(url: str) -> None:
    with another_process(url, "triage") as process:
        assert try_to_hold(url)
        process.kill()
        process.join()
        for _ in range(200):  # PostgreSQL sees a closed session a moment later
            if not (refusal := try_to_hold(url)):
                break
        assert refusal == ""


def test_ended_block_frees_the_lock(url: str) -> None:
    assert [try_to_hold(url) for _ in range(3)] == [""] * 3


def test_another_name_is_free(url: str) -> None:
    with another_process(url, "triage"):
        assert try_to_hold(url, "publish") == ""


def test_stage_within_a_cycle_is_not_refused(url: str) -> None:
    engine = engine_for(url)
    with store_lock(engine, "triage", holder="cycle"):
        with store_lock(engine, "triage", holder="triage"):
            pass
        heard: list[str] = []
        other = Thread(target=lambda: heard.append(try_to_hold(url)))
        other.start()
        other.join()
        assert "held by cycle" in heard[0]
    assert try_to_hold(url) == ""
    engine.dispose()
