"""A chat-completions server on loopback that answers as it is told: the protocol of OpenAI and Groq, strictly read."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = tuple[int, str]
Behaviour = Callable[[dict[str, Any]], Reply]


class ChatServer:
    """Refuses what a strict server refuses: null settings and a request without a JSON schema."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.requests: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.port = 0

    def answer(self, path: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.requests.append(request)
        self.paths.append(path)
        if any(value is None for value in request.values()):
            return 400, {"error": {"message": "null is not allowed", "type": "invalid_request_error"}}
        if request["response_format"]["type"] != "json_schema":
            return 400, {"error": {"message": "no schema", "type": "invalid_request_error"}}
        status, content = self.behaviour(request)
        return (status, _completion(request, content)) if status == 200 else (status, {"error": {"message": content}})


@contextmanager
def serving(behaviour: Behaviour) -> Iterator[ChatServer]:
    chat = ChatServer(behaviour)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, body = chat.answer(self.path, request)
            sent = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    chat.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield chat
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _completion(request: dict[str, Any], content: str) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": request["model"],
        "choices": [{"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }
