"""`helmdesk users` and `helmdesk keys`: who may do what here, and by which keys other systems call."""

from typing import TYPE_CHECKING, Annotated

import typer

from engine.shared.errors import BadInput
from pipelines.commands.terminal import counted, open_here, plain

if TYPE_CHECKING:
    from engine.access import ApiKey, UserRole

users = typer.Typer(help="Who signs in, and what they may do and read.", no_args_is_help=True)
keys = typer.Typer(help="Keys of people and of source systems for the API.", no_args_is_help=True)
By = Annotated[str | None, typer.Option(help="Who does it, by id.", show_default="HELMDESK_USER, or who is here")]


@users.command("list")
def list_users(context: typer.Context, by: By = None) -> None:  # noqa: ARG001 - `open_here` asks it
    """Everybody, with their roles; agents have those of their role until one is set."""
    from pipelines.app import identity

    with open_here(context) as app:
        found = identity.users(app)
    for user in found:
        state = "" if user.is_active else "  not active"
        typer.echo(plain(f"{user.id:<14} {user.name:<24} {', '.join(user.roles):<28} {user.email or '–'}{state}"))
    typer.echo(counted(len(found), "user"))


@users.command("set")
def set_user(
    context: typer.Context,
    user: Annotated[str, typer.Argument(help="The id; an agent's, if it is one.")],
    *,
    role: Annotated[list[str] | None, typer.Option(help="agent, expert, supervisor, manager, admin, auditor.")] = None,
    name: Annotated[str | None, typer.Option(help="As it is shown.")] = None,
    email: Annotated[str | None, typer.Option(help="The address that signs in.")] = None,
    active: Annotated[bool | None, typer.Option("--active/--inactive", help="Whether they may come in.")] = None,
    by: By = None,
) -> None:
    """Make a user, or change what is given; --role once for each role, in the place of those before."""
    from pipelines.app import identity

    roles = [_role(word) for word in role or ()]
    with open_here(context) as app:
        who = identity.local_user(app, by)
        made = identity.set_user(app, user, by=who, roles=roles, name=name, email=email, is_active=active)
    state = "active" if made.is_active else "not active"
    typer.echo(plain(f"{made.id}: {made.name}, {' and '.join(made.roles)}, {state}"))


@keys.command("create")
def create_key(
    context: typer.Context,
    *,
    user: Annotated[str | None, typer.Option(help="Whose it is, by id.")] = None,
    source: Annotated[str | None, typer.Option(help="The source whose webhook it opens, such as servicenow.")] = None,
    by: By = None,
) -> None:
    """Make a key; it is shown once, alone on the last line, and only its digest is kept."""
    from pipelines.app import identity

    with open_here(context) as app:
        made = identity.create_key(app, by=identity.local_user(app, by), user_id=user, source=source)
    typer.echo(
        plain(f"A key of {user or source}, shown this once; `helmdesk keys revoke {made.split('_')[1]}` ends it")
    )
    typer.echo(made)


@keys.command("list")
def list_keys(context: typer.Context, by: By = None) -> None:  # noqa: ARG001 - `open_here` asks it
    """All keys by the part that is no secret, the oldest first."""
    from pipelines.app import identity

    with open_here(context) as app:
        found = identity.keys(app)
    for key in found:
        typer.echo(plain(_line(key)))
    typer.echo(counted(len(found), "key"))


@keys.command("revoke")
def revoke_key(
    context: typer.Context, key: Annotated[str, typer.Argument(help="As `keys list` names it.")], by: By = None
) -> None:
    """From now on the key opens nothing."""
    from pipelines.app import identity

    with open_here(context) as app:
        gone = identity.revoke_key(app, key, by=identity.local_user(app, by))
    typer.echo(plain(f"{gone.id}: revoked by {gone.revoked_by}"))


def _line(key: "ApiKey") -> str:
    made = f"made {key.created_at:%Y-%m-%d %H:%MZ} by {key.created_by}"
    gone = f", revoked {key.revoked_at:%Y-%m-%d %H:%MZ} by {key.revoked_by}" if key.revoked_at else ""
    return f"{key.id}  {'user' if key.user_id else 'source'} {key.user_id or key.source}, {made}{gone}"


def _role(word: str) -> "UserRole":
    from engine.access import UserRole

    try:
        return UserRole(word)
    except ValueError:
        raise BadInput(f"--role {word!r} is none; there are {', '.join(UserRole)}") from None
