"""Jira Cloud and Jira Data Center."""

import json
import re
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from tests.pipelines.vendors.system import MINUTE, Json, Vendor

COMPONENTS = ("Network", "Mail")


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
        if path == f"{self.api}/project/SUP/components":
            return [{"id": str(number), "name": name} for number, name in enumerate(COMPONENTS)]
        if path == f"{self.api}/groups/picker":
            return {"header": "", "total": 3, "groups": [{"name": name} for name in ("desk-a", "desk-b", "staff")]}
        if path == "/rest/api/3/search/approximate-count" and self.is_cloud:
            return {"count": self._count(content["jql"])}
        if not (named := re.fullmatch(rf"{self.api}/issue/([\w-]+)(/comment|/changelog)?", path)):
            return None
        issue = next((each for each in self.tickets if each["key"] == named[1]), None)
        if issue is None or (named[2] == "/changelog" and not self.is_cloud):
            return None
        if method == "PUT":
            if any(part["name"] not in COMPONENTS for part in content.get("fields", {}).get("components", ())):
                return 400, json.dumps({"errors": {"components": "Component name is not valid"}})
            issue["fields"] |= content.get("fields", {})
            labels = [change["add"] for change in content.get("update", {}).get("labels", ())]
            issue["fields"]["labels"] = [*issue["fields"].get("labels", ()), *labels]
            return {}
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

    def _count(self, jql: str) -> int:
        group = re.fullmatch(r'project = "SUP" AND \(statusCategory != Done\) AND component = "(.+)"', jql)
        assert group is not None, jql
        parts = [issue["fields"].get("components") or () for issue in self.tickets]
        return sum(any(part["name"] == group[1] for part in some) for some in parts)

    def _search(self, asked: dict[str, str]) -> Any:
        if asked["maxResults"] == "0":
            return {"total": self._count(asked["jql"]), "issues": []}
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


def _moment(issue: Json) -> datetime:
    return datetime.fromisoformat(issue["fields"]["updated"])


def _part(name: str, listed: list[Json], most: int) -> Json:
    return {name: listed[:most], "startAt": 0, "maxResults": most, "total": len(listed)}
