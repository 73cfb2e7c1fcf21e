import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.shared.errors import BadInput, NotFound
from pipelines.app.container import open_app
from pipelines.cli import command_line
from triage.embed import WordLlama
from triage.knowledge.retrieve import Weights
from triage.knowledge.search_weights import Tuned, read_weights, save_weights

OWN = ("--source", "knowledge")
TOPICS = ("printer jams", "tunnel drops", "invoice is wrong", "screen flickers", "mail bounces", "password expired")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HELMDESK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HELMDESK_EMBEDDER", "wordllama")
    return tmp_path / "home"


def run(*words: object) -> Any:
    group = "triage" if words[0] == "eval-retrieval" else "knowledge"
    return CliRunner().invoke(command_line, [group, *map(str, words)])


def articles(folder: Path, *rows: dict[str, str]) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "kb.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return folder


def test_two_sources_live_side_by_side(home: Path, tmp_path: Path) -> None:
    wiki = articles(tmp_path / "wiki", {"id": "w1", "text": "The fan is loud."}, {"id": "w2", "text": "Reboot it."})
    assert "wiki: added or changed 2, removed 0, unchanged 0, refused 0" in run("sync", wiki).output
    page = tmp_path / "page.html"
    page.write_text("<h1>Tunnel</h1><p>It drops.</p>", encoding="utf-8")
    assert "handbook: added or changed 1" in run("sync", page, "--source", "handbook").output
    articles(wiki, {"id": "w1", "text": "The fan is loud."})
    assert "wiki: added or changed 0, removed 1, unchanged 1, refused 0" in run("sync", wiki).output
    held = json.loads(run("list", "--json").stdout)
    assert [(row["source"], row["article_id"]) for row in held] == [("handbook", "page.html"), ("wiki", "w1")]
    assert run("remove", "--source", "wiki").output == "wiki: removed 1\n"
    assert "1 article, 1 chunk, 1 source" in run("list").output
    assert isinstance(run("remove", "--source", "wiki").exception, NotFound)


def test_the_shipped_articles_are_the_default(home: Path) -> None:
    assert "knowledge: added or changed 48, removed 0" in run("sync").output


def test_removed_shipped_articles_stay_out_until_they_are_asked_for(home: Path) -> None:
    run("sync")
    assert "knowledge: removed 48; they stay out until `helmdesk knowledge sync`" in run("remove", *OWN).output
    with open_app() as app:
        app.triage.sync_knowledge()
        assert app.triage.index.search(["my tunnel drops"]) == [[]]
    assert "removed 0; they stay out" in run("remove", *OWN).output
    run("sync")
    with open_app() as app:
        assert app.triage.sync_knowledge().unchanged == 48


def test_shipped_articles_are_left_out_before_the_first_cycle(home: Path) -> None:
    assert "knowledge: removed 0; they stay out" in run("remove", *OWN).output
    with open_app() as app:
        assert (app.triage.sync_knowledge().added, app.triage.index.count()) == (0, 0)


def test_another_source_leaves_the_shipped_articles_out(home: Path, tmp_path: Path) -> None:
    run("remove", *OWN)
    run("sync", articles(tmp_path / "wiki", {"id": "w1", "text": "The fan is loud."}))
    with open_app() as app:
        app.triage.sync_knowledge()
        assert app.triage.held_articles() == ["w1"]


def test_an_unchanged_index_is_not_opened_for_its_ids(home: Path, tmp_path: Path) -> None:
    run("sync", articles(tmp_path / "wiki", {"id": "w1", "text": "The fan is loud."}))
    with open_app() as app:
        assert app.triage.held_articles() == ["w1"]
        assert "index" not in app.triage.__dict__
    more = {"id": "w1", "text": "The fan is loud."}, {"id": "w2", "text": "The fan is silent."}
    run("sync", articles(tmp_path / "wiki", *more))
    with open_app() as app:
        assert app.triage.held_articles() == ["w1", "w2"]


@pytest.mark.parametrize("more", [[], ["--source", "knowledge"]])
def test_no_other_folder_takes_the_place_of_the_shipped_articles(home: Path, tmp_path: Path, more: list[str]) -> None:
    run("sync")
    mine = articles(tmp_path / "knowledge", {"id": "mine", "text": "Restart it."})
    place = mine if not more else mine.rename(tmp_path / "mine")
    assert "say --source NAME" in str(run("sync", place, *more).exception)
    (tmp_path / "knowledge.csv").write_text("id,text\nmine,Restart it.\n", encoding="utf-8")
    assert "say --source NAME" in str(run("sync", tmp_path / "knowledge.csv").exception)
    assert "48 articles" in run("list").output
    assert "mine: added or changed 1, removed 0" in run("sync", place, "--source", "mine").output


