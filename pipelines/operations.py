"""What a person may have the desk do: one table, from which commands and routes are made, and the one way through it.

A new use case gets its doors by a line here. Its arguments are those of its signature, but for the thing's key, who
asks and when; `WORDS` has the help of each.
"""

import inspect
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from engine.access import Right, User, require
from engine.alert_matrix import Nudge
from engine.contracts import Instant, Ticket
from engine.desk import Desk
from engine.escalations import Escalation, Side
from engine.grant_review import ReviewOutcome, SecondOpinion
from engine.priority import PriorityScore
from engine.shared.errors import BadInput, NotAllowed
from engine.shared.policy_file import all_wrong
from pipelines import actions
from pipelines.app.container import App
from pipelines.app.identity import LOCAL
from pipelines.jobs import lessons
from sla.alerting.alerts import RaisedAlert
from triage.feedback.reviews import Answered

Result = BaseModel | list[Any] | None


def escalate(
    app: App,
    ticket_id: str,
    *,
    side: Side,
    reason: str,
    by: str,
    at: datetime,
    component: str | None = None,
    bug: str | None = None,
) -> Escalation:
    """Ask the team that builds a component, in engineering or product: the ticket's product, unless another is named.

    Product hears how many tickets are like it, what revenue their customers bring and how many would not recommend us.
    """
    related = app.store.frame("related_tickets", ["ticket_id", "other_id"])
    own = related.filter((related["ticket_id"] == ticket_id) | (related["other_id"] == ticket_id))
    named = component or actions.product_of(app, app.store.ticket(ticket_id))
    return app.desk.escalate(
        ticket_id, side=side, reason=reason, by=by, at=at, component=named, bug=bug,
        similar={key for pair in own.iter_rows() for key in pair},
    )  # fmt: skip


def acknowledge(app: App, alert_id: str, *, by: str, at: datetime) -> Nudge | RaisedAlert:
    """Say that one has seen an alert, of a clock or of the matrix, and looks after it."""
    from pipelines.jobs import alerts

    return alerts.acknowledge(app, alert_id, by=by, at=at)


def second_opinion(
    app: App, item_id: str, *, outcome: ReviewOutcome, by: str, at: datetime, notes: str = ""
) -> SecondOpinion:
    """Keep what a second reviewer finds in a reviewed grant, without knowing the first outcome; it changes none."""
    app.view_log.write()
    return app.desk.second_opinion(item_id, by=by, outcome=outcome, at=at, notes=notes)


def product(app: App, ticket_id: str, *, label: str, by: str, at: datetime, note: str = "") -> Answered:
    """Say what a ticket is about, as the page Review does: kept beside what others answered, which comes with it."""
    from pipelines.jobs import review

    return review.answer_review(app, ticket_id, label=label, by=by, at=at, note=note)


ACTIONS: Mapping[str, Callable[..., Any]] = {
    "reply": actions.reply,
    "escalate": escalate,
    "accept_lesson": lessons.accept,
    "acknowledge": acknowledge,
    "retry_unsent": actions.retry_unsent,
    "drop_unsent": actions.drop_unsent,
    "second_opinion": second_opinion,
    "product": product,
    "board": actions.board,
}
"""What other rooms have a part in, or the log of views: called by these, which call the desk if it has one too."""
GIVEN = frozenset({"self", "app", "by", "at", "left", "reader"})
"""What `perform` gives itself."""


class Operation(NamedTuple):
    """`use_case` is a method of the desk or an action; `key` the argument with the thing's key, None without one."""

    thing: str
    verb: str
    use_case: str
    right: Right = Right.WORK

    @property
    def name(self) -> str:
        return f"{self.thing} {self.verb}"

    @property
    def function(self) -> Callable[..., Any]:
        found: Callable[..., Any] = ACTIONS.get(self.use_case) or getattr(Desk, self.use_case)
        return found

    @property
    def help(self) -> str:
        """What it does, in a line."""
        return " ".join((inspect.getdoc(self.function) or "").split("\n\n")[0].split())

    @property
    def key(self) -> str | None:
        positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
        names = [p.name for p in inspect.signature(self.function).parameters.values() if p.kind == positional]
        return next((name for name in names if name not in GIVEN), None)


