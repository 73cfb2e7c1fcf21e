"""`helmdesk pull`: fetch what changed in a system since the last time, or every so often."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from engine.shared.errors import BadInput
from pipelines.commands.ingest import show_report
from pipelines.commands.terminal import instant, open_here, progress_bars

if TYPE_CHECKING:
    from engine.contracts import Rejected


def pull(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="jira, servicenow, zendesk or freshdesk.")],
    since: Annotated[
        str | None, typer.Option(help="Begin anew with what changed since this instant, with its zone.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="End after the page with so many new or changed ones.")
    ] = None,
    every: Annotated[
        float | None, typer.Option(min=0.1, help="Minutes: go on, a pull every so often, until Ctrl-C.")
    ] = None,
) -> None:
    """Fetch tickets from a system with their histories and messages. What is there already changes nothing.

    The environment says where and as whom:

    HELMDESK_JIRA_URL, HELMDESK_JIRA_TOKEN, HELMDESK_JIRA_USER (its e-mail on Cloud; none for a personal access token of
    Data Center), HELMDESK_JIRA_JQL (which issues);

    HELMDESK_SERVICENOW_URL, HELMDESK_SERVICENOW_TOKEN, HELMDESK_SERVICENOW_USER (whose password the token is; none for
    an OAuth token); the user is in time zone GMT and may read incident, sys_audit, sys_journal_field, sys_user and
    sys_user_grmember;

    HELMDESK_ZENDESK_URL, HELMDESK_ZENDESK_TOKEN, HELMDESK_ZENDESK_USER (the e-mail of an administrator; none for an
    OAuth token);

    HELMDESK_FRESHDESK_URL, HELMDESK_FRESHDESK_TOKEN (an API key).
    """
    from pipelines.jobs.pull import pull as job
    from pipelines.jobs.pull import repeat

    if every is not None:
        if since is not None or limit is not None:
            raise BadInput("--every goes on where the last pull ended: give it without --since and --limit")
        import time
        from contextlib import suppress

        with suppress(KeyboardInterrupt), open_here(context, keep_last_good=True) as app:
            repeat(app, source, every=timedelta(minutes=every), wait=time.sleep, report=typer.echo)
        return
    rows: list[Rejected] = []
    with open_here(context) as app, progress_bars() as progress:
        begin = instant(since, option="--since")
        report = job(app, source, since=begin, limit=limit, progress=progress, refused=rows.extend)
    show_report(report, rows)
