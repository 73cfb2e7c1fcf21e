"""Accepted lessons as articles: a file each below home, and in the index under a source of their own."""

from datetime import datetime
from typing import TYPE_CHECKING

from pipelines.app.container import App

if TYPE_CHECKING:
    from engine.lessons import LessonReview
    from triage.ports import IndexReport

SOURCE = "lessons"


def accept(app: App, lesson_id: str, *, title: str, by: str, at: datetime, text: str | None = None) -> "LessonReview":
    """Make a lesson an article that drafts may cite to customers, in words of one's own or as it is.

    Where the index is held by another process the yes is kept all the same, and the next triage brings the article in.
    """
    from engine.shared.errors import Unavailable

    done = app.desk.accept_lesson(lesson_id, title=title, by=by, at=at, text=text)
    try:
        sync(app)
    except Unavailable as reason:
        app.log.warning("lesson waits for the index", lesson=lesson_id, reason=str(reason))
    return done


def sync(app: App) -> "IndexReport":
    """Make folder and index hold what was accepted, by the store; an article whose file was changed is written anew."""
    from engine.lessons import LessonReview, Verdict, markdown
    from engine.shared.whole_file import whole_file
    from triage.knowledge.articles import read_folder
    from triage.ports import IndexReport

    folder = app.settings.home / SOURCE
    accepted = {f"{one.article_id}.md": one for one in app.store.all(LessonReview, verdict=Verdict.ACCEPTED)}
    if not accepted and not folder.exists():
        return IndexReport(0, 0, 0)
    folder.mkdir(parents=True, exist_ok=True)
    for gone in (file for file in folder.glob("lesson-*.md") if file.name not in accepted):
        gone.unlink()
    for name, review in accepted.items():
        with whole_file(folder / name) as unfinished:
            unfinished.write_text(markdown(review), encoding="utf-8")
    reading = read_folder(folder)
    for line in reading.refused:
        app.log.warning("article refused", reason=str(line))
    return app.triage.index.sync(reading.articles, source=SOURCE)
