"""What became of drafts: how much was rewritten, who is accepted, which articles never help, what to write next."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.shared.errors import BadInput
from tests.triage.conftest import DATA, MONDAY
from triage.contracts import Citation, Suggestion
from triage.feedback.acceptance import Outcome, acceptance, edit_distance, feedback, frame_of, never_help
from triage.feedback.gaps import Uncovered, gaps
from triage.feedback.policy import load_policy

POLICY = load_policy(DATA / "policies" / "learning.yaml")
LETTERS = st.text(alphabet="ab c", max_size=12)


def draft(number: int = 1, *articles: str, grounded: bool = True, model: str = "extractive") -> Suggestion:
    cited = [
        Citation(index=i, article_id=article, title="T", url="https://help.example", snippet="s")
        for i, article in enumerate(articles, start=1)
    ]
    return Suggestion(
        id=f"sug-{number}", ticket_id=f"desk:{number}", text="Restart the connector [1].", citations=tuple(cited),
        grounded=grounded, model_used=model, created_at=MONDAY,
    )  # fmt: skip


def by_the_table(first: str, second: str) -> int:
    """Wagner and Fischer's table, as it is written in every book."""
    row = list(range(len(second) + 1))
    for i, one in enumerate(first, start=1):
        before, row[0] = row[0], i
        for j, other in enumerate(second, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (one != other))
    return row[-1]


@given(LETTERS, LETTERS)
def test_distance_is_that_of_the_book(first: str, second: str) -> None:
    one, other = " ".join(first.split()), " ".join(second.split())
    assert edit_distance(first, second) == pytest.approx(by_the_table(one, other) / max(len(one), len(other), 1))


@pytest.mark.parametrize(
    ("before", "after", "distance"),
    [
        ("kitten", "sitting", 3 / 7),
        ("abc", "xyz", 1.0),
        ("abc", "", 1.0),
        ("", "", 0.0),
        ("a  b\r\n c\n", "a b c", 0.0),
        ("☃" * 300, "☃" * 299 + "!", 1 / 300),
    ],
)
def test_distance_is_a_share_of_the_longer_text(before: str, after: str, distance: float) -> None:
    assert edit_distance(before, after) == pytest.approx(distance)
    assert edit_distance(after, before) == pytest.approx(distance)


def test_text_sent_as_it_was_is_sent() -> None:
    as_it_was = feedback(draft(1, "a"), by="ana", at=MONDAY, sent="Restart the connector [1].\r\n")
    assert (as_it_was.outcome, as_it_was.distance, as_it_was.text) == (Outcome.SENT, 0.0, None)
    assert feedback(draft(1, "a"), by="ana", at=MONDAY).outcome == Outcome.SENT


def test_edited_keeps_text_and_distance() -> None:
    edited = feedback(draft(1, "a", "b", "a"), by="ana", at=MONDAY, sent="Restart it.", label="ZTNA")
    assert (edited.outcome, edited.text, edited.label) == (Outcome.EDITED, "Restart it.", "ZTNA")
    assert 0 < (edited.distance or 0) < 1
    assert edited.articles == ("a", "b")


def test_rejected_has_a_reason_and_no_distance() -> None:
    rejected = feedback(draft(), by="ana", at=MONDAY, rejected="wrong version")
    assert (rejected.outcome, rejected.reason, rejected.distance) == (Outcome.REJECTED, "wrong version", None)


