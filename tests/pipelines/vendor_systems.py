"""Jira, ServiceNow, Zendesk and Freshdesk on loopback: each answers as its documentation says."""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TOKEN = "s3cret-token"
Json = dict[str, Any]
Trouble = tuple[int, dict[str, str]] | str


class Vendor(ThreadingHTTPServer):
    """`trouble` is given in turn instead of an answer: (status, headers), `half` of the JSON, or `lost`: the request is
    served and its answer isn't. `after_page` is called once the first page of tickets was served."""

    daemon_threads = True
    source = ""
    account = "Basic " + b64encode(f"desk@example.com:{TOKEN}".encode()).decode()

    def __init__(self, tickets: int = 0, *, minutes: float = 1) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.trouble: list[Trouble] = []
        self.asked: list[str] = []
        self.headers: dict[str, str] = {}
        self.after_page: Callable[[], object] | None = None
        self.notes: list[tuple[str, Json]] = []
        self.tickets = [
            self.ticket(number, START + number * minutes * MINUTE) for number in range(1, tickets + 1)
        ]  # fmt: skip

    def settings(self) -> dict[str, str]:
        name = f"HELMDESK_{self.source.upper()}"
        return {f"{name}_URL": self.url, f"{name}_TOKEN": TOKEN, f"{name}_USER": "desk@example.com"}

    def ticket(self, number: int, at: datetime) -> Json:
        raise NotImplementedError

    def touch(self, number: int, at: datetime) -> None:
        """Ticket `number` changes at an instant."""
        raise NotImplementedError

    def answer(self, method: str, path: str, asked: dict[str, str], content: Json) -> Any:
        """What is found there; None is 404."""
        raise NotImplementedError

    def page_served(self) -> None:
        if self.after_page:
            then, self.after_page = self.after_page, None
            then()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is no news."""


class _Request(BaseHTTPRequestHandler):
    server: Vendor
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = dict(parse_qsl(parts.query, keep_blank_values=True))
        length = int(self.headers.get("Content-Length") or 0)
        content = json.loads(self.rfile.read(length)) if length else {}
        self.server.asked.append(f"{self.command} {parts.path}")
        self.server.headers = {}
        trouble = self.server.trouble.pop(0) if self.server.trouble else None
        if self.headers["Authorization"] != self.server.account:
            self._reply(401, b'{"message": "Unauthorized"}')
        elif isinstance(trouble, tuple):
            self._reply(trouble[0], b'{"message": "not now"}', trouble[1])
        else:
            found = self.server.answer(self.command, parts.path, asked, content)
            text = json.dumps(found).encode()
            if trouble == "lost":
                self.close_connection = True
            elif found is None:
                self._reply(404, b'{"message": "there is none"}')
            else:
                self._reply(200, text, self.server.headers, half=trouble == "half")

    do_POST = do_PUT = do_PATCH = do_GET

    def _reply(self, status: int, text: bytes, headers: dict[str, str] | None = None, *, half: bool = False) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(text))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text[: len(text) // 2] if half else text)
        self.close_connection = self.close_connection or half

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Jira(Vendor):
    """Cloud; the search answers with 20 comments and 5 changes at most. Its user lives in New York."""

    source, api, is_cloud, zone = "jira", "/rest/api/3", True, ZoneInfo("America/New_York")

    def ticket(self, number: int, at: datetime) -> Json:
        def stamp(moment: datetime) -> str:
            return f"{moment.astimezone(ZoneInfo('Europe/Berlin')):%Y-%m-%dT%H:%M:%S.000%z}"

        def comment(place: int, who: str, *, public: bool) -> Json:
            when = stamp(at - timedelta(hours=3) + place * MINUTE)
            said: Json = {"id": f"{number}{place:03}", "author": {"accountId": who, "accountType": "atlassian"}}
            marked = [] if public else [{"key": "sd.public.comment", "value": {"internal": True}}]
            return said | {"created": when, "body": "…", "properties": marked}

        words = ["Open", "In Progress", "Waiting for customer", "In Progress", "Waiting for customer", "In Progress",
                 "Waiting for customer"]  # fmt: skip
        return {
            "id": str(10_000 + number),
            "key": f"SUP-{number}",
            "fields": {
                "summary": f"Ticket {number}",
                "issuetype": {"name": "Incident"},
                "priority": {"name": "High"},
                "status": {"name": words[-1]},
                "reporter": {"accountId": "acc-reporter"},
                "assignee": None,
                "created": stamp(at - timedelta(hours=4)),
                "updated": stamp(at),
                "comment": [comment(place, "acc-ana", public=place > 25) for place in range(1, 29)],
            },
            "changelog": [
                {"id": f"{number}{place}", "author": {"accountId": "acc-ana"},
                 "created": stamp(at - (7 - place) * MINUTE),
                 "items": [{"field": "status", "fromString": before, "toString": after}]}
                for place, (before, after) in enumerate(pairwise(words), start=1)
            ],
        }  # fmt: skip

    def touch(self, number: int, at: datetime) -> None:
        self.tickets[number - 1]["fields"]["updated"] = f"{at:%Y-%m-%dT%H:%M:%S.000+0000}"

    def answer(self, method: str, path: str, asked: dict[str, str], content: Json) -> Any:
        if path == "/rest/api/2/serverInfo":
            return {"deploymentType": "Cloud" if self.is_cloud else "Server", "version": "10"}
        if path == "/rest/api/2/myself":
            return {"displayName": "desk", "timeZone": self.zone.key}
        if path in ("/rest/api/3/search/jql", "/rest/api/2/search") and path.startswith(self.api):
            return self._search(asked)
        if not (named := re.fullmatch(rf"{self.api}/issue/([\w-]+)(/comment|/changelog)?", path)):
            return None
        issue = next((each for each in self.tickets if each["key"] == named[1]), None)
        if issue is None or (named[2] == "/changelog" and not self.is_cloud):
            return None
        if named[2] is None:
            return {"key": issue["key"], "changelog": _part("histories", issue["changelog"], len(issue["changelog"]))}
        if method == "POST":
            self.notes.append((named[1], content))
            issue["fields"]["comment"].append({"id": f"n{len(self.notes)}", "author": {"accountId": "acc-desk"},
                                               "created": "2026-03-03T09:00:00.000+0000", **content})  # fmt: skip
            return {"id": "1"}
        listed = issue["fields"]["comment"] if named[2] == "/comment" else issue["changelog"]
        if asked.get("orderBy") == "-created":
            listed = listed[::-1]
        begin, size = int(asked.get("startAt", 0)), min(int(asked.get("maxResults", 50)), 10)
        name = "comments" if named[2] == "/comment" else "values"
        part = [self._seen(one, asked) for one in listed[begin : begin + size]]
        return {name: part, "startAt": begin, "maxResults": size, "total": len(listed)}

    def _seen(self, one: Json, asked: dict[str, str]) -> Json:
        if "body" not in one:
            return one
        shown = {name: value for name, value in one.items() if name != "properties"}
        if self.is_cloud:
            return shown | {"jsdPublic": not one.get("properties")}
        return one if asked.get("expand") == "properties" else shown

    def _search(self, asked: dict[str, str]) -> Any:
        since = re.match(r'updated >= "([\d-]+ [\d:]+)"', asked["jql"])
        assert since is not None
        assert asked["jql"].endswith("ORDER BY updated ASC, key ASC")
        begin = datetime.fromisoformat(since[1]).replace(tzinfo=self.zone)
        found = sorted((each for each in self.tickets if _moment(each) >= begin), key=lambda e: (_moment(e), e["key"]))
        offset, size = int(asked.get("startAt") or asked.get("nextPageToken") or 0), int(asked["maxResults"])
        part = [self._listed(each, asked) for each in found[offset : offset + size]]
        self.page_served()
        if not self.is_cloud:
            return {"startAt": offset, "maxResults": size, "total": len(found), "issues": part}
        more = {"nextPageToken": str(offset + size)} if offset + size < len(found) else {}
        return {"issues": part, "isLast": not more, **more}

    def _listed(self, issue: Json, asked: dict[str, str]) -> Json:
        if asked.get("fields") != "*all":
            return {"id": issue["id"]}
        comments = [self._seen(one, {}) for one in issue["fields"]["comment"]]
        fields = issue["fields"] | {"comment": _part("comments", comments, 20)}
        changes = (
            {"changelog": _part("histories", issue["changelog"][::-1], 5)} if "changelog" in asked["expand"] else {}
        )
        return {"id": issue["id"], "key": issue["key"], "fields": fields, **changes}


class JiraDataCenter(Jira):
    api, is_cloud, zone = "/rest/api/2", False, ZoneInfo("Asia/Kolkata")


class ServiceNow(Vendor):
    """The Table API on five tables. Rows of callers whom the user must not see are taken out of their page."""

    source = "servicenow"

    def __init__(self, tickets: int = 0, *, minutes: float = 1) -> None:
        self.tables: dict[str, list[Json]] = {
            "incident": [], "sys_audit": [], "sys_journal_field": [],
            "sys_user": [{"sys_id": "u-cal", "user_name": "cal"}, {"sys_id": "u-ana", "user_name": "ana"},
                         {"sys_id": "u-bea", "user_name": "bea"}],
            "sys_user_grmember": [{"sys_id": "m1", "user.user_name": "ana"}],
        }  # fmt: skip
        super().__init__(tickets, minutes=minutes)
        self.tables["incident"] = self.tickets

    def ticket(self, number: int, at: datetime) -> Json:
        one, rows = f"{number:032x}", self.tables

        def stamp(minutes: float) -> str:
            return f"{at + minutes * MINUTE:%Y-%m-%d %H:%M:%S}"

        steps = [
            ("state", "1", "2", -40),
            ("state", "2", "3", -30),
            ("hold_reason", "", "1", -30),
            ("state", "3", "2", -20),
            ("hold_reason", "1", "", -20),
            ("priority", "3", "2", -15),
            ("state", "2", "6", -10),
        ]
        rows["sys_audit"] += [
            {"sys_id": f"a{number:04}{place}", "tablename": "incident", "documentkey": one, "fieldname": field,
             "oldvalue": before, "newvalue": after, "user": "ana", "sys_created_on": stamp(minutes)}
            for place, (field, before, after, minutes) in enumerate(steps)
        ]  # fmt: skip
        said = [
            ("comments", "bea", -50),
            ("work_notes", "ana", -45),
            ("comments", "ana", -35),
            ("comments", "cal", -25),
        ]
        rows["sys_journal_field"] += [
            {"sys_id": f"j{number:04}{place}", "name": "incident", "element_id": one, "element": element, "value": "…",
             "sys_created_by": who, "sys_created_on": stamp(minutes)}
            for place, (element, who, minutes) in enumerate(said)
        ]  # fmt: skip
        return {"sys_id": one, "number": f"INC{number:07}", "short_description": f"Ticket {number}", "state": "6",
                "hold_reason": "", "priority": "2", "caller_id": "u-cal", "opened_at": stamp(-60),
                "sys_updated_on": stamp(0), "sys_created_on": stamp(-60),
                "resolved_at": stamp(-10), "closed_at": ""}  # fmt: skip

    def touch(self, number: int, at: datetime) -> None:
        self.tickets[number - 1]["sys_updated_on"] = f"{at:%Y-%m-%d %H:%M:%S}"

    def answer(self, method: str, path: str, asked: dict[str, str], content: Json) -> Any:
        table, _, one = path.removeprefix("/api/now/table/").partition("/")
        if method == "PATCH":
            self.notes.append((one, content))
            row = {"sys_id": f"n{len(self.notes)}", "name": "incident", "element_id": one, "element": "work_notes",
                   "value": content["work_notes"], "sys_created_by": "desk",
                   "sys_created_on": "2026-03-03 09:00:00"}  # fmt: skip
            self.tables["sys_journal_field"].append(row)
            return {"result": {"sys_id": one}}
        if table not in self.tables or one:
            return None
        found = _queried(self.tables[table], asked["sysparm_query"])
        offset, limit = int(asked.get("sysparm_offset", 0)), int(asked["sysparm_limit"])
        part = [row for row in found[offset : offset + limit] if row.get("caller_id") != "u-hidden"]
        if offset + limit < len(found):
            self.headers = {"Link": f'<{self.url}{path}?sysparm_offset={offset + limit}>;rel="next"'}
        if table == "incident":
            self.page_served()
        if fields := asked.get("sysparm_fields"):
            part = [{name: row[name] for name in fields.split(",") if name in row} for row in part]
        return {"result": part}


def _queried(rows: list[Json], query: str) -> list[Json]:
    """An encoded query of conditions joined by ^ (and), then ORDERBY."""
    tests: dict[str, Callable[[str, str], bool]] = {
        "IN": lambda value, words: value in words.split(","), ">=": lambda value, word: value >= word,
        ">": lambda value, word: value > word, "=": lambda value, word: value == word,
    }  # fmt: skip
    order: list[tuple[str, bool]] = []
    for part in query.split("^"):
        if part.startswith("ORDERBY"):
            order.append((part.removeprefix("ORDERBYDESC").removeprefix("ORDERBY"), "DESC" in part))
            continue
        named = re.fullmatch(r"([a-z_.]+)(IN|>=|>|=)(.*)", part)
        assert named is not None, part
        rows = [row for row in rows if named[1] in row and tests[named[2]](row[named[1]], named[3])]
    for name, down in reversed(order):
        rows = sorted(rows, key=lambda row: row.get(name, ""), reverse=down)
    return rows


class Zendesk(Vendor):
    """The incremental export; a page of audits has two."""

    source = "zendesk"
    account = "Basic " + b64encode(f"desk@example.com/token:{TOKEN}".encode()).decode()

    def ticket(self, number: int, at: datetime) -> Json:
        def stamp(minutes: float) -> str:
            return f"{at + minutes * MINUTE:%Y-%m-%dT%H:%M:%SZ}"

        def audit(place: int, who: int, minutes: float, *events: Json, via: str = "web") -> Json:
            named = [
                {"id": number * 1000 + place * 10 + n, "author_id": who, **event} for n, event in enumerate(events)
            ]
            return {"id": number * 100 + place, "ticket_id": number, "author_id": who, "created_at": stamp(minutes),
                    "via": {"channel": via}, "events": named}  # fmt: skip

        def said(*, public: bool = True) -> Json:
            return {"type": "Comment", "public": public, "body": "…"}

        def moved(before: str, after: str) -> Json:
            return {"type": "Change", "field_name": "status", "previous_value": before, "value": after}

        audits = [
            audit(0, 10, -60, said(), {"type": "Create", "field_name": "status", "value": "new"}),
            audit(1, -1, -59, said(), via="rule"),
            audit(2, 20, -50, said(public=False), moved("new", "open")),
            audit(3, 20, -40, said(), moved("open", "pending")),
            audit(4, 11, -20, said(), moved("pending", "open")),
            audit(5, 20, -10, moved("open", "solved")),
        ]
        return {"id": number, "subject": f"Ticket {number}", "description": "…", "status": "solved", "priority": None,
                "type": None, "requester_id": 10, "via": {"channel": "email"}, "tags": [], "group_id": 5,
                "created_at": stamp(-60), "updated_at": stamp(0), "audits": audits}  # fmt: skip

    def touch(self, number: int, at: datetime) -> None:
        self.tickets[number - 1]["updated_at"] = f"{at:%Y-%m-%dT%H:%M:%SZ}"

    def answer(self, method: str, path: str, asked: dict[str, str], content: Json) -> Any:
        if path == "/api/v2/incremental/tickets/cursor.json":
            return self._export(asked)
        named = re.fullmatch(r"/api/v2/tickets/(\d+)(?:/(audits|comments))?\.json", path)
        ticket = next((each for each in self.tickets if named and str(each["id"]) == named[1]), None)
        if ticket is None or named is None:
            return None
        if method == "PUT":
            self.notes.append((named[1], content))
            event = {
                "id": 9_000_000 + len(self.notes),
                "type": "Comment",
                "author_id": 20,
                **content["ticket"]["comment"],
            }
            ticket["audits"].append({"id": 9_000_000 + len(self.notes), "author_id": 20, "via": {"channel": "api"},
                                     "created_at": "2026-03-03T09:00:00Z", "events": [event]})  # fmt: skip
            return {"ticket": {"id": ticket["id"]}}
        if named[2] == "comments":
            spoken = [event for audit in ticket["audits"] for event in audit["events"] if event["type"] == "Comment"]
            return {"comments": spoken[::-1], "meta": {"has_more": False}}
        begin = int(asked.get("page[after]") or 0)
        meta = {"has_more": begin + 2 < len(ticket["audits"]), "after_cursor": str(begin + 2)}
        return {"audits": ticket["audits"][begin : begin + 2], "users": [], "meta": meta}

    def _export(self, asked: dict[str, str]) -> Any:
        users = [{"id": 10, "role": "end-user"}, {"id": 11, "role": "end-user"}, {"id": 20, "role": "agent"}]
        start = asked.get("cursor") or f"{datetime.fromtimestamp(int(asked['start_time']), UTC):%Y-%m-%dT%H:%M:%SZ}|"
        found = sorted(self.tickets, key=self._place)
        later = [each for each in found if self._place(each) > start][: int(asked["per_page"])]
        last = self._place(later[-1]) if later else start
        self.page_served()
        shown = [{name: value for name, value in each.items() if name != "audits"} for each in later]
        is_last = not later or last == self._place(found[-1])
        return {"tickets": shown, "users": users, "after_cursor": last, "before_cursor": None, "end_of_stream": is_last}

    def _place(self, ticket: Json) -> str:
        return f"{ticket['updated_at']}|{ticket['id']:09}"


class Freshdesk(Vendor):
    source = "freshdesk"
    account = "Basic " + b64encode(f"{TOKEN}:X".encode()).decode()

    def settings(self) -> dict[str, str]:
        return {"HELMDESK_FRESHDESK_URL": self.url, "HELMDESK_FRESHDESK_TOKEN": TOKEN}

    def ticket(self, number: int, at: datetime) -> Json:
        def stamp(minutes: float) -> str:
            return f"{at + minutes * MINUTE:%Y-%m-%dT%H:%M:%SZ}"

        def said(place: int, who: int, minutes: float, *, incoming: bool = False, private: bool = False) -> Json:
            return {"id": number * 100 + place, "user_id": who, "incoming": incoming, "private": private,
                    "created_at": stamp(minutes)}  # fmt: skip

        spoken = [said(1, 5, -50, private=True), said(2, 5, -40), said(3, 129, -20, incoming=True),
                  said(4, 130, -15, incoming=True)]  # fmt: skip
        return {"id": number, "subject": f"Ticket {number}", "description_text": "…", "status": 4, "priority": 2,
                "source": 1, "type": None, "requester_id": 129, "group_id": None, "tags": [], "spam": False,
                "created_at": stamp(-60), "updated_at": stamp(0), "due_by": stamp(600), "fr_due_by": stamp(60),
                "stats": {"first_responded_at": stamp(-40), "resolved_at": stamp(-10), "closed_at": None},
                "conversations": spoken}  # fmt: skip

    def touch(self, number: int, at: datetime) -> None:
        self.tickets[number - 1]["updated_at"] = f"{at:%Y-%m-%dT%H:%M:%SZ}"

    def answer(self, method: str, path: str, asked: dict[str, str], content: Json) -> Any:
        if path == "/api/v2/tickets":
            assert (asked["order_by"], asked["order_type"]) == ("updated_at", "asc")
            since = [each for each in self.tickets if each["updated_at"] >= asked["updated_since"]]
            found = sorted(since, key=lambda each: (each["updated_at"], each["id"]))
            part = [{n: v for n, v in each.items() if n != "conversations"} for each in self._part(found, path, asked)]
            self.page_served()
            return part
        named = re.fullmatch(r"/api/v2/tickets/(\d+)/conversations", path)
        ticket = next((each for each in self.tickets if named and str(each["id"]) == named[1]), None)
        return None if ticket is None else self._part(ticket["conversations"], path, {**asked, "per_page": "3"})

    def _part(self, found: list[Json], path: str, asked: dict[str, str]) -> list[Json]:
        page, size = int(asked["page"]), int(asked["per_page"])
        if page * size < len(found):
            self.headers = {"Link": f'<{self.url}{path}?page={page + 1}>; rel="next"'}
        return found[(page - 1) * size : page * size]


def _moment(issue: Json) -> datetime:
    return datetime.fromisoformat(issue["fields"]["updated"])


def _part(name: str, listed: list[Json], most: int) -> Json:
    return {name: listed[:most], "startAt": 0, "maxResults": most, "total": len(listed)}


VENDORS = {
    "jira": Jira,
    "jira-dc": JiraDataCenter,
    "servicenow": ServiceNow,
    "zendesk": Zendesk,
    "freshdesk": Freshdesk,
}


@contextmanager
def serving(vendor: Vendor) -> Iterator[Vendor]:
    Thread(target=vendor.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield vendor
    finally:
        vendor.shutdown()
        vendor.server_close()
