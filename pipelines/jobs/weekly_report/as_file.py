"""The weekly report to take away: for whom may export, and noted as every export."""

from engine.access import Right, User
from engine.storage.audit_log import Entry
from pipelines.app import identity
from pipelines.app.container import App
from pipelines.jobs.export import EXPORTED
from pipelines.jobs.weekly_report.as_html import as_html
from pipelines.jobs.weekly_report.as_pdf import as_pdf
from pipelines.jobs.weekly_report.figures import WeeklyReport
from pipelines.jobs.weekly_report.page import page_of


def as_file(app: App, user: User, report: WeeklyReport, *, is_pdf: bool = False) -> bytes:
    """Raises NotAllowed without the right to export; as `as_pdf`."""
    identity.require(app, user, Right.EXPORT, doing="taking the weekly report away")
    page = page_of(report)
    content = as_pdf(page, app.settings.data / "fonts") if is_pdf else as_html(page).encode()
    as_of = report.publication.as_of.isoformat()
    data = {"filter": f"week from {report.monday}", "format": "pdf" if is_pdf else "html", "as_of": as_of}
    app.store.put([], entry=Entry(EXPORTED, app.now(), "weekly report", user.id, data))
    return content
