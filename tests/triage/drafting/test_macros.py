from pathlib import Path

import pytest

from engine.shared.errors import BadInput, NotFound
from triage.contracts import Article, Macro
from triage.drafting.macros import read_macros, suggest_macros


def test_shipped_macros_link_articles_that_exist(macros: list[Macro], articles: list[Article]) -> None:
    known = {article.id for article in articles}
    assert len(macros) >= 4
    assert all(macro.docs and macro.runbook for macro in macros)
    assert {doc for macro in macros for doc in macro.docs} <= known


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("the assertion is rejected, sso login again", "auth-sso-login-loop"),
        ("GEN-710", "auth-admin-locked-out"),
        ("Account   LOCKED since today", "auth-admin-locked-out"),
    ],
)
def test_signals_and_codes_suggest(macros: list[Macro], text: str, first: str) -> None:
    assert suggest_macros(text, macros)[0].id == first


def test_a_code_outweighs_two_signals() -> None:
    worded = Macro(id="a", title="a", text="a", signals=("slow", "proxy"))
    coded = Macro(id="b", title="b", text="b", error_codes=("SWG-231",))
    assert [m.id for m in suggest_macros("slow proxy swg-231", [worded, coded])] == ["b", "a"]
    assert suggest_macros("slower proxying SWG-2311", [worded, coded]) == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("id: one", "holds no list of macros"),
        ("- id: one\n  title: t", "entry 1: text: Field required"),
        ("- id: [", "expected node content at line"),
        ("- {id: a, title: t, text: x}\n- {id: a, title: t, text: x}", "id 'a' is used by another macro"),
        ("- {id: a, id: b, title: t, text: x}", "'id' is given twice"),
        ("- {id: a, title: t, text: 'Hi {name.__class__}'}", "only {name} and {reference} are filled in"),
        ("- {id: a, title: t, text: 'Hi {{7*7}}'}", "only {name} and {reference} are filled in"),
        ("- {id: a, title: t, text: 'Hi {'}", "only {name} and {reference} are filled in"),
        ("- {id: a, title: t, text: 'see http://x.example'}", "is no https link"),
        ("- {id: a, title: t, text: 'see javascript:alert(1)'}", "is no https link"),
        ("- {id: a, title: t, text: x, runbook: 'file:///etc/passwd'}", "is no https link"),
        ("- {id: a, title: t, text: 'see <b>this</b>'}", "holds markup or hidden characters"),
        ('- {id: a, title: t, text: "a\\u200bb \\u202e c"}', "holds markup or hidden characters"),
        ("- !!python/object/apply:os.system [id]", "could not determine a constructor"),
    ],
)
def test_bad_macros_are_refused_with_their_reason(tmp_path: Path, content: str, reason: str) -> None:
    (tmp_path / "m.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(BadInput) as refused:
        read_macros(tmp_path)
    assert "m.yaml" in str(refused.value)
    assert reason in str(refused.value)


def test_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_macros(tmp_path / "nowhere")