def test_the_shipped_articles_keep_their_name(home: Path) -> None:
    assert "are the source 'knowledge'" in str(run("sync", "--source", "handbook").exception)


@pytest.mark.parametrize("name", ["", " ", "x" * 121, "a\nb", "a\udcff"])
def test_a_source_has_a_name_that_can_be_read(home: Path, tmp_path: Path, name: str) -> None:
    wiki = articles(tmp_path / "wiki", {"id": "w1", "text": "One."})
    assert "say --source NAME" in str(run("sync", wiki, "--source", name).exception)


def test_two_folders_of_one_name_do_not_wipe_each_other(home: Path, tmp_path: Path) -> None:
    for team in ("p", "q"):
        (tmp_path / team).mkdir()
        articles(tmp_path / team / "kb", {"id": f"{team}-1", "text": "Restart it."})
    run("sync", tmp_path / "p" / "kb")
    assert "'kb' holds 1 other articles" in str(run("sync", tmp_path / "q" / "kb").exception)
    run("sync", tmp_path / "q" / "kb", "--source", "q")
    held = json.loads(run("list", "--json").stdout)
    assert [(row["source"], row["article_id"]) for row in held] == [("kb", "p-1"), ("q", "q-1")]


def test_an_export_without_rows_removes_nothing(home: Path, tmp_path: Path) -> None:
    wiki = articles(tmp_path / "wiki", {"id": "w1", "text": "One."})
    (wiki / "b.csv").write_text("id,text\nb1,Two.\n", encoding="utf-8")
    run("sync", wiki)
    (wiki / "b.csv").write_text("id,text\n", encoding="utf-8")
    done = run("sync", wiki)
    assert (done.exit_code, "refused  b.csv: it holds no article" in done.output) == (2, True)
    assert "2 articles" in run("list").output


def test_an_id_of_another_source_is_refused_with_its_file(home: Path, tmp_path: Path) -> None:
    run("sync", articles(tmp_path / "wiki", {"id": "w1", "text": "One."}))
    book = articles(tmp_path / "book", {"id": "w1", "text": "Mine."}, {"id": "b1", "text": "Two."})
    done = run("sync", book)
    assert "refused  kb.jsonl, line 1, id 'w1': it belongs to the source 'wiki'" in done.output
    assert "book: added or changed 1, removed 0, unchanged 0, refused 1" in done.output


def test_a_surrogate_is_refused_beside_a_good_article(home: Path, tmp_path: Path) -> None:
    done = run("sync", articles(tmp_path / "wiki", {"id": "w1", "text": "One \ud800."}, {"id": "w2", "text": "Two."}))
    assert "refused  kb.jsonl, line 1: its text holds half a character" in done.output
    assert "wiki: added or changed 1" in done.output


def test_a_thousand_refusals_are_a_few_lines(home: Path, tmp_path: Path) -> None:
    rows = [{"id": f"w{at}", "text": ""} for at in range(999)]
    done = run("sync", articles(tmp_path / "wiki", {"id": "w", "text": "One."}, *rows))
    assert "refused  999 articles: it has no text; its columns are id, text (first: kb.jsonl, line 2)" in done.output
    assert len(done.output.splitlines()) == 3


def test_a_sync_with_word_vectors_is_silent_on_stderr(home: Path, tmp_path: Path) -> None:
    wiki = articles(tmp_path / "wiki", {"id": "w1", "text": "One."})
    command = [sys.executable, "-m", "pipelines.cli", "knowledge", "sync", str(wiki)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stdout.splitlines(), done.stderr) == (
        ["wiki: added or changed 1, removed 0, unchanged 0, refused 0"],
        "",
    )


def test_refused_articles_are_listed_and_nothing_is_lost(home: Path, tmp_path: Path) -> None:
    wiki = articles(tmp_path / "wiki", {"id": "w1", "text": "One."}, {"id": "w2", "text": "Two."})
    run("sync", wiki)
    articles(wiki, {"id": "w1", "text": "One, changed."}, {"id": "w2", "text": ""})
    done = run("sync", wiki)
    assert done.exit_code == 2
    assert "refused  kb.jsonl, line 2: it has no text" in done.output
    assert "added or changed 1, removed 0, unchanged 0, refused 1" in done.output
    assert "2 articles" in run("list").output
    articles(wiki, {"id": "w1"})
    assert "nothing was changed" in str(run("sync", wiki).exception)


