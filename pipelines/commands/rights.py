"""Which right each command asks of who gives it, before it opens anything; those made from the table of operations ask
the right that stands there."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer

    from pipelines.app.container import App

RIGHTS: Mapping[str, str | None] = {
    "allocate": "supervise",
    "audit verify": "read",
    "audit views": "audit",
    "backlogs export": "export",
    "bench": None,
    "coverage": "supervise",
    "cycle": "supervise",
    "dashboard": None,
    "deliver": "supervise",
    "demo": None,
    "desk outside": "read",
    "doctor": None,
    "evaluate": "supervise",
    "export": "export",
    "grants draw": "supervise",
    "grants list": "supervise",
    "ingest": "supervise",
    "inspect": None,
    "keys create": "administer",
    "keys list": "administer",
    "keys revoke": "administer",
    "knowledge check": None,
    "knowledge list": "read",
    "knowledge remove": "supervise",
    "knowledge sync": "supervise",
    "migrate": None,
    "notebook": None,
    "outcomes": "supervise",
    "outcomes accept": "supervise",
    "people import": "administer",
    "people propose": "export",
    "policy init": None,
    "publish": "supervise",
    "pull": "supervise",
    "push suggestions": "supervise",
    "report": "export",
    "rules list": "supervise",
    "rules try": "supervise",
    "serve": None,
    "sla backtest": "supervise",
    "sla check": None,
    "sla explain": "read",
    "sql": "read",
    "sweep": "supervise",
    "ticket reply": "work",
    "ticket show": "read",
    "triage": "supervise",
    "triage ask": None,
    "triage eval": None,
    "triage eval-retrieval": None,
    "triage feedback": "work",
    "triage phrases": "supervise",
    "triage redact": "read",
    "triage report": "supervise",
    "triage retrain": "supervise",
    "triage review": "work",
    "triage train": None,
    "users list": "read",
    "users set": "administer",
}
"""None: it reads no customer data of this home, or asks those who come later (pages by sign-in, the service by key)."""


BY_ANY_NAME = frozenset({"outcomes accept", "triage feedback", "triage review"})
"""Commands whose `--by` may be a name that is no user's: then whoever is here is asked."""


def ask(context: "typer.Context", app: "App") -> None:
    """Raises NotAllowed unless who gives the command (`--by`, else HELMDESK_USER, else whoever is here) has its right;
    KeyError for a command that has no row."""
    from pipelines.app import identity

    command, named = path_of(context), context.params.get("by")
    if command in BY_ANY_NAME and named not in {user.id for user in identity.users(app)}:
        named = None
    if right := RIGHTS[command]:
        who = identity.local_user(app, named)
        identity.require(app, who, identity.Right(right), doing=f"`{command}`")


def path_of(context: "typer.Context") -> str:
    """Such as `sla explain`; a hidden name of a group counts as its own."""
    names, at = [str(context.info_name)], context.parent
    while at is not None and at.parent is not None:
        names.insert(0, str(at.info_name))
        at = at.parent
    return " ".join(names).replace("calibration ", "grants ")
