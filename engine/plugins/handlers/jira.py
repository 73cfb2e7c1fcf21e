"""Jira: `PUT /rest/api/3/issue/{key}` (Data Center: 2) with the group in one field, then an internal comment; load is
counted by JQL (developer.atlassian.com, Edit issue, Get project components, Find groups, Count issues)."""

from typing import Any, Final

from engine.plugins.handlers.system import Group, SystemHandler
from engine.plugins.pull.notes import JiraNotes
from engine.plugins.pull.site import Account
from engine.shared.errors import BadInput

COMPONENTS: Final = "components"
LABELS: Final = "labels"
SHAPES: Final = ("name", "value", "text")
MOST_GROUPS = 1_000


class JiraHandler(SystemHandler):
    """An API token of a user on Cloud, a personal access token alone on Data Center.

    `field` holds the group of an issue: components (the components of `project` are the groups, an issue has one),
    labels, or `customfield_…`, written by its `shape`: {"name": …} for a group picker, {"value": …} for a list, text.
    With labels and custom fields the groups are Jira's own whose name begins with `prefix`. `open` is the JQL of load.
    """

    def __init__(
        self,
        name: str,
        *,
        send_to: Account,
        project: str = "",
        field: str = COMPONENTS,
        shape: str = "name",
        prefix: str = "",
        open: str = "statusCategory != Done",
    ) -> None:
        if shape not in SHAPES:
            raise BadInput(f"plugins.yaml: {name}: shape {shape!r} is none of {', '.join(SHAPES)}")
        self._issues = JiraNotes(send_to)
        super().__init__(name, self._issues)
        self._project, self._field, self._shape, self._prefix = project, field, shape, prefix
        self._open = f"project = {_quoted(project)} AND ({open})" if project else open

    def _read_groups(self) -> list[dict[str, Any]]:
        return [{"group_id": name, "name": name, "current_load": self._load(name)} for name in self._names()]

    def _names(self) -> list[str]:
        if self._field != COMPONENTS:
            answer = self._site.get(f"{self._issues.api}/groups/picker", query=self._prefix, maxResults=MOST_GROUPS)
            names = [str(group["name"]) for group in answer.objects("groups")]
            return [name for name in names if name.startswith(self._prefix)]
        if not self._project:
            raise BadInput("plugins.yaml: jira: with the field components, `project` says whose components they are")
        return [
            str(part["name"])
            for part in self._site.get(f"{self._issues.api}/project/{self._project}/components").objects()
        ]

    def _load(self, group: str) -> int:
        number = self._field.removeprefix("customfield_")
        field = {COMPONENTS: "component", LABELS: "labels"}.get(self._field, f"cf[{number}]")
        jql = f"{self._open} AND {field} = {_quoted(_label(group) if self._field == LABELS else group)}"
        return self._issues.count(jql)

    def _assign(self, place: str, group: Group) -> None:
        if self._field == LABELS:
            update: dict[str, Any] = {"update": {LABELS: [{"add": _label(group.id)}]}}
        elif self._field == COMPONENTS:
            update = {"fields": {COMPONENTS: [{"name": group.id}]}}
        else:
            update = {"fields": {self._field: group.id if self._shape == "text" else {self._shape: group.id}}}
        self._site.send("PUT", self._issues.issue(place), update)


def _label(group: str) -> str:
    """A label has no spaces."""
    return "-".join(group.split())


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
