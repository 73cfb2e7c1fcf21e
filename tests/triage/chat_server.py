"""A chat-completions server on loopback that answers as it is told: the protocol of OpenAI and Groq, strictly read."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

PROMPT_TOKENS, COMPLETION_TOKENS = 100, 20


class Reply(NamedTuple):
    """An HTTP status and what the model says; `delay` in seconds before it is sent, `drip` between one byte and the
    next; the line is cut after so many bytes of the body. `usage` and `message` stand in place of what a server would
    say."""

    status: int
    content: str | None
    finish_reason: str = "stop"
    refusal: str | None = None
    headers: Mapping[str, str] = {}
    delay: float = 0.0
    drip: float = 0.0
    usage: Any = PROMPT_TOKENS, COMPLETION_TOKENS
    message: Mapping[str, Any] = {}
    cut: int | None = None


Behaviour = Callable[[dict[str, Any]], Reply | tuple[int, str]]


class ChatServer:
    """Refuses what a strict server refuses: null settings and a request without a JSON schema."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.requests: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.bodies: list[bytes] = []
        self.hung_up: list[float] = []
        """When a client went away in the middle of an answer, by `time.monotonic`."""
        self.port = 0

    def answer(self, path: str, request: dict[str, Any]) -> tuple[Reply, dict[str, Any]]:
        self.requests.append(request)
        self.paths.append(path)
        if any(value is None for value in request.values()):
            return _refusing("null is not allowed")
        if request["response_format"]["type"] != "json_schema":
            return _refusing("no schema")
        reply = Reply(*self.behaviour(request))
        time.sleep(reply.delay)
        return reply, _completion(request, reply) if reply.status == 200 else {"error": {"message": reply.content}}


@contextmanager
def serving(behaviour: Behaviour) -> Iterator[ChatServer]:
    chat = ChatServer(behaviour)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            chat.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            request = json.loads(chat.bodies[-1])
            reply, body = chat.answer(self.path, request)
            sent = json.dumps(body).encode()
            try:
                self.send_response(reply.status)
                for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                if reply.cut is not None:
                    self.wfile.write(sent[: reply.cut])
                    self.close_connection = True
                    return
                for byte in [sent[n : n + 1] for n in range(len(sent))] if reply.drip else [sent]:
                    self.wfile.write(byte)
                    time.sleep(reply.drip)
            except (BrokenPipeError, ConnectionResetError):  # the client waited long enough
                chat.hung_up.append(time.monotonic())
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    chat.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield chat
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


_TICKET = re.compile(r'^<ticket number="(\d+)">\n(.*)\n</ticket>$', re.MULTILINE)


def tickets_asked(request: dict[str, Any]) -> dict[int, dict[str, str]]:
    """The numbered tickets of a prompt, as a model would see them."""
    return {int(number): json.loads(ticket) for number, ticket in _TICKET.findall(request["messages"][1]["content"])}


def labelling(label_of: Callable[[str], str], *, confidence: float = 0.9) -> Behaviour:
    """A model that labels every ticket by its content and answers as it should."""

    def behaviour(request: dict[str, Any]) -> Reply:
        answers = [
            {"number": n, "label": label_of(ticket["content"]), "confidence": confidence, "reason": "It says so."}
            for n, ticket in tickets_asked(request).items()
        ]
        return Reply(200, json.dumps({"answers": answers}))

    return behaviour


def _refusing(why: str) -> tuple[Reply, dict[str, Any]]:
    return Reply(400, why), {"error": {"message": why, "type": "invalid_request_error"}}


def _completion(request: dict[str, Any], reply: Reply) -> dict[str, Any]:
    message = {"role": "assistant", "content": reply.content, **reply.message}
    if reply.refusal is not None:
        message["refusal"] = reply.refusal
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": request["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": reply.finish_reason}],
        **_usage(reply.usage),
    }


def _usage(stated: Any) -> dict[str, Any]:
    if not isinstance(stated, tuple):
        return {"usage": stated} if stated else {}
    prompt, completion = stated
    return {"usage": {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": 0}}