def _named(*operations: Operation) -> Mapping[str, Operation]:
    return MappingProxyType({operation.name: operation for operation in operations})


OPERATIONS = _named(
    Operation("ticket", "create", "create"),
    Operation("ticket", "accept", "accept"),
    Operation("ticket", "reply", "reply"),
    Operation("ticket", "receive", "receive"),
    Operation("ticket", "note", "note"),
    Operation("ticket", "status", "change_status"),
    Operation("ticket", "priority", "reprioritise"),
    Operation("ticket", "product", "product"),
    Operation("ticket", "due", "agree_due"),
    Operation("ticket", "pause", "pause", Right.SUPERVISE),
    Operation("ticket", "resume", "resume"),
    Operation("ticket", "resolve", "resolve"),
    Operation("ticket", "close", "close"),
    Operation("ticket", "reopen", "reopen"),
    Operation("ticket", "release", "release"),
    Operation("ticket", "assign", "assign", Right.SUPERVISE),
    Operation("ticket", "transfer", "transfer", Right.SUPERVISE),
    Operation("ticket", "envelope", "open_envelope"),
    Operation("ticket", "envelopes", "expert_view", Right.READ),
    Operation("ticket", "task", "add_task"),
    Operation("ticket", "flag", "add_flag"),
    Operation("ticket", "unflag", "clear_flag"),
    Operation("ticket", "remind", "remind"),
    Operation("ticket", "working-on", "working_on"),
    Operation("ticket", "resource", "add_resource"),
    Operation("ticket", "incident", "open_incident"),
    Operation("ticket", "link", "link_incident"),
    Operation("ticket", "evidence", "attach_evidence"),
    Operation("ticket", "runbook", "link_runbook"),
    Operation("ticket", "escalate", "escalate"),
    Operation("incident", "close", "close_incident"),
    Operation("envelope", "accept", "accept_envelope"),
    Operation("envelope", "complete", "complete_envelope"),
    Operation("envelope", "cancel", "cancel_envelope"),
    Operation("task", "move", "move_task"),
    Operation("reminder", "snooze", "snooze"),
    Operation("reminder", "complete", "complete_reminder"),
    Operation("alert", "acknowledge", "acknowledge"),
    Operation("notice", "news", "news_in", Right.READ),
    Operation("parcel", "retry", "retry_unsent", Right.SUPERVISE),
    Operation("destination", "drop", "drop_unsent", Right.SUPERVISE),
    Operation("grant", "propose", "propose_resolution"),
    Operation("grant", "approve", "approve_resolution", Right.SUPERVISE),
    Operation("review", "decide", "review_grant", Right.SUPERVISE),
    Operation("review", "second", "second_opinion", Right.SUPERVISE),
    Operation("review", "report", "grant_review_report", Right.SUPERVISE),
    Operation("lesson", "list", "waiting_lessons", Right.SUPERVISE),
    Operation("lesson", "accept", "accept_lesson", Right.SUPERVISE),
    Operation("lesson", "reject", "reject_lesson", Right.SUPERVISE),
    Operation("view", "save", "save_view"),
    Operation("view", "board", "board", Right.READ),
    Operation("view", "move", "move_card"),
    Operation("desk", "queue", "my_queue", Right.READ),
    Operation("desk", "backlog", "work_queue", Right.SUPERVISE),
    Operation("desk", "envelopes", "my_envelopes", Right.READ),
    Operation("desk", "tasks", "my_tasks", Right.READ),
    Operation("desk", "reminders", "due_reminders", Right.READ),
    Operation("desk", "inbox", "inbox", Right.READ),
    Operation("desk", "read", "mark_read", Right.READ),
    Operation("desk", "waiting", "waiting_news", Right.READ),
    Operation("desk", "silences", "silences", Right.READ),
    Operation("desk", "preferences", "preferences", Right.READ),
    Operation("desk", "prefer", "prefer", Right.READ),
    Operation("desk", "views", "views", Right.READ),
    Operation("desk", "incidents", "incidents"),
    Operation("desk", "escalations", "waiting_escalations", Right.SUPERVISE),
    Operation("desk", "orphans", "orphans", Right.SUPERVISE),
    Operation("desk", "differences", "differences", Right.SUPERVISE),
)