@pytest.mark.parametrize(
    "said", [{"rejected": "  "}, {"sent": ""}, {"sent": "x" * 20_001}, {"sent": "a", "rejected": "b"}], ids=str
)
def test_empty_or_double_feedback_is_refused(said: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        feedback(draft(), by="ana", at=MONDAY, **said)


@pytest.mark.parametrize(
    "said", [{"by": "caf\udce9"}, {"by": "\0"}, {"rejected": "caf\udce9"}, {"sent": "Hello \0 there"}], ids=ascii
)
def test_what_is_no_text_is_refused(said: dict[str, str]) -> None:
    with pytest.raises(BadInput, match="is no UTF-8 text or holds a NUL"):
        feedback(draft(), **{"by": "ana", "at": MONDAY} | said)


@pytest.mark.parametrize("by", ["", "   ", "x" * 201], ids=["none", "blank", "long"])
def test_feedback_has_a_name(by: str) -> None:
    with pytest.raises(BadInput, match="needs the name"):
        feedback(draft(), by=by, at=MONDAY)
    assert feedback(draft(), by="  Ana \t Sol ", at=MONDAY).given_by == "Ana Sol"


def test_draft_without_an_answer_is_not_judged() -> None:
    with pytest.raises(BadInput, match="no answer to judge"):
        feedback(draft(grounded=False), by="ana", at=MONDAY)


def judged(*outcomes: str, article: str = "a", start: int = 0) -> pl.DataFrame:
    said = {"sent": {}, "edited": {"sent": "Restart the connector now."}, "rejected": {"rejected": "no"}}
    return frame_of(
        [
            feedback(draft(start + n, article), by="ana", at=MONDAY, label="ZTNA", **said[outcome])
            for n, outcome in enumerate(outcomes)
        ]
    )


def test_acceptance_has_wilsons_interval() -> None:
    found = acceptance(judged(*["sent"] * 8, "edited", "rejected"), POLICY.drafts)
    assert found["dimension"].to_list() == ["all", "article", "label", "model"]
    for row in found.iter_rows(named=True):
        assert (row["drafts"], row["sent"], row["edited"], row["rejected"], row["accepted"]) == (10, 8, 1, 1, 9)
        assert (round(row["low"], 4), round(row["high"], 4)) == (0.5958, 0.9821)  # 9 of 10, as in the literature


def test_draft_mostly_rewritten_is_not_accepted() -> None:
    wholly_other = feedback(draft(1, "a"), by="ana", at=MONDAY, sent="Please give us a call tomorrow morning, thanks!")
    assert acceptance(frame_of([wholly_other]), POLICY.drafts)["accepted"].to_list() == [0, 0, 0]


def test_nothing_judged_is_an_empty_table() -> None:
    assert acceptance(frame_of([]), POLICY.drafts).is_empty()


def test_articles_that_never_help_are_named_with_why() -> None:
    given = pl.concat(
        [judged(*["rejected"] * 5, article="bad"), judged("sent", *["rejected"] * 5, article="ok", start=9)]
    )
    cited = pl.DataFrame({"article_id": ["bad", "ok", "new"], "drafts": [7, 9, 1]})
    found = never_help(["bad", "ok", "new", "idle"], cited, acceptance(given, POLICY.drafts), POLICY.drafts)
    assert found.select("article_id", "why").rows() == [("bad", "never accepted"), ("idle", "never cited")]


def test_gaps_are_grouped_by_meaning_and_ordered_by_size(embedder) -> None:
    about = {
        "printer": ["The printer on floor 3 does not print", "Printer prints nothing", "Our printer will not print"],
        "parking": ["I need a parking permit", "Parking permit for a visitor"],
        "tea": ["Which tea is in the kitchen?"],
    }
    subjects = [(f"{name}-{n}", text) for name, texts in about.items() for n, text in enumerate(texts)]
    tickets = [Uncovered(key, text) for key, text in reversed(subjects)]
    found = gaps(tickets, embedder.embed([one.subject for one in tickets]), POLICY.gaps)
    assert [len(gap.tickets) for gap in found] == [3, 2]
    assert [{key.split("-")[0] for key in gap.tickets} for gap in found] == [{"printer"}, {"parking"}]
    assert found[0].about in about["printer"]


def test_ticket_that_says_nothing_is_in_no_group() -> None:
    vectors = np.array([[1, 0], [0, 0], [1, 0], [0, 0]], dtype=np.float32)
    found = gaps([Uncovered(f"t-{n}", f"S{n}") for n in range(4)], vectors, POLICY.gaps)
    assert [gap.tickets for gap in found] == [("t-0", "t-2")]


def test_no_uncovered_ticket_no_gap() -> None:
    assert gaps([], np.zeros((0, 3), dtype=np.float32), POLICY.gaps) == []
    one = np.array([[1.0, 0.0]], dtype=np.float32)
    assert gaps([Uncovered("a", "b")], one, POLICY.gaps.model_copy(update={"least_tickets": 1}))[0].tickets == ("a",)


@pytest.mark.parametrize(
    ("before", "after", "key"),
    [
        ("accepted_distance: 0.50", "accepted_distance: 5", "drafts.accepted_distance"),
        ("certainty: 0.95", "certainty: 0.2", "retrain.certainty"),
        ("answers: 50 ", "anwsers: 50 ", "retrain.answers"),
    ],
)
def test_broken_policy_names_file_and_key(tmp_path, before: str, after: str, key: str) -> None:
    text = (DATA / "policies" / "learning.yaml").read_text(encoding="utf-8")
    assert before in text
    (tmp_path / "learning.yaml").write_text(text.replace(before, after), encoding="utf-8")
    with pytest.raises(BadInput, match=rf"learning\.yaml: {key}"):
        load_policy(tmp_path / "learning.yaml")
