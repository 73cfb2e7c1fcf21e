"""`helmdesk inbox`: what an agent was told, by whatever channel, and marking it as read."""

from typing import TYPE_CHECKING, Annotated

import typer

from engine.shared.errors import BadInput
from pipelines.commands.terminal import counted, open_here, plain

if TYPE_CHECKING:
    from engine.notices import Notice


def inbox(
    context: typer.Context,
    *,
    agent: Annotated[str, typer.Option("--agent", "--by", metavar="AGENT", help="Whose: such as AGT-07.")],
    unread: Annotated[bool, typer.Option("--unread", help="Only what is not marked as read.")] = False,
    show: Annotated[str | None, typer.Option(metavar="ID", help="Every piece of news in one notice.")] = None,
    read: Annotated[str | None, typer.Option(metavar="ID", help="Mark one notice as read.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Mark all as read.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """List an agent's notices, the newest first, say all that is in one, or mark them as read."""
    import json

    from engine.notices import message_of

    if (show is not None) + (read is not None) + all_ > 1:
        raise BadInput("--show says what is in a notice, --read marks one, --all marks all: give one of them")
    with open_here(context) as app:
        if show is not None:
            news = app.desk.news_in(show, by=agent)
            for row in news:
                line = row.model_dump(mode="json", exclude={"id", "agent_id", "notice_id", "batch_id"})
                typer.echo(
                    json.dumps(line) if as_json else plain(f"{row.created_at:%Y-%m-%d %H:%M}  {message_of(row)}")
                )
            return
        if read is not None or all_:
            marked = app.desk.mark_read(by=agent, at=app.now(), notice_ids=None if read is None else [read])
            typer.echo(json.dumps([one.id for one in marked]) if as_json else f"read: {counted(len(marked), 'notice')}")
            return
        notices = app.desk.inbox(by=agent, unread=unread)
    if as_json:
        typer.echo(json.dumps([notice.model_dump(mode="json") for notice in notices]))
        return
    for notice in notices:
        _show(notice)
    unread_ones = sum(notice.read_at is None for notice in notices)
    typer.echo(f"{counted(len(notices), 'notice')}, {unread_ones:,} unread")


def _show(notice: "Notice") -> None:
    mark = " " if notice.read_at else "*"
    way = (
        "inbox"
        if notice.destination == "inbox"
        else notice.channel
        if notice.sent_at
        else f"{notice.channel}, not sent"
    )
    typer.echo(plain(f"{mark} {notice.created_at:%Y-%m-%d %H:%M}  {notice.subject}  ({way})  {notice.id}"))
    for line in notice.text.splitlines():
        if line != notice.subject:
            typer.echo(plain(f"    {line}"))
