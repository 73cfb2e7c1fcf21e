"""One connection to Milvus, a file of one process or a server, and its errors in our words."""

import json
import logging
import re
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from engine.shared.errors import BadInput, Unavailable

T = TypeVar("T")

ANSWER_SECONDS: Final = 20.0
"""How long a server may take for one answer, with the retries in it: a restart is waited for, a dead one is told."""
FIRST_WITH_BM25: Final = (2, 5)
"""The first server that finds by words itself."""
_ANEW: Final = "delete it and run `helmdesk knowledge sync`"
_PATIENT: Final = {"grpc.keepalive_permit_without_calls": False}
"""The client's default pings an idle connection more often than Milvus Lite allows, which then complains aloud."""

_open_files: Counter[str] = Counter()
_files_lock = threading.Lock()


class InUse(Unavailable):
    """Another process holds the index file."""


class Server(NamedTuple):
    """A server as it describes itself; `asks_for_token` is False where anybody who reaches it may read and write."""

    version: str
    database: str
    asks_for_token: bool


class Connection:
    """`uri` is a path ending in `.db` (Milvus Lite, one process at a time) or the address of a server; a database that
    the server does not have is made. Raises BadInput, InUse or Unavailable. Use `close`: it gives the file back."""

    def __init__(self, uri: str, *, token: str | None = None, database: str = "") -> None:
        self._uri, self._database = uri, database
        self.is_file, self.shown = "://" not in uri, _without_user(uri)
        if self.is_file and not uri.endswith(".db"):
            raise BadInput(f"{uri!r} is neither the address of a Milvus server nor a file that ends in .db")
        if self.is_file and database:
            raise BadInput(f"{uri} is a file and holds one database; unset HELMDESK_MILVUS_DATABASE or name a server")
        self._client: Any = _connect(uri, self.shown, token, database)
        if database:
            self._make_database()

    def has_bm25(self) -> bool:
        """Whether a new collection can be searched by words there."""
        return self.is_file or finds_by_words(self.call("get_server_version"))

    def server(self) -> Server | None:
        """None for a file."""
        if self.is_file:
            return None
        return Server(self.call("get_server_version"), self._database or "default", self._asks_for_token())

    def call(self, method: str, *arguments: Any, **named: Any) -> Any:
        if self._client is None:
            raise Unavailable(f"The index {self.shown} was closed; open it again")
        limit = {} if self.is_file else {"timeout": ANSWER_SECONDS}
        return self.answer(method, lambda: getattr(self._client, method)(*arguments, **limit, **named))

    def answer(self, what: str, question: Callable[[], T]) -> T:
        """The answer. Raises Unavailable for what the client raises."""
        from grpc import RpcError
        from pymilvus.exceptions import MilvusException

        try:
            return question()
        except (MilvusException, RpcError) as error:
            remedy = f"; if it is damaged, {_ANEW}" if self.is_file else ""
            raise Unavailable(f"Milvus at {self.shown} refused to {what}: {_why(error)}{remedy}") from error

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
            _release(self._uri)

    def _make_database(self) -> None:
        """Two that begin at once both find it missing; the second finds it there when it is refused."""
        try:
            if self._database not in self.call("list_databases"):
                try:
                    self.call("create_database", self._database)
                except Unavailable:
                    if self._database not in self.call("list_databases"):
                        raise
        except BaseException:
            self.close()
            raise

    def _asks_for_token(self) -> bool:
        try:
            open_to_all = _connect(self.shown, self.shown, None, "")
        except Unavailable:
            return True
        open_to_all.close()
        _release(self.shown)
        return False


def finds_by_words(version: str) -> bool:
    """Zilliz names the Milvus it is compatible with; a version without a number is taken for a current one."""
    number = re.search(r"(\d+)\.(\d+)", version)
    return number is None or (int(number[1]), int(number[2])) >= FIRST_WITH_BM25


def check_manifest(folder: Path) -> None:
    """Milvus Lite goes back to the manifest before a damaged one, or starts without one, and what is left would pass
    for all there is. Raises Unavailable."""
    try:
        parts = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["partitions"]
        named = [folder / "partitions" / part / file for part in parts for file in parts[part]["data_files"]]
        is_whole = all(file.is_file() for file in named)
    except FileNotFoundError:
        is_whole = not any(folder.glob("partitions/*/data/*"))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        is_whole = False
    if not is_whole:
        raise Unavailable(
            f"The index {folder.parent.parent} is damaged: its manifest does not name what it holds; {_ANEW}"
        )


def _connect(uri: str, shown: str, token: str | None, database: str) -> Any:
    from pymilvus import MilvusClient
    from pymilvus.exceptions import MilvusException

    _quiet()
    try:
        with _files_lock:
            client = MilvusClient(uri, token=token or "", db_name=database, grpc_options=_PATIENT)
            _open_files[_file(uri)] += 1
        return client
    except MilvusException as error:
        if "://" not in uri:
            raise _closed_file(uri) from error
        if _is_unknown_user(error):
            raise Unavailable(
                f"The Milvus server at {shown} refused {'the token' if token else 'to answer without a token'}: set "
                "HELMDESK_MILVUS_TOKEN to user:password, or to an API key of Zilliz"
            ) from error
        raise Unavailable(
            f"No Milvus server answers at {shown}: {_why(error)}; unset HELMDESK_MILVUS_URI to use a file instead"
        ) from error


def _closed_file(uri: str) -> Unavailable:
    if Path(uri).is_dir():
        return InUse(
            f"The index file {uri} is in use by another process or can't be opened; one process at a time may "
            "hold it: stop the other one, or set HELMDESK_MILVUS_URI to a Milvus server"
        )
    return Unavailable(f"The index {uri} is no index and can't be made one: if it is damaged, {_ANEW}")


def _is_unknown_user(error: Exception) -> bool:
    from grpc import RpcError, StatusCode

    cause = error.__cause__
    return isinstance(cause, RpcError) and cause.code() is StatusCode.UNAUTHENTICATED


def _why(error: Exception) -> str:
    from grpc import RpcError

    first = next((one for one in (error, error.__cause__) if isinstance(one, RpcError)), None)
    words = str(first.details() if first is not None else getattr(error, "message", error))
    return " ".join(words.split())[:300]


def _quiet() -> None:
    """They print tracebacks of what they raise as well, and it is raised on in our own words."""
    for name in ("milvus_lite", "pymilvus", "grpc._server"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _release(uri: str) -> None:
    """Gives the file back once nothing in this process uses it any more."""
    with _files_lock:
        _open_files[_file(uri)] -= 1
        if "://" not in uri and _open_files[_file(uri)] <= 0:
            from milvus_lite.server_manager import server_manager_instance

            server_manager_instance.release_server(uri)


def _file(uri: str) -> str:
    return uri if "://" in uri else str(Path(uri).absolute())


def _without_user(uri: str) -> str:
    """An address may hold a password."""
    return re.sub(r"//[^/@]*@", "//", uri)