WORDS: Mapping[str, str] = {
    "actions": "What is to keep it from happening again; again for more.",
    "agent": "By id; without one the group's or the whole desk's.",
    "ahead_hours": "How far ahead to look, in hours.",
    "amount": "What it costs, such as 40 or 12.50.",
    "assigned_to": "The agent who is asked, by id.",
    "author": "Another contact than the requester, by id or e-mail address.",
    "bug": "Its key in the team's own tracker.",
    "category": "The source's word for what it is about.",
    "channel": "How it came in; of an incident, where people talk about it.",
    "claim": "What is granted, and why.",
    "columns": "What the columns are.",
    "comment": "What the customer wrote with it.",
    "commander": "The agent who leads it, by id.",
    "company": "The requester's company, by id or name.",
    "component": "A component of escalations.yaml.",
    "csat": "The customer's satisfaction, 1 to 5.",
    "currency": "The one of the team's limits.",
    "description": "More of it.",
    "draft": "Send the newest draft as it is.",
    "due": "The new end, an instant with its zone; none: the policy's target holds again.",
    "due_date": "When it should be done, an instant with its zone.",
    "end_date": "The last instant at which it may come again.",
    "envelope_id": "Inside this envelope.",
    "filters": "field=value that tickets must have; again for more.",
    "event_type": "The type of news; `*` is all others.",
    "frequency": "daily, weekly or monthly, to have it come again.",
    "group": "The group that it is for, by id.",
    "health": "How it is.",
    "incident": "The incident's key; `desk incidents` lists the open ones.",
    "interval": "Every so many days, weeks or months.",
    "is_approved": "Whether it is granted.",
    "is_complaint": "The customer complains.",
    "kind": "What it is.",
    "label": "A label of the taxonomy.",
    "lanes": "What divides the board across.",
    "lessons": "backlog=what it is to learn (reliability, product, docs); again for more.",
    "limits": "column=cards it should hold at most; again for more.",
    "limits_are": "soft warns, hard refuses.",
    "message": "What to be reminded of.",
    "minutes": "For so long.",
    "name": "What it is called.",
    "note": "Why, for those who learn from it.",
    "notes": "Why, for the next one with such a case.",
    "no_quiet_hours": "Take quiet hours back.",
    "notice_ids": "A notice by its key, again for more; none: all.",
    "nps": "Whether the customer would recommend us, 0 to 10.",
    "outcome": "What the review found.",
    "overdue": "Those alone whose team is silent for too long.",
    "priority": "How pressing it is.",
    "quiet_from": "When quiet begins, such as 18:00.",
    "quiet_to": "When quiet ends, such as 08:00.",
    "reason": "Why.",
    "recurring": "How it comes again.",
    "region": "Where its data is, such as eu-central-1.",
    "requester": "Who asks, by id or e-mail address.",
    "resource": "What it is called.",
    "runbook": "Its file or address.",
    "settings": "name=value of how it is set up; again for more.",
    "side": "Who is asked.",
    "since": "From this instant on, with its zone.",
    "sort_by": "The order of cards in a column.",
    "summary": "What came of it.",
    "survey": "What the customer answered.",
    "team": "Of this team.",
    "team_id": "A team, by id.",
    "text": "What is written.",
    "timing": "At once, or in a digest.",
    "ticket": "Key, reference or id of the ticket.",
    "title": "What it is, in a line.",
    "to": "Where it goes: a status, a priority, a column, or an agent by id.",
    "trigger_at": "When to be reminded, an instant with its zone.",
    "type": "What kind it is.",
    "unread": "Those that were not read.",
    "until": "Up to before this instant.",
    "uri": "Where it lies; an address with a key or password in it is refused.",
    "urgent_comes_through": "Urgent news come in quiet hours too.",
    "version": "The one that runs.",
    "what_went_wrong": "What the cause was, for the desk.",
    "what_went_wrong_text": "More of the cause.",
    "why_eligible": "What entitles the customer.",
    "why_eligible_text": "More of the reason.",
}
"""The help of each argument, of the fields of nested models too."""


