"""Hand last week's signals to the backlogs."""

from prefect import flow

from pipelines.app.container import open_app
from pipelines.jobs.backlogs import export, week_before


@flow(name="export-backlogs")
def export_backlogs() -> dict[str, int]:
    """Write last week's signals below home, a file for each backlog; returns the files with their rows."""
    with open_app(keep_last_good=True) as app:
        written = export(app, week_before(app, app.now()), app.settings.home / "exports" / "backlogs")
    return {str(file): rows for file, rows in written.items()}