def test_columns_are_named_on_the_command_line(home: Path, tmp_path: Path) -> None:
    wiki = articles(tmp_path / "wiki", {"Ref": "w1", "Fix": "Reboot it.", "text": "internal"})
    assert "added or changed 1" in run("sync", wiki, "--field", "id=Ref", "--field", "text=Fix").output
    assert "write field=column" in str(run("sync", wiki, "--field", "text").exception)


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    """Ninety documents that differ by a number, which words find and meaning does not."""
    documents = [f"{topic} on machine {number:03d}" for number in range(15) for topic in TOPICS]
    corpus = [{"_id": f"d{at}", "title": "", "text": f"The {text}."} for at, text in enumerate(documents)]
    queries = [{"_id": f"q{at}", "text": f"why {text}"} for at, text in enumerate(documents)]
    for name, rows in (("corpus", corpus), ("queries", queries)):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    for name, numbers in (("test", range(0, 90, 3)), ("train", [at for at in range(90) if at % 3])):
        lines = "\n".join(f"q{at}\td{at}\t1" for at in numbers)
        (tmp_path / f"{name}.tsv").write_text(f"query-id\tcorpus-id\tscore\n{lines}\n", encoding="utf-8")
    return tmp_path


def judge(folder: Path, *more: object, qrels: str = "test.tsv") -> Any:
    return run("eval-retrieval", "--corpus", folder / "corpus.jsonl", "--queries", folder / "queries.jsonl",
               "--qrels", folder / qrels, *more)  # fmt: skip


def test_three_rankings_are_judged(home: Path, judged: Path) -> None:
    report = json.loads(judge(judged, "--json").stdout)
    assert (report["documents"], report["queries"]) == (90, 30)
    assert set(report["figures"]) == {"bm25", "dense", "hybrid"}
    assert all(set(part) == {"ndcg@10", "mrr", "recall@5"} for part in report["figures"].values())
    assert report["figures"]["bm25"]["ndcg@10"] > 0.99
    assert report["weights"]["tuned"] is False
    assert set(report["figures_say"]) == {"ndcg@10", "mrr", "recall@5"}
    table = judge(judged).output
    assert all(word in table for word in ("nDCG@10", "MRR", "recall@5", "bm25", "dense", "hybrid", "weights: meaning"))


def test_queries_without_anything_relevant_are_left_out_and_counted(home: Path, judged: Path) -> None:
    with (judged / "test.tsv").open("a", encoding="utf-8") as stream:
        stream.write("q1\td1\t0\n")
    report = json.loads(judge(judged, "--json").stdout)
    assert (report["queries"], report["queries_left_out"]) == (30, 1)
    assert "30 judged queries (1 more have nothing relevant)" in judge(judged).output