@cache
def arguments(operation: Operation) -> type[BaseModel]:
    """What the operation takes beside its key, as a closed model; nested models are those of the domain."""
    function = operation.function
    fields: dict[str, Any] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if name in GIVEN or name == operation.key:
            continue
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        fields[name] = (_zoned(parameter.annotation), Field(default, description=WORDS[name]))
    title = "".join(part.capitalize() for part in operation.name.replace("-", " ").split())
    return create_model(title, __config__=ConfigDict(extra="forbid"), __doc__=operation.help, **fields)


def perform(
    app: App,
    operation: Operation,
    *,
    user: User,
    key: str | None = None,
    arguments: Mapping[str, object] = MappingProxyType({}),
    at: datetime | None = None,
) -> Result:
    """Do it as this person, now or at `at`. `key` names the thing; of a ticket its reference or external id will do.

    Raises NotAllowed for a missing right or by the desk's rules, NotFound, and BadInput with every wrong argument.
    """
    require(user, operation.right, app.policies.access, doing=f"`{operation.name}`")
    given = _checked(operation, arguments)
    wanted = inspect.signature(operation.function).parameters
    if "by" in wanted:
        given["by"] = _agent_id(operation, user)
    if "at" in wanted:
        given["at"] = at or app.now()
    if "reader" in wanted:
        given["reader"] = user
    if "left" in wanted:
        given["left"] = actions.time_left(app)
    named = [_key(app, operation, key)] if operation.key else []
    try:
        if operation.use_case in ACTIONS:
            found: Result = ACTIONS[operation.use_case](app, *named, **given)
        else:
            found = getattr(app.desk, operation.use_case)(*named, **given)
    except OverflowError:
        raise BadInput(f"{operation.name}: a number leads beyond the years 1 to 9999; give a smaller one") from None
    return found


def _agent_id(operation: Operation, user: User) -> str:
    if user.id.startswith(LOCAL):
        raise NotAllowed(f"`{operation.name}` is done by an agent, not by {user.name}: say who with --by")
    return user.id


def _checked(operation: Operation, given: Mapping[str, object]) -> dict[str, Any]:
    try:
        model = arguments(operation).model_validate(given)
    except ValidationError as error:
        raise BadInput(f"{operation.name}: {all_wrong(error)}") from None
    return {name: getattr(model, name) for name in type(model).model_fields}


def _key(app: App, operation: Operation, key: str | None) -> str:
    if not key:
        raise BadInput(f"{operation.name}: say which {operation.thing}, by its key")
    return app.store.ticket(key).id if operation.key == "ticket_id" else key


def _zoned(hint: Any) -> Any:
    """Instants need a zone."""
    if hint is datetime:
        return Instant
    return Instant | None if hint == datetime | None else hint


def in_words(found: object) -> str:
    """A result in a line: a ticket as it stands now, of anything else the fields that say something."""
    if isinstance(found, Ticket):
        owner = f"owned by {found.owner_id}" if found.owner_id else "without owner"
        assigned = f", assigned to {found.assignee_id}" if found.assignee_id not in (None, found.owner_id) else ""
        return f"{found.reference} is {owner}{assigned}, {found.status}, {found.priority}  {found.id}"
    if isinstance(found, BaseModel):
        held = ((name, getattr(found, name)) for name in type(found).model_fields)
        words = [_field(name, value) for name, value in held if not _says_nothing(value)]
        return "  ".join(words)
    return str(found)


def _says_nothing(value: object) -> bool:
    return value is None or value is False or (isinstance(value, str | tuple | list | dict) and not value)


def _field(name: str, value: object) -> str:
    match value:
        case Ticket():
            return f"{value.reference}  {value.subject}"
        case PriorityScore():
            return f"score: {value.score:g}"
        case BaseModel():
            return f"{name}: ({in_words(value)})"
        case datetime():
            return f"{name}: {value:%Y-%m-%d %H:%MZ}"
        case tuple() | list():
            return f"{name}: " + "; ".join(in_words(one) for one in value)
    return str(value) if name == "id" else f"{name}: {value}"
