"""`helmdesk doctor`: which parts are in use, and do they work."""

from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.jobs.doctor import Finding


def show(findings: list[Finding], console: Console | None = None) -> None:
    out = console or Console()
    table = Table(title="helmdesk doctor", title_justify="left", box=SIMPLE)
    for column in ("part", "in use", "", "to go further"):
        table.add_column(column, overflow="fold")
    for finding in findings:
        mark = "ok" if finding.works else "[red]FAILS[/]"
        table.add_row(finding.part, escape(finding.in_use), mark, escape(finding.note))
    out.print(table)