def test_documents_are_embedded_once(home: Path, judged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = json.loads(judge(judged, "--json").stdout)
    monkeypatch.setattr(WordLlama, "embed", lambda *_: pytest.fail("embedded again"))
    assert json.loads(judge(judged, "--json").stdout)["figures"] == first["figures"]


def test_the_judgements_of_the_test_do_not_move_the_weights(home: Path, judged: Path) -> None:
    before = json.loads(judge(judged, "--tune-on", judged / "train.tsv", "--json").stdout)
    lines = (judged / "test.tsv").read_text(encoding="utf-8").splitlines()
    wrong = [
        line.replace("\td", "\td1") if int(line.split("\td")[1].split("\t")[0]) < 9 else line for line in lines[1:]
    ]
    (judged / "test.tsv").write_text("\n".join([lines[0], *wrong]), encoding="utf-8")
    after = json.loads(judge(judged, "--tune-on", judged / "train.tsv", "--json").stdout)
    assert after["weights"] == before["weights"]
    assert after["figures"] != before["figures"]
    assert before["weights"]["queries"] == 60


def test_queries_of_the_test_are_never_tuned_on(home: Path, judged: Path) -> None:
    both = (judged / "train.tsv").read_text() + "\n".join((judged / "test.tsv").read_text().splitlines()[1:])
    (judged / "both.tsv").write_text(both, encoding="utf-8")
    report = json.loads(judge(judged, "--tune-on", judged / "both.tsv", "--json").stdout)
    assert report["weights"]["queries"] == 60
    assert "only queries of the test" in str(judge(judged, "--tune-on", judged / "test.tsv").exception)


def test_a_folder_of_other_queries_may_be_tuned_on(home: Path, judged: Path) -> None:
    folder = judged / "train"
    folder.mkdir()
    (folder / "qrels.tsv").write_text((judged / "train.tsv").read_text(), encoding="utf-8")
    (folder / "queries.jsonl").write_text((judged / "queries.jsonl").read_text(), encoding="utf-8")
    reports = [
        json.loads(judge(judged, "--tune-on", place, "--json").stdout) for place in (folder, judged / "train.tsv")
    ]
    assert reports[0]["weights"] == reports[1]["weights"]
    assert reports[0]["weights"]["queries"] == 60


def test_tuned_weights_are_kept_for_this_home_if_asked(
    home: Path, judged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proven = Tuned(Weights(0.1, 0.9), True, 60, 0.2, 0.01, "won")
    monkeypatch.setattr("triage.knowledge.search_weights.tune", lambda *_, **__: proven)
    file = home / "models" / "search_weights.json"
    judge(judged, "--tune-on", judged / "train.tsv")
    assert not file.exists()
    saved = judge(judged, "--tune-on", judged / "train.tsv", "--save").output
    assert saved.splitlines()[-1] == f"saved for {WordLlama.name}: {file}"
    assert read_weights(file, embedder=WordLlama.name) == Weights(0.1, 0.9)
    assert "--tune-on" in str(judge(judged, "--save").exception)


def test_weights_that_were_not_proven_are_not_saved_and_it_is_said(
    home: Path, judged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unproven = Tuned(Weights(0.4, 0.6), False, 60, 0.0, 0.01, "not better than the default by enough")
    monkeypatch.setattr("triage.knowledge.search_weights.tune", lambda *_, **__: unproven)
    done = judge(judged, "--tune-on", judged / "train.tsv", "--save")
    assert done.output.splitlines()[-1] == "not saved: not better than the default by enough"
    report = json.loads(judge(judged, "--tune-on", judged / "train.tsv", "--save", "--json").stdout)
    assert (report["weights"]["source"], report["weights"]["saved_to"]) == ("default", None)
    assert not (home / "models" / "search_weights.json").exists()


def test_saved_weights_of_this_embedder_are_judged(home: Path, judged: Path) -> None:
    file = home / "models" / "search_weights.json"
    assert "(default: " in judge(judged).output
    save_weights(file, Tuned(Weights(0.1, 0.9), True, 60, 0.2, 0.01, "won"), embedder=WordLlama.name)
    assert "weights: meaning 0.10, words 0.90 (saved: " in judge(judged).output
    report = json.loads(judge(judged, "--json").stdout)
    assert [report["weights"][key] for key in ("dense", "words", "source")] == [0.1, 0.9, "saved"]
    save_weights(file, Tuned(Weights(0.1, 0.9), True, 60, 0.2, 0.01, "won"), embedder="another")
    assert json.loads(judge(judged, "--json").stdout)["weights"]["source"] == "default"


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("corpus.jsonl", "", "corpus.jsonl is empty"),
        ("corpus.jsonl", '{"_id": "d0"}', "corpus.jsonl, line 1: has no _id or no text"),
        ("corpus.jsonl", "{", "corpus.jsonl, line 1: is no JSON object"),
        (
            "corpus.jsonl",
            '{"_id": "d0", "text": "a"}\n{"_id": "d0", "text": "b"}',
            "line 2: the id 'd0' is given twice",
        ),
        ("queries.jsonl", "[]", "queries.jsonl, line 1: is no JSON object"),
        ("test.tsv", "", "test.tsv has no column 'query-id'"),
        ("test.tsv", "query-id\tcorpus-id\nq0\td0", "test.tsv has no column 'score'"),
        ("test.tsv", "query-id\tcorpus-id\tscore\nq0\td0", "line 2: needs a query id, a document id and a whole"),
        ("test.tsv", "query-id\tcorpus-id\tscore\nq0\td0\thigh", "line 2: needs a query id"),
        ("test.tsv", "query-id\tcorpus-id\tscore\nx\td0\t1", "there is no query 'x', nor any other"),
        ("test.tsv", "query-id\tcorpus-id\tscore\nq0\tx\t1", "there is no document 'x', nor any other"),
        ("test.tsv", "query-id\tcorpus-id\tscore\nq0\td0\t0", "judges no document relevant"),
        ("test.tsv", "query-id\tcorpus-id\tscore\n", "judges no document relevant"),
    ],
)
def test_a_bad_file_is_one_clear_error(home: Path, judged: Path, file: str, content: str, reason: str) -> None:
    (judged / file).write_text(content, encoding="utf-8")
    done = judge(judged)
    assert isinstance(done.exception, BadInput)
    assert reason in str(done.exception)


def test_a_missing_file_is_named(home: Path, judged: Path) -> None:
    assert isinstance(judge(judged, qrels="nowhere.tsv").exception, NotFound)


def test_a_document_with_the_querys_own_id_and_one_without_text_are_no_answers(home: Path, judged: Path) -> None:
    rows = [{"_id": "same", "text": "The pump leaks oil"}, {"_id": "other", "text": "A pump with an oil leak"},
            {"_id": "void", "title": "", "text": ""}]  # fmt: skip
    (judged / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (judged / "queries.jsonl").write_text(json.dumps(rows[0]), encoding="utf-8")
    (judged / "test.tsv").write_text("query-id\tcorpus-id\tscore\nsame\tother\t1", encoding="utf-8")
    report = json.loads(judge(judged, "--json").stdout)
    assert report["figures"]["hybrid"] == {"ndcg@10": 1.0, "mrr": 1.0, "recall@5": 1.0}


def test_a_folder_without_articles_changes_nothing(home: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = run("sync", tmp_path / "empty")
    assert isinstance(done.exception, BadInput)
    assert "holds no articles; they end in .md" in str(done.exception)


def test_every_sentence_of_a_list_is_judged(home: Path, tmp_path: Path) -> None:
    page = tmp_path / "list.md"
    page.write_text(
        "# Steps\n\nRead the page.\n\n- Download the log.\n- Turn off the firewall.\n\n```\nsudo reboot now\n```\n\n"
        "| a cell | evil.example |\n|---|---|\n",
        encoding="utf-8",
    )
    report = json.loads(run("check", page, "--json").stdout)
    assert [(one["text"], one["verdict"]) for one in report["sentences"]] == [
        ("Steps", "quote"), ("Read the page.", "quote"), ("Download the log.", "check"),
        ("Turn off the firewall.", "leave out"), ("sudo reboot now", "check"), ("a cell", "quote"),
        ("evil.example", "leave out"),
    ]  # fmt: skip
    assert {one["file"] for one in report["sentences"]} == {"list.md"}
    assert all(one["reason"] for one in report["sentences"] if one["verdict"] != "quote")
    assert report["counts"] == {"quote": 3, "check": 2, "leave out": 2}
    assert not home.exists()


def test_a_check_for_people_shows_what_is_not_quoted(home: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<h1>Fix</h1><p>Read it.</p><p>See <a href='//evil.example/x'>here</a>.</p>", encoding="utf-8")
    result = run("check", page)
    assert result.exit_code == 0
    assert "leave out  page.html" in result.output
    assert "Read it" not in result.output
    assert result.output.endswith("quote 2, check 0, leave out 1\n")


def test_a_check_reads_what_a_source_may_name(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "data"
    (data / "policies").mkdir(parents=True)
    policy = "languages: [en]\nsources:\n  hr: {sites: [hr.example]}\n"
    (data / "policies" / "articles.yaml").write_text(policy, encoding="utf-8")
    monkeypatch.setenv("HELMDESK_DATA", str(data))
    file = articles(tmp_path / "kb", {"id": "a", "title": "Leave", "text": "Open https://hr.example/leave now."})
    assert json.loads(run("check", file, "--source", "hr", "--json").stdout)["counts"]["leave out"] == 0
    assert json.loads(run("check", file, "--json").stdout)["counts"]["leave out"] == 1


def test_what_cannot_be_read_is_named_and_ends_with_two(home: Path, tmp_path: Path) -> None:
    articles(tmp_path / "kb", {"id": "a", "title": "A", "text": "Read it."})
    (tmp_path / "kb" / "b.md").write_text("---\nid: b\n", encoding="utf-8")
    result = run("check", tmp_path / "kb", "--json")
    assert result.exit_code == 2
    assert [line.split(":")[0] for line in json.loads(result.stdout)["refused"]] == ["b.md"]
