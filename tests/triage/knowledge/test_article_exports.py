"""Articles as help centres and wikis export them: FAQ tables, API answers, folders of documents."""

import json
from pathlib import Path

import pytest

from triage.knowledge.articles import Reading, grouped, read_folder

FAQ = Path(__file__).resolve().parents[4] / "shared" / "cases" / "files" / "faq.csv"
ZENDESK = {
    "count": 2, "next_page": None, "page": 1, "sections": [{"id": 5, "name": "Access"}, {"id": 6, "name": "Bills"}],
    "articles": [
        {"id": 360, "url": "https://d.zendesk.example/api/v2/help_center/en-us/articles/360.json",
         "html_url": "https://d.zendesk.example/hc/en-us/articles/360", "author_id": 1, "draft": False,
         "title": "Reset a PIN", "locale": "en-us", "label_names": ["pin", "login"],
         "body": "<p>Open <b>Settings</b>.</p>"},
        {"id": 361, "draft": True, "title": "Not yet", "body": "<p>Soon.</p>", "label_names": []},
    ],
}  # fmt: skip
BODY = {"storage": {"value": "<p>Restart the agent.</p><ac:structured-macro ac:name='code'><ac:plain-text-body>"
                             "<![CDATA[systemctl restart agent]]></ac:plain-text-body></ac:structured-macro>",
                    "representation": "storage"}}  # fmt: skip
CONFLUENCE = {
    "results": [
        {"id": "98", "type": "page", "status": "current", "title": "Agent is offline", "body": BODY,
         "metadata": {"labels": {"results": [{"prefix": "global", "name": "agent", "id": "1"}], "size": 1}},
         "_links": {"webui": "/spaces/KB/pages/98/Agent", "self": "https://w.example/wiki/rest/api/content/98"}},
        {"id": "99", "type": "page", "status": "archived", "title": "Old", "body": BODY, "_links": {"webui": "/o"}},
    ],
    "start": 0, "limit": 25, "size": 2, "_links": {"base": "https://w.example/wiki", "context": "/wiki"},
}  # fmt: skip


def read(folder: Path, **files: object) -> Reading:
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8")
    return read_folder(folder)


@pytest.mark.skipif(not FAQ.exists(), reason="the shared cases are not there")
def test_questions_without_ids_are_articles() -> None:
    reading = read_folder(FAQ)
    assert [article.title for article in reading.articles] == ["Where is my invoice?", "How do I reset my PIN?"]
    assert not reading.refused


def test_a_question_keeps_its_id_when_its_answer_changes(tmp_path: Path) -> None:
    first = read(tmp_path, faq__csv="question,answer\nWhere is it?,Here.\n").articles
    second = read(tmp_path, faq__csv="question,answer\nWhat else?,Nothing.\n where  is it?,There.\n").articles
    assert first[0].id in {article.id for article in second}
    assert len(second) == 2


def test_zendesk_articles_are_read_and_drafts_left_out(tmp_path: Path) -> None:
    reading = read(tmp_path, kb__json=ZENDESK)
    (article,) = reading.articles
    assert (article.id, article.url) == ("360", "https://d.zendesk.example/hc/en-us/articles/360")
    assert (article.text, article.tags) == ("Open **Settings**.", ("pin", "login"))
    assert grouped(reading.left_out) == ["kb.json, item 2: it is a draft, or no longer published"]
    assert not reading.refused


def test_confluence_pages_are_read_with_address_and_labels(tmp_path: Path) -> None:
    reading = read(tmp_path, kb__json=CONFLUENCE)
    (article,) = reading.articles
    assert (article.id, article.title) == ("98", "Agent is offline")
    assert (article.url, article.tags) == ("https://w.example/wiki/spaces/KB/pages/98/Agent", ("agent",))
    assert "Restart the agent." in article.text
    assert "systemctl restart agent" in article.text
    assert [left.where for left in reading.left_out] == ["item 2"]


def test_a_body_in_atlassians_own_form_is_refused_with_the_remedy(tmp_path: Path) -> None:
    page = {"id": "1", "title": "T", "body": {"atlas_doc_format": {"value": "{}"}}}
    assert "export it with body-format=storage" in str(read(tmp_path, kb__json=[page]).refused[0])


ARTICLE = {"id": "a", "title": "T", "body": "Do it.", "attachments": [{"id": "f1"}, {"id": "f2"}]}


@pytest.mark.parametrize(
    "wrapper",
    [
        {"data": {"meta": {"has_more": True}, "articles": [ARTICLE]}},
        {"response": {"page": 1, "docs": [ARTICLE]}},
        {"article": ARTICLE},
        [{"articles": [ARTICLE], "page": 1}, {"articles": [], "page": 2}],
        ARTICLE,
    ],
)
def test_any_wrapper_is_opened(tmp_path: Path, wrapper: object) -> None:
    reading = read(tmp_path, kb__json=wrapper)
    assert [article.id for article in reading.articles] == ["a"]
    assert not reading.refused


def test_an_article_without_text_is_no_wrapper_of_its_attachments(tmp_path: Path) -> None:
    reading = read(tmp_path, kb__json=[{"id": "b", "title": "T", "files": [{"id": "f", "description": "a picture"}]}])
    assert ["it has no text" in refused.reason for refused in reading.refused] == [True]


def test_lines_above_the_header_are_no_articles(tmp_path: Path) -> None:
    table = "Knowledge base export;;\nMarch;;\n\nID;Title;Solution text\n1;A;Do it.\n;;\n2;B;Do that.\n"
    reading = read(tmp_path, kb__csv=table.replace("Solution text", "Body"))
    assert [(article.id, article.text) for article in reading.articles] == [("1", "Do it."), ("2", "Do that.")]
    assert not reading.refused


@pytest.mark.parametrize("mark", ["draft: true", "published: false", "status: archived"])
def test_a_draft_in_markdown_is_left_out(tmp_path: Path, mark: str) -> None:
    reading = read(
        tmp_path, a__md=f"---\ntitle: T\n{mark}\n---\nText.", b__md="---\ntitle: U\ndraft: false\n---\nText."
    )
    assert [(article.id, article.title, article.url) for article in reading.articles] == [("b", "U", "b.md")]
    assert [left.file for left in reading.left_out] == ["a.md"]
    assert not reading.refused


def test_mdx_is_read_without_its_code(tmp_path: Path) -> None:
    page = 'import Tabs from "x"\n\n# Reset\n\n<Tabs kind="a">\nOpen it.\n</Tabs>\n\n```\nimport this\n```\n'
    (article,) = read(tmp_path, reset__mdx=page).articles
    assert (article.id, article.title) == ("reset", "Reset")
    assert article.text == "Open it.\n\n```\nimport this\n```"


def test_documents_in_other_forms_are_told_with_what_to_do(tmp_path: Path) -> None:
    reading = read(
        tmp_path, a__rst="Title\n=====", b__rst="T", c__docx="PK", good__md="# T\n\nText.", logo__svg="<svg/>"
    )
    assert [article.id for article in reading.articles] == ["good"]
    assert grouped(reading.left_out) == [
        "2 articles: .rst is not read; convert it: `pandoc -t gfm -o ARTICLE.md ARTICLE.rst` (first: a.rst)",
        "c.docx: .docx is not read; convert it: `pandoc -t gfm -o ARTICLE.md ARTICLE.docx`",
    ]
    assert not reading.refused
    assert "pandoc" in str(read_folder(tmp_path / "c.docx").refused[0])
