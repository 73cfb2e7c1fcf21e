"""Jira: issues as they changed, each with its whole changelog and all its comments.

Cloud: `GET /rest/api/3/search/jql`, paged by `nextPageToken` without a total, and `/issue/{key}/comment`, `/changelog`
(developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-search, …-issues, …-issue-comments).
Data Center: `GET /rest/api/2/search` with `startAt` and `total` (docs.atlassian.com/software/jira/docs/api/REST).
`GET /rest/api/2/serverInfo` says which of them it is. JQL knows minutes, in the time zone of the user who asks, which
`GET /rest/api/2/myself` names.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from engine.plugins.pull.pages import Cursor, Onward, Page, page, start, walk
from engine.plugins.pull.site import Account, Site, authorization

OVERLAP = timedelta(minutes=5)
"""The search index follows the issues."""
PARTS = 100
ANY_ZONE = "Etc/GMT+12"
"""Where it is earliest: read in any other zone, its clock shows an instant that is over."""

Issue = dict[str, Any]


class JiraFeed:
    """An API token of a user on Cloud, a personal access token alone on Data Center; `jql` chooses the issues."""

    source = "jira"

    def __init__(self, account: Account, *, jql: str = "", wait_seconds: float = 0.5) -> None:
        self._site = Site(account, authorization(account), wait_seconds=wait_seconds)
        self._jql = jql
        self.stream = f"{self._site.url} {jql}".strip()

    def pages(self, cursor: Cursor | None, *, since: datetime | None, size: int) -> Iterator[Page]:
        is_cloud = is_on_cloud(self._site)
        zone = ZoneInfo(self._site.get("/rest/api/2/myself").value("timeZone") or ANY_ZONE)
        begin = start(cursor, since, overlap=OVERLAP)
        listed = self._on_cloud(begin, zone, size) if is_cloud else self._in_data_center(begin, zone, size)
        whole = self._whole_on_cloud if is_cloud else self._whole_in_data_center
        for issues in listed:
            yield page(issues, whole, _key, {"updated": _updated(issues[-1]).isoformat()})

    def _on_cloud(self, begin: datetime, zone: ZoneInfo, size: int) -> Iterator[list[Issue]]:
        token: dict[str, str] = {}

        def ask(instant: datetime, number: int) -> tuple[Sequence[Issue], bool]:
            nonlocal token
            parameters = {
                "jql": self._query(instant, zone),
                "fields": "*all",
                "expand": "changelog",
                "maxResults": size,
            }
            token = token if number else {}
            onward = Onward("/rest/api/3/search/jql")
            while True:
                onward.to(token.get("nextPageToken"))
                answer = self._site.get("/rest/api/3/search/jql", **parameters, **token)
                following = answer.value("nextPageToken")
                token = {"nextPageToken": following} if following else {}
                if (issues := answer.objects("issues")) or not token:
                    return issues, bool(token)

        return walk(ask, begin, updated=_updated, key=_key, step=timedelta(minutes=1))

    def _in_data_center(self, begin: datetime, zone: ZoneInfo, size: int) -> Iterator[list[Issue]]:
        def ask(instant: datetime, number: int) -> tuple[Sequence[Issue], bool]:
            parameters = {"jql": self._query(instant, zone), "fields": "*all", "expand": "changelog"}
            most = max(size, 2)  # the last one of the page before, and one more
            answer = self._site.get("/rest/api/2/search", **parameters, startAt=number, maxResults=most)
            issues = answer.objects("issues")
            return issues, number + len(issues) < int(answer.value("total") or 0)

        return walk(ask, begin, updated=_updated, key=_key, step=timedelta(minutes=1), anchored=True)

    def _query(self, begin: datetime, zone: ZoneInfo) -> str:
        local = begin.astimezone(zone)
        if local.utcoffset() != local.replace(fold=1 - local.fold).utcoffset():
            local = (begin - timedelta(hours=2)).astimezone(zone)  # an hour that comes twice: before both
        chosen = f" AND ({self._jql})" if self._jql else ""
        return f'updated >= "{local:%Y-%m-%d %H:%M}"{chosen} ORDER BY updated ASC, key ASC'

    def _whole_on_cloud(self, issue: Issue) -> Mapping[str, Any]:
        path, fields = f"/rest/api/3/issue/{quote(_key(issue), safe='')}", issue["fields"]
        if not _is_whole(fields.get("comment"), "comments"):
            fields = fields | {"comment": _as_part("comments", self._all(f"{path}/comment", "comments"))}
        if not _is_whole(issue.get("changelog"), "histories"):
            issue = issue | {"changelog": _as_part("histories", self._all(f"{path}/changelog", "values"))}
        return issue | {"fields": fields}

    def _whole_in_data_center(self, issue: Issue) -> Mapping[str, Any]:
        """Whether a comment is internal stands in its properties there, which only its own address gives."""
        path, fields = f"/rest/api/2/issue/{quote(_key(issue), safe='')}", issue["fields"]
        if (fields.get("comment") or {}).get("total") != 0:
            comments = self._all(f"{path}/comment", "comments", expand="properties")
            fields = fields | {"comment": _as_part("comments", [_with_audience(comment) for comment in comments])}
        if not _is_whole(issue.get("changelog"), "histories"):
            issue = issue | {"changelog": self._site.get(path, fields="key", expand="changelog").value("changelog")}
        return issue | {"fields": fields}

    def _all(self, path: str, name: str, **more: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        onward = Onward(path, is_part=True)
        while True:
            onward.to(len(found))
            answer = self._site.get(path, startAt=len(found), maxResults=PARTS, **more)
            found += (part := answer.objects(name))
            if not part or len(found) >= int(answer.value("total") or 0):
                return found


def is_on_cloud(site: Site) -> bool:
    return bool(site.get("/rest/api/2/serverInfo").value("deploymentType") == "Cloud")


def _key(issue: Issue) -> str:
    return str(issue.get("key"))


def _updated(issue: Issue) -> datetime:
    return datetime.fromisoformat(issue["fields"]["updated"])


def _is_whole(part: Any, name: str) -> bool:
    return isinstance(part, Mapping) and isinstance(part.get(name), list) and part.get("total") == len(part[name])


def _as_part(name: str, listed: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: listed, "startAt": 0, "maxResults": len(listed), "total": len(listed)}


def _with_audience(comment: dict[str, Any]) -> dict[str, Any]:
    properties = {each.get("key"): each.get("value") for each in comment.get("properties") or ()}
    marked = properties.get("sd.public.comment")
    return {"jsdPublic": not (isinstance(marked, Mapping) and marked.get("internal"))} | comment
