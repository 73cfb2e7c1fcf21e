"""Rows of a page as a file: for readers with the right to export, with what they are in the file's head, and noted."""

from collections.abc import Callable
from functools import partial

import polars as pl
import streamlit as st

from pipelines import actions
from pipelines.app import identity
from pipelines.app.container import App
from pipelines.app.identity import Right, User
from pipelines.marts import Publication

FORMATS = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}


def offer(
    app: App, user: User, publication: Publication, name: str, rows: Callable[[], pl.DataFrame], *, where: str
) -> None:
    """Buttons that give these rows as CSV and as Parquet; asked for, and noted, only when one is clicked."""
    if not identity.has(app, user, Right.EXPORT):
        return
    with st.container(horizontal=True):
        for kind, mime in FORMATS.items():

            def made(kind: str = kind) -> bytes:
                return actions.exported(app, user, publication, name, rows(), kind=kind, where=where)

            file = f"{name}-{publication.as_of:%Y%m%dT%H%MZ}.{kind}"
            st.download_button(
                f"Export {kind.upper() if kind == 'csv' else kind.capitalize()}", made, file_name=file, mime=mime,
                on_click="ignore", key=f"export {name} {kind}", help="Every row of this list, noted in the audit log",
            )  # fmt: skip


def weekly_report(app: App, user: User) -> None:
    """A button that gives the report of the last settled week, made and noted when it is clicked."""
    if identity.has(app, user, Right.EXPORT):
        st.download_button(
            "Weekly report", partial(actions.weekly_report_html, app, user=user), file_name="weekly-report.html",
            mime="text/html", on_click="ignore", key="weekly report", help="The last settled week on one page",
        )  # fmt: skip
